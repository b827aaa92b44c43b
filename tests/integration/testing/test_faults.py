"""The proxy over real sockets, by a client that knows nothing of it."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.errors import (
    ConnectionRefused,
    ConnectionSilent,
    Gone,
    NotFound,
    ServiceUnavailable,
    TransportError,
    WatchDecodeError,
)
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls
from btcctl.rest.limits import ReadLimits
from btcctl.rest.watching.stream import WatchStream
from btcctl.testing.control_plane.pki import Authority
from btcctl.testing.faults import Answering, End, FaultProxy, FaultServer
from btcctl.testing.faults.answers import text
from btcctl.testing.faults.breaking import Endless
from tests.integration.support import eventually

WIDGETS = ResourceType("faults.example.org", "v1", "widgets", "Widget")
IMPATIENT = ReadLimits(idle_seconds=0.3, list_seconds=0.5, overrun_seconds=0.2)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(WIDGETS) as running:
        yield running


@pytest.fixture
def widgets(server: FaultServer) -> Iterator[Resource]:
    with ApiClient.from_config(server.config(), timeout=60.0) as client:
        yield client.resource(WIDGETS, "default")


def create(server: FaultServer, name: str) -> None:
    metadata = {"name": name, "namespace": "default", "uid": name}
    with server.store() as store:
        store.create((WIDGETS.group, WIDGETS.plural), {"apiVersion": WIDGETS.api_version, "metadata": metadata})


def watch(widgets: Resource, limits: ReadLimits = ReadLimits(), **options: int) -> WatchStream:
    version = widgets.list()[1]
    return widgets.watch(resource_version=version, limits=limits, **{"timeout_seconds": 60, **options})


def test_without_a_fault_everything_passes(server: FaultServer, widgets: Resource):
    with watch(widgets) as stream:
        create(server, "a")
        assert next(stream).object.name == "a"
    assert [obj.name for obj in widgets.list()[0]] == ["a"]
    with pytest.raises(NotFound):
        widgets.get(ObjectKey("default", "b"))


@pytest.mark.parametrize("how", [End.CLOSED, End.RESET, End.HALF_LINE, End.TRUNCATED_CHUNK])
def test_a_watch_that_breaks_off_is_an_error_of_the_transport(server: FaultServer, widgets: Resource, how: End):
    with watch(widgets) as stream:
        eventually(server.proxy.open_watches)
        server.proxy.end_watches(how)
        with pytest.raises(TransportError):
            next(stream)


def test_a_watch_that_ends_well_is_none(server: FaultServer, widgets: Resource):
    with watch(widgets) as stream:
        eventually(server.proxy.open_watches)
        server.proxy.end_watches(End.CLEAN)
        assert list(stream) == []


def test_a_silent_watch_stays_so(server: FaultServer, widgets: Resource):
    with watch(widgets, IMPATIENT) as stream:
        eventually(server.proxy.open_watches)
        server.proxy.silence_watches()
        create(server, "a")
        with pytest.raises(ConnectionSilent):
            next(stream)


def test_a_black_hole_answers_nothing_and_is_over_for_new_connections_only(server: FaultServer, widgets: Resource):
    with server.proxy.black_hole(), pytest.raises(ConnectionSilent):
        widgets.list_page(resource_version="0", limit=1, limits=IMPATIENT)
    assert widgets.list()[0] == []


def test_a_port_that_refuses_comes_back(server: FaultServer, widgets: Resource):
    with server.proxy.refusing(), pytest.raises(ConnectionRefused):
        widgets.list()
    assert widgets.list()[0] == []


def test_rules_answer_and_change_what_is_asked(server: FaultServer, widgets: Resource):
    with server.proxy.rule(Answering(text(410, "Gone"), times=1)), pytest.raises(Gone):
        widgets.list_page(resource_version="0", limit=1)
    with server.proxy.rule(Endless()), watch(widgets, timeout_seconds=1):
        assert "timeoutSeconds" in server.proxy.seen()[-1].request.query


def test_an_event_can_be_put_in(server: FaultServer, widgets: Resource):
    with watch(widgets) as stream:
        eventually(server.proxy.open_watches)
        server.proxy.tell({"object": "something else"})
        with pytest.raises(WatchDecodeError):
            next(stream)


def test_a_restart_forgets_older_versions_and_a_backup_brings_older_data_back(server: FaultServer, widgets: Resource):
    version = widgets.list()[1]
    backup = server.snapshot()
    create(server, "a")
    server.restart()
    with pytest.raises(Gone), widgets.watch(resource_version=version) as stream:
        next(stream)
    assert [obj.name for obj in widgets.list()[0]] == ["a"]
    server.restart(at=backup)
    assert widgets.list()[0] == []


def test_a_definition_can_go_and_come_back(server: FaultServer, widgets: Resource):
    create(server, "a")
    server.undefine(WIDGETS)
    with pytest.raises(NotFound, match="page not found"):
        widgets.list()
    server.define(WIDGETS)
    assert widgets.list()[0] == []


def test_it_speaks_tls_to_the_client(server: FaultServer, tmp_path: Path):
    authority = Authority()
    pair = authority.issue_server(["127.0.0.1"], ["localhost"])
    (tmp_path / "both.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with FaultProxy(server.proxy.upstream, tls=context) as proxy:
        config = ClientConfig(proxy.url, tls=Tls(ca_data=authority.certificate))
        with ApiClient.from_config(config) as client:
            maps = client.resource(CONFIG_MAPS, "default")
            with maps.watch(resource_version=maps.list()[1]) as stream:
                eventually(proxy.open_watches)
                proxy.end_watches(End.HALF_LINE)
                with pytest.raises(TransportError):
                    next(stream)


def test_from_a_shell_it_prints_where_it_listens(server: FaultServer, tmp_path: Path):
    kubeconfig = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": server.proxy.url}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    users = {"users": [{"name": "u", "user": {"token": "t"}}]}
    kubeconfig.write_text(json.dumps({**users, "clusters": [cluster], "contexts": [context], "current-context": "c"}))
    command = [
        sys.executable,
        "-m",
        "btcctl.testing.faults",
        "--kubeconfig",
        kubeconfig,
        "--fault",
        "503",
        "--every",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with ApiClient.from_config(ClientConfig(process.stdout.readline().strip())) as client:
            eventually(lambda: answers_503(client))
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def answers_503(client: ApiClient) -> bool:
    try:
        client.server_version()
    except ServiceUnavailable:
        return True
    return False
