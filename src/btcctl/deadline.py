"""How long the work under way may still take, known to every call that it makes; and that it is broken off.

Whoever waits for somebody else asks `time_left`; what computes is not interrupted. A deadline
belongs to the thread that has set it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from btcctl.clock import Clock, ends_at
from btcctl.errors import DeadlineExceeded, Interrupted


class PendingCalls:
    """What the threads that do one piece of work wait for, so that it can be broken off. Thread-safe.

    Only what is waited for so long that it is worth the trouble is known here.

    Args:
        clock: What is measured with how long.
    """

    def __init__(self, clock: Clock) -> None:
        self.are_broken_off = False  #: and none begins any more
        self.unlimited = _Limit(math.inf, math.inf, clock, self)
        self._clock = clock
        self._lock = threading.Lock()  # guards what follows, and that nothing is added after all was ended
        self._waiting: dict[object, tuple[float, Callable[[], object]]] = {}

    @contextmanager
    def breakable(self, end: Callable[[], object]) -> Iterator[None]:
        """Let `end`, which must be quick, end what is waited for within. It may be called before that has begun.

        Raises:
            Interrupted: It was, instead of whatever else came of it.
        """
        entry = object()
        with self._lock:
            self._waiting[entry] = (self._clock.now(), end)
            is_over = self.are_broken_off
        if is_over:
            end()
        try:
            yield
        finally:
            with self._lock:
                was_ended = self._waiting.pop(entry, None) is None or is_over
            if was_ended:
                raise Interrupted("broken off: the work that the call belongs to is to end")

    def break_off(self, begun_before: float) -> None:
        """If one is still waited for that was begun by then, end all, and let none begin any more.

        For the callers it is Interrupted. What else one of them waits for may come yet, but nothing could follow it.
        """
        with self._lock:
            if not any(began <= begun_before for began, _ in self._waiting.values()):
                return
            self.are_broken_off = True
            ends = [end for _, end in self._waiting.values()]
            self._waiting.clear()
        for end in ends:
            end()


class _Limit(msgspec.Struct, frozen=True):
    seconds: float
    ends_at: float
    clock: Clock
    calls: PendingCalls | None = None


_current: ContextVar[_Limit | None] = ContextVar("deadline", default=None)


class _Limited:
    """A `with` block in which a limit holds. Not by `contextlib`, which takes thrice the calls for each reconcile."""

    __slots__ = ("_limit", "_token")

    def __init__(self, limit: _Limit | None) -> None:
        self._limit = limit

    def __enter__(self) -> None:
        self._token = _current.set(self._limit)

    def __exit__(self, *raised: object) -> None:
        _current.reset(self._token)


def limited_to(seconds: float | None, clock: Clock, calls: PendingCalls | None = None) -> _Limited:
    """Let what is called within take `seconds` at most; None sets no limit, and lifts one set further out.

    The time begins here, and the limit holds in the `with` block that is begun with what is returned.

    Args:
        calls: Whom the calls within are known to; those of the block further out if None.

    Raises:
        ValueError: `seconds` is NaN.
    """
    if calls is None:
        calls = pending_calls()
    if seconds is None:
        return _Limited(None if calls is None else calls.unlimited)
    return _Limited(_Limit(seconds, ends_at(clock, seconds), clock, calls))


def pending_calls() -> PendingCalls | None:
    """What a call is to be known to that is waited for for long; None if nobody would break it off."""
    limit = _current.get()
    return None if limit is None else limit.calls


def limiting_clock(otherwise: Clock) -> Clock:
    """What the limit of the calling thread is measured with; `otherwise` if there is none."""
    limit = _current.get()
    return otherwise if limit is None or limit.ends_at == math.inf else limit.clock


def time_left(wanted: float) -> float:
    """How many of the `wanted` seconds a call may wait.

    Raises:
        DeadlineExceeded: None.
        Interrupted: The work that the call belongs to has been broken off.
    """
    limit = _current.get()
    if limit is None:
        return wanted
    if limit.calls is not None and limit.calls.are_broken_off:
        raise Interrupted("broken off: the work that the call belongs to is to end")
    left = limit.ends_at - limit.clock.now()
    if left <= 0:
        raise DeadlineExceeded(f"not done within {limit.seconds:g} s")
    return min(wanted, left)
