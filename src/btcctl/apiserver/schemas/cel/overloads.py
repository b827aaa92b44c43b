"""Calls: which overload fits operands, by their types or, where these are not known, by their values; and its cost.

While an expression runs, a call costs no more than a real server counts, so that nothing is refused that it takes; but
where that counts nothing for what takes memory or time without end (a replacement in each character, lists that are
joined, values compared to all depths), it is counted as well.

Source: github.com/google/cel-go/interpreter/runtimecost.go, v0.26, and k8s.io/apiserver/pkg/cel/library/cost.go, v0.36.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from btcctl.apiserver.machinery.gofmt import plain
from btcctl.apiserver.schemas.cel.costs import LIST_COST, MAP_COST
from btcctl.apiserver.schemas.cel.data import (
    BUDGET,
    BudgetExceeded,
    Duration,
    EvaluationError,
    Made,
    Optional,
    Timestamp,
    read,
)
from btcctl.apiserver.schemas.cel.library.overload import LibraryValue, Overload
from btcctl.apiserver.schemas.cel.types import Type

Scope = dict[str, Any]  #: the values of the variables
Run = Callable[[Scope], Any]

_PER_CHARACTER = 10  # characters that are passed for one
_PER_PATTERN = 4
_SCALARS = frozenset(["bool", "int", "double", "timestamp", "duration", "null"])
_LACONIC = frozenset(["contains", "startsWith", "endsWith", "matches", "find", "findAll"])
_UNARY, _RECEIVERS = frozenset(["size", "sort"]), frozenset(["string", "duration", "timestamp"])
_PARTS_FOR_ONE = 10  # of values that are compared to all depths
_MOST_PARTS = 1_000_000
_MOST_MADE = 2_000_000  # values and characters of what an expression makes for an object, which is smaller
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
        Duration: "duration", Timestamp: "timestamp", Optional: "optional_type",
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


def call_cost(name: str, operands: Sequence[Any]) -> int:
    """
    Args:
        operands: Of whatever types.
    """
    known = _COSTS.get(name)
    try:
        return 1 if known is None else known(*operands)
    except (TypeError, AttributeError):  # no operands of this function, which it says itself
        return 1


def has_one_price(name: str, types: Sequence[Type]) -> bool:
    """Whether any call with operands of these types costs 1."""
    return (name not in _COSTS and name not in _COMPARISONS) or all(each.kind in _SCALARS for each in types)


def comparison_cost(one: Any, other: Any) -> int:
    """Of `==` and `!=`."""
    if isinstance(one, str) and isinstance(other, str):
        return -(-min(len(one), len(other)) // _PER_CHARACTER)
    if isinstance(one, list | Mapping) and isinstance(other, list | Mapping):
        return min(_parts(each) for each in (one, other))
    return 1


def check_volume(value: Any) -> None:
    """
    Raises:
        BudgetExceeded: What an expression has made is larger than any object may be.
    """
    _volume(value, _MOST_MADE, per_character=1)


def _parts(value: Any) -> int:
    """What it costs to go through a value to all depths."""
    return 1 + _volume(value, _MOST_PARTS) // _PARTS_FOR_ONE


def _volume(value: Any, most: int, *, per_character: int = 0) -> int:
    """How many values it has at all depths, and characters. What is there by several ways counts for each.

    Raises:
        BudgetExceeded: More than `most`.
    """
    count, left = 0, [value]
    while left:
        each = left.pop()
        count += 1
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            left += each.values()
            count += per_character * sum(len(key) for key in each if isinstance(key, str))
        elif isinstance(each, str):
            count += per_character * len(each)
        if count + len(left) > most:
            raise BudgetExceeded("operation cancelled: actual cost limit exceeded")
    return count


def _passed(characters: int) -> int:
    return -(-characters // _PER_CHARACTER)


def _sum(one: Any, other: Any) -> int:
    if isinstance(one, str):
        return _passed(len(one) + len(other))
    return 1 + len(one) + len(other) if isinstance(one, list) else 1


def _order(one: Any, other: Any) -> int:
    return _passed(min(len(one), len(other))) if isinstance(one, str) else 1


def _membership(wanted: Any, items: Any) -> int:
    if not isinstance(items, list):
        return 1
    return len(items) if not isinstance(wanted, list | Mapping) else _parts(items)


def _matched(text: str, pattern: str, *_: Any) -> int:
    return _passed(len(text) + 1) * -(-len(pattern) // _PER_PATTERN)


def _replaced(text: str, old: str, new: str, limit: int = -1) -> int:
    count = text.count(old) if old else len(text) + 1
    count = count if limit < 0 else min(count, limit)
    return _passed(2 * len(text)) + _passed(count * max(len(new) - len(old), 0))


def _joined(items: list[str], separator: str = "") -> int:
    return _passed(sum(len(each) for each in items) + len(separator) * len(items))


def _traversed(items: Any, *_: Any) -> int:
    if isinstance(items, str):
        return _passed(len(items))
    return sum(_passed(len(each)) if isinstance(each, str) else 1 for each in items)


def _position(items: Any, wanted: Any, *_: Any) -> int:
    if isinstance(items, list) and isinstance(wanted, list | Mapping):
        return _parts(items)
    return _traversed(items)


def _copied(text: str, *_: Any) -> int:
    return _passed(len(text))


def _of_sets(one: list[Any], other: list[Any]) -> int:
    return 1 + len(one) * len(other) + _unhashed(one, other)


def _unhashed(items: list[Any], others: list[Any]) -> int:
    """What it costs here to look for lists and maps in a list."""
    if not any(isinstance(each, list | Mapping) for each in items):
        return 0
    return len(items) * _parts(others) // _PARTS_FOR_ONE


def _ordered(items: list[Any], keys: list[Any] | None = None) -> int:
    compared = items if keys is None else keys
    price = 2.1 if compared and isinstance(compared[0], str | bytes) else 2.0
    return int(len(compared) ** 2 * price) + LIST_COST + 1 + _unhashed(compared, compared)


def _listed(size: int) -> int:
    return max(size, 0) + LIST_COST + 1


def _validated(held: Any, text: str) -> int:
    pattern_size: int = held.pattern_size
    return _passed(len(text) + 1) * -(-pattern_size // _PER_PATTERN)


def _contained(network: Any, other: Any, *, more: int = 0) -> int:
    size = -(-network.length // 8)
    return _passed(2 * size) + (_passed(size) + 1) * more + (_passed(len(other)) if isinstance(other, str) else 0)


_COMPARISONS = frozenset(["_==_", "_!=_"])
_TEXTS_READ = ("url", "quantity", "isQuantity", "semver", "isSemver", "cidr", "isIP", "isCIDR", "ip")
_TEXTS_COPIED = ("lowerAscii", "upperAscii", "trim", "substring", "jsonpatch.escapeKey")
_COSTS: Mapping[str, Callable[..., int]] = {
    "_+_": _sum, "_<_": _order, "_<=_": _order, "_>_": _order, "_>=_": _order, "@in": _membership,
    "contains": lambda text, part: _passed(len(text)) * _passed(len(part)),
    "startsWith": lambda _, part: _passed(len(part)), "endsWith": lambda _, part: _passed(len(part)),
    "matches": _matched, "find": _matched, "findAll": _matched,
    **dict.fromkeys((*_TEXTS_COPIED, *_TEXTS_READ), _copied),
    "split": lambda text, *_: _passed(2 * len(text)), "replace": _replaced, "join": _joined,
    "isSorted": _traversed, "sum": _traversed, "min": _traversed, "max": _traversed,
    "indexOf": _position, "lastIndexOf": _position,
    "string": lambda value: _passed(len(value)) if isinstance(value, bytes) else 1,
    "bytes": lambda value: _passed(len(value)) if isinstance(value, str) else 1,
    "isURL": lambda text: 1 + len(text) // 1000, "ip.isCanonical": lambda text: _passed(2 * len(text)),
    "containsIP": _contained, "containsCIDR": lambda network, other: _contained(network, other, more=1),
    "validate": _validated, "sets.contains": _of_sets, "sets.intersects": _of_sets,
    "sets.equivalent": lambda one, other: 2 * _of_sets(one, other) - 1, "sort": _ordered, "distinct": _ordered,
    "@sortByAssociatedKeys": _ordered, "lists.range": _listed, "reverse": lambda items: _listed(len(items)),
    "slice": lambda _, start, end: _listed(end - start),
    "flatten": lambda items, depth=1: _listed(len(items) * depth),
}  # fmt: skip
