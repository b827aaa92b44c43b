"""What an author's program hands in is looked at where it does: one that cannot be right is told there, in words."""

from __future__ import annotations

import inspect
from typing import Any


def check_is(what: str, given: object, wanted: type | tuple[type, ...], instead: str) -> None:
    """Raise TypeError if `given` is not of that type.

    Args:
        what: "options", "a lease".
        instead: What it must be, as one would write it: "ControllerOptions(workers=4)".
    """
    if not isinstance(given, wanted):
        raise TypeError(f"{what} is {_kind_of(given)}, must be {instead}")


def check_text(what: str, given: str) -> None:
    """Raise ValueError if it has half of a surrogate pair, as a file name that is no UTF-8: it could not be sent."""
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} is no Unicode text: half of a surrogate pair at character {error.start}") from None


def check_has(what: str, given: object, method: str, instead: str) -> None:
    """Raise TypeError if `given` has no such method, or is a class of what has; otherwise as `check_is`."""
    if isinstance(given, type) or not callable(getattr(given, method, None)):
        raise TypeError(f"{what} is {_kind_of(given)}, must be {instead}")


def check_read(what: str, given: object) -> None:
    """Raise TypeError if it is no object that was read: of one that is gone a lister returns None."""
    if isinstance(given, type) or not hasattr(given, "resource_version"):
        raise TypeError(
            f"{what} is {_kind_of(given)}, must be an object that was read; a lister returns None for one that is gone"
        )


def check_plain(what: str, function: object, *arguments: str) -> None:
    """Raise TypeError if it is no function of these arguments, or a coroutine function, and so would never run."""
    if not callable(function):
        raise TypeError(f"{what} must be a function, not of type {type(function).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004  whether that is one
        raise TypeError(f"{what} is called, and not awaited: it must be a plain function, without `async`")
    check_takes(what, function, *arguments)


def check_takes(what: str, function: Any, *arguments: str) -> None:
    """Raise TypeError if the function cannot be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of one that is written in C, nothing may be known
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        name = getattr(function, "__qualname__", type(function).__name__)
        called = f"called with {', '.join(arguments)}" if arguments else "called without arguments"
        raise TypeError(f"{what} is {called}, which {name}{signature} does not take") from None


def _kind_of(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else f"of type {type(given).__name__}"
