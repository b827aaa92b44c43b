from __future__ import annotations

import threading

from btcctl.clock import sleep
from btcctl.testing.clock import FakeClock


class Restless(FakeClock):
    """Every wait ends after a second at most, as one that is woken for no reason."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        self.advance(1.0 if timeout is None else min(1.0, timeout))
        return True


def test_sleeping_takes_its_time_even_if_something_wakes_it():
    clock = Restless()
    sleep(4.5, clock)
    assert clock.now() == 4.5


def test_sleeping_for_no_time_does_not_wait():
    clock = FakeClock()
    sleep(0.0, clock)
    sleep(-1.0, clock)
    assert clock.now() == 0.0
