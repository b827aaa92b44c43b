"""SIGTERM while the API server does not answer: the process ends, with 0, as soon as nothing is left to do."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, LEASES
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from btcctl.testing.faults import FaultProxy, Target
from btcctl.threads import Runner, Stop
from tests.integration.support import closed_port

GRACE_SECONDS = 20.0
SECONDS = 10.0  # it takes half of one; what waits for somebody takes the grace
PATIENCE_SECONDS = 2.0  # with calls that are under way
LEASE = ObjectKey("default", "lease")

PROGRAM = textwrap.dedent("""
    import sys, time
    from btcctl import ApiClient, Controller, Elector, EventRecorder, Fence, HttpTransport, LeaseLock, Manager
    from btcctl import ObjectKey, ObjectReference, Result, SharedInformerFactory, run_until_signal
    from btcctl.resources import CONFIG_MAPS
    from btcctl.rest.config.client_config import ClientConfig
    from btcctl.rest.credentials import StaticCredentials

    config = ClientConfig(sys.argv[1], credentials=StaticCredentials.bearer("token"))
    hang, grace = float(sys.argv[2]), float(sys.argv[3])
    fence = Fence()
    client = ApiClient(HttpTransport(config, fence=fence))
    recorder = EventRecorder(client, "op")

    def reconcile(key):
        recorder.event(ObjectReference("v1", "ConfigMap", key.namespace, key.name), "Normal", "Seen", "hello")
        print("reconciling", flush=True)
        if hang < 0:
            time.sleep(-hang)
            client.resource(CONFIG_MAPS).get(key)
        else:
            time.sleep(hang)
        return Result()

    factory = SharedInformerFactory(client, resync_seconds=0.2)
    controller = Controller("c", reconcile)
    controller.watch(factory.informer(CONFIG_MAPS))
    elector = Elector(LeaseLock(ApiClient(HttpTransport(config)), ObjectKey("default", "lease")), fence)

    class Up:
        def start(self):
            print("up", flush=True)

        def stop(self, timeout=10.0): ...

    manager = Manager(factory, [controller], recorder=recorder, elector=elector, services=[Up()])
    recorder.event(ObjectReference("v1", "ConfigMap", "default", "a"), "Normal", "Started", "hello")
    run_until_signal(manager, grace)
""")


@contextlib.contextmanager
def operator(url: str, *, hang: float = 0.0, said: str = "up") -> Iterator[subprocess.Popen[str]]:
    """The program, once it has said that.

    Args:
        hang: Seconds that each reconcile computes; if negative, until it makes a call.
    """
    command = [sys.executable, "-c", PROGRAM, url, str(hang), str(GRACE_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert said in (line.strip() for line in process.stdout)
            yield process
        finally:
            process.kill()


def seconds_to_end(process: subprocess.Popen[str], status: int = 0) -> float:
    began = SYSTEM_CLOCK.now()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60.0)
    assert process.returncode == status, errors
    return SYSTEM_CLOCK.now() - began


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    with closed_port() as port:
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def swallowing() -> Iterator[str]:
    """Its queue is full: the kernel drops every SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def answering(begin: bytes) -> Iterator[str]:
    """Takes connections, says so much, and nothing more."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def run(stop: Stop) -> None:
            stop.on_set(lambda: listener.shutdown(socket.SHUT_RDWR))
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    stack.enter_context(client).send(begin)

        stack.enter_context(Runner("silent-server", run))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


SERVERS: dict[str, Callable[[], contextlib.AbstractContextManager[str]]] = {
    "refuses": refusing,
    "swallows": swallowing,
    "is silent": lambda: answering(b""),
    "freezes": lambda: answering(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"kind"'
    ),
}


@pytest.mark.parametrize("server", SERVERS)
def test_before_anything_was_read(server: str) -> None:
    with SERVERS[server]() as url, operator(url) as process:
        assert seconds_to_end(process) < SECONDS


@contextlib.contextmanager
def gone(proxy: FaultProxy) -> Iterator[None]:
    with proxy.refusing():
        proxy.reset()
        yield


FAULTS = [FaultProxy.black_hole, gone]


class Scene:
    """A server, and the network before it."""

    def __init__(self, proxy: FaultProxy, client: ApiClient) -> None:
        self.proxy = proxy
        self.lock = LeaseLock(client, LEASE)
        self.leases = client.resource(LEASES)
        client.resource(CONFIG_MAPS).create({"metadata": {"name": "a", "namespace": "default"}})

    def holder(self) -> str:
        return str(self.leases.get(LEASE).body()["spec"].get("holderIdentity", ""))


@pytest.fixture
def scene() -> Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        server = EmbeddedServer(Api(), token="token")
        server.start()
        stack.callback(server.stop)
        config = ClientConfig(server.url, credentials=StaticCredentials.bearer("token"))
        client = stack.enter_context(ApiClient.from_config(config))
        yield Scene(stack.enter_context(FaultProxy(Target.of(config))), client)


def test_a_server_that_answers_gets_the_lease_back_and_the_last_event(scene: Scene) -> None:
    with operator(scene.proxy.url, said="reconciling") as process:
        assert seconds_to_end(process) < SECONDS
    assert scene.holder() == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_while_leading(scene: Scene, fault: Callable[[FaultProxy], contextlib.AbstractContextManager[None]]) -> None:
    with operator(scene.proxy.url, said="reconciling") as process, fault(scene.proxy):
        assert seconds_to_end(process) < SECONDS
    assert scene.holder() != ""


@pytest.mark.parametrize("fault", FAULTS)
def test_while_waiting_for_the_lease(
    scene: Scene, fault: Callable[[FaultProxy], contextlib.AbstractContextManager[None]]
) -> None:
    scene.lock.create(LeaseRecord("another", 60, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z", 0), 5.0)
    with operator(scene.proxy.url) as process, fault(scene.proxy):
        assert seconds_to_end(process) < SECONDS
    assert scene.holder() == "another"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_of_a_reconcile_to_a_server_that_does_not_answer_is_broken_off(
    scene: Scene, fault: Callable[[FaultProxy], contextlib.AbstractContextManager[None]]
) -> None:
    with operator(scene.proxy.url, hang=-0.5, said="reconciling") as process, fault(scene.proxy):
        sleep(1.0)  # now it is in that call
        assert seconds_to_end(process) < PATIENCE_SECONDS + SECONDS


@pytest.mark.parametrize("seconds", [3.0, 60.0])
def test_work_has_nearly_all_of_the_time_and_what_hangs_is_a_failure(scene: Scene, seconds: float) -> None:
    hangs = seconds > GRACE_SECONDS
    with operator(scene.proxy.url, hang=seconds, said="reconciling") as process, scene.proxy.black_hole():
        took = seconds_to_end(process, status=1 if hangs else 0)
    assert took < min(seconds, GRACE_SECONDS) + SECONDS
    assert scene.holder() != ""  # while somebody is at work, it is not given back


@pytest.mark.parametrize("flags", [(), ("--leader-elect",), ("--dry-run",)])
def test_the_operator_before_it_has_reached_its_server(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with swallowing() as url:
        config = tmp_path / "config"
        write_kubeconfig(config, kubeconfig(url, token="token"))
        command = [sys.executable, "-m", "btcctl", "run", "--kubeconfig", str(config), "--log-format", "json", *flags]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert any('"configuration"' in line for line in process.stderr)
            assert seconds_to_end(process) < SECONDS
