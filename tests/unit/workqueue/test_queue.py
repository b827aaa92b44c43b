"""What a work queue promises, one promise at a time."""

from __future__ import annotations

import math
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import pytest

from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from btcctl.workqueue.queue import ShutDown, WorkQueue
from btcctl.workqueue.state import KeyState, QueueStatistics
from tests.unit.workqueue.support import Drainer, Worker


def new_queue(*keys: str, clock: FakeClock | None = None) -> WorkQueue[str]:
    queue: WorkQueue[str] = WorkQueue(clock or FakeClock())
    for key in keys:
        queue.add(key)
    return queue


def test_keys_come_out_in_the_order_they_were_added() -> None:
    queue = new_queue("a", "b", "c")
    assert [queue.get() for _ in range(3)] == ["a", "b", "c"]


def test_a_key_added_twice_is_handed_out_once() -> None:
    queue = new_queue("a", "a")
    assert queue.get() == "a"
    assert len(queue) == 0
    queue.done("a")
    assert queue.idle()


def test_a_key_added_while_processing_is_handed_out_once_more() -> None:
    queue = new_queue("a")
    queue.get()
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0  # not to a second worker
    queue.done("a")
    assert queue.get() == "a"
    queue.done("a")
    assert queue.idle()


def test_a_key_added_again_goes_to_the_end() -> None:
    queue = new_queue("a", "b")
    queue.get()
    queue.add("a")
    queue.done("a")
    assert [queue.get(), queue.get()] == ["b", "a"]


def test_done_of_a_key_that_is_not_processed_changes_nothing_and_is_counted() -> None:
    queue = new_queue("a")
    queue.done("a")
    queue.done("unknown")
    assert queue.unknown_done == 2
    assert queue.get() == "a"
    assert len(queue) == 0  # client-go would hand it out a second time


def test_a_delayed_key_reaches_a_blocked_worker_exactly_when_due() -> None:
    clock = FakeClock()
    queue = new_queue(clock=clock)
    queue.add_after("a", 5.0)
    with Worker(queue) as worker:
        clock.wait_until_blocked()
        clock.advance(4.9)
        assert worker.received() == []
        clock.advance(0.1)
        assert worker.next() == "a"


def test_a_shorter_delay_wakes_every_worker_that_waits_for_a_longer_one() -> None:
    clock = FakeClock()
    queue = new_queue(clock=clock)
    queue.add_after("late", 50.0)
    with Worker(queue) as worker:
        clock.wait_until_blocked()
        queue.add_after("early", 5.0)
        clock.advance(5.0)
        assert worker.next() == "early"
        assert worker.received() == []


def test_of_two_delays_for_one_key_the_earlier_wins_and_fires_once() -> None:
    clock = FakeClock()
    queue = new_queue(clock=clock)
    queue.add_after("a", 10.0)
    queue.add_after("a", 5.0)
    queue.add_after("a", 20.0)
    clock.advance(5.0)
    queue.done(queue.get())
    clock.advance(100.0)
    assert queue.idle()


def test_no_delay_is_an_add() -> None:
    queue = new_queue()
    queue.add_after("a", 0.0)
    queue.add_after("b", -1.0)
    assert len(queue) == 2


def test_a_delay_can_be_taken_back_and_nothing_else_with_it() -> None:
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add_after("a", 5.0)
    queue.add_after("b", 7.0)
    queue.add("a")
    queue.cancel_delay("a")
    queue.cancel_delay("unknown")
    assert queue.statistics().next_due_seconds == 7.0
    assert (queue.get(), queue.state_of("a").due_seconds) == ("a", None)
    clock.advance(7.0)
    assert queue.get() == "b"


def test_adding_a_key_now_leaves_its_later_time_in_place() -> None:
    clock = FakeClock()
    queue = new_queue(clock=clock)
    queue.add_after("a", 5.0)
    queue.add("a")
    queue.done(queue.get())
    clock.advance(5.0)
    assert queue.get() == "a"


def test_a_key_that_becomes_due_while_processing_waits_for_done() -> None:
    clock = FakeClock()
    queue = new_queue("a", "b", clock=clock)
    queue.get()
    queue.add_after("a", 1.0)
    clock.advance(1.0)
    assert queue.get() == "b"
    queue.done("a")
    assert queue.get() == "a"


def test_a_queue_is_not_idle_while_a_key_is_queued_processed_or_due() -> None:
    clock = FakeClock()
    queue = new_queue("a", clock=clock)
    assert not queue.idle()
    key = queue.get()
    assert not queue.idle()
    queue.done(key)
    queue.add_after("b", 5.0)
    assert queue.idle()
    clock.advance(5.0)
    assert not queue.idle()


def test_after_shut_down_nothing_is_accepted_and_what_is_queued_is_still_handed_out() -> None:
    clock = FakeClock()
    queue = new_queue("a", clock=clock)
    queue.add_after("delayed before", 1.0)
    queue.shut_down()
    queue.add("b")
    queue.add_after("c", 0.0)
    queue.add_after("d", 1.0)
    clock.advance(1.0)
    queue.done(queue.get())
    with pytest.raises(ShutDown):
        queue.get()
    assert queue.idle()


def test_a_key_dirty_at_shut_down_is_handed_out_once_more() -> None:
    queue = new_queue("a")
    queue.get()
    queue.add("a")
    queue.shut_down()
    queue.done("a")
    assert queue.get() == "a"


def test_shut_down_wakes_every_blocked_worker() -> None:
    clock = FakeClock()
    queue = new_queue(clock=clock)
    with Worker(queue, "one"), Worker(queue, "two"), Worker(queue, "three"):
        clock.wait_until_blocked(threads=3)
        queue.shut_down()


def test_draining_an_idle_queue_returns_at_once() -> None:
    assert new_queue().drain(timeout=0.0) == []


def test_draining_waits_for_queued_and_for_processed_keys() -> None:
    clock = FakeClock()
    queue = new_queue("a", "b", clock=clock)
    assert queue.get() == "a"
    with Drainer(queue, timeout=5.0) as drainer:
        clock.wait_until_blocked()
        queue.add("refused")
        queue.done("a")
        queue.done(queue.get())
        assert drainer.left() == []


def test_draining_gives_up_after_its_timeout_and_says_what_is_left() -> None:
    clock = FakeClock()
    queue = new_queue("processing", "queued", clock=clock)
    queue.get()
    with Drainer(queue, timeout=5.0) as drainer:
        clock.wait_until_blocked()
        clock.advance(5.0)
        assert drainer.left() == ["processing", "queued"]
    with pytest.raises(ShutDown):
        queue.get()  # what was not begun in time is not begun later


def test_a_key_left_over_by_a_drain_may_still_be_done() -> None:
    queue = new_queue("a")
    queue.get()
    queue.add("a")
    queue.drain(timeout=0.0)
    queue.done("a")
    assert queue.unknown_done == 0
    assert queue.idle()


def test_two_drains_at_once_both_end() -> None:
    clock = FakeClock()
    queue = new_queue("a", clock=clock)
    queue.get()
    with Drainer(queue, timeout=5.0) as one, Drainer(queue, timeout=5.0) as two:
        clock.wait_until_blocked(threads=2)
        queue.done("a")
        assert (one.left(), two.left()) == ([], [])


def test_a_worker_stays_while_a_drain_may_still_have_work_for_it() -> None:
    clock = FakeClock()
    queue = new_queue("a", clock=clock)
    queue.get()
    queue.add("a")
    with Worker(queue) as worker, Drainer(queue, timeout=5.0) as drainer:
        clock.wait_until_blocked(threads=2)
        assert worker.is_alive()
        queue.done("a")
        assert worker.next() == "a"
        assert drainer.left() == []


def test_a_second_drain_says_what_is_still_being_processed() -> None:
    queue = new_queue("processing", "queued")
    queue.get()
    assert queue.drain(0.0) == ["processing", "queued"]
    assert queue.drain(0.0) == ["processing"]


def test_each_of_several_keys_wakes_a_worker_of_its_own() -> None:
    clock = FakeClock()
    queue = new_queue(clock=clock)
    taken: SimpleQueue[str] = SimpleQueue()
    workers = [Runner(f"worker-{number}", lambda _: taken.put(queue.get())) for number in range(4)]
    for worker in workers:
        worker.start()
    clock.wait_until_blocked(threads=4)
    for key in "abcd":
        queue.add(key)
    for worker in workers:
        worker.stop(timeout=5.0)  # sooner than a fake wait ends by itself
    assert sorted(taken.get() for _ in range(4)) == ["a", "b", "c", "d"]


def test_statistics_say_what_waits_for_whom_and_for_how_long() -> None:
    clock = FakeClock()
    queue = new_queue("a", "b", clock=clock)
    queue.get()
    queue.add("a")
    queue.add_after("later", 7.0)
    queue.done("unknown")
    clock.advance(2.0)
    assert queue.statistics() == QueueStatistics(
        depth=2, delayed=1, next_due_seconds=5.0, running_seconds=(2.0,), retries=1, unknown_done=1
    )
    assert queue.keys() == ["a", "b", "later"]


def test_each_key_can_be_asked_after() -> None:
    clock = FakeClock()
    queue = new_queue("a", clock=clock)
    assert queue.state_of("a") == KeyState(is_dirty=True, running_seconds=None, due_seconds=None)
    queue.get()
    queue.add_after("a", 5.0)
    clock.advance(2.0)
    assert queue.state_of("a") == KeyState(is_dirty=False, running_seconds=2.0, due_seconds=3.0)
    assert queue.state_of("unknown") == KeyState(False, None, None)


def test_a_queue_at_rest_says_so() -> None:
    assert new_queue().statistics() == QueueStatistics(0, 0, None, (), 0, 0)


@pytest.mark.parametrize("seconds", [math.nan, math.inf])
def test_a_key_that_would_wait_for_ever_is_refused(seconds: float) -> None:
    queue = new_queue()
    with pytest.raises(ValueError, match=r"cannot (add a after inf s|wait for NaN seconds)"):
        queue.add_after("a", seconds)
    assert (queue.keys(), queue.statistics().retries) == ([], 0)


@pytest.mark.parametrize("seconds", ["5", timedelta(seconds=5), None])
def test_a_delay_that_is_no_number_is_told_in_words(seconds: Any) -> None:
    with pytest.raises(TypeError, match=r"a time to wait is .*must be a number of seconds"):
        new_queue().add_after("a", seconds)


def test_a_key_may_wait_longer_than_a_lock_can() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("later", 1e300)
    with Worker(queue) as worker:
        queue.add("now")
        assert worker.next() == "now"
    assert queue.keys() == []


@pytest.mark.parametrize("seconds", [0.0, -1.0, -math.inf])
def test_a_key_that_waits_for_no_time_is_added_at_once(seconds: float) -> None:
    queue = new_queue()
    queue.add_after("a", seconds)
    assert queue.get() == "a"


class SeenWhileAdding(WorkQueue[str]):
    """Looks at itself at the moment in which a key is about to be added."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.seen: list[tuple[list[str], bool, KeyState, int]] = []

    def add(self, key: str) -> None:
        depth = self.statistics()
        self.seen.append((self.keys(), self.idle(), self.state_of(key), depth.depth + depth.delayed))
        super().add(key)


def test_a_key_that_has_become_due_is_seen_until_it_is_queued() -> None:
    clock = FakeClock()
    queue = SeenWhileAdding(clock)
    queue.add_after("a", 5.0)
    clock.advance(5.0)
    assert queue.get() == "a"
    assert queue.seen == [(["a"], False, KeyState(is_dirty=False, running_seconds=None, due_seconds=0.0), 1)]


def test_looking_whether_a_queue_is_idle_changes_nothing() -> None:
    flushed: list[int] = []

    class Observer:
        def watch(self, queue: object) -> None: ...
        def waited(self, seconds: float) -> None: ...
        def worked(self, seconds: float) -> None: ...
        def flush(self) -> None:
            flushed.append(handled)

    queue: WorkQueue[int] = WorkQueue(FakeClock(), observer=Observer())
    for handled in range(1025):
        assert queue.idle()
        queue.add(handled)
        queue.done(queue.get())
    assert flushed == [0, 1024]
