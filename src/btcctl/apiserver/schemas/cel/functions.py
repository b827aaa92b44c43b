"""The operators and functions that rules may use, by the types they take.

What a real server has and this one has not is in UNSUPPORTED: a rule with one of those is refused.
Source: https://kubernetes.io/docs/reference/using-api/cel/
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from math import isnan
from typing import Any

from btcctl.apiserver.machinery.gofmt import plain
from btcctl.apiserver.schemas import patterns
from btcctl.apiserver.schemas.cel.data import (
    INT64,
    Duration,
    EvaluationError,
    Timestamp,
    loosely_equal,
)
from btcctl.apiserver.schemas.cel.library import (
    conversions,
    lists,
    named_formats,
    networks,
    optionals,
    quantities,
    texts,
    urls,
    versions,
)
from btcctl.apiserver.schemas.cel.library.overload import Functions, Overload, member
from btcctl.apiserver.schemas.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    A,
    B,
    Type,
    list_of,
    map_of,
)

UNSUPPORTED = frozenset(["uint", "transformList", "transformMap", "transformMapEntry"])
#: Types that are values, by their names.
TYPES: Mapping[str, Type] = {
    "int": INT, "string": STRING, "bytes": BYTES, "bool": BOOL, "double": DOUBLE, "list": list_of(DYN),
    "map": map_of(DYN, DYN), "null_type": NULL, "type": Type("type"),
}  # fmt: skip


def _in_range(value: int) -> int:
    if not -INT64 <= value < INT64:
        raise EvaluationError("integer overflow")
    return value


def _add(one: int, other: int) -> int:
    value = one + other
    return value if -INT64 <= value < INT64 else _in_range(value)


def _divide(one: int, other: int) -> int:
    if other == 0:
        raise EvaluationError("division by zero")
    quotient = abs(one) // abs(other)
    return _in_range(quotient if (one < 0) == (other < 0) else -quotient)


def _modulo(one: int, other: int) -> int:
    if other == 0:
        raise EvaluationError("modulus by zero")
    return one - other * _divide(one, other)


def _divide_floats(one: float, other: float) -> float:
    if other:
        return one / other
    return float("nan") if one == 0 or isnan(one) else float("inf") * (1 if one > 0 else -1)


def _item(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise EvaluationError(f"index out of bounds: {index}")
    return items[index]


def _value(entries: Mapping[Any, Any], key: Any) -> Any:
    if key not in entries:
        raise EvaluationError(f"no such key: {plain(key)}")
    return entries[key]


def _matches(text: str, pattern: str) -> bool:
    try:  # for itself: it is called a million times for an object
        return patterns.is_found(pattern, text)
    except patterns.PatternError as error:
        raise EvaluationError(f"error parsing regexp: {error}") from error


def _find(text: str, pattern: str) -> str:
    with _telling_of_patterns():
        return next(patterns.matches(pattern, text), "")


@contextmanager
def _telling_of_patterns() -> Iterator[None]:
    try:
        yield
    except patterns.PatternError as error:
        raise EvaluationError(f"error parsing regexp: {error}") from error


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    with _telling_of_patterns():
        found = patterns.matches(pattern, text)
        return list(found if limit < 0 else islice(found, limit))


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if start < 0:
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if not part:
        return len(text) if start is None else start
    if start is not None and start < 0:
        raise EvaluationError(f"index out of range: {start}")
    if start is not None and start >= len(text):
        return -1
    return text.rfind(part) if start is None else text.rfind(part, 0, start + len(part))


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if end is not None and start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= last <= len(text):
        raise EvaluationError(f"index out of range: {last}")
    return text[start:last]


def _character(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise EvaluationError(f"index out of range: {index}")
    return text[index : index + 1]


def _ascii(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        return change(text) if text.isascii() else "".join(change(each) if each.isascii() else each for each in text)

    return changed


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    return list(text) if limit < 0 else [*text[: limit - 1], text[limit - 1 :]]


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _escaped_key(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _first(items: list[Any], choose: Callable[[list[Any]], Any], name: str) -> Any:
    if not items:
        raise EvaluationError(f"{name} called on empty list")
    return choose(items)


def _position(items: list[Any], wanted: Any) -> int:
    return next((index for index, each in enumerate(items) if loosely_equal(each, wanted)), -1)


def _last_position(items: list[Any], wanted: Any) -> int:
    return next((index for index in reversed(range(len(items))) if loosely_equal(items[index], wanted)), -1)


def _is_in(wanted: Any, items: Any) -> bool:
    if isinstance(items, Mapping):
        return wanted in items
    return any(loosely_equal(each, wanted) for each in items)


def _add_spans(one: Any, other: Any) -> Any:
    kind = Timestamp if Timestamp in {type(one), type(other)} else Duration
    return kind(one.nanoseconds + other.nanoseconds)


def _subtract_spans(one: Any, other: Any) -> Any:
    kind = Timestamp if isinstance(one, Timestamp) and isinstance(other, Duration) else Duration
    return kind(one.nanoseconds - other.nanoseconds)


def _comparison(compare: Callable[[Any, Any], bool]) -> list[Overload]:
    same = [Overload((each, each), BOOL, compare) for each in (BOOL, INT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION)]
    return [*same, Overload((INT, DOUBLE), BOOL, compare), Overload((DOUBLE, INT), BOOL, compare)]


#: Go's, to which some control characters are no spaces.
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_SIZES = (STRING, BYTES, list_of(A), map_of(A, B))
_ORDERED = (INT, DOUBLE, BOOL, STRING, TIMESTAMP, DURATION, BYTES)
_MODULES = (conversions, lists, named_formats, networks, optionals, quantities, texts, urls, versions)
_LIBRARIES = [each.FUNCTIONS for each in _MODULES]

_STANDARD: Functions = {
    "!_": [Overload((BOOL,), BOOL, operator.not_)],
    "-_": [Overload((INT,), INT, lambda x: _in_range(-x)), Overload((DOUBLE,), DOUBLE, operator.neg)],
    "_<_": _comparison(operator.lt),
    "_<=_": _comparison(operator.le),
    "_>_": _comparison(operator.gt),
    "_>=_": _comparison(operator.ge),
    "_+_": [
        Overload((INT, INT), INT, _add),
        Overload((DOUBLE, DOUBLE), DOUBLE, operator.add),
        Overload((STRING, STRING), STRING, operator.add),
        Overload((BYTES, BYTES), BYTES, operator.add),
        Overload((list_of(A), list_of(A)), list_of(A), operator.add),
        Overload((TIMESTAMP, DURATION), TIMESTAMP, _add_spans),
        Overload((DURATION, TIMESTAMP), TIMESTAMP, _add_spans),
        Overload((DURATION, DURATION), DURATION, _add_spans),
    ],
    "_-_": [
        Overload((INT, INT), INT, lambda x, y: _in_range(x - y)),
        Overload((DOUBLE, DOUBLE), DOUBLE, operator.sub),
        Overload((TIMESTAMP, TIMESTAMP), DURATION, _subtract_spans),
        Overload((TIMESTAMP, DURATION), TIMESTAMP, _subtract_spans),
        Overload((DURATION, DURATION), DURATION, _subtract_spans),
    ],
    "_*_": [
        Overload((INT, INT), INT, lambda x, y: _in_range(x * y)),
        Overload((DOUBLE, DOUBLE), DOUBLE, operator.mul),
    ],
    "_/_": [Overload((INT, INT), INT, _divide), Overload((DOUBLE, DOUBLE), DOUBLE, _divide_floats)],
    "_%_": [Overload((INT, INT), INT, _modulo)],
    "@in": [Overload((A, list_of(A)), BOOL, _is_in), Overload((A, map_of(A, B)), BOOL, _is_in)],
    "_[_]": [Overload((list_of(A), INT), A, _item), Overload((map_of(A, B), A), B, _value)],
    "size": [Overload((each,), INT, len, member) for each in _SIZES for member in (False, True)],
    "contains": [member((STRING, STRING), BOOL, lambda text, part: part in text)],
    "startsWith": [member((STRING, STRING), BOOL, str.startswith)],
    "endsWith": [member((STRING, STRING), BOOL, str.endswith)],
    "matches": [Overload((STRING, STRING), BOOL, _matches, member) for member in (True, False)],
    "find": [member((STRING, STRING), STRING, _find)],
    "findAll": [
        member((STRING, STRING), list_of(STRING), _find_all),
        member((STRING, STRING, INT), list_of(STRING), _find_all),
    ],
    "charAt": [member((STRING, INT), STRING, _character)],
    "indexOf": [
        member((STRING, STRING), INT, _index_of),
        member((STRING, STRING, INT), INT, _index_of),
        member((list_of(A), A), INT, _position),
    ],
    "lastIndexOf": [
        member((STRING, STRING), INT, _last_index_of),
        member((STRING, STRING, INT), INT, _last_index_of),
        member((list_of(A), A), INT, _last_position),
    ],
    "lowerAscii": [member((STRING,), STRING, _ascii(str.lower))],
    "upperAscii": [member((STRING,), STRING, _ascii(str.upper))],
    "trim": [member((STRING,), STRING, lambda text: text.strip(_SPACES))],
    "replace": [
        member((STRING, STRING, STRING), STRING, _replace),
        member((STRING, STRING, STRING, INT), STRING, _replace),
    ],
    "split": [
        member((STRING, STRING), list_of(STRING), _split),
        member((STRING, STRING, INT), list_of(STRING), _split),
    ],
    "substring": [member((STRING, INT), STRING, _substring), member((STRING, INT, INT), STRING, _substring)],
    "join": [
        member((list_of(STRING),), STRING, "".join),
        member((list_of(STRING), STRING), STRING, lambda items, separator: separator.join(items)),
    ],
    "isSorted": [member((list_of(each),), BOOL, lambda items: items == sorted(items)) for each in _ORDERED],
    "sum": [
        member((list_of(INT),), INT, lambda items: _in_range(sum(items))),
        member((list_of(DOUBLE),), DOUBLE, lambda items: float(sum(items))),
    ],
    "min": [member((list_of(each),), each, lambda items: _first(items, min, "min")) for each in _ORDERED],
    "max": [member((list_of(each),), each, lambda items: _first(items, max, "max")) for each in _ORDERED],
    "jsonpatch.escapeKey": [Overload((STRING,), STRING, _escaped_key)],
}
#: The libraries' beside the standard's, of which some have overloads in several.
FUNCTIONS: Functions = {
    name: [overload for each in (_STANDARD, *_LIBRARIES) for overload in each.get(name, ())]
    for name in dict.fromkeys(name for each in (_STANDARD, *_LIBRARIES) for name in each)
}
