"""Kubernetes quantities, as far as they have to be compared and counted.

The API server may hand back another spelling than it was given: 1024Mi as 1Gi, 1000m as 1 (apimachinery,
pkg/api/resource/quantity.go).
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from typing import Final

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE])([+-]?\d{1,3})|([KMGTPE]i|[numkMGTPE])?)")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_MEBIBYTE: Final = 2**20
# What the API server makes of amounts that are too fine or too large (core/v1, SetDefaults_ResourceList; quantity.go).
_PARTS_OF_ONE: Final = 1000
_MOST: Final = Fraction(2**63 - 1)


def parse_quantity(quantity: str | float) -> Fraction:
    """The exact number that a quantity stands for.

    Raises:
        ValueError: It is none.
    """
    match = _QUANTITY.fullmatch(str(quantity).strip())
    if match is None:
        raise ValueError(f"not a quantity: {quantity!r}")
    number, exponential, exponent, suffix = match.groups()
    if exponential:
        return Fraction(number) * Fraction(Fraction(10) ** int(exponent))
    factor = 2 ** _BINARY[suffix] if suffix in _BINARY else Fraction(10) ** _DECIMAL[suffix or ""]
    return Fraction(number) * Fraction(factor)


def is_same_quantity(one: object, other: object) -> bool:
    """Whether two spellings stand for the same amount to the API server, which rounds up to thousandths."""
    try:
        return _rounded(parse_quantity(str(one))) == _rounded(parse_quantity(str(other)))
    except ValueError:
        return one == other


def _rounded(number: Fraction) -> int:
    return ceil(min(number, _MOST) * _PARTS_OF_ONE)


def mebibytes(quantity: str | float) -> int:
    """How many whole MiB there are in it.

    Raises:
        ValueError: It is no quantity.
    """
    return int(parse_quantity(quantity) // _MEBIBYTE)
