"""The rules of a schema: x-kubernetes-validations at each of its nodes, and what they say of an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.gofmt import quoted, shown
from btcctl.apiserver.schemas.cel import data
from btcctl.apiserver.schemas.cel.compiler import Program, compile_expression
from btcctl.apiserver.schemas.cel.costs import SizeAt
from btcctl.apiserver.schemas.cel.data import BUDGET, Budget, BudgetExceeded, EvaluationError, Optional
from btcctl.apiserver.schemas.cel.syntax import CompileError
from btcctl.apiserver.schemas.cel.types import STRING, Type, normalized_path, type_of
from btcctl.apiserver.schemas.correlation import Correlated, ItemsByKeys

Schema = Mapping[str, Any]
_LONGEST_MESSAGE = 5 * 1024


@dataclass(frozen=True)
class Rule:
    """One of them, ready to run."""

    source: Mapping[str, Any]
    program: Program
    message: Program | None = None
    place: str = ""  #: its fieldPath, normalized

    @property
    def is_transition(self) -> bool:
        return "oldSelf" in self.program.names

    @property
    def name(self) -> str:
        """What errors call it."""
        return str(self.source.get("message") or self.source["rule"]).strip()


class _NoFurtherRules(Exception):
    """The budget is used up."""


@dataclass
class Node:
    """The rules of one node of a schema and of those below."""

    schema: Schema
    rules: list[Rule] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    rest: Node | None = None  #: additionalProperties
    items: Node | None = None
    is_root: bool = False
    type: Type | None = None  #: None also where no rule asks for it


@dataclass(frozen=True)
class _Place:
    """Where a node's rules are run: the field, what was there, and whether that has changed."""

    path: str
    old: Any
    now: Correlated | None
    above: Correlated | None

    def at(self, rule: Rule) -> str:
        """The field of which the rule tells."""
        return (self.path + rule.place).removeprefix(".") or "<nil>"

    def is_unchanged(self) -> bool:
        nearest = self.now if self.now is not None else self.above
        return nearest is not None and nearest.equal()


def compile_rules(schema: Schema, *, is_root: bool = True) -> Node | None:
    """The rules of a schema; None if there are none.

    Args:
        is_root: It is the schema of a whole object, which has metadata.

    Raises:
        CompileError: One is wrong.
        Unsupported: One cannot be done here.
    """
    return _node(schema, is_root=is_root)


def compile_rule(source: Mapping[str, Any], self_type: Type, size_at: SizeAt | None = None) -> Rule:
    """
    Args:
        size_at: How large what a path leads to may become; for what it costs.

    Raises:
        CompileError: With the message of the cause.
    """
    old_type = Type("optional_type", (self_type,)) if source.get("optionalOldSelf") else self_type
    variables = {"self": self_type, "oldSelf": old_type}
    try:
        program = compile_expression(source["rule"], variables, size_at=size_at)
    except CompileError as error:
        raise CompileError(f"compilation failed: {error}") from error
    if program.type.kind != "bool":
        raise CompileError("cel expression must evaluate to a bool")
    return Rule(source, program)


def compile_message(source: Mapping[str, Any], self_type: Type, size_at: SizeAt | None = None) -> Program | None:
    """
    Args:
        size_at: As for a rule.

    Raises:
        CompileError: With the message of the cause.
    """
    if not source.get("messageExpression"):
        return None
    old_type = Type("optional_type", (self_type,)) if source.get("optionalOldSelf") else self_type
    try:
        variables = {"self": self_type, "oldSelf": old_type}
        program = compile_expression(source["messageExpression"], variables, size_at=size_at)
    except CompileError as error:
        raise CompileError(f"messageExpression compilation failed: {error}") from error
    if program.type != STRING:
        raise CompileError("messageExpression must evaluate to a string")
    return program


def run(node: Node, new: Any, old: Any) -> tuple[list[Cause], list[str]]:
    """What the rules say of an object.

    Args:
        old: What it replaces; None if it is new.

    Returns:
        What is wrong, and warnings of what is wrong but was so before.
    """
    correlated = None if old is None else Correlated(node.schema, new, old)
    causes: list[Cause] = []
    warnings: list[str] = []
    with suppress(_NoFurtherRules):
        for cause, is_old in _run(node, new, _Place("", old, correlated, None), Budget()):
            if is_old:
                warnings.append(f"{cause.field}: {cause.message}")
            else:
                causes.append(cause)
    return causes, warnings


def _node(schema: Schema, *, is_root: bool = False) -> Node | None:
    sources = schema.get("x-kubernetes-validations") or ()
    # A type is made of all that is below, so of each node only where it is needed.
    type_ = type_of(schema, is_root=is_root) if sources else None
    node = Node(schema, is_root=is_root, type=type_)
    if type_ is not None:
        for source in sources:
            rule = compile_rule(source, type_)
            place = normalized_path(schema, source.get("fieldPath") or "") or ""
            node.rules.append(Rule(source, rule.program, compile_message(source, type_), place))
    for name, below in (schema.get("properties") or {}).items():
        found = _below(below)
        if found is not None:
            node.fields[name] = found
    node.rest = _below(schema.get("additionalProperties"))
    node.items = _below(schema.get("items"))
    return node if node.rules or node.fields or node.rest or node.items else None


def _below(schema: Any) -> Node | None:
    if not isinstance(schema, Mapping):
        return None
    return _node(schema, is_root=bool(schema.get("x-kubernetes-embedded-resource")))


def _run(node: Node, new: Any, place: _Place, budget: Budget) -> Iterator[tuple[Cause, bool]]:
    if new is None:
        return
    if node.rules:
        yield from _run_rules(node, new, place, budget)
    if isinstance(new, Mapping):
        yield from _run_fields(node, new, place, budget)
    elif isinstance(new, list) and node.items is not None:
        keys: Sequence[str] = ()
        if node.schema.get("x-kubernetes-list-type") == "map":
            keys = node.schema.get("x-kubernetes-list-map-keys") or ()
        olds = ItemsByKeys(place.old, keys) if isinstance(place.old, list) and keys else None
        for index, each in enumerate(new):
            now = place.now.index(index) if place.now is not None else None
            old = None if olds is None else olds.find(each)
            yield from _run(
                node.items, each, _Place(f"{place.path}[{index}]", old, now, place.now or place.above), budget
            )


def _run_fields(node: Node, new: Mapping[str, Any], place: _Place, budget: Budget) -> Iterator[tuple[Cause, bool]]:
    old = place.old if isinstance(place.old, Mapping) else {}
    for name, each in new.items():
        below, path = node.fields.get(name), f"{place.path}.{name}" if place.path else name
        if below is None and name not in (node.schema.get("properties") or {}):
            below, path = node.rest, f"{place.path}[{name}]"
        if below is not None:
            now = place.now.key(name) if place.now is not None else None
            yield from _run(below, each, _Place(path, old.get(name), now, place.now or place.above), budget)


def _run_rules(node: Node, new: Any, place: _Place, budget: Budget) -> Iterator[tuple[Cause, bool]]:
    kind = node.schema.get("type") or ""
    for rule in node.rules:
        is_optional = bool(rule.source.get("optionalOldSelf"))
        if rule.is_transition and place.old is None and not is_optional:
            continue
        at = place.path or "<nil>"
        try:
            budget.begin_rule()
            scope = _scope(node, new, place.old, budget, is_optional=is_optional)
            if rule.program.run(scope) is True:
                continue
        except BudgetExceeded as error:
            yield _invalid(kind, _exceeded(error, rule), at), False  # however little has changed: it was not looked at
            raise _NoFurtherRules from error
        except EvaluationError as error:
            yield _invalid(kind, _told(error, rule), at), False
            continue
        may_stay = not rule.is_transition and place.is_unchanged()
        try:
            message = _message(rule, scope, budget)
        except BudgetExceeded as error:
            yield _invalid(kind, _message_exceeded(error, rule), place.at(rule)), may_stay
            raise _NoFurtherRules from error
        yield _failure(rule, new, kind, place.at(rule), message), may_stay


def _scope(node: Node, new: Any, old: Any, budget: Budget, *, is_optional: bool) -> dict[str, Any]:
    now, before = _seen(node, new), _seen(node, old)
    before = Optional(before, old is not None) if is_optional else before
    return {"self": now, "oldSelf": before, BUDGET: budget}


def _seen(node: Node, value: Any) -> Any:
    """A value as rules see it: of metadata there are only the names."""
    if node.is_root and isinstance(value, Mapping) and isinstance(value.get("metadata"), Mapping):
        metadata = {key: each for key, each in value["metadata"].items() if key in {"name", "generateName"}}
        return {**value, "metadata": metadata}
    return data.read(node.type, value) if node.type is not None else value


def _invalid(kind: str, why: str, place: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {shown(kind)}: {why}", place)


def _exceeded(error: BudgetExceeded, rule: Rule) -> str:
    if str(error).startswith("operation cancelled"):
        why = "no further validation rules will be run due to call cost exceeds limit for rule"
        return f"'{error}': {why}: {rule.name}"
    return f"{error}, no further validation rules will be run"


def _told(error: EvaluationError, rule: Rule) -> str:
    if str(error).startswith("no such overload"):
        why = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{error}': {why}: {rule.name}"
    return f"{error} evaluating rule: {rule.name}"


def _message_exceeded(error: BudgetExceeded, rule: Rule) -> str:
    if str(error).startswith("operation cancelled"):
        why = "no further validation rules will be run due to call cost exceeds limit for messageExpression"
        return f"{why}: {quoted(rule.source['messageExpression'])}"
    why = str(error).removeprefix("validation ")
    return f"messageExpression evaluation {why}, no further validation rules will be run"


def _message(rule: Rule, scope: dict[str, Any], budget: Budget) -> str:
    if rule.message is not None:
        try:
            budget.begin_rule()
            found = str(rule.message.run(scope)).strip()
        except EvaluationError:
            found = ""
        if found and "\n" not in found and len(found.encode()) <= _LONGEST_MESSAGE:
            return found
    return rule.name if rule.source.get("message") else f"failed rule: {rule.name}"


def _failure(rule: Rule, new: Any, kind: str, place: str, message: str) -> Cause:
    reason = rule.source.get("reason") or "FieldValueInvalid"
    value = "" if kind in {"object", "array"} else f" {shown(new)}:"
    if reason == "FieldValueForbidden":
        return Cause(reason, f"Forbidden: {message}", place)
    if reason == "FieldValueRequired":
        return Cause(reason, f"Required value: {message}", place)
    if reason == "FieldValueDuplicate":
        return Cause(reason, f"Duplicate value{value and ':' + value.removesuffix(':')}", place)
    return Cause("FieldValueInvalid", f"Invalid value:{value} {message}", place)
