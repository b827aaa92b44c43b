"""Calls: which overload fits operands, by their types or, where these are not known, by their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from btcctl.apiserver.machinery.gofmt import plain
from btcctl.apiserver.schemas.cel.costs import LIST_COST, MAP_COST
from btcctl.apiserver.schemas.cel.data import (
    BUDGET,
    Duration,
    EvaluationError,
    Made,
    Optional,
    Timestamp,
    TypeName,
    read,
)
from btcctl.apiserver.schemas.cel.library.overload import LibraryValue, Overload
from btcctl.apiserver.schemas.cel.parts.prices import call_cost, has_one_price
from btcctl.apiserver.schemas.cel.types import Type

Scope = dict[str, Any]  #: the values of the variables
Run = Callable[[Scope], Any]

_LACONIC = frozenset(["contains", "startsWith", "endsWith", "matches", "find", "findAll"])
_UNARY, _RECEIVERS = frozenset(["size", "sort"]), frozenset(["string", "duration", "timestamp"])
_NULLABLE = frozenset([
    "null", "object", "dyn", "timestamp", "duration", "optional_type", "kubernetes.Quantity", "kubernetes.URL",
    "kubernetes.NamedFormat", "kubernetes.Semver", "net.IP", "net.CIDR",
])  # fmt: skip


def is_vague(type_: Type) -> bool:
    """Whether only a value tells what it is, or what is in it."""
    return type_.kind == "dyn" or any(is_vague(each) for each in type_.args)


def is_less_specific(one: Type, other: Type) -> bool:
    """Whether all values of the other type are of this one."""
    if "dyn" in {one.kind, other.kind}:
        return one.kind == "dyn"
    return one.kind == other.kind and all(is_less_specific(*each) for each in zip(one.args, other.args, strict=False))


def fits(one: Type, other: Type) -> bool:
    """Whether values of the two types can be compared, or stand for each other."""
    if "dyn" in {one.kind, other.kind}:
        return True
    if "null" in {one.kind, other.kind}:
        return all(each.kind in _NULLABLE or each.is_struct for each in (one, other))
    if one.kind == "object":
        return one == other
    if one.kind == "type":
        return other.kind == "type"
    return one.kind == other.kind and all(fits(*each) for each in zip(one.args, other.args, strict=False))


def bind(overload: Overload, types: Sequence[Type]) -> Overload | None:
    """The overload with its free types bound; None if the operands do not fit."""
    bound: dict[Type, Type] = {}
    if len(overload.arguments) != len(types):
        return None
    is_fit = all(_match(wanted, found, bound) for wanted, found in zip(overload.arguments, types, strict=True))
    return overload._replace(result=_filled(overload.result, bound)) if is_fit else None


def _match(wanted: Type, found: Type, bound: dict[Type, Type]) -> bool:
    if wanted.kind.startswith("<"):
        if wanted not in bound or is_vague(bound[wanted]):
            bound[wanted] = found
            return True
        return fits(bound[wanted], found)
    if found.kind == "dyn":
        for each in wanted.args:
            _match(each, found, bound)
    if "dyn" in {found.kind, wanted.kind}:
        return True
    return wanted.kind == found.kind and all(_match(w, f, bound) for w, f in zip(wanted.args, found.args, strict=False))


def _filled(type_: Type, bound: Mapping[Type, Type]) -> Type:
    if type_ in bound:
        return bound[type_]
    return Type(type_.kind, tuple(_filled(each, bound) for each in type_.args)) if type_.args else type_


def truth(value: Any) -> bool:
    """The value, which must be true or false.

    Raises:
        EvaluationError: It is neither.
    """
    if not isinstance(value, bool):
        raise EvaluationError("no such overload")
    return value


def direct(name: str, overload: Overload, runs: Sequence[Run]) -> Run:
    """Calls a function whose operands are known to fit."""
    function, is_cheap = overload.run, has_one_price(name, overload.arguments)
    if len(runs) != 2:

        def run(scope: Scope) -> Any:
            operands = [each(scope) for each in runs]
            spend(scope, 1 if is_cheap else call_cost(name, operands))
            return _called(name, function, operands)

        return run
    left, right = runs

    def run_both(scope: Scope) -> Any:  # most calls, and so without a step that is not needed
        one, other = left(scope), right(scope)
        if BUDGET in scope:
            scope[BUDGET].spend(1 if is_cheap else call_cost(name, (one, other)))
        try:
            return function(one, other)
        except (TypeError, AttributeError) as error:
            raise _no_overload(name, (one, other)) from error

    return run_both


def spend(scope: Scope, cost: int) -> None:
    """Let the budget of an expression, if it has one, pay for a part."""
    budget = scope.get(BUDGET)
    if budget is not None:
        budget.spend(cost)


def a_list(runs: Sequence[Run]) -> Run:
    """What a literal list computes."""

    def run(scope: Scope) -> list[Any]:
        spend(scope, LIST_COST)
        return [each(scope) for each in runs]

    return run


def a_map(pairs: Sequence[tuple[Run, Run]]) -> Run:
    """What a literal map computes."""

    def run(scope: Scope) -> dict[Any, Any]:
        spend(scope, MAP_COST)
        try:
            return {key(scope): value(scope) for key, value in pairs}
        except TypeError as error:
            raise EvaluationError("unsupported key type") from error

    return run


def _called(name: str, function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    try:
        return function(*operands)
    except (TypeError, AttributeError) as error:  # null where the type is another, a map as a key of a map
        raise _no_overload(name, operands) from error


def _no_overload(name: str, operands: Sequence[Any]) -> EvaluationError:
    """What a real server says of a function for values of other types: more or less, by how it calls it."""
    kinds = [_type_of_value(each).kind for each in operands]
    if name == "_[_]" and isinstance(operands[0], str | int | float | None):
        return EvaluationError(f"no such key: {plain(operands[1])}")
    if not name[0].isalpha() or name in _LACONIC or (name in _UNARY and kinds[0] in _RECEIVERS):
        return EvaluationError("no such overload")
    if name in _UNARY:
        return EvaluationError(f"no such overload: {name}")
    if name == "flatten":
        return EvaluationError(f"no such overload: {kinds[0]}.flatten({', '.join(kinds[1:])})")
    return EvaluationError(f"no such overload: {name}({', '.join(kinds)})")


def dispatched(name: str, overloads: Sequence[Overload], runs: Sequence[Run]) -> Run:
    """Finds the overload by the values: the types were not known before."""
    known: dict[tuple[type, ...], Overload | None] = {}  # by Python's types: few, and each found once

    def run(scope: Scope) -> Any:
        operands = [each(scope) for each in runs]
        spend(scope, call_cost(name, operands))
        key = tuple(type(each) for each in operands)
        if key not in known:
            types = [_type_of_value(each) for each in operands]
            known[key] = next((each for each in overloads if bind(each, types) is not None), None)
        overload = known[key]
        if overload is None:
            raise _no_overload(name, operands)
        return _called(name, overload.run, operands)

    return run


def _type_of_value(value: Any) -> Type:
    kinds: dict[type, str] = {
        bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes", list: "list", dict: "map",
        Duration: "duration", Timestamp: "timestamp", Optional: "optional_type", TypeName: "type",
    }  # fmt: skip
    return Type(value.type_name if isinstance(value, Made | LibraryValue) else kinds.get(type(value), "null"))


def selected(owner: Run, name: str, type_: Type, key: str) -> Run:
    """`owner.name`.

    Args:
        key: The field's name in the object.
    """

    def run(scope: Scope) -> Any:
        value = owner(scope)
        if not isinstance(value, Mapping) and not isinstance(value, str | int | float | None):
            raise EvaluationError("no such overload")
        if not isinstance(value, Mapping) or key not in value:
            raise EvaluationError(f"no such key: {name}")
        return read(type_, value[key])

    return run
