"""How long the work under way may still take."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from btcctl.deadline import PendingCalls, limited_to, pending_calls, time_left
from btcctl.errors import DeadlineExceeded, Interrupted
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
        assert seen.wait(60.0)


def test_calls_are_known_to_those_who_may_break_them_off_whatever_limit_is_further_in():
    clock, calls = FakeClock(), PendingCalls(FakeClock())
    with limited_to(10.0, clock, calls), limited_to(None, clock):
        assert pending_calls() is calls
        assert time_left(30.0) == 30.0
        with limited_to(3.0, clock):
            assert (pending_calls(), time_left(30.0)) == (calls, 3.0)
    assert pending_calls() is None


def wait_breakably(calls: PendingCalls, end: Callable[[], object], meanwhile: Callable[[], object]) -> None:
    with calls.breakable(end):
        meanwhile()


def test_one_that_is_waited_for_in_vain_for_too_long_ends_all_and_none_begins_any_more():
    clock = FakeClock()
    calls, ended = PendingCalls(clock), []

    def begin_another() -> None:
        clock.advance(3.0)
        with pytest.raises(Interrupted):
            wait_breakably(calls, lambda: ended.append("new"), break_off)

    def break_off() -> None:
        calls.break_off(begun_before=-1.0)
        assert ended == []
        calls.break_off(begun_before=0.0)

    with pytest.raises(Interrupted):
        wait_breakably(calls, lambda: ended.append("old"), begin_another)
    assert ended == ["old", "new"]
    with limited_to(None, clock, calls), pytest.raises(Interrupted):
        time_left(30.0)


def test_what_is_about_to_begin_when_all_is_broken_off_is_ended_at_once():
    calls, ended = PendingCalls(FakeClock()), []
    with pytest.raises(Interrupted):
        wait_breakably(calls, lambda: None, lambda: calls.break_off(0.0))
    with pytest.raises(Interrupted):
        wait_breakably(calls, lambda: ended.append("late"), lambda: ended.append("begun"))
    assert ended == ["late", "begun"]


def test_what_is_over_is_not_broken_off():
    calls, ended = PendingCalls(FakeClock()), []
    with calls.breakable(lambda: ended.append("over")):
        pass
    calls.break_off(0.0)
    assert (ended, calls.are_broken_off) == ([], False)
