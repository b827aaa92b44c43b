"""`quantity('1Gi')`: amounts of resources, compared and added.

What a real server can tell of an amount depends on how it keeps it: as an integer and a power of ten, if both are small
enough, else as a decimal number, which is no integer to it.

Source: k8s.io/apiserver/pkg/cel/library/quantity.go and k8s.io/apimachinery/pkg/api/resource, v0.36.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, ClassVar

from btcctl.apiserver.machinery.quantities import parse_quantity
from btcctl.apiserver.schemas.cel.data import INT64, EvaluationError
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member, remembered
from btcctl.apiserver.schemas.cel.types import BOOL, DOUBLE, INT, STRING, Type

QUANTITY = Type("kubernetes.Quantity")
_MOST_DIGITS = 18
_BINARY_DIGITS = 15
_NANO = -9
_PARTS = re.compile(r"[+-]?0*([0-9]*)(?:\.([0-9]*))?([A-Za-z]*)([+-]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
#: How most are written, with few enough digits that nothing is too large.
_COMMON = re.compile("([1-9][0-9]{0,4})([kMGT]|[KMG]i|)").fullmatch
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_EXACT = Context(prec=2500)


@dataclass(frozen=True, slots=True, eq=False)
class Quantity(LibraryValue):
    """An amount.

    Attributes:
        scale: The power of ten that a real server counts it in.
        is_small: That count is an integer of 64 bits, not a decimal number.
        is_computed: It comes of an addition; see __eq__.
    """

    type_name: ClassVar[str] = "kubernetes.Quantity"
    amount: Decimal
    scale: int
    is_small: bool
    is_computed: bool = False

    def __eq__(self, other: object) -> bool:
        """By amount; a real server does not know the results of additions on the right, and says so.

        Raises:
            EvaluationError: One stands there.
        """
        if not isinstance(other, Quantity) or other.is_computed:
            raise EvaluationError("no such overload")
        return self.amount == other.amount

    __hash__ = None  # type: ignore[assignment]


@remembered
def _quantity(text: str) -> Quantity:
    found = _COMMON(text)
    if found is not None:
        return Quantity(Decimal(int(found[1]) * _FACTORS[found[2]]), _DECIMAL.get(found[2], 0), is_small=True)
    try:
        amount = parse_quantity(text).amount
    except ValueError as error:
        raise EvaluationError(str(error)) from error
    scale = _scale(text)
    return Quantity(amount, _NANO if scale is None else scale, scale is not None)


@remembered
def _is_quantity(text: str) -> bool:
    if _COMMON(text) is not None:
        return True
    try:
        parse_quantity(text)
    except ValueError:
        return False
    return True


def _scale(text: str) -> int | None:
    """The power of ten by which a text stands for an integer of 64 bits; None if it does not."""
    found = _PARTS.fullmatch(text)
    if found is None:
        return None
    whole, fraction, letters, digits = found[1] or "0", found[2] or "", found[3], found[4]
    if letters in _BINARY:
        bits = _BINARY[letters]
        left = _BINARY_DIGITS - len(whole) - bits * 3 // 10 - 1
        return 0 if left >= 0 and not fraction and int(whole) << bits < INT64 else None
    exponent = int(digits) if digits and letters else _DECIMAL.get(letters, 0)
    scale = exponent - len(fraction)
    return scale if len(whole) + len(fraction) <= _MOST_DIGITS and scale >= _NANO else None


def _integer(held: Quantity) -> int | None:
    if not held.is_small or held.scale < 0:
        return None
    value = int(held.amount)
    return value if -INT64 <= value < INT64 else None


def _as_float(held: Quantity) -> float:
    """The count as a float, times a power of ten as one: twice rounded, as a real server has it."""
    count = float(_EXACT.scaleb(held.amount, -held.scale))
    high, low = divmod(abs(held.scale), 32)
    if held.scale < 0:
        return count * (float(f"1e-{32 * high}") / float(f"1e{low}"))
    return count * (float(f"1e{32 * high}") * float(f"1e{low}"))


def _as_integer(held: Quantity) -> int:
    value = _integer(held)
    if value is None:
        raise EvaluationError("cannot convert value to integer")
    return value


def _added(one: Quantity, other: Quantity | int, sign: int = 1) -> Quantity:
    more = Quantity(Decimal(other), 0, is_small=True) if type(other) is int else other
    if not isinstance(more, Quantity):
        raise EvaluationError("no such overload")
    term = more.amount if sign > 0 else more.amount.copy_negate()
    return Quantity(_EXACT.add(one.amount, term), *_counted(one, more, term), is_computed=True)


def _counted(one: Quantity, other: Quantity, term: Decimal) -> tuple[int, bool]:
    """In what their sum is counted: the finer of the two; and whether integers of 64 bits are enough for that."""
    if not (one.is_small and other.is_small):
        return min(one.scale, other.scale), False
    if not term or not one.amount:
        return one.scale if not term else other.scale, True
    scale = min(one.scale, other.scale)
    counts = [_EXACT.scaleb(each, -scale) for each in (one.amount, term)]
    return scale, all(-INT64 <= each < INT64 for each in (*counts, _EXACT.add(*counts)))


def _compared(one: Quantity, other: Quantity) -> int:
    return (one.amount > other.amount) - (one.amount < other.amount)


def _subtracted(one: Quantity, other: Any) -> Quantity:
    return _added(one, other, -1)


FUNCTIONS: Functions = {
    "quantity": [Overload((STRING,), QUANTITY, _quantity)],
    "isQuantity": [Overload((STRING,), BOOL, _is_quantity)],
    "sign": [Overload((QUANTITY,), INT, lambda held: (held.amount > 0) - (held.amount < 0))],
    "isInteger": [member((QUANTITY,), BOOL, lambda held: _integer(held) is not None)],
    "asInteger": [member((QUANTITY,), INT, _as_integer)],
    "asApproximateFloat": [member((QUANTITY,), DOUBLE, _as_float)],
    "add": [member((QUANTITY, each), QUANTITY, _added) for each in (QUANTITY, INT)],
    "sub": [member((QUANTITY, each), QUANTITY, _subtracted) for each in (QUANTITY, INT)],
    "isGreaterThan": [member((QUANTITY, QUANTITY), BOOL, lambda one, other: one.amount > other.amount)],
    "isLessThan": [member((QUANTITY, QUANTITY), BOOL, lambda one, other: one.amount < other.amount)],
    "compareTo": [member((QUANTITY, QUANTITY), INT, _compared)],
}
