"""In which order a class names the values of its Literals, and a server is to name them. msgspec sorts them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints


@lru_cache(maxsize=1000)
def literals_in(cls: type) -> dict[frozenset[Any], tuple[Any, ...]]:
    """The values of each Literal in the types of its fields, as they stand there; {} if these cannot be told."""
    try:
        hints = get_type_hints(get_origin(cls) or cls, include_extras=True)
    except (NameError, TypeError):  # of a class in a function, whose names nobody else knows
        return {}
    return {frozenset(each): each for hint in hints.values() for each in _values_in(hint)}


def _values_in(hint: Any) -> Iterator[tuple[Any, ...]]:
    if get_origin(hint) is Literal:
        yield get_args(hint)
        return
    for each in get_args(hint):
        yield from _values_in(each)
