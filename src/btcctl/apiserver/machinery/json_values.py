"""JSON values compared."""

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
