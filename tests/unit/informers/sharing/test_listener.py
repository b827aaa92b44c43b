from __future__ import annotations

import asyncio
import threading

import pytest

from btcctl.informers.sharing.listener import Listener
from btcctl.informers.sharing.notifications import Added, Deleted, HandlerFuncs, Updated
from btcctl.objects import Object
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from tests.unit.informers.support import Recorder, key, pod

NEW = Added(pod("a", 1), in_initial_list=False)
INITIAL = Added(pod("a", 1), in_initial_list=True)
UPDATE = Updated(pod("a", 1), pod("a", 2))
GONE = Deleted(key("a"), pod("a", 2), final_state_known=True)


def test_a_handler_is_told_in_its_own_thread_until_closed():
    recorder, clock = Recorder(), FakeClock()
    listener = Listener("l", recorder, clock=clock)
    with Runner("l", listener.run, clock=clock):
        listener.add([(key("a"), NEW)])
        recorder.wait_until_told(1)
        listener.add([(key("a"), UPDATE), (key("b"), Added(pod("b", 1), in_initial_list=False))])
        assert recorder.wait_until_told(3) == ["add a 1", "update a 1 -> 2", "add b 1"]
    listener.add([(key("c"), NEW)])
    assert listener.statistics().pending == 0


class Stubborn(Recorder):
    """Raises for some names, after noting them."""

    error: type[BaseException] = ValueError

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        super().on_add(obj, in_initial_list)
        if obj.name.startswith("bad"):
            raise self.error(obj.name)


def test_a_handler_that_raises_is_told_the_rest_and_has_synced():
    recorder = Stubborn()
    listener = Listener("l", recorder)
    with capture_logs() as logged, Runner("l", listener.run):
        listener.add([(key(n), Added(pod(n, 1), in_initial_list=True)) for n in ("bad", "good", "bad2", "bad3")])
        listener.complete_initial_list()
        assert listener.wait_for_sync(10.0)
    assert len(recorder.told) == 4
    assert (listener.statistics().calls, listener.statistics().failures) == (4, 3)
    assert [entry["key"] for entry in logged] == ["default/bad", "default/bad2"]  # the first, second, fourth …


def test_it_has_synced_when_the_initial_list_is_known_and_told():
    listener = Listener("l", Recorder())
    assert not listener.has_synced()
    listener.complete_initial_list()
    assert listener.has_synced()


def test_it_has_not_synced_while_the_last_of_the_initial_list_is_being_told():
    seen: list[bool] = []
    listener = Listener("l", HandlerFuncs(on_add=lambda *_: seen.append(listener.has_synced())))
    listener.add([(key("a"), INITIAL)])
    listener.complete_initial_list()
    with Runner("l", listener.run):
        assert listener.wait_for_sync(10.0)
    assert seen == [False]


def test_what_is_forgotten_at_the_end_never_counts_as_told():
    listener = Listener("l", Recorder())
    listener.add([(key("a"), INITIAL)])
    listener.complete_initial_list()
    listener.close()
    assert not listener.has_synced()
    assert not listener.wait_for_sync(10.0)


def test_waiting_for_sync_ends_in_time():
    clock = FakeClock()
    listener = Listener("l", Recorder(), clock=clock)
    ended = threading.Event()
    with Runner("waiter", lambda stop: listener.wait_for_sync(5.0) or ended.set(), clock=clock):
        clock.wait_until_blocked()
        clock.advance(5.0)
        assert ended.wait(60.0)


def test_a_busy_handler_holds_up_nobody_and_then_sees_the_newest():
    entered, go_on = threading.Event(), threading.Event()
    recorder = Recorder()

    class Slow(Recorder):
        def on_add(self, obj: Object, in_initial_list: bool) -> None:
            entered.set()
            assert go_on.wait(60.0)
            recorder.on_add(obj, in_initial_list)

        on_update = recorder.on_update

    listener = Listener("l", Slow())
    with Runner("l", listener.run):
        listener.add([(key("a"), NEW)])
        assert entered.wait(60.0)
        for version in range(1, 1000):
            listener.add([(key("a"), Updated(pod("a", version), pod("a", version + 1)))])
        assert listener.statistics().pending == 1
        go_on.set()
        assert recorder.wait_until_told(2) == ["add a 1", "update a 1 -> 1000"]


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, asyncio.CancelledError])
def test_nothing_that_a_handler_raises_ends_its_thread(error):
    recorder = Stubborn()
    listener = Listener("l", recorder)
    recorder.error = error
    with capture_logs(), Runner("l", listener.run):
        listener.add((key(n), Added(pod(n, 1), in_initial_list=False)) for n in ("bad", "good"))
        assert len(recorder.wait_until_told(2)) == 2
    assert listener.statistics().failures == 1


def test_for_how_long_a_handler_has_not_caught_up_is_known():
    clock, entered, go_on = FakeClock(), threading.Event(), threading.Event()
    listener = Listener("l", HandlerFuncs(on_add=lambda *_: entered.set() or go_on.wait(60.0)), clock=clock)
    assert listener.statistics().behind_seconds == 0.0
    with Runner("l", listener.run, clock=clock):
        listener.add([(key("a"), NEW)])
        assert entered.wait(60.0)
        clock.advance(5.0)
        assert listener.statistics().behind_seconds == 5.0
        go_on.set()
        clock.wait_until_blocked()
        assert listener.statistics().behind_seconds == 0.0


def test_nothing_is_told_after_it_was_closed_in_the_middle():
    told: list[str] = []

    def on_add(obj: Object, _: bool) -> None:
        told.append(obj.name)
        listener.close()

    listener = Listener("l", HandlerFuncs(on_add=on_add))
    listener.add((key(n), Added(pod(n, 1), in_initial_list=False)) for n in "abc")
    listener.deliver()
    assert told == ["a"]
