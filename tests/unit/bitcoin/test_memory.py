from __future__ import annotations

from btcctl.bitcoin.memory import (
    LISTEN_SECONDS,
    PATIENCE_SECONDS,
    SHOW_SECONDS,
    Memories,
    NetworkMemory,
    PollSchedule,
    Shown,
)
from btcctl.objects import ObjectKey

KEY = ObjectKey("default", "net")


def memory() -> NetworkMemory:
    return Memories(2, 30).of(KEY, "uid")


def test_as_long_as_nothing_moves_the_delay_doubles_up_to_its_ceiling() -> None:
    poll = PollSchedule(2, 30)
    assert [poll.next_delay("same") for _ in range(6)] == [2, 4, 8, 16, 30, 30]


def test_whatever_moves_brings_the_first_delay_back() -> None:
    poll = PollSchedule(2, 30)
    assert [poll.next_delay(seen) for seen in ("a", "a", "a", "b", "b")] == [2, 4, 8, 2, 4]


def test_what_comes_and_goes_by_turns_is_no_reason_to_hurry() -> None:
    poll = PollSchedule(2, 30)
    assert [poll.next_delay(seen) for seen in ("a", "b", "a", "b", "a", "b")] == [2, 2, 4, 8, 16, 30]


def test_a_ceiling_below_twice_the_first_delay_holds() -> None:
    poll = PollSchedule(2, 3)
    assert [poll.next_delay("same") for _ in range(3)] == [2, 3, 3]


def test_a_node_that_was_there_and_is_not_is_gone() -> None:
    mine = memory()
    assert mine.see(["10.0.0.1", "10.0.0.2"], []) == frozenset()
    assert mine.see(["10.0.0.1"], []) == {"10.0.0.2"}


def test_a_node_that_left_while_no_controller_ran_is_known_from_the_status() -> None:
    assert memory().see(["10.0.0.1"], ["10.0.0.1", "10.0.0.2", ""]) == {"10.0.0.2"}


def test_an_address_that_is_used_again_is_gone_no_more() -> None:
    mine = memory()
    mine.see(["10.0.0.1", "10.0.0.2"], [])
    mine.see(["10.0.0.1"], [])
    assert mine.see(["10.0.0.1", "10.0.0.2"], []) == frozenset()


def test_a_network_made_anew_starts_with_an_empty_memory() -> None:
    memories = Memories(2, 30)
    first = memories.of(KEY, "one")
    assert memories.of(KEY, "one") is first
    assert memories.of(KEY, "two") is not first


def test_a_deleted_network_is_forgotten() -> None:
    memories = Memories(2, 30)
    first = memories.of(KEY, "one")
    memories.forget(KEY)
    assert memories.of(KEY, "one") is not first


def test_a_silent_node_is_waited_for_from_when_it_was_last_heard_and_not_for_ever() -> None:
    mine = memory()
    assert mine.waits_for([1], 0.0)
    assert not mine.waits_for([1], PATIENCE_SECONDS)
    assert not mine.waits_for([], PATIENCE_SECONDS)
    assert mine.waits_for([1], PATIENCE_SECONDS + 1.0)


def test_one_that_has_just_fallen_silent_is_waited_for_beside_one_that_has_been_for_long() -> None:
    mine = memory()
    mine.waits_for([1], 0.0)
    assert mine.waits_for([1, 2], PATIENCE_SECONDS)


def test_what_others_say_is_asked_for_less_often_as_long_as_it_is_the_same() -> None:
    shown, now, asked = Shown(), 0.0, []
    for _ in range(300):
        if shown.is_to_listen("a pod", now):
            shown.hear("a pod", "exceeded quota", {}, now)
            asked.append(now)
        now += 1.0
    assert asked == [0, 2, 6, 14, 30, 62, 122, 182, 242]
    assert shown.is_to_listen("another pod", asked[-1] + LISTEN_SECONDS)
    shown.hear("a pod", "something else", {}, now)
    assert not shown.is_to_listen("a pod", now + LISTEN_SECONDS)
    assert shown.is_to_listen("a pod", now + SHOW_SECONDS)


def test_where_nothing_is_to_be_asked_it_is_heard_of_a_trouble_at_once() -> None:
    shown = Shown()
    for now in range(0, 1000, 10):
        if shown.is_to_listen("nothing", float(now)):
            shown.hear("nothing", "", {}, float(now))
    assert shown.is_to_listen("a pod", 1000.0)
