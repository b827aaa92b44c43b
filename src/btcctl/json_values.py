"""Which Python values are JSON, and which of them are the same.

Python has values that JSON does not: NaN, tuples, keys that are no text; an encoder makes something of them that nobody
has asked for. And it calls True and 1 equal, which to an API server are of two types. The integer 1 and the float 1.0
are the same: Go writes both as `1` (encoding/json, floatEncoder), so a difference would never go away.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from btcctl.codecs import encode, encode_compact

_MAX_DEPTH = 500  # more than any API server takes, and less than the interpreter's stack
_TEXT = frozenset({str})
_CONTAINERS = (dict, list)
_PLAIN_TYPES = frozenset({str, int, bool, type(None)})
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*")
_HINTS = {
    "tuple": "use a list",
    "set": "use a sorted list",
    "frozenset": "use a sorted list",
    "bytes": "use base64 text",
    "datetime": "use text, see btcctl.clock.rfc3339",
    "timedelta": "use a text or a number, as the field's type says",
    "Decimal": "use a float, or a text",
}

_NO_JSON = (ValueError, OverflowError, RecursionError)  # UnicodeEncodeError is a ValueError


def encode_json(value: object) -> bytes:
    """`value` as compact JSON.

    Raises:
        TypeError: A value or key in it is of a type that JSON does not have; says where.
        ValueError: A number is NaN or infinite, a text is no Unicode, or it is nested too deep; says where.
    """
    try:
        if _is_plain(value):
            return encode_compact(value)
    except _NO_JSON:
        pass  # the look below says where
    for fault in _faults(value, "", 0):
        raise fault
    return encode(value)


def is_changed(value: object, raw: bytes, decode: Callable[[], object]) -> bool:
    """Whether `value` is another than what it was made from.

    Args:
        raw: The JSON it was made from. Mostly the bytes are the same, and nothing has to be decoded again.
        decode: Makes a value from `raw`.
    """
    try:
        encoded = encode(value)
    except (TypeError, *_NO_JSON):
        return True  # who writes it is told what is wrong with it
    if encoded == raw.rstrip():  # an answer ends with a newline
        return False
    original = decode()
    return encoded != encode(original) and not is_same_json(value, original)


def is_identical(one: object, other: object) -> bool:
    """Whether two values of JSON are written alike, but for the order of members: 1, 1.0 and true are three."""
    if isinstance(one, _CONTAINERS):
        return one is other or (one == other and _is_written_alike(one, other))
    return type(one) is type(other) and one == other


def is_same_json(one: object, other: object) -> bool:
    """Whether two values are the same to an API server. What JSON does not have is the same as nothing."""
    if one != other:
        return False
    if isinstance(one, _CONTAINERS):
        try:
            return _is_written_alike(one, other) or _has_same_bools(one, other)
        except (TypeError, *_NO_JSON):
            return False
    return isinstance(one, bool) == isinstance(other, bool)


def _is_written_alike(one: object, other: object) -> bool:
    """Mostly the members are in the same order, too."""
    return encode_compact(one) == encode_compact(other) or encode(one, order="sorted") == encode(other, order="sorted")


def _is_plain(value: object) -> bool:
    """Whether there is nothing in it that needs a closer look. Quick, and in one call: it comes before every write.

    With fewer containers than the deepest nesting it cannot be nested too deep. What has more is looked at closely: the
    encoder goes as deep as the interpreter's stack, which on 3.14 is 100,000 levels and more.
    """
    left: list[Any] = [value]
    containers = 0
    for each in left:  # which grows meanwhile
        kind = type(each)
        if kind is dict:
            containers += 1
            if containers > _MAX_DEPTH or not _TEXT.issuperset(map(type, each)):
                return False
            left += each.values()
        elif kind is list:
            containers += 1
            if containers > _MAX_DEPTH:
                return False
            left += each
        elif kind not in _PLAIN_TYPES and not (kind is float and math.isfinite(each)):
            return False
    return True


def _faults(value: Any, path: str, depth: int) -> Iterator[Exception]:
    where = path or "the object"
    if depth > _MAX_DEPTH:
        yield ValueError(f"{_short(where)} is nested too deep, or contains itself")
    elif isinstance(value, dict):
        for key, each in value.items():
            if isinstance(key, str):
                yield from _faults(each, _with(path, key), depth + 1)
            else:
                yield TypeError(f"{where} has the key {key!r}, must be text")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _faults(each, f"{path}[{number}]", depth + 1)
    else:
        yield from _faults_of_scalar(value, where)


def _faults_of_scalar(value: object, where: str) -> Iterator[Exception]:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            yield ValueError(f"{where} is no Unicode text: half of a surrogate pair at character {error.start}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield ValueError(f"{where} is {value}, which JSON does not have")
    elif not isinstance(value, int) and value is not None:
        yield _foreign(value, where)


def _foreign(value: object, path: str) -> TypeError:
    name = type(value).__name__
    hint = _HINTS.get(name, "")
    if isinstance(value, msgspec.Struct):
        hint = "use msgspec.to_builtins"
    return TypeError(f"{path} is of type {name}, which JSON does not have" + (hint and f": {hint}"))


def _with(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _short(path: str) -> str:
    return path if len(path) <= 100 else f"{path[:100]}…"


def _has_same_bools(one: Any, other: Any) -> bool:
    """Of two that Python calls equal: whether truth stands for truth everywhere."""
    if isinstance(one, dict):
        return all(_has_same_bools(each, other[key]) for key, each in one.items())
    if isinstance(one, list):
        return all(map(_has_same_bools, one, other))
    return isinstance(one, bool) == isinstance(other, bool)
