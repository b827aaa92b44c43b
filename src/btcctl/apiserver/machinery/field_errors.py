"""What is wrong with a field, in the words of k8s.io/apimachinery/pkg/util/validation/field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.gofmt import json_text, shown


def _shown(value: Any) -> str:
    """As in other messages, but for objects, which keep the order of their keys."""
    return json_text(value, sort=False) if isinstance(value, dict | list) else shown(value)


def invalid(field: str, value: Any, why: str) -> Cause:
    message = f"Invalid value: {_shown(value)}"
    return Cause("FieldValueInvalid", f"{message}: {why}" if why else message, field)


def required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def forbidden(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def too_long(field: str, most_bytes: int) -> Cause:
    return Cause("FieldValueTooLong", f"Too long: may not be more than {most_bytes} bytes", field)


def too_many(field: str, count: int, most: int) -> Cause:
    return Cause("FieldValueTooMany", f"Too many: {count}: must have at most {most} items", field)


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", field)


def not_found(field: str, value: Any) -> Cause:
    return Cause("FieldValueNotFound", f"Not found: {_shown(value)}", field)


def unsupported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    listed = ", ".join(f'"{each}"' for each in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {_shown(value)}: supported values: {listed}", field)


def one_of(field: str, value: Any, supported: Iterable[str]) -> list[Cause]:
    """What is wrong with a value that must be there, and one of a few."""
    if not value:
        return [required(field)]
    allowed = list(supported)
    return [] if value in allowed else [unsupported(field, value, allowed)]


def not_negative(field: str, value: int | None) -> list[Cause]:
    return [invalid(field, value, "must be greater than or equal to 0")] if (value or 0) < 0 else []


def each_invalid(field: str, value: Any, complaints: Iterable[str]) -> list[Cause]:
    return [invalid(field, value, each) for each in complaints]
