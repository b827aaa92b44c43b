"""Texts, bytes and mappings that no renderer of tracebacks, `repr`, `help()` or debugger shows.

They are what they hold in every other respect, so that a header or a file takes them as they are. What is made of
one (`f"Bearer {token}"`) is an ordinary text again: wrap it again. And a function that works on texts which are not
wrapped yet lets no error out with its frames: `hiding_frames`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, SupportsIndex, TypeVar

from btcctl.errors import BtcctlError

SHOWN = "***"

P = ParamSpec("P")
T = TypeVar("T")


class Secret(str):
    """A text that is secret. Its parts are, too: renderers show the beginning of long texts."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(SHOWN)

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        return Secret(super().__getitem__(key))


class SecretBytes(bytes):
    """Bytes that are secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(SHOWN.encode())

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return SecretBytes(part) if isinstance(part, bytes) else part


class SecretMapping(Mapping[str, str]):
    """A view of a mapping that as a whole shows nothing: the environment, for one. A value that is looked up does."""

    __slots__ = ("_view",)

    def __init__(self, mapping: Mapping[str, str]) -> None:
        # In a closure: a debugger that lists attributes finds none.
        self._view: Callable[[], Mapping[str, str]] = lambda: mapping

    def __getitem__(self, key: str) -> str:
        return self._view()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._view())

    def __len__(self) -> int:
        return len(self._view())

    def __repr__(self) -> str:
        return f"<{len(self)} values, not shown>"


ENVIRON = SecretMapping(os.environ)  #: as it is now, in default arguments, too: `help()` prints those


def without_frames(error: BtcctlError) -> BtcctlError:
    """`error`, rid of the frames and causes that it came from: raise it where none of its arguments is at hand."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def hiding_frames(function: Callable[P, T]) -> Callable[P, T]:
    """Let errors of ours out of `function` without its arguments, and the frames and causes they came from."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BtcctlError as error:
            failure = without_frames(error)
        del args, kwargs
        raise failure

    return call
