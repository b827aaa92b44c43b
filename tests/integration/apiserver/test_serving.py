"""The API over HTTP: watches from end to end."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.testing.clock import FakeClock
from tests.integration.support import eventually

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class Client:
    """Calls, and opens watches that end with the test."""

    def __init__(self, server: EmbeddedServer, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack
        self._connection = self._connect()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        return json.loads(self._connection.getresponse().read())

    def create(self, name: str, **metadata: Any) -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
        return self.call("POST", CONFIG_MAPS, body)

    def watch(self, query: str, accept: str = "application/json") -> http.client.HTTPResponse:
        connection = self._connect()
        connection.request("GET", f"{CONFIG_MAPS}?watch=1&{query}", headers={"Accept": accept})
        response = connection.getresponse()
        self._stack.callback(response.close)
        assert response.status == 200
        return response

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=10)
        self._stack.callback(connection.close)
        return connection


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=1000.0)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(clock: FakeClock, stack: ExitStack) -> EmbeddedServer:
    return stack.enter_context(EmbeddedServer(Api(clock=clock), clock=clock))


@pytest.fixture
def client(server: EmbeddedServer, stack: ExitStack) -> Client:
    return Client(server, stack)


def event(stream: http.client.HTTPResponse) -> tuple[str, Any]:
    decoded = json.loads(stream.readline())
    return decoded["type"], decoded["object"]


def named(stream: http.client.HTTPResponse) -> tuple[str, str]:
    type_, obj = event(stream)
    return type_, obj["metadata"]["name"]


def test_a_watch_sees_what_is_and_then_what_happens(client: Client) -> None:
    client.create("a")
    stream = client.watch("resourceVersion=0")
    assert named(stream) == ("ADDED", "a")
    client.create("b")
    client.call("DELETE", f"{CONFIG_MAPS}/a")
    assert [named(stream), named(stream)] == [("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_resumes_after_the_version_it_names(client: Client) -> None:
    version = client.create("a")["metadata"]["resourceVersion"]
    client.create("b")
    assert named(client.watch(f"resourceVersion={version}")) == ("ADDED", "b")


def test_a_version_too_old_is_an_error_event_and_a_clean_end(client: Client, clock: FakeClock) -> None:
    version = client.create("a")["metadata"]["resourceVersion"]
    client.create("b")
    clock.advance(3600)
    client.create("c")
    stream = client.watch(f"resourceVersion={version}")
    type_, status = event(stream)
    assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert stream.read() == b""


def test_bookmarks_come_every_minute_to_who_asked(server: EmbeddedServer, client: Client, clock: FakeClock) -> None:
    version = client.create("a")["metadata"]["resourceVersion"]
    asked = client.watch(f"resourceVersion={version}&allowWatchBookmarks=true")
    silent = client.watch(f"resourceVersion={version}")
    eventually(lambda: len(server.pump) == 2)
    clock.advance(60)
    server.pump.wake()
    type_, obj = event(asked)
    assert (type_, obj["metadata"]["resourceVersion"]) == ("BOOKMARK", version)
    client.create("b")
    assert named(silent) == ("ADDED", "b")


def test_a_watch_ends_cleanly_after_its_timeout(server: EmbeddedServer, client: Client, clock: FakeClock) -> None:
    stream = client.watch("timeoutSeconds=5")
    eventually(lambda: len(server.pump) == 1)
    clock.advance(5)
    server.pump.wake()
    assert stream.read() == b""
    eventually(lambda: len(server.pump) == 0)


def test_a_table_watch_defines_its_columns_once(client: Client) -> None:
    stream = client.watch("resourceVersion=0", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    client.create("a")
    client.create("b")
    first, second = event(stream)[1], event(stream)[1]
    assert [each["rows"][0]["cells"][0] for each in (first, second)] == ["a", "b"]
    assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert not second["columnDefinitions"]


def test_a_watch_that_its_client_left_costs_nothing(server: EmbeddedServer, client: Client) -> None:
    client.watch("").close()
    eventually(lambda: len(server.pump) == 0)
    client.create("a")


def test_200_watchers_see_every_change_in_order(client: Client) -> None:
    streams = [client.watch("resourceVersion=0") for _ in range(200)]
    for number in range(20):
        client.create(f"c{number:02}")
    expected = [("ADDED", f"c{number:02}") for number in range(20)]
    assert all([named(stream) for _ in expected] == expected for stream in streams)


def test_the_collector_runs_along(client: Client) -> None:
    uid = client.create("owner")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    client.create("owned", ownerReferences=[owner])
    client.call("DELETE", f"{CONFIG_MAPS}/owner")
    eventually(lambda: client.call("GET", CONFIG_MAPS)["items"] == [])
