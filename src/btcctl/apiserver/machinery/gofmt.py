"""Values as a server written in Go prints them in its messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_MOST_DIGITS, _MOST_ZEROS = 6, 4
_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
HTML_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def shown(value: Any) -> str:
    """A value in a cause: a text quoted, a number plain, the rest as JSON."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool | int | float):
        return plain(value)
    return json_text(value)


def json_text(value: Any, *, sort: bool = True) -> str:
    """Compact JSON, with sorted keys if asked to; `<`, `>` and `&` are escaped, as Go does."""
    return json.dumps(whole_numbers(value), separators=(",", ":"), sort_keys=sort, ensure_ascii=False).translate(
        HTML_ESCAPES
    )


def quoted(text: str) -> str:
    """A text in double quotes: %q."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_quoted_character(each) for each in text) + '"'


def plain(value: Any) -> str:
    """A value without quotes: %v."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(plain(each) for each in value)}]"
    return "<nil>" if value is None else str(value)


def go_type(value: Any) -> str:
    """What Go calls the type of a decoded JSON value: %T."""
    names = {bool: "bool", int: "int64", float: "float64", str: "string", list: "[]interface {}"}
    return "map[string]interface {}" if isinstance(value, Mapping) else names.get(type(value), "<nil>")


def _float_text(value: float) -> str:
    """With the fewest digits that tell it from others, and an exponent from a million on."""
    exact = Decimal(repr(value))
    exponent = exact.adjusted()
    if not value or -_MOST_ZEROS <= exponent < _MOST_DIGITS:
        return f"{exact.normalize():f}"
    digits = "".join(map(str, exact.normalize().as_tuple().digits))
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{'-' if value < 0 else ''}{digits[0]}{fraction}e{exponent:+03d}"


def _quoted_character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def whole_numbers(value: Any) -> Any:
    """Whole floats as integers: Go's JSON has no 1.0."""
    if type(value) is str:  # most are
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(Decimal(repr(value)))  # the digits that it is printed with, then zeros
    if isinstance(value, Mapping):
        return {key: whole_numbers(each) for key, each in value.items()}
    return [whole_numbers(each) for each in value] if isinstance(value, list) else value
