"""Time that moves when a test says so."""

from __future__ import annotations

import math
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import TypeVar

from btcctl.clock import MAX_WAIT_SECONDS, bounded, seconds_of

T = TypeVar("T")

_REAL_LIMIT_SECONDS = 10.0  # a test that waits in vain fails, it does not hang
_PATIENCE_SECONDS = 10.0  # with threads that have yet to come to their wait


class FakeClock:
    """A Clock whose time stands still until `advance`.

    Args:
        now: The monotonic time to start with, in seconds.
        wall_time: The time of day at that instant.
    """

    def __init__(self, now: float = 0.0, wall_time: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._epoch = wall_time - timedelta(seconds=now)
        self._changed = threading.Condition()  # guards the list
        self._waiters: list[tuple[float, threading.Condition]] = []
        self._changes = 0  # of that list

    def now(self) -> float:
        """Seconds since it was made, as the test has moved it."""
        return self._now

    def wall_time(self) -> datetime:
        """The date that goes with `now`."""
        return self._epoch + timedelta(seconds=self._now)

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait for a notification, or until the test has moved time so far; whether a notification came."""
        deadline = self._now + (float("inf") if timeout is None else bounded(timeout))
        waiter = (deadline, condition)
        with self._changed:
            self._waiters.append(waiter)
            self._changes += 1
            self._changed.notify_all()
        try:
            while self._now < deadline and not condition.wait(_REAL_LIMIT_SECONDS):
                self._complain(timeout)
        finally:
            with self._changed:
                if waiter in self._waiters:  # or `advance` has taken it out
                    self._waiters.remove(waiter)
                self._changes += 1
                self._changed.notify_all()
        return self._now < deadline or (timeout is not None and timeout > MAX_WAIT_SECONDS)

    def advance(self, seconds: float) -> None:
        """Move time forward and wake every wait that is now over.

        Raises:
            ValueError: NaN or infinite: no time comes after that.
        """
        if math.isinf(step := seconds_of(seconds)):
            raise ValueError(f"cannot move time by {step} seconds")
        with self._changed:
            self._now += step
            due = [condition for deadline, condition in self._waiters if deadline <= self._now]
            self._waiters = [each for each in self._waiters if each[0] > self._now]
        for condition in due:
            with condition:
                condition.notify_all()

    def get(self, queue: SimpleQueue[T]) -> T:
        """Wait for what somebody else puts into a queue: in the test's own thread not for ever, as long as time stands.

        Raises:
            AssertionError: Nothing came, and time did not move, for ten real seconds.
        """
        while True:
            before = self._now
            try:
                return queue.get(timeout=_REAL_LIMIT_SECONDS)
            except Empty:
                if self._now == before:
                    self._complain(_REAL_LIMIT_SECONDS)

    def wait_until_blocked(self, threads: int = 1) -> None:
        """Return once `threads` threads are inside `wait`, for what is not over, and nobody has notified them.

        Raises:
            AssertionError: That does not come true within ten real seconds.
        """
        while True:
            with self._changed:
                seen, waiting = self._changes, Counter(condition for _, condition in self._waiters)
            blocked = sum(min(count, _not_notified(condition, count)) for condition, count in waiting.items())
            if blocked >= threads:
                return
            with self._changed:
                if not self._changed.wait_for(lambda: self._changes != seen, _PATIENCE_SECONDS):  # noqa: B023  at once
                    raise AssertionError(f"{blocked} threads wait on the fake clock, not {threads}")

    def _complain(self, timeout: float | None) -> None:
        """In the test's own thread an unmoved clock is an error; other threads wait as long as it takes.

        So a thread that stands still while another one is looked at in a debugger does not die of it.
        """
        is_test = threading.current_thread() is threading.main_thread()
        if timeout is not None and is_test and sys.gettrace() is None:
            raise AssertionError(f"the fake clock was not moved from {self._now} for {_REAL_LIMIT_SECONDS} s")


def _not_notified(condition: threading.Condition, otherwise: int) -> int:
    """How many threads wait on it whom nobody has notified: who has been, has only yet to wake up."""
    with condition:  # who is about to wait has it until then
        waiters = getattr(condition, "_waiters", None)  # nothing else says so
    return otherwise if waiters is None else len(waiters)
