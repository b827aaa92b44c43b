"""Lists and what they are as sets: cel-go's extensions.

Source: github.com/google/cel-go/ext/lists.go and sets.go, v0.26.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from btcctl.apiserver.schemas.cel.data import BudgetExceeded, EvaluationError, Optional, loosely_equal
from btcctl.apiserver.schemas.cel.library.overload import Functions, Overload, member
from btcctl.apiserver.schemas.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    A,
    Type,
    list_of,
)

_LIST = list_of(A)
_OPTIONAL = Type("optional_type", (A,))
_ORDERED = (INT, DOUBLE, BOOL, STRING, TIMESTAMP, DURATION, BYTES)
_HASHED = frozenset([str, int, bool, float])
_MOST_MADE = 1_000_000  # what a list of this length costs is more than any rule may


class _Bag:
    """Items of which some are asked for: those of plain types are found at once."""

    def __init__(self, items: list[Any]) -> None:
        self._plain = {(isinstance(each, bool), each) for each in items if type(each) in _HASHED}
        self._rest = [each for each in items if type(each) not in _HASHED]

    def __contains__(self, value: object) -> bool:
        if type(value) in _HASHED and (isinstance(value, bool), value) in self._plain:
            return True
        return any(loosely_equal(each, value) for each in self._rest)

    def add(self, value: Any) -> None:
        if type(value) in _HASHED:
            self._plain.add((isinstance(value, bool), value))
        else:
            self._rest.append(value)


def _holds(items: list[Any], others: list[Any]) -> bool:
    known = _Bag(items)
    return all(each in known for each in others)


def _meet(one: list[Any], other: list[Any]) -> bool:
    known = _Bag(other)
    return any(each in known for each in one)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    asked = f"cannot slice({start}, {end}), "
    if start < 0 or end < 0:
        raise EvaluationError(f"{asked}negative indexes not supported")
    if start > end:
        raise EvaluationError(f"{asked}start index must be less than or equal to end index")
    if end > len(items):
        raise EvaluationError(f"{asked}list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    found: list[Any] = []
    left = [(iter(items), depth)]
    while left:
        if len(found) > _MOST_MADE:
            raise BudgetExceeded("operation cancelled: actual cost limit exceeded")
        level, depth = left[-1]
        each = next(level, left)
        if each is left:
            left.pop()
        elif isinstance(each, list) and depth > 0:
            left.append((iter(each), depth - 1))
        else:
            found.append(each)
    return found


def _sort(items: list[Any]) -> list[Any]:
    return sort_by_keys(items, items)


def sort_by_keys(items: list[Any], keys: list[Any]) -> list[Any]:
    """The items in the order of their keys.

    Raises:
        EvaluationError: The keys are of several types, or have no order.
    """
    if len({type(each) for each in keys}) > 1:
        raise EvaluationError("list elements must have the same type")
    order = sorted(range(len(items)), key=keys.__getitem__)
    return [items[index] for index in order]


def _distinct(items: list[Any]) -> list[Any]:
    known, found = _Bag([]), []
    for each in items:
        if each not in known:
            known.add(each)
            found.append(each)
    return found


def _range(count: int) -> list[int]:
    return list(islice(range(count), _MOST_MADE + 1))


def _end(items: list[Any], index: int) -> Optional:
    return Optional(items[index], is_there=True) if items else Optional()


FUNCTIONS: Functions = {
    "sets.contains": [Overload((_LIST, _LIST), BOOL, _holds)],
    "sets.equivalent": [Overload((_LIST, _LIST), BOOL, lambda one, other: _holds(one, other) and _holds(other, one))],
    "sets.intersects": [Overload((_LIST, _LIST), BOOL, _meet)],
    "slice": [member((_LIST, INT, INT), _LIST, _slice)],
    "flatten": [member((list_of(_LIST),), _LIST, _flatten), member((list_of(DYN), INT), list_of(DYN), _flatten)],
    "sort": [member((list_of(each),), list_of(each), _sort) for each in _ORDERED],
    "@sortByAssociatedKeys": [member((_LIST, list_of(each)), _LIST, sort_by_keys) for each in _ORDERED],
    "lists.range": [Overload((INT,), list_of(INT), _range)],
    "reverse": [member((_LIST,), _LIST, lambda items: items[::-1])],
    "distinct": [member((_LIST,), _LIST, _distinct)],
    "first": [member((_LIST,), _OPTIONAL, lambda items: _end(items, 0))],
    "last": [member((_LIST,), _OPTIONAL, lambda items: _end(items, -1))],
}
