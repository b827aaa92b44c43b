"""Nobody who is slow, silent, many or out of his mind keeps a probe from the status server."""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from btcctl.certificates.identity import Identity
from btcctl.certificates.issuing import Certificates, renewed
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.serving.http_server import MAX_AT_ONCE
from btcctl.controller.serving.protection import Protection
from btcctl.controller.serving.status_server import StatusServer
from btcctl.threads import Runner, Stop
from tests.integration.support import eventually

PROBE_SECONDS = 1.0  # it takes hundredths; who waits for one of the hostile waits for five seconds
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Scene:
    """A status server, one check of which waits where a test wants it to.

    Args:
        certificates: What it shows; None: it speaks plainly.
    """

    def __init__(self, certificates: Certificates | None = None) -> None:
        self.check: Callable[[], str] = lambda: ""
        self._trusting: ssl.SSLContext | None = None
        protection = None
        if certificates is not None:
            identity = Identity("metrics", SYSTEM_CLOCK)
            identity.use(certificates)
            self._trusting = ssl.create_default_context(cadata=certificates.authorities.decode())
            protection = Protection(lambda: identity.context, lambda _: None)
        self.server = StatusServer("127.0.0.1:0", None, {"check": self._check}, {}, protection=protection)

    def _check(self) -> str:
        return self.check()

    def connect(self) -> socket.socket:
        client = self.connect_plainly()
        if self._trusting is None:
            return client
        try:
            return self._trusting.wrap_socket(client, server_hostname="127.0.0.1")
        except OSError:
            client.close()
            raise

    def connect_plainly(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10.0)

    def ask(self, text: bytes = GET) -> bytes:
        """Everything that is answered to `text` until the connection is closed."""
        with self.connect() as client:
            client.sendall(text)
            return b"".join(iter(lambda: client.recv(1 << 16), b""))

    def status(self, text: bytes) -> int:
        with self.connect() as client:
            client.sendall(text)
            return int(client.recv(1 << 16).split()[1])

    def probe_seconds(self) -> float:
        """How long a probe takes on a connection of its own."""
        began = SYSTEM_CLOCK.now()
        assert self.status(GET) == 200
        return SYSTEM_CLOCK.now() - began

    def is_quick(self) -> bool:
        """Whether one of a few probes takes less than a second; a busy machine holds up some."""
        return any(self.probe_seconds() < 1.0 for _ in range(5))


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return renewed(None, ["127.0.0.1"], datetime.now(UTC))


@contextlib.contextmanager
def running(server: StatusServer) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()


@pytest.fixture(params=["plain", "TLS"])
def scene(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[Scene]:
    scene = Scene(certificates if request.param == "TLS" else None)
    scene.server.start()
    yield scene
    scene.server.stop()


@pytest.fixture
def tls_scene(certificates: Certificates) -> Iterator[Scene]:
    scene = Scene(certificates)
    scene.server.start()
    yield scene
    scene.server.stop()


@contextlib.contextmanager
def dripping(scene: Scene, clients: int) -> Iterator[None]:
    """Clients that send their headers byte by byte, and come again when they are thrown out."""

    def drip(stop: Stop) -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError), scene.connect() as client:
                client.sendall(b"GET /healthz HTTP/1.1\r\nx: ")
                while not stop.wait(0.05):
                    client.sendall(b"a")

    with contextlib.ExitStack() as stack:
        for number in range(clients):
            stack.enter_context(Runner(f"dripper-{number}", drip))
        yield


def most_probes_take(scene: Scene) -> float:
    """Seconds at most; a busy machine holds up a quarter of them."""
    return sorted(scene.probe_seconds() for _ in range(20))[14]


def test_dripping_clients_delay_no_probe(scene: Scene) -> None:
    with dripping(scene, 20):
        assert most_probes_take(scene) < PROBE_SECONDS


def test_a_thousand_idle_connections_delay_no_probe(scene: Scene) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 400)):
            stack.enter_context(scene.connect())
        assert most_probes_take(scene) < PROBE_SECONDS


def test_many_clients_are_answered_at_once(scene: Scene) -> None:
    everybody = threading.Barrier(32)
    scene.check = lambda: "" if everybody.wait(10.0) >= 0 else "?"
    clients = [scene.connect() for _ in range(32)]
    for client in clients:
        client.sendall(GET)
    assert [client.recv(1 << 16).split()[1] for client in clients] == [b"200"] * 32
    for client in clients:
        client.close()


def test_a_check_that_hangs_delays_no_other_page_and_no_stop(scene: Scene) -> None:
    go_on = threading.Event()
    scene.check = lambda: str(go_on.wait(60.0))
    with scene.connect() as hanging:
        hanging.sendall(GET)
        assert scene.status(GET.replace(b"/healthz", b"/")) == 404
        began = SYSTEM_CLOCK.now()
        scene.server.stop()
        assert SYSTEM_CLOCK.now() - began < 5.0
        go_on.set()


def test_a_check_that_hangs_for_every_probe_takes_the_threads_of_no_other_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btcctl.controller.serving.http_server.REQUEST_SECONDS", 0.5)
    go = threading.Event()
    scene = Scene()
    hung = StatusServer("127.0.0.1:0", None, {}, {"slow": lambda: "" if go.wait(30.0) else "slow"})
    scene.server = hung
    ready = GET.replace(b"healthz", b"readyz")
    with running(hung):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(scene.connect()) for _ in range(2 * MAX_AT_ONCE)]
            for each in clients:
                each.sendall(ready)
            assert {each.recv(1 << 10).split()[1] for each in clients} == {b"503"}
        assert scene.probe_seconds() < PROBE_SECONDS
        assert b"earlier requests for this page still hang" in scene.ask(ready)
        go.set()
        eventually(lambda: scene.status(ready) == 200)


def test_each_request_has_one_deadline_whoever_is_late(scene: Scene) -> None:
    go_on = threading.Event()
    scene.check = lambda: str(go_on.wait(60.0))
    began = SYSTEM_CLOCK.now()
    with scene.connect() as silent, scene.connect() as slow, scene.connect() as hanging:
        slow.sendall(b"GET /healthz HT")
        hanging.sendall(GET)
        assert silent.recv(100) == b""
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        assert hanging.recv(100).startswith(b"HTTP/1.1 503 ")
    assert 4.5 < SYSTEM_CLOCK.now() - began < 12.0
    go_on.set()


def test_a_client_that_does_not_read_is_cut_off(scene: Scene) -> None:
    scene.check = lambda: "x" * (16 << 20)
    with scene.connect() as deaf:
        deaf.sendall(GET)
        began = SYSTEM_CLOCK.now()
        scene.check = lambda: ""
        assert scene.is_quick()
        eventually(lambda: _is_reset(deaf))
        assert SYSTEM_CLOCK.now() - began > 4.0


def _is_reset(client: socket.socket) -> bool:
    try:
        client.sendall(b"x")
    except OSError:
        return True
    return False


def test_requests_are_answered_one_after_the_other_on_one_connection(scene: Scene) -> None:
    answers = scene.ask(GET + GET.replace(b"GET", b"HEAD") + GET.replace(b"Host: x", b"Connection: close"))
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b"Content-Length: 2\r\n") == 3
    assert answers.count(b"\r\n\r\nok") == 2
    assert answers.count(b"Connection: close") == 1


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"HEAD /healthz HTTP/1.0\r\n\r\n", 200),
        (b"GET /other HTTP/1.1\r\n\r\n", 404),
        (b"DELETE /healthz HTTP/1.1\r\n\r\n", 405),
        (b"\x16\x03\x01\x00\xff\n\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\na: " + b"a" * 20000, 431),
    ],
)
def test_what_it_does_not_serve_is_said_in_http(scene: Scene, text: bytes, status: int) -> None:
    assert scene.status(text) == status


def test_no_bytes_end_it(scene: Scene) -> None:
    chance = random.Random(7)
    for _ in range(300):
        with contextlib.suppress(OSError), scene.connect() as client:
            client.sendall(chance.randbytes(chance.randrange(200)))
            client.sendall(chance.choice([b"\r\n\r\n", b"\n\n", b"", GET]))
            if chance.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset at the close
    assert scene.is_quick()


def test_who_does_not_shake_hands_is_cut_off_and_delays_no_probe(tls_scene: Scene) -> None:
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(tls_scene.connect_plainly()) for _ in range(300)]
        began = SYSTEM_CLOCK.now()
        assert most_probes_take(tls_scene) < PROBE_SECONDS
        assert all(each.recv(1) == b"" for each in silent)
        assert SYSTEM_CLOCK.now() - began < 10.0


@pytest.mark.parametrize(
    "text", [GET, b"\x16\x03\x01\x00\xff\n\n", b"\0" * 100_000], ids=("HTTP", "half TLS", "nothing")
)
def test_who_speaks_no_tls_is_cut_off(tls_scene: Scene, text: bytes) -> None:
    with tls_scene.connect_plainly() as client, contextlib.suppress(ConnectionError):
        client.sendall(text)
        with contextlib.suppress(OSError):  # cut off already
            client.shutdown(socket.SHUT_WR)
        assert b"HTTP" not in b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert tls_scene.is_quick()


def test_an_answer_larger_than_any_buffer_comes_whole(tls_scene: Scene) -> None:
    tls_scene.check = lambda: "x" * (8 << 20)
    assert tls_scene.ask(GET.replace(b"Host: x", b"Connection: close")).count(b"x") >= 8 << 20


#: Takes all its descriptors, then says whether probes are answered, and how much time that took.
WITHOUT_DESCRIPTORS = textwrap.dedent("""
    import logging, os, resource, socket, sys, time
    logging.disable()
    from btcctl.controller.serving.status_server import StatusServer

    server = StatusServer("127.0.0.1:0", None, {}, {})
    server.start()
    soft, hard = 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(server.port, flush=True)
    sys.stdin.readline()
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    print("taken", flush=True)
    sys.stdin.readline()
    print(time.process_time(), flush=True)
    sys.stdin.readline()
    print(time.process_time(), flush=True)
    for each in taken:
        os.close(each)
    sys.stdin.readline()
""")


def test_without_descriptors_probes_are_answered_and_nothing_spins() -> None:
    program = [sys.executable, "-c", WITHOUT_DESCRIPTORS]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def go_on() -> str:
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        port = int(process.stdout.readline())
        assert go_on() == "taken"
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=20.0) as client:
                client.sendall(GET)
                assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        with contextlib.ExitStack() as stack:
            for _ in range(50):  # more than it can let in
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20.0))
            before = float(go_on())
            threading.Event().wait(1.0)
            assert float(go_on()) - before < 0.5
        assert go_on() == ""
        process.stdin.close()
        process.wait(60.0)
