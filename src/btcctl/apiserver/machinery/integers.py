"""Integers as Go reads them from texts: ASCII digits only, and no more than fit into 64 bits.

Python's `int` takes spaces, underscores and other scripts' digits, and refuses texts of more than 4,300 digits
with an error of its own.
"""

from __future__ import annotations

import re

from btcctl.errors import BtcctlError

_INTEGER = re.compile(r"[+-]?[0-9]+")
_MOST_DIGITS = 20  # of 64 bits


class IntegerError(BtcctlError):
    """A text is no such integer; in the words of Go's strconv."""


def parse_int(text: str) -> int:
    """A signed one.

    Raises:
        IntegerError: It is none, or out of range.
    """
    return _parse(text, "ParseInt", -(1 << 63), (1 << 63) - 1)


def parse_uint(text: str) -> int:
    """One without a sign.

    Raises:
        IntegerError: It is none, or out of range.
    """
    if text[:1] in {"+", "-"}:
        raise _error("ParseUint", text, "invalid syntax")
    return _parse(text, "ParseUint", 0, (1 << 64) - 1)


def saturated(digits: str) -> int:
    """What is known to be digits, with a sign or without; what is out of range becomes the end of the range."""
    try:
        return parse_int(digits)
    except IntegerError:
        return -(1 << 63) if digits.startswith("-") else (1 << 63) - 1


def _parse(text: str, function: str, least: int, most: int) -> int:
    if not _INTEGER.fullmatch(text):
        raise _error(function, text, "invalid syntax")
    digits = text.lstrip("+-").lstrip("0")
    number = int(digits[: _MOST_DIGITS + 1] or "0") * (-1 if text[0] == "-" else 1)
    if not least <= number <= most:
        raise _error(function, text, "value out of range")
    return number


def _error(function: str, text: str, why: str) -> IntegerError:
    return IntegerError(f'strconv.{function}: parsing "{text}": {why}')
