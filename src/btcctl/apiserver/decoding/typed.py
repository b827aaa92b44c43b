"""A JSON value read into a Go type: what is null is left out, what does not fit is refused.

Source: sigs.k8s.io/json, the decoder of kube-apiserver 1.36.2. Of what does not fit the first is
reported, in the order of the text; a type that reads itself ends the reading at once, and so is
reported before the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.decoding import scalars
from btcctl.apiserver.decoding.types import GoType, type_named
from btcctl.errors import BtcctlError

_LIMITS = {"int32": 2**31, "int64": 2**63}
_ZEROS = {"string": "", "bool": False, "int32": 0, "int64": 0, "quantity": "0", "int_or_string": 0}


class Misfit(BtcctlError):
    """A value that does not fit a type, in the words of Go's decoder."""


class _Stop(Exception):
    """A type that reads itself has failed."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The field that is read: its struct, and its path in the whole."""

    struct: str = ""
    path: tuple[str, ...] = ()


def decode(type_: GoType, value: Any) -> Any:
    """A copy of the value without its nulls. Fields that the type has not are kept.

    Raises:
        Misfit: It has another type somewhere.
    """
    problems: list[str] = []
    try:
        found = _read(type_, value, _Place(), problems)
    except _Stop as stop:
        raise Misfit(str(stop)) from None
    if problems:
        raise Misfit(problems[0])
    return found


def _read(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if value is None:
        return {} if type_.form in {"struct", "map"} else _ZEROS.get(type_.form)
    reader = _READERS.get(type_.form)
    return value if reader is None else reader(type_, value, place, problems)


def _read_struct(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if not isinstance(value, dict):
        return _refuse(type_, value, place, problems)
    found = {}
    for name, each in value.items():
        field = type_.fields.get(name)
        if each is not None:
            below = _Place(type_.struct, (*place.path, name))
            found[name] = each if field is None else _read(field, each, below, problems)
    return found


def _read_map(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if not isinstance(value, dict):
        return _refuse(type_, value, place, problems)
    return {key: _read(type_.below, each, place, problems) for key, each in value.items()}


def _read_list(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if not isinstance(value, list):
        return _refuse(type_, value, place, problems)
    return [_read(type_.below, each, place, problems) for each in value]


def _read_bytes(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if not isinstance(value, str):
        return _refuse(type_, value, place, problems)
    problem = scalars.base64_problem(value)
    problems += [problem] if problem else []
    return value


def _read_int(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _refuse(type_, value, place, problems)
    if not _is_int(value, _LIMITS[type_.form]):
        problems.append(_misfit(f"number {value}", type_.name, place))
    return value


def _read_scalar(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if not isinstance(value, str if type_.form == "string" else bool):
        return _refuse(type_, value, place, problems)
    return value


def _read_time(type_: GoType, value: Any, place: _Place, _: list[str]) -> Any:
    if not isinstance(value, str):
        raise _Stop(_misfit(json_name(value), "string", place))
    problem = scalars.time_problem(value, micro=type_.form == "micro_time")
    if problem:
        raise _Stop(problem)
    return value


def _read_quantity(_: GoType, value: Any, __: _Place, ___: list[str]) -> Any:
    text = value if isinstance(value, str) else "" if isinstance(value, bool | dict | list) else str(value)
    problem = scalars.quantity_problem(text)
    if problem:
        raise _Stop(problem)
    return value


def _read_int_or_string(_: GoType, value: Any, place: _Place, __: list[str]) -> Any:
    if isinstance(value, str) or _is_int(value, _LIMITS["int32"]):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    raise _Stop(_misfit(f"number {value}" if is_number else json_name(value), "int32", place))


def _read_schema_or_bool(_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    if isinstance(value, bool):
        return value
    if not isinstance(value, dict):
        raise _Stop("boolean or JSON schema expected")
    return _read(type_named("apiextensions.v1.JSONSchemaProps"), value, place, problems)


_READERS: Mapping[str, Callable[[GoType, Any, _Place, list[str]], Any]] = {
    "struct": _read_struct,
    "map": _read_map,
    "list": _read_list,
    "bytes": _read_bytes,
    "int32": _read_int,
    "int64": _read_int,
    "string": _read_scalar,
    "bool": _read_scalar,
    "time": _read_time,
    "micro_time": _read_time,
    "quantity": _read_quantity,
    "int_or_string": _read_int_or_string,
    "schema_or_bool": _read_schema_or_bool,
}


def _is_int(value: Any, limit: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _refuse(type_: GoType, value: Any, place: _Place, problems: list[str]) -> Any:
    problems.append(_misfit(json_name(value), type_.name, place))
    return value


def json_name(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    names = {list: "array", dict: "object", str: "string", bool: "bool"}
    return names.get(type(value), "number")


def _misfit(what: str, type_name: str, place: _Place) -> str:
    where = f"struct field {place.struct}.{'.'.join(place.path)}" if place.path else "value"
    return f"json: cannot unmarshal {what} into Go {where} of type {type_name}"
