"""Texts, bytes and mappings that no renderer of tracebacks, `repr`, `help()` or debugger shows.

They are what they hold in every other respect, so that a header or a file takes them as they are. What is made of
one (`f"Bearer {token}"`) is an ordinary text again: wrap it again. And a function that works on texts which are not
wrapped yet lets no error out with its frames: `hiding_frames`. Bodies of objects are plain dicts, so that authors can
work with them: what takes them is `hiding_bodies`.
"""

from __future__ import annotations

import functools
import os
import sys
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


def hiding_bodies(function: Callable[P, T]) -> Callable[P, T]:
    """For what an author gives objects to, which may be Secrets: whatever it raises comes without frames of ours.

    What the author's own code has raised, a `mutate` for one, keeps the frames from there on.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        given: list[Any] = [kwargs, args]
        del args, kwargs  # this frame is one of those that are shown
        try:
            return function(*given.pop(), **given.pop())
        except BaseException as error:
            failure = _without_frames_of_ours(error)
        raise failure

    return call


def _without_frames_of_ours(error: BaseException) -> BaseException:
    if not _cut(error, set()) and isinstance(error, UnicodeEncodeError):  # which holds the whole text
        return ValueError(f"a text is no Unicode: {error.reason}, at character {error.start}")
    return error


def _cut(error: BaseException, seen: set[int]) -> bool:
    """Take away the frames until the author's begin, and causes without any of those; return whether there are some."""
    seen.add(id(error))
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_globals.get("__name__")):
        frames = frames.tb_next
    error.__traceback__ = frames
    for name in ("__cause__", "__context__"):
        inner = getattr(error, name)
        if inner is not None and (frames is None or id(inner) in seen or not _cut(inner, seen)):
            setattr(error, name, None)
    return frames is not None


def _is_ours(module: object) -> bool:
    """Whether it is a module of ours, or one of Python's, which nobody but us has called."""
    package = str(module).partition(".")[0]
    return package == __package__ or package in sys.stdlib_module_names


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
