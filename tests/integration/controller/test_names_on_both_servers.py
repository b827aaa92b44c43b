"""Names and lengths that the toolkit refuses or cuts are exactly those that the API servers refuse."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.errors import Invalid
from btcctl.events.limits import ACTION_BYTES, INSTANCE_BYTES, MESSAGE_BYTES, REASON_BYTES
from btcctl.events.recorder import NORMAL, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.names import is_qualified_name
from btcctl.resources import CONFIG_MAPS, EVENTS_V1
from tests.integration.api_servers import ApiServer
from tests.integration.apiserver.test_process import config_map
from tests.unit.test_names import BAD, GOOD

NAMES = [name for name in (*GOOD, *BAD) if "\udc80" not in name]  # that cannot be sent


def takes(write: Any, body: dict[str, Any]) -> bool:
    try:
        write(body)
    except Invalid:
        return False
    return True


def new_event(server: ApiServer, number: int, **fields: str) -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"event-{number}", "namespace": server.namespace},
        "eventTime": "2026-01-02T03:04:05.000000Z",
        "regarding": {"kind": "ConfigMap", "namespace": server.namespace, "name": "subject"},
        "reportingController": "op",
        "reportingInstance": "op-1",
        "action": "Do",
        "reason": "Done",
        "type": "Normal",
        **fields,
    }


def test_finalizers_are_refused_as_the_server_does(api_server: ApiServer) -> None:
    maps = api_server.client().resource(CONFIG_MAPS, api_server.namespace)
    for number, name in enumerate(name for name in NAMES if "/" in name):
        body = config_map(f"kept-{number}")
        body["metadata"]["finalizers"] = [name]
        assert (name, takes(maps.create, body)) == (name, is_qualified_name(name))


def test_names_of_what_reports_events_are_refused_as_the_server_does(api_server: ApiServer) -> None:
    events = api_server.client().resource(EVENTS_V1, api_server.namespace)
    for number, name in enumerate(NAMES):
        body = new_event(api_server, number, reportingController=name)
        assert (name, takes(events.create, body)) == (name, is_qualified_name(name))


@pytest.mark.parametrize(
    ("field", "most"),
    [
        ("note", MESSAGE_BYTES),
        ("reason", REASON_BYTES),
        ("action", ACTION_BYTES),
        ("reportingInstance", INSTANCE_BYTES),
    ],
)
def test_the_server_counts_bytes_up_to_our_limits(api_server: ApiServer, field: str, most: int) -> None:
    events = api_server.client().resource(EVENTS_V1, api_server.namespace)
    texts = ["x" * most, "x" * (most + 1), "ж" * (most // 2), "ж" * (most // 2 + 1)]
    taken = [takes(events.create, new_event(api_server, each, **{field: text})) for each, text in enumerate(texts)]
    assert taken == [True, False, True, False]


@pytest.mark.parametrize("series", [False, True])
def test_events_of_any_texts_arrive(api_server: ApiServer, series: bool) -> None:
    client = api_server.client()
    maps = client.resource(CONFIG_MAPS, api_server.namespace)
    subject = ObjectReference.of(CONFIG_MAPS, maps.create(config_map("subject")))
    recorder = EventRecorder(client, "example.org/" + "x" * 63, series=series)
    recorder.start()
    for text in ("x" * 5000, "ж" * 5000, "💥" * 5000, "a\ud800b"):
        recorder.event(subject, NORMAL, text, text, action=text)
    recorder.stop(60.0)
    found = [each.body() for each in client.resource(EVENTS_V1, api_server.namespace).list()[0]]
    assert sorted(len(each["note"].encode()) for each in found) == [3, 1023, 1023, 1024]
    assert recorder.shortened == 12
