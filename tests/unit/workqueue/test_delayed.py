"""Keys that wait for their time."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from btcctl.workqueue.delayed import DelayedKeys

K = TypeVar("K", bound=Hashable)


def take(delayed: DelayedKeys[K], now: float) -> list[K]:
    """Remove and return what is ready."""
    taken = []
    for key in delayed.ready(now):
        delayed.remove(key)
        taken.append(key)
    return taken


def test_the_earlier_of_two_times_wins() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", ready_at=50.0)
    delayed.add("a", ready_at=30.0)
    delayed.add("a", ready_at=70.0)
    assert take(delayed, 29.0) == []
    assert take(delayed, 30.0) == ["a"]
    assert take(delayed, 99.0) == []


def test_keys_come_out_in_the_order_of_their_times() -> None:
    delayed: DelayedKeys[object] = DelayedKeys()
    first, second, third = object(), object(), object()  # that cannot be compared
    delayed.add(third, ready_at=3.0)
    delayed.add(first, ready_at=1.0)
    delayed.add(second, ready_at=1.0)
    assert take(delayed, 3.0) == [first, second, third]


def test_a_superseded_time_wakes_nobody() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", ready_at=50.0)
    delayed.add("a", ready_at=30.0)
    take(delayed, 30.0)
    assert delayed.next_ready_at() is None
    assert len(delayed) == 0


def test_a_key_that_fired_may_be_scheduled_later_again() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", ready_at=1.0)
    take(delayed, 1.0)
    delayed.add("a", ready_at=9.0)
    assert delayed.next_ready_at() == 9.0


def test_many_superseded_times_keep_the_order() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    for ready_at in range(1000, 0, -1):
        delayed.add("a", float(ready_at))
        delayed.add("b", float(ready_at) + 0.5)
    assert take(delayed, 1.0) == ["a"]
    assert take(delayed, 5000.0) == ["b"]


def test_a_time_that_was_taken_back_makes_nothing_ready():
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", 10.0)
    delayed.add("a", 5.0)
    assert take(delayed, 5.0) == ["a"]
    delayed.add("a", 20.0)
    assert take(delayed, 10.0) == []
    assert take(delayed, 20.0) == ["a"]


def test_a_key_that_is_ready_stays_until_it_is_removed() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", 1.0)
    assert next(delayed.ready(1.0)) == "a"
    assert (delayed.keys(), delayed.ready_at("a")) == (["a"], 1.0)


def test_a_time_of_a_key_that_was_removed_does_not_count_for_its_next_one() -> None:
    delayed: DelayedKeys[str] = DelayedKeys()
    delayed.add("a", 5.0)
    delayed.remove("a")
    delayed.add("a", 20.0)
    assert delayed.next_ready_at() == 20.0
