"""Which overload of a function fits operands, by their types or, where these are not known, by their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from btcctl.apiserver.schemas.cel.data import BUDGET, Duration, EvaluationError, Made, Optional, Timestamp
from btcctl.apiserver.schemas.cel.functions import Overload
from btcctl.apiserver.schemas.cel.types import Type

Scope = dict[str, Any]  #: the values of the variables
Run = Callable[[Scope], Any]

_NULLABLE = frozenset(["null", "object", "dyn", "timestamp", "duration", "optional_type"])


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


def direct(function: Callable[..., Any], runs: Sequence[Run]) -> Run:
    """Calls a function whose operands are known to fit."""

    def run(scope: Scope) -> Any:
        return _called(function, [each(scope) for each in runs])

    return run


def _called(function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    try:
        return function(*operands)
    except (TypeError, AttributeError) as error:  # null where the type is another, a map as a key of a map
        raise EvaluationError("no such overload") from error


def dispatched(overloads: Sequence[Overload], runs: Sequence[Run]) -> Run:
    """Finds the overload by the values: the types were not known before."""
    known: dict[tuple[type, ...], Overload | None] = {}  # by Python's types: few, and each found once

    def run(scope: Scope) -> Any:
        budget = scope.get(BUDGET)
        if budget is not None:
            budget.spend(1)  # the least that a real server counts for a call
        operands = [each(scope) for each in runs]
        key = tuple(type(each) for each in operands)
        if key not in known:
            types = [_type_of_value(each) for each in operands]
            known[key] = next((each for each in overloads if bind(each, types) is not None), None)
        overload = known[key]
        if overload is None:
            raise EvaluationError("no such overload")
        return _called(overload.run, operands)

    return run


def _type_of_value(value: Any) -> Type:
    kinds: dict[type, str] = {
        bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes", list: "list", dict: "map",
        Duration: "duration", Timestamp: "timestamp", Optional: "optional_type",
    }  # fmt: skip
    return Type(value.type_name if isinstance(value, Made) else kinds.get(type(value), "null"))
