"""How long the work under way may still take, known to every call that it makes.

Every wait asks `time_left`; what computes is not interrupted. A deadline
belongs to the thread that has set it.
"""

from __future__ import annotations

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


class _Limited:
    """A `with` block in which a limit holds. Not by `contextlib`, which takes thrice the calls for each reconcile."""

    __slots__ = ("_limit", "_token")

    def __init__(self, limit: _Limit | None) -> None:
        self._limit = limit

    def __enter__(self) -> None:
        self._token = _current.set(self._limit)

    def __exit__(self, *raised: object) -> None:
        _current.reset(self._token)


def limited_to(seconds: float | None, clock: Clock) -> _Limited:
    """Let what is called within take `seconds` at most; None sets no limit, and lifts one set further out.

    The time begins here, and the limit holds in the `with` block that is begun with what is returned.

    Raises:
        ValueError: `seconds` is NaN.
    """
    if seconds is None:
        return _Limited(None)
    bounded(seconds)
    return _Limited(_Limit(seconds, clock.now() + seconds, clock))


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
