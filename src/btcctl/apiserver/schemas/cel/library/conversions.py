"""Conversions of values to other types, and the parts of times.

Source: github.com/google/cel-go/common/types, v0.26.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from btcctl.apiserver.machinery.gofmt import plain, quoted
from btcctl.apiserver.machinery.integers import IntegerError, parse_int
from btcctl.apiserver.schemas.cel.data import (
    INT64,
    Duration,
    EvaluationError,
    Timestamp,
    TypeName,
    parse_duration,
    parse_time,
)
from btcctl.apiserver.schemas.cel.library.overload import Functions, Overload, member, remembered
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
)

_TRUE, _FALSE = (
    frozenset(["1", "t", "T", "TRUE", "true", "True"]),
    frozenset(["0", "f", "F", "FALSE", "false", "False"]),
)
_SECOND, _MINUTE, _HOUR = 10**9, 60 * 10**9, 3600 * 10**9
_parsed_duration, _parsed_time = remembered(parse_duration), remembered(parse_time)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62135596800, 253402300799  # seconds since 1970: years 1 to 9999


def _to_int(value: Any) -> int:
    if isinstance(value, str):
        try:
            return parse_int(value)
        except IntegerError as error:
            raise EvaluationError("type conversion error from 'string' to 'int'") from error
    if isinstance(value, Timestamp):
        return value.nanoseconds // _SECOND
    if isinstance(value, Duration):
        return value.nanoseconds
    if isinstance(value, float) and not -float(INT64) < value < float(INT64):
        raise EvaluationError("integer overflow")
    return int(value)


def _to_double(value: Any) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise EvaluationError("type conversion error from 'string' to 'double'") from error


def _to_bool(value: bool | str) -> bool:
    if isinstance(value, bool):
        return value
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise EvaluationError("type conversion error from 'string' to 'bool'")


def to_text(value: Any) -> str:
    """
    Raises:
        EvaluationError: It is no text.
    """
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from error
    if isinstance(value, Duration):
        seconds = Decimal(repr(value.nanoseconds / _SECOND))
        return f"{seconds.normalize():f}s"
    if isinstance(value, Timestamp):
        whole, rest = divmod(value.nanoseconds, _SECOND)
        fraction = f".{rest:09}".rstrip("0") if rest else ""
        return f"{(_EPOCH + timedelta(seconds=whole)).strftime('%Y-%m-%dT%H:%M:%S').rjust(19, '0')}{fraction}Z"
    return value.name if isinstance(value, TypeName) else plain(value)


def _to_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _to_duration(value: Any) -> Duration:
    if isinstance(value, int):
        raise EvaluationError("type conversion error from 'int' to 'google.protobuf.Duration'")
    return value if isinstance(value, Duration) else _parsed_duration(value)


def _to_time(value: Any) -> Timestamp:
    if isinstance(value, int):
        if not _FIRST <= value <= _LAST:
            raise EvaluationError("timestamp overflow")
        return Timestamp(value * _SECOND)
    return value if isinstance(value, Timestamp) else _parsed_time(value)


def _zone(name: str) -> tzinfo:
    if ":" not in name:
        if name in {"", "UTC"}:
            return UTC
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:
            raise EvaluationError(f"unknown time zone {name}") from error
    hours, _, minutes = name.partition(":")
    ahead = _offset(hours) * 60 + (-1 if name[0] == "-" else 1) * _offset(minutes)
    if abs(ahead) >= 24 * 60:
        raise EvaluationError(f"unknown time zone {name}")
    return timezone(timedelta(minutes=ahead))


def _offset(text: str) -> int:
    try:
        return parse_int(text)
    except IntegerError as error:
        raise EvaluationError(f"strconv.Atoi: parsing {quoted(text)}: invalid syntax") from error


def _of_time(part: Callable[[datetime], int]) -> list[Overload]:
    def found(instant: Timestamp, zone: str = "UTC") -> int:
        moment = _EPOCH + timedelta(seconds=instant.nanoseconds // _SECOND)
        try:
            return part(moment.astimezone(_zone(zone)))
        except OverflowError as error:
            raise EvaluationError("timestamp overflow") from error

    return [member((TIMESTAMP,), INT, found), member((TIMESTAMP, STRING), INT, found)]


def _milliseconds(instant: Timestamp, zone: str = "UTC") -> int:
    _zone(zone)
    return instant.nanoseconds % _SECOND // 10**6


def _of_duration(unit: int) -> Overload:
    def found(span: Duration) -> int:
        count = abs(span.nanoseconds) // unit
        return count if span.nanoseconds >= 0 else -count

    return member((DURATION,), INT, found)


def _each(wanted: Type, run: Callable[..., Any], *kinds: Type) -> list[Overload]:
    return [Overload((each,), wanted, run) for each in kinds]


FUNCTIONS: Functions = {
    "int": _each(INT, _to_int, INT, DOUBLE, STRING, TIMESTAMP, DURATION),
    "double": _each(DOUBLE, _to_double, INT, DOUBLE, STRING),
    "bool": _each(BOOL, _to_bool, BOOL, STRING),
    "string": _each(STRING, to_text, STRING, INT, BOOL, DOUBLE, BYTES, TIMESTAMP, DURATION),
    "bytes": _each(BYTES, _to_bytes, STRING, BYTES),
    "dyn": [Overload((A,), DYN, lambda value: value)],
    "duration": _each(DURATION, _to_duration, STRING, DURATION, INT),
    "timestamp": _each(TIMESTAMP, _to_time, STRING, TIMESTAMP, INT),
    "getFullYear": _of_time(lambda moment: moment.year),
    "getMonth": _of_time(lambda moment: moment.month - 1),
    "getDayOfYear": _of_time(lambda moment: moment.timetuple().tm_yday - 1),
    "getDayOfMonth": _of_time(lambda moment: moment.day - 1),
    "getDate": _of_time(lambda moment: moment.day),
    "getDayOfWeek": _of_time(lambda moment: moment.isoweekday() % 7),
    "getHours": [*_of_time(lambda moment: moment.hour), _of_duration(_HOUR)],
    "getMinutes": [*_of_time(lambda moment: moment.minute), _of_duration(_MINUTE)],
    "getSeconds": [*_of_time(lambda moment: moment.second), _of_duration(_SECOND)],
    "getMilliseconds": [
        member((TIMESTAMP,), INT, _milliseconds),
        member((TIMESTAMP, STRING), INT, _milliseconds),
        _of_duration(10**6),
    ],
}
