"""Events as they stand in the API server in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, EVENTS, EVENTS_V1
from btcctl.testing.control_plane import ControlPlane
from tests.integration.api_servers import ApiServer, RealApiServer
from tests.integration.apiserver.test_process import config_map
from tests.integration.support import eventually


@contextmanager
def recording(server: ApiServer) -> Iterator[tuple[EventRecorder, ObjectReference]]:
    """A recorder, and something to tell of."""
    client = server.client()
    subject = client.resource(CONFIG_MAPS, server.namespace).create(config_map("subject"))
    recorder = EventRecorder(client, "tester")
    recorder.start()
    try:
        yield recorder, ObjectReference.of(CONFIG_MAPS, subject)
    finally:
        recorder.stop(60.0)


def events(server: ApiServer) -> list[dict[str, Any]]:
    found: list[Object] = server.client().resource(EVENTS, server.namespace).list()[0]
    return [each.body() for each in found]


def test_the_same_thing_again_is_counted_in_one_event(api_server: ApiServer) -> None:
    with recording(api_server) as (recorder, subject):
        for _ in range(3):
            recorder.event(subject, NORMAL, "Happened", "once more")
        recorder.event(subject, WARNING, "Happened", "something else")
        assert recorder.flush(60.0) == 0
    found = {each["message"]: each for each in events(api_server)}
    assert {message: each["count"] for message, each in found.items()} == {"once more": 3, "something else": 1}
    event = found["once more"]
    assert (event["source"], event["type"]) == ({"component": "tester"}, "Normal")
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "subject",
        "namespace": api_server.namespace,
        "uid": subject.uid,
    }


def test_an_event_that_was_deleted_meanwhile_is_made_again(api_server: ApiServer) -> None:
    with recording(api_server) as (recorder, subject):
        recorder.event(subject, NORMAL, "Happened", "once more")
        assert recorder.flush(60.0) == 0
        (event,) = events(api_server)
        key = ObjectKey(api_server.namespace, event["metadata"]["name"])
        api_server.client().resource(EVENTS).delete(key)
        recorder.event(subject, NORMAL, "Happened", "once more")
        assert recorder.flush(60.0) == 0
    assert [each["message"] for each in events(api_server)] == ["once more"]


@pytest.mark.real_server  # alone, because the embedded one does not serve this group
def test_a_series_stands_in_the_server_as_both_groups_show_it(lone_control_plane: ControlPlane) -> None:
    with RealApiServer(lone_control_plane) as server:
        client = server.client()
        subject = client.resource(CONFIG_MAPS, server.namespace).create(config_map("subject"))
        recorder = EventRecorder(client, "tester", series=True)
        recorder.start()
        for _ in range(5):
            recorder.event(ObjectReference.of(CONFIG_MAPS, subject), WARNING, "Happened", "again", action="Look")
        recorder.stop(60.0)
        (old,) = events(server)
        (new,) = (each.body() for each in client.resource(EVENTS_V1, server.namespace).list()[0])
    assert new["series"]["count"] == 5
    assert (new["note"], new["action"], new["regarding"]["name"]) == ("again", "Look", "subject")
    assert (old["message"], old["reportingComponent"], old["series"]["count"]) == ("again", "tester", 5)


@pytest.mark.real_server  # alone, because it waits for the recorder's next try: 10 s
def test_an_event_of_while_the_server_was_away_arrives(lone_control_plane: ControlPlane) -> None:
    with RealApiServer(lone_control_plane) as server, recording(server) as (recorder, subject):
        server.kill()
        recorder.event(subject, WARNING, "Happened", "unseen")
        server.restart()
        eventually(lambda: [each["message"] for each in events(server)] == ["unseen"])
