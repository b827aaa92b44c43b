from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

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


def waiting(clock: FakeClock, condition: threading.Condition, seconds: float | None, woken: list[bool]) -> Runner:
    def wait(_stop: object) -> None:
        with condition:
            woken.append(clock.wait(condition, seconds))

    return Runner("waiter", wait)


def test_who_has_been_woken_by_time_does_not_count_as_blocked(monkeypatch):
    clock, condition, woken = FakeClock(), threading.Condition(), []
    with waiting(clock, condition, 5.0, woken):
        clock.wait_until_blocked()
        monkeypatch.setattr("btcctl.testing.clock._PATIENCE_SECONDS", 0.05)
        with condition:  # it cannot run yet
            advancing = Runner("advance", lambda _stop: clock.advance(5.0))
            advancing.start()
            while clock.now() < 5.0:
                threading.Event().wait(0.001)
            with pytest.raises(AssertionError, match="0 threads wait"):
                clock.wait_until_blocked()
        advancing.stop()
    assert woken == [False]


def test_who_has_been_notified_and_has_not_woken_yet_does_not_count_as_blocked(monkeypatch):
    clock, condition, woken = FakeClock(), threading.Condition(), []
    with waiting(clock, condition, 5.0, woken), waiting(clock, condition, 5.0, woken):
        clock.wait_until_blocked(2)
        monkeypatch.setattr("btcctl.testing.clock._PATIENCE_SECONDS", 0.05)
        with condition:  # it cannot run yet
            condition.notify()
            clock.wait_until_blocked()
            with pytest.raises(AssertionError, match="1 threads wait on the fake clock, not 2"):
                clock.wait_until_blocked(2)
        clock.advance(5.0)
    assert len(woken) == 2


def test_a_wait_outlasts_the_real_time_in_which_nobody_notifies(monkeypatch):
    monkeypatch.setattr("btcctl.testing.clock._REAL_LIMIT_SECONDS", 0.01)
    clock, condition, woken = FakeClock(), threading.Condition(), []
    with waiting(clock, condition, None, woken), waiting(clock, condition, 5.0, woken):
        clock.wait_until_blocked(2)
        threading.Event().wait(0.1)
        assert woken == []
        with condition:
            condition.notify_all()
    assert woken == [True, True]


def test_the_test_itself_does_not_wait_in_vain(monkeypatch):
    monkeypatch.setattr("btcctl.testing.clock._REAL_LIMIT_SECONDS", 0.01)
    condition = threading.Condition()
    with condition, pytest.raises(AssertionError, match=r"the fake clock was not moved from 0.0"):
        FakeClock().wait(condition, 5.0)
