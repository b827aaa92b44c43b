"""Values while a rule runs: JSON as it is, but for numbers, times and bytes.

A value is read through its type, so that 1 of type double is 1.0, and a date is a point in time.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.schemas.cel.types import Type
from btcctl.apiserver.schemas.formats import GO_DURATION
from btcctl.errors import BtcctlError

_MINUTE = 60 * 10**9
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": _MINUTE, "h": 60 * _MINUTE,
}  # fmt: skip
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_DURATION = re.compile(rf"([-+]?)({GO_DURATION}|0)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Python's types of values that are equal to each other as Python says.
PLAIN = frozenset([str, int, bool, float])
_CONVERTED = frozenset(["double", "timestamp", "duration", "bytes"])
INT64 = 2**63


#: The name under which a scope has its Budget: no variable is called so.
BUDGET = ""
_MAX_RULE_COST = 1_000_000  # PerCallLimit


class BudgetExceeded(BtcctlError):
    """A rule takes too long. No error of the rule: `||` does not hide it."""


class EvaluationError(BtcctlError):
    """A rule that has no value: a key that is not there, a division by zero."""


class Budget:
    """What the loops of rules may still cost.

    A real server counts the cost of every operation. Here those of loops and of calls count, each with no more than it
    costs there (see `overloads` for what costs more), so that nothing is refused which a real one takes, and nothing
    runs much longer.

    Args:
        cost: Of all rules for one object; RuntimeCELCostBudget.
    """

    __slots__ = ("_given", "_left", "_left_for_rule")

    def __init__(self, cost: int = 10_000_000) -> None:
        self._left = cost  # as it was when the rule under way began
        self._given = self._left_for_rule = 0

    def begin_rule(self) -> None:
        """
        Raises:
            BudgetExceeded: Other rules have used everything up.
        """
        self._left -= self._given - self._left_for_rule
        if self._left <= 0:
            raise BudgetExceeded("validation failed due to running out of cost budget")
        self._given = self._left_for_rule = _MAX_RULE_COST

    def spend(self, cost: int) -> None:
        """
        Raises:
            BudgetExceeded: There is nothing left for this rule.
        """
        self._left_for_rule -= cost
        if self._left_for_rule < 0:
            raise BudgetExceeded("operation cancelled: actual cost limit exceeded")


@dataclass(frozen=True, order=True)
class Duration:
    nanoseconds: int


@dataclass(frozen=True, order=True)
class Timestamp:
    nanoseconds: int  #: since 1970


@dataclass(frozen=True)
class Optional:
    """A value that may not be there."""

    value: Any = None
    is_there: bool = False


@dataclass(frozen=True)
class TypeName:
    """A type as a value."""

    name: str


class Made(dict[str, Any]):
    """An object that an expression has made.

    Attributes:
        type_name: What it was called there: `Object.spec`.
    """

    def __init__(self, type_name: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.type_name = type_name

    def misnamed(self, path: str = "") -> Iterator[str]:
        """Where types in it are not called by the fields that lead there; in a real server's words."""
        path = path or self.type_name
        if path != self.type_name:
            yield (
                f"unexpected type name {quoted(self.type_name)}, expected {quoted(path)}, "
                "which matches field name path from root Object type"
            )
        for name, each in self.items():
            yield from _misnamed(each, f"{path}.{name}")


def _misnamed(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Made):
        yield from value.misnamed(path)
        return
    below = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for each in below:
        yield from _misnamed(each, path)


def as_json(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        EvaluationError: It cannot be.
    """
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise EvaluationError("map keys must be strings")
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise EvaluationError(f"a {type(value).__name__.lower()} is no JSON")


def read(type_: Type, value: Any) -> Any:
    """A JSON value as one of a type."""
    if value is None or isinstance(value, Timestamp | Duration | bytes):  # it has been read before
        return value
    kind = type_.kind
    if kind == "int" and not (isinstance(value, int) and not isinstance(value, bool)):
        raise EvaluationError("invalid data, expected int, got float64")
    if kind == "double":
        return float(value)
    if kind == "timestamp":
        return parse_time(value)
    if kind == "duration":
        return parse_duration(value)
    if kind == "bytes":
        return _decoded(value)
    if kind in {"list", "map"} and type_.args and type_.args[-1].kind in _CONVERTED:
        below = type_.args[-1]
        if kind == "list":
            return [read(below, each) for each in value]
        return {key: read(below, each) for key, each in value.items()}
    return value


def _decoded(text: str) -> bytes:
    odd = next((index for index, each in enumerate(text) if each in "+/"), None)
    if odd is not None:  # the alphabet of schemas has these, that of rules has others
        raise EvaluationError(f"Invalid byte formatted string {text}: illegal base64 data at input byte {odd}")
    return base64.b64decode(text)


def parse_time(text: str) -> Timestamp:
    found = _TIME.fullmatch(text)
    if found is None:
        raise EvaluationError("type conversion error from 'string' to 'google.protobuf.Timestamp'")
    zone = "+00:00" if (found[4] or "Z") in "Zz" else found[4]
    try:
        instant = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}{zone}")
    except ValueError as error:
        raise EvaluationError(f"invalid date: {text}") from error
    fraction = int((found[3] or ".0")[1:10].ljust(9, "0"))
    return Timestamp((instant - _EPOCH) // timedelta(seconds=1) * 10**9 + fraction)


def parse_duration(text: str) -> Duration:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise EvaluationError("type conversion error from 'string' to 'google.protobuf.Duration'")
    total = 0
    for whole, fraction, unit in re.findall(r"(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)", found[2], re.ASCII):
        billionths = int(fraction[:9].ljust(9, "0"))
        total += saturated(whole or "0") * _NANOSECONDS[unit] + billionths * _NANOSECONDS[unit] // 10**9
    return Duration(-total if found[1] == "-" else total)


def equal(type_: Type, one: Any, other: Any) -> bool:
    """Whether two values of a type are equal; lists that are sets or maps have no order."""
    if one is None or other is None:
        return one is other
    if type_.kind == "list" and type_.args:
        return _lists_equal(type_, one, other)
    if type_.kind in {"map", "object"} and isinstance(one, Mapping) and isinstance(other, Mapping):
        types = dict(type_.fields.values())
        rest = type_.args[1] if type_.args else Type("dyn")
        return one.keys() == other.keys() and all(
            equal(types.get(key, rest), each, other[key]) for key, each in one.items()
        )
    return loosely_equal(one, other)


def loosely_equal(one: Any, other: Any) -> bool:
    """Numbers by value, anything else only to its like."""
    if type(one) is type(other):
        return bool(one == other)
    numbers = [isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other)]
    return bool(one == other) and (all(numbers) or type(one) is type(other))


def _lists_equal(type_: Type, one: list[Any], other: list[Any]) -> bool:
    item = type_.args[0]
    if len(one) != len(other):
        return False
    if type_.list_type == "set":
        known = _Known(other)
        return all(known.has(item, each, each) for each in one)
    if type_.list_type == "map":
        known = _Known(other, type_.keys)
        return all(known.has(item, each, [each.get(key) for key in type_.keys]) for each in one)
    return all(equal(item, each, other[index]) for index, each in enumerate(one))


class _Known:
    """The items of a list by what they are known by, of which there may be thousands.

    Args:
        keys: None: by themselves.
    """

    def __init__(self, items: list[Any], keys: Sequence[str] | None = None) -> None:
        self._items: dict[str, list[Any]] = {}
        for each in items:
            known_by = each if keys is None else [each.get(key) for key in keys]
            self._items.setdefault(_text_of(known_by), []).append(each)

    def has(self, type_: Type, item: Any, known_by: Any) -> bool:
        return any(equal(type_, item, each) for each in self._items.get(_text_of(known_by), ()))


def _text_of(value: Any) -> str:
    """The same for all that are equal: 1 and 1.0, and maps in any order."""
    if isinstance(value, Mapping):
        return repr(sorted((str(key), _text_of(each)) for key, each in value.items()))
    if isinstance(value, list):
        return repr([_text_of(each) for each in value])
    return repr(int(value) if isinstance(value, float) and value.is_integer() else value)
