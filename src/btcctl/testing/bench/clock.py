"""The clock of a test that has but one thread."""

from __future__ import annotations

import threading

from btcctl.clock import bounded
from btcctl.testing.clock import FakeClock


class JumpingClock(FakeClock):
    """A FakeClock for programs of one thread: nothing else can end a wait, so time moves to where it is over.

    Raises:
        AssertionError: In `wait`, if it is one without limit: it would never end.
    """

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Move time to the end of the wait."""
        if timeout is None or bounded(timeout) < timeout:
            raise AssertionError("this would wait for ever: there is no other thread that could end the wait")
        self.advance(max(0.0, bounded(timeout)))
        return False
