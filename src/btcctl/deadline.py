"""How long the work under way may still take, known to every call that it makes.

Whoever waits for somebody else asks `time_left`; what computes is not interrupted. A deadline
belongs to the thread that has set it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from btcctl.clock import Clock, bounded
from btcctl.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class _Limit:
    seconds: float
    ends_at: float
    clock: Clock


_current: ContextVar[_Limit | None] = ContextVar("deadline", default=None)


@contextmanager
def limited_to(seconds: float | None, clock: Clock) -> Iterator[None]:
    """Let what is called within take `seconds` at most; None sets no limit, and lifts one set further out.

    Raises:
        ValueError: `seconds` is NaN.
    """
    limit = None
    if seconds is not None:
        bounded(seconds)
        limit = _Limit(seconds, clock.now() + seconds, clock)
    token = _current.set(limit)
    try:
        yield
    finally:
        _current.reset(token)


def time_left(wanted: float) -> float:
    """How many of the `wanted` seconds a call may wait.

    Raises:
        DeadlineExceeded: None.
    """
    limit = _current.get()
    if limit is None:
        return wanted
    left = limit.ends_at - limit.clock.now()
    if left <= 0:
        raise DeadlineExceeded(f"not done within {limit.seconds:g} s")
    return min(wanted, left)
