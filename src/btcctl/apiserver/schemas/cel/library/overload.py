"""What a function is, to those who declare some and to who calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, TypeVar

from btcctl.apiserver.schemas.cel.types import Type


class Overload(NamedTuple):
    """One signature of a function.

    Attributes:
        is_member: Called as `x.f(y)`, the first argument being x.
    """

    arguments: tuple[Type, ...]
    result: Type
    run: Callable[..., Any]
    is_member: bool = False


_Read = TypeVar("_Read")
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 100


#: By name. A name with a dot, `sets.contains`, is that of a function, whatever stands before the dot.
Functions = Mapping[str, list[Overload]]


class LibraryValue:
    """A value of a type that a library has: a quantity, an address.

    Attributes:
        type_name: What CEL calls the type.
    """

    __slots__ = ()
    type_name: ClassVar[str]


def remembered(read: Callable[[str], _Read]) -> Callable[[str], _Read]:
    """A function of a text that knows what it found for short ones: rules ask for the same again and again."""
    known = lru_cache(_MOST_KNOWN)(read)
    return lambda text: known(text) if len(text) <= _LONGEST_KNOWN else read(text)


def member(arguments: tuple[Type, ...], result: Type, run: Callable[..., Any]) -> Overload:
    return Overload(arguments, result, run, is_member=True)
