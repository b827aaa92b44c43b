"""Amounts of resources, such as "100m" and "64Mi": read, and written in the one form a server keeps.

Source: k8s.io/apimachinery 0.36.2, pkg/api/resource.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal, localcontext
from typing import Any

from btcctl.apiserver.machinery.integers import saturated

_PARTS = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = {exponent: suffix for suffix, exponent in _BINARY.items()}
_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_SUFFIX = "unable to parse quantity's suffix"
_NANO, _MILLI = Decimal("1e-9"), Decimal("1e-3")
_LARGEST = Decimal(2**63 - 1)
#: kube-apiserver 1.36.2 has none, and hangs over 1e999999999.
_MAX_EXPONENT = 1000
_EXACT = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount, and the form it was written in.

    Attributes:
        form: "decimal", "exponent" ("1e3") or "binary".
    """

    amount: Decimal
    form: str

    def __str__(self) -> str:
        """The canonical form."""
        if not self.amount:
            return "0"
        is_whole = self.amount == self.amount.to_integral_value()
        if self.form == "binary" and abs(self.amount) >= 1024 and is_whole:
            return _binary_text(int(self.amount))
        return _decimal_text(self.amount, exponential=self.form == "exponent")


@functools.lru_cache(1024)
def parse_quantity(text: str) -> Quantity:
    """
    Raises:
        ValueError: In a real server's words.
    """
    found = _PARTS.fullmatch(text)
    if found is None or not text:
        raise ValueError(_FORMAT)
    sign, whole, fraction, letters, digits = found.groups()
    if not whole and fraction is None and not letters and not digits:
        return Quantity(Decimal(0), "decimal")  # a sign alone
    exponent, base, form = _interpreted(letters, digits)
    if abs(exponent) > _MAX_EXPONENT:
        raise ValueError(_SUFFIX)
    with localcontext(_EXACT) as context:
        context.prec += len(text) + abs(exponent)
        number = Decimal(f"{whole or '0'}.{fraction or '0'}")
        amount = number * (Decimal(2) ** exponent if base == 2 else Decimal(10) ** exponent)
        amount = amount.quantize(_NANO, rounding=ROUND_UP) if amount != amount.quantize(_NANO) else amount
    if form == "binary":
        amount = min(amount, _LARGEST)
        form = "decimal" if 0 < amount < 1 else form
    return Quantity(amount.copy_negate() if sign == "-" else amount, form)


def canonical_quantity(value: Any) -> str:
    """The canonical form of a JSON value.

    Raises:
        ValueError: It is no quantity; in a real server's words.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(_FORMAT)  # noqa: TRY004 - one more text that is no quantity
    return _canonical((value if isinstance(value, str) else repr(value)).strip())


@functools.lru_cache(1024)
def _canonical(text: str) -> str:
    return str(parse_quantity(text))


@functools.lru_cache(1024)
def rounded_to_milli(text: str) -> str:
    """A canonical quantity, rounded up: nothing finer is kept in a list of resources."""
    quantity = parse_quantity(text)
    if quantity.amount == quantity.amount.to_integral_value():
        return text
    with localcontext(_EXACT) as context:
        context.prec += len(text)
        rounded = quantity.amount.quantize(_MILLI, rounding=ROUND_UP)
    return text if rounded == quantity.amount else str(Quantity(rounded, quantity.form))


def _interpreted(letters: str, digits: str) -> tuple[int, int, str]:
    """Exponent, base and form of a suffix."""
    if not digits and letters in _DECIMAL:
        return _DECIMAL[letters], 10, "decimal"
    if not digits and letters in _BINARY:
        return _BINARY[letters], 2, "binary"
    if letters in {"e", "E"} and digits.lstrip("+-"):
        return saturated(digits), 10, "exponent"
    raise ValueError(_SUFFIX)


def _binary_text(number: int) -> str:
    exponent = 0
    while number % 1024 == 0:
        number, exponent = number // 1024, exponent + 10
    return f"{number}{_BINARY_SUFFIXES[exponent] if exponent else ''}"


def _decimal_text(amount: Decimal, *, exponential: bool) -> str:
    """With an exponent that is a multiple of three."""
    sign, digits, scale = amount.normalize(Context(prec=len(amount.as_tuple().digits) + 1)).as_tuple()
    exponent = int(scale)
    number = "-" * sign + "".join(map(str, digits)) + "0" * (exponent % 3)  # Python makes no int of 4301 digits
    exponent -= exponent % 3
    if exponential or exponent not in _SUFFIXES:
        return f"{number}e{exponent}" if exponent else number
    return f"{number}{_SUFFIXES[exponent]}"
