"""Values that may not be there, and types as values.

Source: github.com/google/cel-go/cel/library.go, v0.26.
"""

from __future__ import annotations

from typing import Any

from btcctl.apiserver.schemas.cel.data import Duration, EvaluationError, Optional, Timestamp, TypeName
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member
from btcctl.apiserver.schemas.cel.types import BOOL, DYN, A, Type, list_of

_OPTIONAL = Type("optional_type", (A,))
_OPTIONALS = list_of(_OPTIONAL)
_NAMES: dict[type, str] = {
    bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes", list: "list", dict: "map",
    Duration: "google.protobuf.Duration", Timestamp: "google.protobuf.Timestamp", Optional: "optional_type",
    type(None): "null_type", TypeName: "type",
}  # fmt: skip


def _unwrap(held: Optional) -> Any:
    if not held.is_there:
        raise EvaluationError("optional.none() dereference")
    return held.value


def _unless_zero(value: Any) -> Optional:
    is_zero = isinstance(value, str | bytes | int | float | list | dict | None) and not value
    if isinstance(value, Duration):
        is_zero = value.nanoseconds == 0
    return Optional() if is_zero else Optional(value, is_there=True)


def _present(items: list[Any]) -> list[Any]:
    for each in items:
        if not isinstance(each, Optional):
            raise EvaluationError(f"value {each} is not optional")
    return [each.value for each in items if each.is_there]


def _type_name(value: Any) -> TypeName:
    return TypeName(value.type_name if isinstance(value, LibraryValue) else _NAMES.get(type(value), "map"))


FUNCTIONS: Functions = {
    "optional.of": [Overload((A,), _OPTIONAL, lambda value: Optional(value, is_there=True))],
    "optional.ofNonZeroValue": [Overload((A,), _OPTIONAL, _unless_zero)],
    "optional.none": [Overload((), Type("optional_type", (DYN,)), Optional)],
    "optional.unwrap": [Overload((_OPTIONALS,), list_of(A), _present)],
    "unwrapOpt": [member((_OPTIONALS,), list_of(A), _present)],
    "hasValue": [member((_OPTIONAL,), BOOL, lambda held: held.is_there)],
    "value": [member((_OPTIONAL,), A, _unwrap)],
    # Those two are evaluated by the compiler's own: what is not needed is not looked at.
    "or": [member((_OPTIONAL, _OPTIONAL), _OPTIONAL, lambda held, other: held if held.is_there else other)],
    "orValue": [member((_OPTIONAL, A), A, lambda held, other: held.value if held.is_there else other)],
    "type": [Overload((A,), Type("type", (A,)), _type_name)],
}
