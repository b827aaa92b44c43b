"""What a worker reads of an exception that a reconcile lets out, which may be anybody's. Nothing here raises.

An exception of another library may have a message that cannot be made, a `retry_after` of any type, or attributes
that raise when they are asked for.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, cast

from cachetools import LRUCache

from btcctl.controller.reconciling.passing import is_passing
from btcctl.errors import MAX_RETRY_AFTER_SECONDS, BtcctlError, TerminalError, describe_error, type_name
from btcctl.logging import scrub
from btcctl.objects import ObjectKey

_KEYS = 10_000  # whose tracebacks are remembered
_ERRORS = 1_000  # that are remembered without their keys
_ERRORS_PER_KEY = 10  # of which the traceback is shown: some have a message that is never the same twice
_GROUPS = 50  # one within the other
_FRAMES = 50  # the innermost: of an endless recursion there are a thousand
_CHARACTERS = 16_384
_TRACEBACK: Any = BaseException.__dict__["__traceback__"].__get__  # as the interpreter has it


def retry_after_of(error: BaseException) -> float:
    """How many seconds it asks to wait at least, 0 to MAX_RETRY_AFTER_SECONDS.

    Its `retry_after` may be a number, a text of one, or a timedelta; whatever else it is counts as 0.
    """
    try:
        asked = getattr(error, "retry_after", None)
        if asked is None:
            return 0.0
        seconds = asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
    except OverflowError:  # an int of hundreds of digits
        return MAX_RETRY_AFTER_SECONDS
    except BaseException:
        return 0.0
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if seconds > 0 else 0.0


def deciding(error: BaseException) -> BaseException:
    """Of a group, as an `asyncio.TaskGroup` raises one: the failure that says what comes next; else the error itself.

    A group in which anything is none of ours is a bug, and stays what it is. Of ours one that does not pass goes before
    those that do; all must be terminal for the group to be.
    """
    if not issubclass(type(error), BaseExceptionGroup):
        return error
    try:
        leaves = [*_leaves_of(error)]
    except BaseException:  # of a subclass: its `exceptions` may be anything
        return error
    if not all(issubclass(type(each), BtcctlError) for each in leaves):
        return error
    return min(leaves, key=lambda each: (_rank(each), -retry_after_of(each)), default=error)


def _leaves_of(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
        if issubclass(type(each), BaseExceptionGroup) and depth < _GROUPS:
            yield from _leaves_of(each, depth + 1)
        else:
            yield each


def _rank(error: BaseException) -> int:
    if issubclass(type(error), TerminalError):
        return 2
    return 1 if is_passing(error) else 0


def traceback_of(error: BaseException) -> str:
    """Its traceback without the values of variables, which may be secrets; shortened if it is long."""
    try:
        shown = traceback.TracebackException(type(error), error, _TRACEBACK(error), limit=-_FRAMES)
        text = "".join(shown.format())
    except BaseException as broken:
        return f"{describe_error(error)} (its traceback cannot be shown: {type_name(broken)})"
    if len(text) > _CHARACTERS:
        half = _CHARACTERS // 2
        text = f"{text[:half]}\n… ({len(text)} characters)\n{text[-half:]}"
    return str(scrub(text)).rstrip()


class Tracebacks:
    """Hands out the traceback of each error of each key once. Thread-safe; its memory is bounded.

    Two errors are the same if their types and messages are, and the lines that they came through. Errors of ours
    are none that a traceback would explain: a server's refusal, a deadline, a lost race.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the two below
        self._shown: LRUCache[ObjectKey, tuple[int, ...]] = LRUCache(_KEYS)
        self._known: LRUCache[int, None] = LRUCache(_ERRORS)

    def take(self, key: ObjectKey, error: BaseException) -> str:
        """The traceback to show of `error`, which `key` failed with; "" if it has been shown already."""
        if issubclass(type(error), BtcctlError):
            return ""
        return traceback_of(error) if self._note(key, _fingerprint(error)) else ""

    def _note(self, key: ObjectKey, error: int) -> bool:
        """Remember that `key` failed with it; return whether that is to be shown."""
        with self._lock:
            shown, is_known = self._shown.get(key), error in self._known
            self._known[error] = None
            if shown is None:
                # If more keys fail than are remembered, each error is shown once, and not with every try of every key.
                is_full = len(self._shown) >= _KEYS
                self._shown[key] = (error,)
                return not (is_full and is_known)
            if error in shown or len(shown) >= _ERRORS_PER_KEY:
                return False
            self._shown[key] = (*shown, error)
            return True


def _fingerprint(error: BaseException) -> int:
    lines: list[tuple[str, int]] = []
    frame: TracebackType | None = _TRACEBACK(error)
    while frame is not None and len(lines) < _FRAMES:
        lines.append((frame.tb_frame.f_code.co_filename, frame.tb_lineno))
        frame = frame.tb_next
    return hash((id(type(error)), describe_error(error), tuple(lines)))  # a metaclass may have no hash
