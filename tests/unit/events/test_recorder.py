"""Recording never blocks, loses nothing without counting it, and ends in time."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime
from queue import SimpleQueue

import pytest
from prometheus_client import CollectorRegistry
from structlog.contextvars import bound_contextvars, clear_contextvars, get_contextvars

from btcctl.events.broadcaster import Broadcaster
from btcctl.events.event import Event
from btcctl.events.metrics import EventMetrics
from btcctl.events.recorder import EventRecorder, SourceRecorder
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks.api_sink import log_event
from btcctl.events.watcher_queue import WatcherQueue
from btcctl.objects import Object
from btcctl.resources import NODES, STATEFUL_SETS
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop
from tests.unit.events.support import FakeEvents

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
NETWORK = ObjectReference("example.com/v1", "Network", "default", "net", "u1")
EVENT = Event(NETWORK, "Normal", "Created", "created it", "btcctl", datetime(2026, 1, 1, tzinfo=UTC))


class SlowWatcher:
    """Holds on to each event until told to go on."""

    def __init__(self) -> None:
        self.begun: SimpleQueue[Event] = SimpleQueue()
        self.go_on = threading.Event()

    def __call__(self, event: Event, stop: Stop) -> None:
        self.begun.put(event)
        self.go_on.wait(REAL_LIMIT_SECONDS)


def broadcaster_for(*watchers, clock: FakeClock | None = None, queue_length: int = 1000) -> Broadcaster:
    broadcaster = Broadcaster(clock or FakeClock(), queue_length)
    for watcher in watchers:
        broadcaster.watch(watcher)
    return broadcaster


def test_a_recorded_event_reaches_the_server_with_component_and_time():
    server = FakeEvents()
    recorder = EventRecorder(server, "btcctl", FakeClock())
    recorder.event(NETWORK, "Warning", "Failed", "no secret")  # before the start
    recorder.start()
    recorder.event(NETWORK, "Warning", "Failed", "no secret")
    assert recorder.flush(REAL_LIMIT_SECONDS) == 0
    recorder.stop()
    assert server.calls == ["create", "patch"]
    assert server.only["source"] == {"component": "btcctl"}
    assert server.only["firstTimestamp"] == "2026-01-01T00:00:00Z"


def test_stopping_writes_what_is_left():
    server = FakeEvents()
    recorder = EventRecorder(server, "btcctl", FakeClock())
    for number in range(20):
        recorder.event(replace(NETWORK, name=f"net-{number}"), "Normal", "Created", "created it")
    recorder.start()
    recorder.stop()
    assert len(server.bodies) == 20


def test_further_watchers_see_each_event_too():
    seen: SimpleQueue[Event] = SimpleQueue()
    recorder = EventRecorder(FakeEvents(), "btcctl", FakeClock(), watchers=(lambda event, _: seen.put(event),))
    recorder.start()
    recorder.event(NETWORK, "Normal", "Created", "created it")
    assert replace(seen.get(timeout=REAL_LIMIT_SECONDS), instance="") == EVENT
    recorder.stop()


@pytest.mark.parametrize(("type_", "reason"), [("Error", "Failed"), ("normal", "Failed"), ("Normal", "")])
def test_a_type_the_api_does_not_know_or_no_reason_is_the_callers_mistake(type_, reason):
    with pytest.raises(ValueError, match="event"):
        EventRecorder(FakeEvents(), "btcctl").event(NETWORK, type_, reason, "message")


def test_a_watcher_that_hangs_never_blocks_and_overflow_is_counted_and_logged_once():
    watcher = SlowWatcher()
    queue = WatcherQueue(watcher, FakeClock(), 3)
    queue.start()
    queue.offer(EVENT)
    watcher.begun.get(timeout=REAL_LIMIT_SECONDS)
    with capture_logs() as logs:
        for _ in range(5):
            queue.offer(EVENT)
    assert queue.dropped == 2
    assert [each["limit"] for each in logs] == [3]
    watcher.go_on.set()
    assert queue.close(REAL_LIMIT_SECONDS) == 0
    assert watcher.begun.qsize() == 3


def test_what_overflows_anywhere_is_dropped_of_the_whole():
    watcher = SlowWatcher()
    broadcaster = broadcaster_for(watcher, queue_length=3)
    broadcaster.start()
    broadcaster.publish(EVENT)
    watcher.begun.get(timeout=REAL_LIMIT_SECONDS)
    for _ in range(5):
        broadcaster.publish(EVENT)
    watcher.go_on.set()
    broadcaster.stop(timeout=REAL_LIMIT_SECONDS)
    assert broadcaster.dropped + watcher.begun.qsize() == 5


def test_flushing_counts_what_no_watcher_was_offered_yet():
    broadcaster = broadcaster_for(lambda event, _: None, lambda event, _: None)
    broadcaster.publish(EVENT)
    assert broadcaster.flush(timeout=0.0) == 2
    broadcaster.stop()


def test_a_watcher_that_hangs_does_not_hold_up_another():
    watcher, seen = SlowWatcher(), SimpleQueue()
    broadcaster = broadcaster_for(watcher, lambda event, _: seen.put(event))
    broadcaster.start()
    broadcaster.publish(EVENT)
    broadcaster.publish(EVENT)
    assert [seen.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)] == [EVENT, EVENT]
    watcher.go_on.set()
    broadcaster.stop()


@pytest.mark.parametrize("error", [ValueError("broken"), asyncio.CancelledError(), SystemExit(3), GeneratorExit()])
def test_a_watcher_that_raises_is_called_again_and_logged_once(error):
    calls = []

    def fail(event: Event, _: Stop) -> None:
        calls.append(event)
        raise error

    broadcaster = broadcaster_for(fail)
    with capture_logs() as logs:
        broadcaster.start()
        for _ in range(3):
            broadcaster.publish(EVENT)
        broadcaster.stop()
    assert len(calls) == 3
    assert len(logs) == 1


def test_flushing_gives_up_after_its_timeout_and_says_how_many_are_left():
    clock = FakeClock()
    watcher = SlowWatcher()
    broadcaster = broadcaster_for(watcher, clock=clock)
    broadcaster.start()
    broadcaster.publish(EVENT)
    broadcaster.publish(EVENT)
    watcher.begun.get(timeout=REAL_LIMIT_SECONDS)
    left: SimpleQueue[int] = SimpleQueue()
    with Runner("flusher", lambda _: left.put(broadcaster.flush(timeout=3.0))):
        clock.wait_until_blocked(2)  # who hands events on, and the flusher
        clock.advance(3.0)
        assert left.get(timeout=REAL_LIMIT_SECONDS) == 2
    watcher.go_on.set()
    broadcaster.stop()


def test_a_stop_that_runs_out_of_time_counts_what_is_lost_and_does_not_raise():
    watcher = SlowWatcher()
    broadcaster = broadcaster_for(watcher)
    broadcaster.start()
    for _ in range(3):
        broadcaster.publish(EVENT)
    watcher.begun.get(timeout=REAL_LIMIT_SECONDS)
    with capture_logs() as logs:
        broadcaster.stop(timeout=0.0)
    assert [each["count"] for each in logs] == [3]
    watcher.go_on.set()


def test_what_a_watcher_has_in_hand_is_counted_once():
    watcher = SlowWatcher()
    broadcaster = broadcaster_for(watcher)
    broadcaster.start()
    broadcaster.publish(EVENT)
    watcher.begun.get(timeout=REAL_LIMIT_SECONDS)
    assert broadcaster.flush(timeout=0.0) == 1
    with capture_logs() as logs:
        broadcaster.stop(timeout=0.0)
    assert [each["count"] for each in logs] == [1]
    watcher.go_on.set()


def test_an_event_that_is_just_being_handed_on_is_counted_once(monkeypatch):
    handing_on, go_on, offer = threading.Event(), threading.Event(), WatcherQueue.offer

    def offer_and_wait(queue: WatcherQueue, event: Event) -> None:
        offer(queue, event)
        if threading.current_thread() is not threading.main_thread():
            handing_on.set()
            go_on.wait(REAL_LIMIT_SECONDS)

    monkeypatch.setattr(WatcherQueue, "offer", offer_and_wait)
    watcher = SlowWatcher()
    broadcaster = broadcaster_for(watcher)
    broadcaster.start()
    broadcaster.publish(EVENT)
    assert handing_on.wait(REAL_LIMIT_SECONDS)
    assert broadcaster.flush(timeout=0.0) == 1
    go_on.set()
    watcher.go_on.set()
    assert broadcaster.flush(REAL_LIMIT_SECONDS) == 0
    broadcaster.stop()


class Waited(FakeClock):
    """Says when somebody waits for as long as a time."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def wait(self, condition: threading.Condition, timeout: float | None = None) -> bool:
        if timeout:
            self.begun.set()
        return super().wait(condition, timeout)


def test_finishing_goes_on_as_long_as_events_go_out():
    clock, seen = Waited(), SimpleQueue()

    def take_a_while(event: Event, _: Stop) -> None:
        clock.begun.wait(REAL_LIMIT_SECONDS)  # until it is being finished
        clock.advance(0.9)
        seen.put(event)

    broadcaster = broadcaster_for(take_a_while, clock=clock)
    for _ in range(10):
        broadcaster.publish(EVENT)
    broadcaster.start()
    broadcaster.finish(timeout=60.0, patience=1.0)
    assert seen.qsize() == 10


def test_finishing_ends_when_no_event_goes_out():
    clock, watcher = FakeClock(), SlowWatcher()
    broadcaster = broadcaster_for(watcher, clock=clock)
    broadcaster.start()
    for _ in range(3):
        broadcaster.publish(EVENT)
    watcher.begun.get(timeout=REAL_LIMIT_SECONDS)
    runner = Runner("finisher", lambda _: broadcaster.finish(timeout=1e9, patience=1.0))
    with capture_logs() as logs, runner:
        while runner.is_alive():
            clock.advance(0.1)
    assert [each["count"] for each in logs] == [3]
    watcher.go_on.set()


def test_what_comes_after_the_stop_is_dropped_and_counted():
    broadcaster = broadcaster_for(SlowWatcher())
    broadcaster.stop()
    broadcaster.stop()
    broadcaster.start()
    broadcaster.publish(EVENT)
    assert broadcaster.dropped == 1


def test_a_watcher_that_waits_hears_of_the_stop_at_once():
    clock = FakeClock()
    hurried = []
    broadcaster = broadcaster_for(lambda _, stop: hurried.append(stop.wait(10.0)), clock=clock)
    broadcaster.start()
    broadcaster.publish(EVENT)
    clock.wait_until_blocked()
    broadcaster.stop(timeout=REAL_LIMIT_SECONDS)
    assert hurried == [True]


def test_a_reference_carries_the_kind_that_the_objects_bytes_may_lack():
    obj = Object.from_body({"metadata": {"name": "net", "namespace": "ns", "uid": "u1"}})
    assert ObjectReference.of(STATEFUL_SETS, obj) == ObjectReference("apps/v1", "StatefulSet", "ns", "net", "u1")


def test_a_reference_to_a_cluster_scoped_object_has_no_namespace_of_its_own():
    reference = ObjectReference.of(NODES, Object.from_body({"metadata": {"name": "n1"}}))
    assert reference.body() == {"apiVersion": "v1", "kind": "Node", "name": "n1"}
    assert reference.event_namespace == "default"


def test_recorders_of_several_sources_share_a_broadcaster():
    seen: SimpleQueue[Event] = SimpleQueue()
    broadcaster = broadcaster_for(lambda event, _: seen.put(event))
    one, other = SourceRecorder(broadcaster, "one"), SourceRecorder(broadcaster, "other", "copy-7")
    broadcaster.start()
    one.event(NETWORK, "Normal", "Created", "created it")
    other.event(NETWORK, "Normal", "Created", "created it")
    events = [seen.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)]
    broadcaster.stop()
    assert [each.component for each in events] == ["one", "other"]
    assert events[1].instance == "copy-7"


def test_every_watcher_gets_each_event_in_order():
    seen: list[SimpleQueue[str]] = [SimpleQueue(), SimpleQueue(), SimpleQueue()]
    broadcaster = broadcaster_for(*(lambda event, _, queue=queue: queue.put(event.message) for queue in seen))
    broadcaster.start()
    for number in range(100):
        broadcaster.publish(replace(EVENT, message=str(number)))
    assert broadcaster.flush(REAL_LIMIT_SECONDS) == 0
    broadcaster.stop()
    for queue in seen:
        assert [queue.get(block=False) for _ in range(100)] == [str(number) for number in range(100)]


def test_what_comes_before_the_start_waits_in_a_bounded_queue():
    broadcaster = broadcaster_for(lambda event, _: None, queue_length=3)
    for _ in range(5):
        broadcaster.publish(EVENT)
    assert broadcaster.dropped == 2
    broadcaster.stop()


def test_the_log_is_a_watcher_too():
    with capture_logs() as logs:
        log_event(EVENT, Stop())
        log_event(replace(EVENT, type="Warning"), Stop())
    assert [each["log_level"] for each in logs] == ["info", "warning"]
    assert logs[0]["object"] == "default/net"
    assert (logs[0]["reason"], logs[0]["message"]) == ("Created", "created it")


def test_what_is_logged_about_an_event_leads_back_to_the_reconcile_that_recorded_it():
    seen: SimpleQueue[str | None] = SimpleQueue()

    def look(event: Event, stop: Stop) -> None:
        seen.put(get_contextvars().get("reconcile_id"))

    recorder = EventRecorder(FakeEvents(), "btcctl", watchers=(look,))
    clear_contextvars()  # of other tests
    with bound_contextvars(reconcile_id="net-7"):
        recorder.event(NETWORK, "Normal", "Created", "created it")
    recorder.event(NETWORK, "Normal", "Started", "by nobody")
    recorder.start()
    recorder.stop()
    assert [seen.get_nowait() for _ in range(2)] == ["net-7", None]


class Patient:
    """A watcher that wants to be called every ten seconds."""

    def __init__(self) -> None:
        self.called: SimpleQueue[str] = SimpleQueue()

    def __call__(self, event: Event, stop: Stop) -> None:
        self.called.put(event.reason)

    def idle(self, stop: Stop) -> float:
        self.called.put("last" if stop.is_set() else "idle")
        return 10.0


def test_a_watcher_with_something_to_do_between_events_is_called_when_it_wants_and_at_the_end():
    clock, watcher = FakeClock(), Patient()
    broadcaster = broadcaster_for(watcher, clock=clock)
    broadcaster.start()
    broadcaster.publish(EVENT)
    assert [watcher.called.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)] == ["Created", "idle"]
    clock.wait_until_blocked(2)
    clock.advance(10.0)
    assert watcher.called.get(timeout=REAL_LIMIT_SECONDS) == "idle"
    broadcaster.stop()
    assert watcher.called.get(timeout=REAL_LIMIT_SECONDS) == "last"


def test_what_nobody_will_see_is_counted_for_prometheus():
    registry = CollectorRegistry(auto_describe=False)
    recorder = EventRecorder(FakeEvents(), "btcctl", FakeClock())
    registry.register(EventMetrics(recorder))
    recorder.start()
    for _ in range(30):
        recorder.event(NETWORK, "Normal", "Created", "created it")
    recorder.stop()
    recorder.event(NETWORK, "Normal", "Created", "x" * 2000)
    assert registry.get_sample_value("events_shortened_total") == 1.0
    assert registry.get_sample_value("events_suppressed_total") == 5.0
    assert registry.get_sample_value("events_dropped_total") == 1.0


@pytest.mark.parametrize("pause", [float("nan"), -1.0, "soon"])
def test_a_watcher_that_names_no_pause_hears_of_the_next_event_all_the_same(pause):
    class Confused(Patient):
        def idle(self, stop: Stop) -> float:
            super().idle(stop)
            return pause

    watcher = Confused()
    broadcaster = broadcaster_for(watcher)
    broadcaster.start()
    for _ in range(2):
        broadcaster.publish(EVENT)
        assert [watcher.called.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)] == ["Created", "idle"]
    broadcaster.stop()


def test_a_watcher_that_is_never_done_does_not_spin():
    class Restless(Patient):
        def idle(self, stop: Stop) -> float:
            super().idle(stop)
            return 0.0

    clock, watcher = FakeClock(), Restless()
    broadcaster = broadcaster_for(watcher, clock=clock)
    broadcaster.start()
    broadcaster.publish(EVENT)
    assert [watcher.called.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)] == ["Created", "idle"]
    clock.wait_until_blocked(2)
    assert watcher.called.empty()
    broadcaster.stop()


def test_a_choice_of_events_that_raises_loses_none_for_anybody():
    broadcaster, seen, others = Broadcaster(FakeClock()), [], []
    broadcaster.watch(lambda event, _stop: seen.append(event), lambda _event: 1 // 0)
    broadcaster.watch(lambda event, _stop: others.append(event))
    broadcaster.publish(EVENT)
    while broadcaster.step():
        pass
    assert (seen, others) == ([EVENT], [EVENT])
