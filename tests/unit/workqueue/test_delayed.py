"""Keys that wait for their time."""

from __future__ import annotations

from btcctl.workqueue.delayed import DelayedKeys


def test_the_earlier_of_two_times_wins() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", ready_at=50.0)
    delayed.add("a", ready_at=30.0)
    delayed.add("a", ready_at=70.0)
    assert delayed.pop_ready(now=29.0) == []
    assert delayed.pop_ready(now=30.0) == ["a"]
    assert delayed.pop_ready(now=99.0) == []


def test_keys_come_out_in_the_order_of_their_times() -> None:
    delayed: DelayedKeys[object] = DelayedKeys()
    first, second, third = object(), object(), object()  # that cannot be compared
    delayed.add(third, ready_at=3.0)
    delayed.add(first, ready_at=1.0)
    delayed.add(second, ready_at=1.0)
    assert delayed.pop_ready(now=3.0) == [first, second, third]


def test_a_superseded_time_wakes_nobody() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", ready_at=50.0)
    delayed.add("a", ready_at=30.0)
    delayed.pop_ready(now=30.0)
    assert delayed.next_ready_at() is None
    assert len(delayed) == 0


def test_a_key_that_fired_may_be_scheduled_later_again() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", ready_at=1.0)
    delayed.pop_ready(now=1.0)
    delayed.add("a", ready_at=9.0)
    assert delayed.next_ready_at() == 9.0


def test_many_superseded_times_keep_the_order() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    for ready_at in range(1000, 0, -1):
        delayed.add("a", float(ready_at))
        delayed.add("b", float(ready_at) + 0.5)
    assert delayed.pop_ready(now=1.0) == ["a"]
    assert delayed.pop_ready(now=5000.0) == ["b"]


def test_a_time_that_was_taken_back_makes_nothing_ready():
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", 10.0)
    delayed.add("a", 5.0)
    assert delayed.pop_ready(5.0) == ["a"]
    delayed.add("a", 20.0)
    assert delayed.pop_ready(10.0) == []
    assert delayed.pop_ready(20.0) == ["a"]
