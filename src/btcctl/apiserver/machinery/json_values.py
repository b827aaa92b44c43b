"""JSON values compared, and made of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def deep_equal(one: Any, other: Any) -> bool:
    """Equal in value and in type: 1 is neither 1.0 nor true."""
    if type(one) is str:
        return type(other) is str and one == other
    if isinstance(one, dict | Mapping):
        return (
            isinstance(other, Mapping)
            and one.keys() == other.keys()
            and all(deep_equal(each, other[name]) for name, each in one.items())
        )
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(deep_equal(each, other[index]) for index, each in enumerate(one))
        )
    return type(one) is type(other) and bool(one == other)


def with_fields(part: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same with these fields; without those of them that are None."""
    rest = {name: each for name, each in part.items() if name not in fields}
    return {**rest, **{name: each for name, each in fields.items() if each is not None}}
