"""Which requests events turn into, with all verbs allowed and with few."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from btcctl.errors import Conflict, ConnectionRefused, InternalError, Invalid, ObjectDecodeError
from btcctl.events.event import Event
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks.api_sink import ApiSink
from btcctl.events.sinks.writer import FORBIDDEN_SECONDS
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop
from tests.unit.events.support import FakeEvents, namespace_terminating

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NETWORK = ObjectReference("example.com/v1", "Network", "default", "net", "u1")
CREATED = Event(NETWORK, "Normal", "Created", "created it", "btcctl", NOON)
LATER = replace(CREATED, time=NOON + timedelta(seconds=60))


class Writer:
    """A sink whose waits pass at once."""

    def __init__(self, *forbidden: str) -> None:
        self.server = FakeEvents(*forbidden)
        self.clock = FakeClock()
        self.waits: list[float] = []
        self.stop = Stop(self.clock)
        self.stop.wait = self._wait  # type: ignore[method-assign]
        self.sink = ApiSink(self.server, self.clock, uniform=lambda low, high: high / 2)

    def write(self, *events: Event) -> list[str]:
        """Write events; return the verbs that were called."""
        before = len(self.server.calls)
        for event in events:
            self.sink(event, self.stop)
        return self.server.calls[before:]

    def _wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.stop.is_set()


def test_the_first_event_is_created_as_kubectl_expects_it():
    writer = Writer()
    assert writer.write(CREATED) == ["create"]
    body = dict(writer.server.only)
    assert body.pop("metadata") == {"name": f"net.{1767268800 * 10**9:x}", "namespace": "default"}
    assert body == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "apiVersion": "example.com/v1",
            "kind": "Network",
            "namespace": "default",
            "name": "net",
            "uid": "u1",
        },
        "reason": "Created",
        "message": "created it",
        "type": "Normal",
        "source": {"component": "btcctl"},
        "reportingComponent": "btcctl",
        "reportingInstance": "",
        "firstTimestamp": "2026-01-01T12:00:00Z",
        "lastTimestamp": "2026-01-01T12:00:00Z",
        "count": 1,
    }


def test_events_about_cluster_scoped_objects_are_in_the_default_namespace():
    writer = Writer()
    writer.write(replace(CREATED, reference=ObjectReference("v1", "Node", "", "n1")))
    assert writer.server.namespaces == ["default"]
    assert writer.server.only["metadata"]["namespace"] == "default"
    assert "namespace" not in writer.server.only["involvedObject"]


def test_a_repetition_patches_the_count_and_the_time_of_the_first():
    writer = Writer()
    assert writer.write(CREATED, LATER) == ["create", "patch"]
    body = writer.server.only
    assert (body["count"], body["firstTimestamp"], body["lastTimestamp"]) == (
        2,
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:01:00Z",
    )


def test_a_repetition_of_an_event_that_expired_is_created_anew():
    writer = Writer()
    writer.write(CREATED)
    writer.server.bodies.clear()
    assert writer.write(LATER) == ["patch", "create"]
    assert writer.server.only["count"] == 2


def test_without_patch_the_event_is_read_and_updated_and_patch_is_not_tried_again():
    writer = Writer("patch")
    with capture_logs() as logs:
        assert writer.write(CREATED, LATER) == ["create", "patch", "get", "update"]
        assert writer.write(LATER) == ["get", "update"]
    assert writer.server.only["count"] == 3
    assert [(each["verb"], each["log_level"]) for each in logs] == [("patch", "warning")]


def test_without_patch_an_event_that_expired_is_created_anew():
    writer = Writer("patch")
    writer.write(CREATED)
    writer.server.bodies.clear()
    assert writer.write(LATER) == ["patch", "get", "create"]


def test_an_update_that_conflicts_reads_again():
    writer = Writer("patch")
    writer.write(CREATED, LATER)
    writer.server._enter = conflicting_once(writer.server)  # type: ignore[method-assign]
    assert writer.write(LATER) == ["get", "update", "get", "update"]
    assert writer.server.only["count"] == 3


def conflicting_once(server: FakeEvents):
    failures = {"update": [Conflict(409, "Conflict")]}

    def enter(verb: str) -> None:
        server.calls.append(verb)
        if failures.get(verb):
            raise failures[verb].pop()

    return enter


def test_each_forbidden_verb_is_named_once_and_never_tried_hot():
    writer = Writer("create", "patch", "get", "update")
    events = [replace(CREATED, reason=f"Reason{number % 3}") for number in range(20)]
    with capture_logs() as logs:
        writer.write(*events)
    assert sorted(writer.server.calls) == ["create", "get", "patch"]
    assert sorted(each["verb"] for each in logs) == ["create", "get", "patch"]


def test_a_forbidden_verb_is_tried_again_when_the_role_may_have_changed():
    writer = Writer("create")
    writer.write(CREATED)
    writer.server.forbidden.clear()
    writer.clock.advance(FORBIDDEN_SECONDS - 1)
    assert writer.write(replace(CREATED, reason="Other")) == []
    writer.clock.advance(1)
    assert writer.write(replace(CREATED, reason="Third")) == ["create"]


def test_a_verb_that_is_forbidden_in_one_namespace_is_tried_in_another():
    writer = Writer("create")
    elsewhere = replace(CREATED, reference=replace(NETWORK, namespace="other"))
    with capture_logs() as logs:
        assert writer.write(CREATED, elsewhere) == ["create", "create"]
    assert len(logs) == 1


def test_a_namespace_that_is_being_deleted_is_no_missing_permission():
    writer = Writer()
    writer.server.failures = [namespace_terminating()]
    with capture_logs() as logs:
        assert writer.write(CREATED, replace(CREATED, reason="Other")) == ["create", "create"]
    assert [each["log_level"] for each in logs] == ["debug"]


@pytest.mark.parametrize("error", [Invalid(422, "Invalid"), InternalError(500)])
def test_an_event_the_server_rejects_is_dropped_with_one_line(error):
    writer = Writer()
    writer.server.failures = [error]
    with capture_logs() as logs:
        assert writer.write(CREATED) == ["create"]
    assert [each["log_level"] for each in logs] == ["warning"]


def test_an_unreachable_server_is_tried_12_times_ten_seconds_apart():
    writer = Writer()
    writer.server.failures = [ConnectionRefused("refused") for _ in range(11)]
    assert writer.write(CREATED) == ["create"] * 12
    assert writer.waits == [5.0] + [10.0] * 10
    assert writer.server.only["count"] == 1


def test_so_is_one_whose_answer_is_no_object():
    writer = Writer()
    writer.server.failures = [ObjectDecodeError("not JSON") for _ in range(11)]
    assert writer.write(CREATED) == ["create"] * 12
    assert writer.server.only["count"] == 1


def test_an_event_is_given_up_after_12_tries():
    writer = Writer()
    writer.server.failures = [ConnectionRefused("refused") for _ in range(20)]
    with capture_logs() as logs:
        assert writer.write(CREATED) == ["create"] * 12
    assert len(logs) == 1


def test_when_stopping_an_unreachable_server_is_tried_once():
    writer = Writer()
    writer.stop.set()
    writer.server.failures = [ConnectionRefused("refused") for _ in range(20)]
    assert writer.write(CREATED) == ["create"]
    assert writer.waits == []


def test_what_the_spam_filter_swallows_is_counted_and_logged_once():
    writer = Writer()
    with capture_logs() as logs:
        writer.write(*[CREATED] * 30)
    assert writer.sink.suppressed == 5
    assert [each["kind"] for each in logs] == ["Network"]
