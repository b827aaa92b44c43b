"""The clock of a test that has but one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from btcctl.clock import bounded
from btcctl.testing.clock import FakeClock


class JumpingClock(FakeClock):
    """A FakeClock for programs of one thread: nothing else can end a wait, so time moves to where it is over.

    Attributes:
        pauses: What a wait does instead, in the threads of these ids: the bench's daemons.

    Raises:
        AssertionError: In `wait`, if it is one without limit: it would never end.
    """

    def __init__(self, now: float = 0.0, wall_time: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        super().__init__(now, wall_time)
        self.pauses: dict[int, Callable[[threading.Condition, float | None], bool]] = {}

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Move time to the end of the wait."""
        pause = self.pauses.get(threading.get_ident())
        if pause is not None:
            return pause(condition, timeout)
        if timeout is None or bounded(timeout) < timeout:
            raise AssertionError("this would wait for ever: there is no other thread that could end the wait")
        self.advance(max(0.0, bounded(timeout)))
        return False
