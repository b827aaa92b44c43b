from __future__ import annotations

import threading

import pytest

from btcctl.informers.cache.delta_fifo import MAX_DELTAS_PER_KEY, Changes, DeltaFIFO, Entry, Replaced, Resync, summed_up
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from tests.unit.informers.support import added, deleted, key, modified, pod


def pop(fifo: DeltaFIFO) -> Entry | None:
    """The next entry, or None; never waits."""
    entries: list[Entry] = []
    fifo.pop(entries.append, timeout=0)
    return entries[0] if entries else None


def text(entry: Entry | None) -> object:
    """An entry as a test wants to read it."""
    if isinstance(entry, Changes):
        return {each.name: [f"{e.type} {e.object.resource_version}" for e in d] for each, d in entry.deltas.items()}
    if isinstance(entry, Replaced):
        return ["replaced", *(each.name for each in entry.objects)]
    return entry and "resync"


def test_what_happened_to_a_key_is_handed_out_together_and_in_order():
    fifo = DeltaFIFO()
    for event in (added("a", 1), added("b", 2), modified("a", 3), deleted("a", 4), added("a", 5)):
        fifo.apply(event)
    assert text(pop(fifo)) == {"a": ["ADDED 1", "MODIFIED 3", "DELETED 4", "ADDED 5"], "b": ["ADDED 2"]}
    assert pop(fifo) is None


def test_of_two_deletions_in_a_row_the_later_is_kept():
    fifo = DeltaFIFO()
    for event in (added("a", 1), deleted("a", 2), deleted("a", 3)):
        fifo.apply(event)
    assert text(pop(fifo)) == {"a": ["ADDED 1", "DELETED 3"]}


def test_a_list_is_a_barrier_between_what_came_before_and_after():
    fifo = DeltaFIFO()
    fifo.apply(added("a", 1))
    fifo.replace([pod("b", 2)])
    fifo.apply(modified("a", 3))
    fifo.apply(modified("b", 4))
    assert text(pop(fifo)) == {"a": ["ADDED 1"]}
    assert text(pop(fifo)) == ["replaced", "b"]
    assert text(pop(fifo)) == {"a": ["MODIFIED 3"], "b": ["MODIFIED 4"]}


def test_a_change_after_a_pop_is_not_merged_into_what_was_handed_out():
    fifo = DeltaFIFO()
    fifo.apply(added("a", 1))
    first = pop(fifo)
    fifo.apply(modified("a", 2))
    assert text(first) == {"a": ["ADDED 1"]}
    assert text(pop(fifo)) == {"a": ["MODIFIED 2"]}


def test_only_the_first_list_is_the_initial_one():
    fifo = DeltaFIFO()
    fifo.replace([])
    fifo.replace([])
    entries = [pop(fifo), pop(fifo)]
    assert [entry.initial for entry in entries if isinstance(entry, Replaced)] == [True, False]


def test_a_resync_is_a_barrier_and_skips_keys_with_changes_queued_behind_it():
    fifo = DeltaFIFO()
    fifo.apply(added("a", 1))
    fifo.resync()
    fifo.apply(modified("a", 2))
    fifo.replace([pod("a", 3)])
    fifo.apply(modified("b", 4))
    assert text(pop(fifo)) == {"a": ["ADDED 1"]}
    assert pop(fifo) == Resync(frozenset({key("a"), key("b")}))
    assert text(pop(fifo)) == {"a": ["MODIFIED 2"]}


def test_resyncs_that_were_not_looked_at_do_not_pile_up():
    fifo = DeltaFIFO()
    fifo.resync()
    fifo.apply(added("a", 1))
    fifo.resync()
    assert len(fifo) == 2
    assert pop(fifo) == Resync(frozenset({key("a")}))
    fifo.resync()
    assert [text(pop(fifo)), text(pop(fifo))] == [{"a": ["ADDED 1"]}, "resync"]


def test_it_has_synced_when_the_first_list_has_been_processed_to_its_end():
    fifo = DeltaFIFO()
    fifo.apply(added("a", 1))
    pop(fifo)
    assert not fifo.has_synced()
    fifo.replace([])
    during: list[bool] = []
    fifo.pop(lambda _: during.append(fifo.has_synced()))
    assert during == [False]
    assert fifo.has_synced()


def test_it_has_synced_when_each_scope_has_been_listed():
    fifo = DeltaFIFO(scopes=("one", "two"))
    fifo.replace([], "one")
    fifo.replace([], "one")
    entries = [pop(fifo), pop(fifo)]
    assert fifo.unsynced_scopes() == {"two"}
    fifo.replace([], "two")
    entries.append(pop(fifo))
    assert fifo.has_synced()
    assert [(entry.scope, entry.initial) for entry in entries] == [("one", True), ("one", False), ("two", True)]


@pytest.mark.parametrize(
    ("deltas", "sum_"),
    [
        ([added("a", 1), modified("a", 2)], ["MODIFIED 2"]),
        ([modified("a", 1), deleted("a", 2)], ["DELETED 2"]),
        ([deleted("a", 1), added("a", 2), modified("a", 3)], ["DELETED 1", "MODIFIED 3"]),
        ([deleted("a", 1), added("a", 2), deleted("a", 3)], ["DELETED 1"]),
    ],
)
def test_what_deltas_come_to_is_the_end_of_what_there_was_and_what_there_is(deltas, sum_):
    assert [f"{each.type} {each.object.resource_version}" for each in summed_up(deltas)] == sum_


def test_a_consumer_that_is_far_behind_finds_no_endless_history():
    fifo = DeltaFIFO()
    for version in range(1, 10 * MAX_DELTAS_PER_KEY):
        fifo.apply(modified("a", version))
    entry = pop(fifo)
    assert isinstance(entry, Changes)
    assert len(entry.deltas[key("a")]) <= MAX_DELTAS_PER_KEY
    assert entry.deltas[key("a")][-1].object.resource_version == str(10 * MAX_DELTAS_PER_KEY - 1)


def test_its_length_counts_keys_and_other_entries():
    fifo = DeltaFIFO()
    for event in (added("a", 1), modified("a", 2), added("b", 3)):
        fifo.apply(event)
    fifo.replace([pod("c", 4), pod("d", 5)])
    assert len(fifo) == 3


def test_producers_are_not_held_up_by_processing():
    fifo = DeltaFIFO()
    fifo.apply(added("a", 1))
    fifo.pop(lambda _: fifo.apply(added("b", 2)))
    assert text(pop(fifo)) == {"b": ["ADDED 2"]}


def test_close_wakes_who_waits_and_drops_the_rest():
    clock = FakeClock()
    fifo = DeltaFIFO(clock)
    ended: list[bool] = []
    with Runner("popper", lambda stop: ended.append(fifo.pop(lambda _: None)), clock=clock):
        clock.wait_until_blocked()
        fifo.close()
    fifo.apply(added("a", 1))
    fifo.replace([])
    fifo.resync()
    assert ended == [False]
    assert len(fifo) == 0
    assert not fifo.pop(lambda _: None)


def test_what_is_queued_when_it_closes_is_handed_out_to_nobody():
    fifo = DeltaFIFO()
    fifo.apply(added("a", 1))
    fifo.close()
    assert len(fifo) == 0
    assert pop(fifo) is None


def test_wake_ends_one_wait_now_or_later():
    fifo = DeltaFIFO()
    fifo.wake()
    assert fifo.pop(lambda _: None)
    clock = FakeClock()
    fifo = DeltaFIFO(clock)
    ended: list[bool] = []
    with Runner("popper", lambda stop: ended.append(fifo.pop(lambda _: None)), clock=clock):
        clock.wait_until_blocked()
        fifo.wake()
    assert ended == [True]


def test_a_pop_waits_no_longer_than_told():
    clock = FakeClock()
    fifo = DeltaFIFO(clock)
    ended: list[bool] = []
    with Runner("popper", lambda stop: ended.append(fifo.pop(lambda _: None, timeout=5.0)), clock=clock):
        clock.wait_until_blocked()
        clock.advance(4.9)
        clock.wait_until_blocked()
        assert ended == []
        clock.advance(0.2)
    assert ended == [True]


def test_changes_are_processed_at_once_where_nothing_is_before_them():
    seen: list[Entry] = []
    fifo = DeltaFIFO(at_once=seen.append)
    fifo.apply(added("a", 1), modified("a", 2))
    assert [text(entry) for entry in seen] == [{"a": ["ADDED 1", "MODIFIED 2"]}]
    assert len(fifo) == 0


def test_changes_behind_a_list_wait_for_it():
    seen: list[Entry] = []
    fifo = DeltaFIFO(at_once=seen.append)
    fifo.replace([pod("a", 1)])
    fifo.apply(modified("a", 2))
    assert seen == []
    assert [text(pop(fifo)) for _ in range(2)] == [["replaced", "a"], {"a": ["MODIFIED 2"]}]


def test_changes_that_come_while_something_is_processed_wait_and_wake_who_pops():
    waiting, popped = threading.Event(), threading.Event()
    seen: list[Entry] = []
    fifo = DeltaFIFO(at_once=seen.append)

    def take(entry: Entry) -> None:
        popped.set()

    with fifo.turn, Runner("pops", lambda stop: waiting.set() or fifo.pop(take)):
        assert waiting.wait(60.0)
        fifo.apply(added("a", 1))
        assert not popped.is_set()  # whoever has the turn has the store to himself
        fifo.turn.release()
        assert popped.wait(60.0)
        fifo.turn.acquire()
    assert seen == []


def test_one_that_fails_at_once_gives_the_turn_back():
    def fail(entry: Changes) -> None:
        raise ValueError(entry)

    fifo = DeltaFIFO(at_once=fail)
    with pytest.raises(ValueError, match="ADDED"):
        fifo.apply(added("a", 1))
    assert not fifo.turn.locked()


def test_it_is_drained_once_all_that_was_put_in_has_been_processed():
    fifo = DeltaFIFO()
    assert fifo.is_drained()
    fifo.apply(added("a", 1))
    assert not fifo.is_drained()
    seen: list[bool] = []
    fifo.pop(lambda _: seen.append(fifo.is_drained()))
    assert (seen, fifo.is_drained()) == ([False], True)
