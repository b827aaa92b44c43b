from __future__ import annotations

import threading
from datetime import UTC, datetime

from btcctl.clock import rfc3339, rfc3339_micro
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner


def test_time_stands_still_until_advanced():
    clock = FakeClock(now=3.0, wall_time=datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(2.5)
    assert clock.now() == 5.5
    assert rfc3339(clock.wall_time()) == "2026-01-01T00:00:02Z"
    assert rfc3339_micro(clock.wall_time()) == "2026-01-01T00:00:02.500000Z"


def test_a_wait_without_limit_ends_by_notification_only():
    clock, condition, woken = FakeClock(), threading.Condition(), threading.Event()

    def wait(_stop: object) -> None:
        with condition:
            clock.wait(condition, None)
        woken.set()

    with Runner("waiter", wait):
        clock.wait_until_blocked()
        clock.advance(10**9)
        assert not woken.is_set()
        with condition:
            condition.notify_all()
    assert woken.is_set()
