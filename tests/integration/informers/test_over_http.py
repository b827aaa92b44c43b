"""Informers on the real client, against the embedded server and against none."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import SYSTEM_CLOCK
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Deleted
from btcctl.objects import Object
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from tests.integration.apiserver.test_process import config_map, serving
from tests.integration.support import eventually

SOON = ReflectorOptions(backoff=ExponentialBackoff(base=0.02, cap=0.1))


class Mirror:
    """A handler that keeps what it was told: names to versions."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        assert obj.name not in self.known
        self.known[obj.name] = obj.resource_version

    def on_update(self, old: Object, new: Object) -> None:
        assert old.name in self.known
        self.known[new.name] = new.resource_version

    def on_delete(self, deleted: Deleted) -> None:
        del self.known[deleted.key.name]


@contextmanager
def informing(port: int) -> Iterator[tuple[SharedInformer, ApiClient]]:
    client = ApiClient.from_config(ClientConfig(host=f"http://127.0.0.1:{port}"))
    resource = client.resource(CONFIG_MAPS, "default")
    informer = SharedInformer(resource.lister_watcher(), name="configmaps", options=SOON)
    with closing(client), informer:
        yield informer, client


def listed(client: ApiClient) -> dict[str, str]:
    return {obj.name: obj.resource_version for obj in client.resource(CONFIG_MAPS, "default").list()[0]}


def held(informer: SharedInformer) -> dict[str, str]:
    return {obj.name: obj.resource_version for obj in informer.lister.list()}


def test_a_server_killed_in_mid_stream_and_started_again_loses_nothing(tmp_path: Path) -> None:
    data, mirror = str(tmp_path / "data"), Mirror()
    with serving("--data", data) as server, informing(server.port) as (informer, client):
        informer.add_handler(mirror)
        maps = client.resource(CONFIG_MAPS, "default")
        for number in range(20):
            maps.create(config_map(f"c{number}"))
        eventually(lambda: len(mirror.known) >= 20)
        server.end(signal.SIGKILL)
        eventually(lambda: informer.last_error is not None)
        with serving("--data", data, "--port", str(server.port)):
            eventually(lambda: informer.last_error is None)
            maps.create(config_map("after"))
            maps.delete(next(obj.key for obj in maps.list()[0] if obj.name == "c0"))
            truth = listed(client)
            eventually(lambda: held(informer) == truth)
            eventually(lambda: mirror.known == truth)
    assert "c0" not in truth
    assert "after" in truth


def test_what_happened_while_nobody_watched_is_found_out(tmp_path: Path) -> None:
    data, mirror = str(tmp_path / "data"), Mirror()
    with serving("--data", data) as server, informing(server.port) as (informer, client):
        client.resource(CONFIG_MAPS, "default").create(config_map("a"))
        informer.add_handler(mirror)
        eventually(lambda: "a" in mirror.known)
        server.end(signal.SIGKILL)
        with serving("--data", data) as elsewhere:  # on another port, where the informer is not
            elsewhere.call("DELETE", "/api/v1/namespaces/default/configmaps/a")
            elsewhere.call("POST", "/api/v1/namespaces/default/configmaps", config_map("b"))
            elsewhere.end(signal.SIGTERM)
        with serving("--data", data, "--port", str(server.port)):
            eventually(lambda: list(mirror.known) == ["b"])
            assert informer.statistics().reflector.relists == {"expired": 1}


def test_a_stop_takes_no_time_while_a_watch_is_silent(tmp_path: Path) -> None:
    with serving() as server, informing(server.port) as (informer, _):
        assert informer.wait_for_sync(10.0)
        eventually(lambda: informer.statistics().reflector.watches == 1)
        assert stopped_within(informer, 5.0)


@pytest.mark.parametrize("backlog", [None, 0])
def test_a_stop_takes_no_time_where_nobody_listens_or_answers(backlog: int | None) -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        if backlog is not None:
            sock.listen(backlog)
        with informing(sock.getsockname()[1]) as (informer, _):
            assert not informer.wait_for_sync(0.2)
            assert stopped_within(informer, 5.0)


def stopped_within(informer: SharedInformer, seconds: float) -> bool:
    before = SYSTEM_CLOCK.now()
    informer.stop()
    assert not [each for each in threading.enumerate() if each.name.endswith(informer.name)]
    return SYSTEM_CLOCK.now() - before < seconds
