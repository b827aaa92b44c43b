"""Keys to which nothing has happened wait behind those that have changed, but not for ever."""

from __future__ import annotations

import pytest

from btcctl.testing.clock import FakeClock
from btcctl.workqueue.queue import WorkQueue
from tests.unit.workqueue.support import Worker


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock)


def take(queue: WorkQueue[str], count: int) -> list[str]:
    keys = []
    for _ in range(count):
        keys.append(queue.get())
        queue.done(keys[-1])
    return keys


def test_a_change_goes_before_a_whole_resync(queue):
    for key in ("r1", "r2", "r3"):
        queue.add_background(key)
    queue.add("change")
    assert take(queue, 4) == ["change", "r1", "r2", "r3"]


def test_a_key_that_changes_while_it_waits_in_the_background_goes_first_and_once(queue):
    queue.add_background("a")
    queue.add_background("b")
    queue.add("b")
    assert len(queue) == 2
    assert take(queue, 2) == ["b", "a"]
    assert queue.idle()


def test_a_key_that_is_queued_already_is_not_set_back(queue):
    queue.add("a")
    queue.add("b")
    queue.add_background("a")
    assert take(queue, 2) == ["a", "b"]
    assert queue.idle()


def test_a_key_in_work_is_looked_at_once_more(queue):
    queue.add("a")
    queue.get()
    queue.add_background("a")
    queue.done("a")
    assert take(queue, 1) == ["a"]


def test_what_has_waited_for_10_seconds_gets_every_second_turn(clock, queue):
    for key in ("r1", "r2", "r3"):
        queue.add_background(key)
    for key in ("c1", "c2", "c3", "c4", "c5"):
        queue.add(key)
    clock.advance(9.9)
    assert take(queue, 2) == ["c1", "c2"]
    clock.advance(0.1)
    assert take(queue, 6) == ["r1", "c3", "r2", "c4", "r3", "c5"]


def test_a_key_that_was_called_away_does_not_hold_up_those_behind_it(clock, queue):
    queue.add_background("a")
    queue.add_background("b")
    queue.add("a")
    clock.advance(10.0)
    queue.add("c")
    assert take(queue, 3) == ["b", "a", "c"]


def test_a_worker_that_waits_is_woken_for_the_background_too(clock, queue):
    with Worker(queue) as worker:
        clock.wait_until_blocked()
        queue.add_background("a")
        assert worker.next() == "a"


def test_the_background_is_drained_too(queue):
    queue.add_background("a")
    queue.add("b")
    assert sorted(queue.drain(0.0)) == ["a", "b"]
    queue.add_background("c")
    assert len(queue) == 0


def test_after_shut_down_what_waits_in_the_background_is_still_handed_out(queue):
    queue.add_background("a")
    queue.shut_down()
    queue.add_background("b")
    assert take(queue, 1) == ["a"]
    assert queue.idle()


def test_a_poll_that_is_due_waits_behind_what_has_changed(clock, queue):
    queue.add_after("poll", 5.0, background=True)
    queue.add_after("retry", 5.0)
    clock.advance(5.0)
    queue.add("change")
    assert take(queue, 3) == ["change", "retry", "poll"]


def test_a_poll_without_a_delay_waits_likewise(queue):
    queue.add_after("poll", 0.0, background=True)
    queue.add("change")
    assert take(queue, 2) == ["change", "poll"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_key_that_is_delayed_for_another_reason_too_is_no_poll(clock, queue, is_first):
    queue.add_after("a", 5.0, background=is_first)
    queue.add_after("a", 7.0, background=not is_first)
    clock.advance(5.0)
    queue.add_background("b")
    queue.add("c")
    assert take(queue, 3) == ["c", "a", "b"]


def test_a_delay_that_was_taken_back_says_nothing_of_the_next(clock, queue):
    queue.add_after("a", 5.0, background=True)
    queue.cancel_delay("a")
    queue.add_after("a", 5.0)
    clock.advance(5.0)
    queue.add_background("b")
    assert take(queue, 2) == ["a", "b"]
    queue.add_after("a", 5.0, background=True)
    clock.advance(5.0)
    queue.add("b")
    assert take(queue, 2) == ["b", "a"]
