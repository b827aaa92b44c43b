"""Whether the CEL rules of a CustomResourceDefinition make sense, and can be done here."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid
from btcctl.apiserver.machinery.gofmt import json_text, shown
from btcctl.apiserver.schemas import sizes
from btcctl.apiserver.schemas.cel.costs import MOST
from btcctl.apiserver.schemas.cel.syntax import CompileError, Unsupported, words_in
from btcctl.apiserver.schemas.cel.types import Type, normalized_path, type_of
from btcctl.apiserver.schemas.prune_and_default import has_rules
from btcctl.apiserver.schemas.sizes import Declared

Schema = Mapping[str, Any]
_MOST_RULE_COST, _MOST_TOTAL_COST = 10_000_000, 100_000_000  # StaticEstimatedCostLimit, StaticEstimatedCRDCostLimit
_MOST_NAMED = 4  # of those that cost most together
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_KEYS = {
    "rule": ("Rule", ""), "message": ("Message", ""), "messageExpression": ("MessageExpression", ""),
    "reason": ("Reason", None), "fieldPath": ("FieldPath", ""), "optionalOldSelf": ("OptionalOldSelf", None),
}  # fmt: skip


def check_texts(schema: Schema, field: str) -> Iterator[Cause]:
    """What is wrong with the rules of one node before they are compiled."""
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        place = f"{field}.x-kubernetes-validations[{index}]"
        text, message = str(rule.get("rule") or ""), str(rule.get("message") or "")
        if not text.strip():
            yield Cause("FieldValueRequired", "Required value: rule is not specified", f"{place}.rule")
        elif message and not message.strip():
            yield invalid(f"{place}.message", message, "must be non-empty if specified")
        elif _has_lines(message.strip()):
            yield invalid(f"{place}.message", message, "must not contain line breaks")
        elif _has_lines(text.strip()) and not message.strip():
            why = "message must be specified if rule contains line breaks"
            yield Cause("FieldValueRequired", f"Required value: {why}", f"{place}.message")
        yield from _check_rest(schema, rule, place)


def check_rules(schema: Schema, field: str, *, is_known: bool = False) -> list[Cause]:
    """What is wrong with the rules of a schema that is right otherwise.

    Args:
        is_known: An update leaves it as it is: no single rule is too dear then, all of them together may be.

    Raises:
        StatusError: 501, this server would not do them right.
    """
    if not has_rules(schema):
        return []
    checker = _Checker(is_known=is_known)
    causes = [*checker.check(schema, field, _Place(1), is_root=True), *checker.total_causes(field)]
    if checker.refused:
        listed = "; ".join(dict.fromkeys(checker.refused))
        raise errors.not_implemented(f"CustomResourceDefinitions with CEL rules that need {listed}")
    return causes


class _Place(NamedTuple):
    """Where a node stands.

    Attributes:
        times: How often it may be there in an object; None if nobody knows.
        loose: The field below which nothing can be told from what it was before; "" if there is none.
    """

    times: int | None
    loose: str = ""


class _Checker:
    """Goes through one schema.

    Args:
        is_known: Each rule may cost what it does.

    Attributes:
        refused: What cannot be done here.
    """

    def __init__(self, *, is_known: bool) -> None:
        self.refused: list[str] = []
        self._is_known = is_known
        self._costs: list[tuple[int, str]] = []  # of each rule, and where it stands

    def check(self, schema: Schema, field: str, place: _Place, *, is_root: bool = False) -> Iterator[Cause]:
        is_root = is_root or bool(schema.get("x-kubernetes-embedded-resource"))
        listed = schema.get("x-kubernetes-validations") or ()
        type_ = type_of(schema, is_root=is_root) if listed else None
        size = sizes.declared(schema, is_root=is_root) if type_ is not None else None
        for index, rule in enumerate(listed):
            if type_ is not None and size is not None:
                try:
                    yield from self._check_rule(rule, type_, size, f"{field}.x-kubernetes-validations[{index}]", place)
                except Unsupported as error:
                    self.refused.append(str(error))
        below = place._replace(times=_times_below(schema, place.times))
        for name, each in (schema.get("properties") or {}).items():
            yield from self.check(each, f"{field}.properties[{name}]", below)
        additional, items = schema.get("additionalProperties"), schema.get("items")
        if isinstance(additional, Mapping):
            yield from self.check(additional, f"{field}.additionalProperties", below)
        if isinstance(items, Mapping):
            is_keyed = schema.get("x-kubernetes-list-type") == "map"
            loose = place.loose or ("" if is_keyed else field)
            yield from self.check(items, f"{field}.items", below._replace(loose=loose))

    def _check_rule(
        self, rule: Mapping[str, Any], type_: Type, size: Declared, where: str, place: _Place
    ) -> Iterator[Cause]:
        rules = importlib.import_module("btcctl.apiserver.schemas.cel.rules")

        def size_at(path: tuple[str, ...]) -> int | None:
            return size.at(path[1:])

        errors.spend_words(words_in(rule["rule"]) + words_in(rule.get("messageExpression") or ""))
        found = None
        try:
            found = rules.compile_rule(rule, type_, size_at)
            times = size.most_times if place.times is None else place.times
            yield from self._check_cost("rule", found.program.most_cost * times, f"{where}.rule")
        except CompileError as error:
            yield Cause("FieldValueInvalid", f"Invalid value: {_printed(rule)}: {error}", f"{where}.rule")
        try:
            message = rules.compile_message(rule, type_, size_at)
            if message is not None and found is not None:
                yield from self._check_cost("messageExpression", message.most_cost, f"{where}.messageExpression")
        except CompileError as error:
            yield Cause("FieldValueInvalid", f"Invalid value: {_printed(rule)}: {error}", f"{where}.messageExpression")
        if found is None:
            return
        if found.is_transition and place.loose:
            why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.loose}"
            yield invalid(f"{where}.rule", rule["rule"], why)
        elif not found.is_transition and rule.get("optionalOldSelf") is not None:
            why = "may not be set if oldSelf is not used in rule"
            yield invalid(f"{where}.optionalOldSelf", rule["optionalOldSelf"], why)

    def _check_cost(self, name: str, cost: int, where: str) -> Iterator[Cause]:
        self._costs.append((cost, where))
        if cost > _MOST_RULE_COST and not self._is_known:
            yield forbidden(where, _too_dear(f"estimated {name} cost", cost, _MOST_RULE_COST))

    def total_causes(self, field: str) -> Iterator[Cause]:
        """What is wrong with all rules together."""
        total = sum(cost for cost, _ in self._costs)
        if total <= _MOST_TOTAL_COST:
            return
        dearest = sorted(self._costs, key=lambda each: -each[0])[:_MOST_NAMED]
        for cost, where in dearest:
            if cost >= _MOST_TOTAL_COST // 100:
                why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
                yield forbidden(where, why)
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield forbidden(field, _too_dear(what, total, _MOST_TOTAL_COST))


def _times_below(schema: Schema, times: int | None) -> int | None:
    """How often what is below a node may be there, if the node may be there so often."""
    type_: Any = schema.get("type")
    most: int | None = 1
    if type_ == "array":
        most = schema.get("maxItems")
    elif type_ == "object" and schema.get("additionalProperties") is not None:
        most = schema.get("maxProperties")
    return None if times is None or most is None else times * max(most, 0)


def _too_dear(what: str, cost: int, most: int) -> str:
    factor = min(cost, MOST) / most
    shown_factor = "more than 100" if factor > 100 else f"{factor:f}" if factor < 1.5 else f"{factor:.1f}"
    return (
        f"{what} exceeds budget by factor of {shown_factor}x (try simplifying the rule, or adding maxItems, "
        "maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )


def _check_rest(schema: Schema, rule: Mapping[str, Any], place: str) -> Iterator[Cause]:
    expression, path = str(rule.get("messageExpression") or ""), str(rule.get("fieldPath") or "")
    if expression and not expression.strip():
        why = "messageExpression must be non-empty if specified"
        yield Cause("FieldValueRequired", f"Required value: {why}", f"{place}.messageExpression")
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        listed = ", ".join(shown(each) for each in _REASONS)
        message = f"Unsupported value: {shown(reason)}: supported values: {listed}"
        yield Cause("FieldValueNotSupported", message, f"{place}.reason")
    if path and not path.strip():
        yield invalid(f"{place}.fieldPath", path, "must be non-empty if specified")
    if _has_lines(path):
        yield invalid(f"{place}.fieldPath", path, "must not contain line breaks")
    if path and normalized_path(schema, path) is None:
        yield invalid(f"{place}.fieldPath", path, "must be a valid path")


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def _printed(rule: Mapping[str, Any]) -> str:
    """A rule as a server prints its own struct."""
    parts = (f'"{name}":{json_text(rule.get(key, absent))}' for key, (name, absent) in _KEYS.items())
    return "{" + ",".join(parts) + "}"
