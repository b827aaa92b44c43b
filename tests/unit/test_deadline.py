"""How long the work under way may still take."""

from __future__ import annotations

import threading

import pytest

from btcctl.deadline import limited_to, time_left
from btcctl.errors import DeadlineExceeded
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner


def test_without_a_limit_a_call_may_take_as_long_as_it_likes():
    assert time_left(30.0) == 30.0


def test_a_call_gets_no_more_than_what_is_left():
    clock = FakeClock()
    with limited_to(10.0, clock):
        assert time_left(3.0) == 3.0
        clock.advance(8.0)
        assert time_left(3.0) == 2.0


def test_after_its_time_no_call_is_made():
    clock = FakeClock()
    with limited_to(10.0, clock):
        clock.advance(10.0)
        with pytest.raises(DeadlineExceeded, match="not done within 10 s"):
            time_left(3.0)
    assert time_left(3.0) == 3.0


def test_a_limit_further_out_can_be_lifted():
    clock = FakeClock()
    with limited_to(10.0, clock), limited_to(None, clock):
        clock.advance(11.0)
        assert time_left(3.0) == 3.0


def test_a_limit_is_of_one_thread():
    clock, seen = FakeClock(), threading.Event()
    with limited_to(0.0, clock), Runner("other", lambda _: seen.set() if time_left(3.0) == 3.0 else None):
        assert seen.wait(10.0)
