"""client-go's series, in its numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from btcctl.events.event import Event
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks.correlator import CACHE_ENTRIES
from btcctl.events.sinks.series import FINISH_SECONDS, REFRESH_SECONDS, SeriesCorrelator, SeriesSink
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop
from tests.unit.events.support import FakeEvents

NETWORK = ObjectReference("example.com/v1", "Network", "default", "net", "u1")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILED = Event(NETWORK, "Warning", "Failed", "no secret", "btcctl", NOON, "Reconcile", "btcctl-host")


class Scene:
    """A sink, its server and a clock."""

    def __init__(self, *forbidden: str) -> None:
        self.clock = FakeClock()
        self.server = FakeEvents(*forbidden)
        self.sink = SeriesSink(self.server, self.clock)
        self.stop = Stop(self.clock)

    def record(self, event: Event = FAILED, seconds: float = 0.0) -> list[str]:
        """What it cost."""
        self.clock.advance(seconds)
        self.server.calls.clear()
        self.sink(replace(event, time=NOON + timedelta(seconds=self.clock.now())), self.stop)
        return self.server.calls

    def idle(self, seconds: float = 0.0) -> list[str]:
        self.clock.advance(seconds)
        self.server.calls.clear()
        self.sink.idle(self.stop)
        return self.server.calls


def test_the_first_occurrence_has_every_required_field_and_no_series() -> None:
    scene = Scene()
    assert scene.record() == ["create"]
    body = scene.server.only
    assert body.pop("metadata") == {"name": f"net.{1767268800 * 10**9:x}", "namespace": "default"}
    assert body == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "eventTime": "2026-01-01T12:00:00.000000Z",
        "reportingController": "btcctl",
        "reportingInstance": "btcctl-host",
        "action": "Reconcile",
        "reason": "Failed",
        "type": "Warning",
        "note": "no secret",
        "regarding": {
            "apiVersion": "example.com/v1",
            "kind": "Network",
            "namespace": "default",
            "name": "net",
            "uid": "u1",
        },
    }


def test_without_an_action_it_is_the_reason_and_a_related_object_is_named() -> None:
    scene = Scene()
    scene.record(replace(FAILED, action="", related=replace(NETWORK, name="other")))
    assert scene.server.only["action"] == "Failed"
    assert scene.server.only["related"]["name"] == "other"


def test_the_second_starts_a_series_and_later_ones_are_only_counted() -> None:
    scene = Scene()
    costs = [scene.record(seconds=seconds)[:] for seconds in (0.0, 1.0, 1.0, 1.0)]
    assert costs == [["create"], ["patch"], [], []]
    assert scene.server.only["series"] == {"count": 2, "lastObservedTime": "2026-01-01T12:00:01.000000Z"}


def test_another_message_is_the_same_series() -> None:
    scene = Scene()
    scene.record()
    assert scene.record(replace(FAILED, message="still no secret")) == ["patch"]


@pytest.mark.parametrize(
    "other",
    [
        replace(FAILED, type="Normal"),
        replace(FAILED, action="Delete"),
        replace(FAILED, reason="Lost"),
        replace(FAILED, component="other"),
        replace(FAILED, instance="other"),
        replace(FAILED, reference=replace(NETWORK, uid="u2")),
        replace(FAILED, related=NETWORK),
    ],
)
def test_what_differs_in_anything_else_is_another_event(other: Event) -> None:
    scene = Scene()
    scene.record()
    assert scene.record(other) == ["create"]


def test_the_count_is_written_every_half_hour_while_the_series_goes_on() -> None:
    scene = Scene()
    scene.record()
    scene.record()
    for _ in range(5):
        scene.record(seconds=FINISH_SECONDS - 1)
        assert scene.idle() == ([] if scene.clock.now() < REFRESH_SECONDS else ["patch"])
    scene.record()
    assert scene.idle(REFRESH_SECONDS - scene.clock.now()) == ["patch"]
    assert scene.server.only["series"]["count"] == 8


def test_a_series_ends_after_six_silent_minutes_with_its_last_count() -> None:
    scene = Scene()
    for _ in range(4):
        scene.record()
    assert scene.idle(FINISH_SECONDS - 0.1) == []
    assert scene.idle(0.1) == ["patch"]
    assert scene.server.only["series"]["count"] == 4
    assert scene.record() == ["create"]


def test_what_happened_once_is_forgotten_after_six_minutes_without_a_write() -> None:
    scene = Scene()
    scene.record()
    assert scene.idle(FINISH_SECONDS) == []
    assert scene.record() == ["create"]


def test_it_wants_to_be_called_when_something_is_due() -> None:
    scene = Scene()
    assert scene.sink.idle(scene.stop) is None
    scene.record()
    assert scene.sink.idle(scene.stop) == FINISH_SECONDS
    scene.clock.advance(100.0)
    assert scene.sink.idle(scene.stop) == FINISH_SECONDS - 100.0


def test_at_the_end_every_count_is_written() -> None:
    scene = Scene()
    for _ in range(4):
        scene.record()
    scene.stop.set()
    assert scene.idle() == ["patch"]
    assert scene.idle() == []
    assert scene.server.only["series"]["count"] == 4


def test_a_series_whose_event_expired_is_created_anew_with_its_count() -> None:
    scene = Scene()
    scene.record()
    scene.server.bodies.clear()
    assert scene.record() == ["patch", "create"]
    assert scene.server.only["series"]["count"] == 2


def test_the_memory_is_bounded() -> None:
    correlator = SeriesCorrelator()
    correlator.correlate(FAILED, 0.0)
    for number in range(CACHE_ENTRIES):
        correlator.correlate(replace(FAILED, reason=f"Reason{number}"), 0.0)
    write = correlator.correlate(FAILED, 0.0)
    assert write is not None
    assert write.changes is None
