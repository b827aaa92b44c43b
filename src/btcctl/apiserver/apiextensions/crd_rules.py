"""Whether the CEL rules of a CustomResourceDefinition make sense, and can be done here."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid
from btcctl.apiserver.machinery.gofmt import json_text, shown
from btcctl.apiserver.schemas.cel.syntax import CompileError, Unsupported
from btcctl.apiserver.schemas.cel.types import Type, normalized_path, type_of
from btcctl.apiserver.schemas.prune_and_default import has_rules

Schema = Mapping[str, Any]
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


def check_rules(schema: Schema, field: str) -> list[Cause]:
    """What is wrong with the rules of a schema that is right otherwise.

    Raises:
        StatusError: 501, this server would not do them right.
    """
    if not has_rules(schema):
        return []
    refused: list[str] = []
    causes = list(_check(schema, field, type_of(schema, is_root=True), "", refused))
    if refused:
        listed = "; ".join(dict.fromkeys(refused))
        raise errors.not_implemented(f"CustomResourceDefinitions with CEL rules that need {listed}")
    return causes


def _check(schema: Schema, field: str, type_: Type | None, loose: str, refused: list[str]) -> Iterator[Cause]:
    """
    Args:
        loose: The field below which nothing can be told from what it was before; "" if there is none.
    """
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        if type_ is not None:
            place = f"{field}.x-kubernetes-validations[{index}]"
            try:
                yield from _compile(rule, type_, place, loose)
            except Unsupported as error:
                refused.append(str(error))
    for name, below in (schema.get("properties") or {}).items():
        yield from _check(below, f"{field}.properties[{name}]", _type(below), loose, refused)
    additional, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(additional, Mapping):
        yield from _check(additional, f"{field}.additionalProperties", _type(additional), loose, refused)
    if isinstance(items, Mapping):
        is_keyed = schema.get("x-kubernetes-list-type") == "map"
        yield from _check(items, f"{field}.items", _type(items), loose or ("" if is_keyed else field), refused)


def _type(schema: Schema) -> Type | None:
    return type_of(schema, is_root=bool(schema.get("x-kubernetes-embedded-resource")))


def _compile(rule: Mapping[str, Any], type_: Type, place: str, loose: str) -> Iterator[Cause]:
    rules = importlib.import_module("btcctl.apiserver.schemas.cel.rules")
    try:
        found = rules.compile_rule(rule, type_)
    except CompileError as error:
        yield Cause("FieldValueInvalid", f"Invalid value: {_printed(rule)}: {error}", f"{place}.rule")
        found = None
    try:
        rules.compile_message(rule, type_)
    except CompileError as error:
        yield Cause("FieldValueInvalid", f"Invalid value: {_printed(rule)}: {error}", f"{place}.messageExpression")
    if found is None:
        return
    if found.is_transition and loose:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {loose}"
        yield invalid(f"{place}.rule", rule["rule"], why)
    elif not found.is_transition and rule.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield invalid(f"{place}.optionalOldSelf", rule["optionalOldSelf"], why)


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
