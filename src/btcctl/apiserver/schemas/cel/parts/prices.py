"""What calls cost while an expression runs.

A call costs no more than a real server counts, so that nothing is refused that it takes; but where that counts nothing
for what takes memory or time without end (a replacement in each character, lists that are joined, values compared to
all depths), it is counted as well.

Source: github.com/google/cel-go/interpreter/runtimecost.go, v0.26, and k8s.io/apiserver/pkg/cel/library/cost.go, v0.36.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from btcctl.apiserver.schemas.cel.costs import LIST_COST
from btcctl.apiserver.schemas.cel.data import BudgetExceeded
from btcctl.apiserver.schemas.cel.types import Type

_PER_CHARACTER = 10  # characters that are passed for one
_PER_PATTERN = 4
_SCALARS = frozenset(["bool", "int", "double", "timestamp", "duration", "null"])
_PARTS_FOR_ONE = 10  # of values that are compared to all depths
_MOST_PARTS = 1_000_000
_MOST_MADE = 2_000_000  # values and characters of what an expression makes for an object, which is smaller


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


def _formatted(text: str, values: list[Any]) -> int:
    return _passed(len(text)) + _volume(values, _MOST_MADE, per_character=1) // 100


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
    "strings.quote": _copied, "format": _formatted,
    "isURL": lambda text: 1 + len(text) // 100, "ip.isCanonical": lambda text: _passed(2 * len(text)),
    "containsIP": _contained, "containsCIDR": lambda network, other: _contained(network, other, more=1),
    "validate": _validated, "sets.contains": _of_sets, "sets.intersects": _of_sets,
    "sets.equivalent": lambda one, other: 2 * _of_sets(one, other) - 1, "sort": _ordered, "distinct": _ordered,
    "@sortByAssociatedKeys": _ordered, "lists.range": _listed, "reverse": lambda items: _listed(len(items)),
    "slice": lambda _, start, end: _listed(end - start),
    "flatten": lambda items, depth=1: _listed(len(items) * depth),
}  # fmt: skip
