from __future__ import annotations

import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from structlog.testing import capture_logs

from btcctl.informers.listener import Listener, PendingNotifications
from btcctl.informers.notifications import Added, Deleted, HandlerFuncs, Notification, Updated, tell
from btcctl.objects import Object, ObjectKey
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from tests.unit.informers.support import Recorder, key, pod

NEW = Added(pod("a", 1), in_initial_list=False)
INITIAL = Added(pod("a", 1), in_initial_list=True)
UPDATE = Updated(pod("a", 1), pod("a", 2))
AGAIN = Updated(pod("a", 2), pod("a", 3))
GONE = Deleted(key("a"), pod("a", 4), final_state_known=True)
ANOTHER = Added(pod("a", 5), in_initial_list=False)
ANOTHER_UPDATE = Updated(pod("a", 5), pod("a", 6))


def short(notification: Notification) -> str:
    if isinstance(notification, Added):
        return f"+{notification.new.resource_version}" + ("i" if notification.in_initial_list else "")
    if isinstance(notification, Updated):
        return f"{notification.old.resource_version}>{notification.new.resource_version}"
    return "-"


@pytest.mark.parametrize(
    ("news", "told"),
    [
        ([NEW, UPDATE, AGAIN], "+3"),
        ([INITIAL, UPDATE], "+2i"),
        ([UPDATE, AGAIN], "1>3"),
        ([UPDATE, GONE], "-"),
        ([NEW, GONE], ""),
        ([INITIAL, GONE], ""),
        ([NEW, GONE, ANOTHER], "+5"),
        ([GONE, ANOTHER], "- +5"),
        ([UPDATE, GONE, ANOTHER, ANOTHER_UPDATE], "- +6"),
        ([UPDATE, GONE, ANOTHER, GONE], "-"),
        ([GONE, GONE], "-"),
    ],
)
def test_what_was_not_told_yet_is_told_as_one(news, told):
    pending = PendingNotifications()
    for each in news:
        pending.add(key("a"), each)
    assert " ".join(short(each) for each in iter(pending.take, None)) == told
    assert pending.initial == 0


def test_the_object_told_deleted_is_the_one_that_was_known():
    pending = PendingNotifications()
    for each in (UPDATE, GONE, ANOTHER, Deleted(key("a"), pod("a", 6), final_state_known=True)):
        pending.add(key("a"), each)
    assert pending.take() is GONE


def test_keys_are_told_in_the_order_in_which_they_changed_first():
    pending = PendingNotifications()
    for name in ("a", "b", "a", "c"):
        pending.add(key(name), Updated(pod(name, 1), pod(name, 2)))
    assert [each.new.name for each in iter(pending.take, None)] == ["a", "b", "c"]


def test_how_much_of_the_initial_list_waits_is_known():
    pending = PendingNotifications()
    for name in "abc":
        pending.add(key(name), Added(pod(name, 1), in_initial_list=True))
    pending.add(key("a"), Updated(pod("a", 1), pod("a", 2)))
    pending.add(key("b"), Deleted(key("b"), pod("b", 1), final_state_known=True))
    assert pending.initial == 2
    pending.take()
    assert pending.initial == 1


class Coalescing(RuleBasedStateMachine):
    """Whatever a handler misses, what it is told fits together, and in the end it knows the same."""

    def __init__(self) -> None:
        super().__init__()
        self.pending = PendingNotifications()
        self.store: dict[ObjectKey, Object] = {}
        self.handler = Recorder()
        self.version = 0

    @rule(name=st.sampled_from("abc"))
    def put(self, name: str) -> None:
        self.version += 1
        old = self.store.get(key(name))
        new = self.store[key(name)] = pod(name, self.version, uid=old.uid if old else f"{name}{self.version}")
        self.pending.add(new.key, Updated(old, new) if old else Added(new, in_initial_list=False))

    @rule(name=st.sampled_from("abc"))
    def delete(self, name: str) -> None:
        old = self.store.pop(key(name), None)
        if old is not None:
            self.pending.add(old.key, Deleted(old.key, old, final_state_known=True))

    @rule()
    def take(self) -> None:
        notification = self.pending.take()
        if notification is not None:
            tell(self.handler, notification)

    @invariant()
    def it_holds_no_more_than_what_is_alive_or_known(self) -> None:
        assert len(self.pending) <= len(self.store.keys() | self.handler.known.keys())

    def teardown(self) -> None:
        while len(self.pending):
            self.take()
        assert self.handler.known == self.store


TestCoalescing = Coalescing.TestCase
TestCoalescing.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


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

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        super().on_add(obj, in_initial_list)
        if obj.name.startswith("bad"):
            raise ValueError(obj.name)


def test_a_handler_that_raises_is_told_the_rest_and_has_synced():
    recorder = Stubborn()
    listener = Listener("l", recorder)
    with capture_logs() as logged, Runner("l", listener.run):
        listener.add([(key(n), Added(pod(n, 1), in_initial_list=True)) for n in ("bad", "good", "bad2", "bad3")])
        listener.complete_initial_list()
        assert listener.wait_for_sync(10.0)
    assert len(recorder.told) == 4
    assert (listener.statistics().told, listener.statistics().failures) == (4, 3)
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
        assert ended.wait(10.0)


def test_a_busy_handler_holds_up_nobody_and_then_sees_the_newest():
    entered, go_on = threading.Event(), threading.Event()
    recorder = Recorder()

    class Slow(Recorder):
        def on_add(self, obj: Object, in_initial_list: bool) -> None:
            entered.set()
            assert go_on.wait(10.0)
            recorder.on_add(obj, in_initial_list)

        on_update = recorder.on_update

    listener = Listener("l", Slow())
    with Runner("l", listener.run):
        listener.add([(key("a"), NEW)])
        assert entered.wait(10.0)
        for version in range(1, 1000):
            listener.add([(key("a"), Updated(pod("a", version), pod("a", version + 1)))])
        assert listener.statistics().pending == 1
        go_on.set()
        assert recorder.wait_until_told(2) == ["add a 1", "update a 1 -> 1000"]
