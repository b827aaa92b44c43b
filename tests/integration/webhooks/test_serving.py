"""The server of hooks among clients of every kind."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from btcctl import Admission, Verdict, validates
from btcctl.certificates.identity import Identity
from btcctl.certificates.issuing import Certificates, renewed
from btcctl.certificates.keepers import FileKeeper
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.errors import BtcctlError, ConfigError
from btcctl.testing.clock import FakeClock
from btcctl.threads import Latch
from btcctl.webhooks import serving, turns
from btcctl.webhooks.answers.reviews import Reviews, path_of
from btcctl.webhooks.hooks import Hook
from btcctl.webhooks.serving import WebhookServer
from tests.integration.support import eventually
from tests.unit.webhooks.volumes import CONVERTERS, HOOKS, Volume, with_class

NOW = datetime.now(UTC)
VOLUME = {"apiVersion": "hooks.example.org/v1", "kind": "Volume", "metadata": {"name": "a"}, "spec": {"size": "1Gi"}}
QUESTION = json.dumps(
    {"apiVersion": "admission.k8s.io/v1", "request": {"uid": "1", "operation": "CREATE", "object": VOLUME}}
)
PATH = path_of(with_class)


@pytest.fixture
def certificates() -> Certificates:
    return renewed(None, ["127.0.0.1"], NOW)


@pytest.fixture
def identity(certificates: Certificates) -> Identity:
    made = Identity("webhooks", SYSTEM_CLOCK)
    made.use(certificates)
    return made


@pytest.fixture
def server(identity: Identity) -> Iterator[WebhookServer]:
    made = WebhookServer("127.0.0.1:0", Reviews([*HOOKS, *CONVERTERS], SYSTEM_CLOCK), identity, None)
    made.start()
    yield made
    made.stop()


def trusting(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificates.authorities.decode())


@contextmanager
def connection(server: WebhookServer, certificates: Certificates) -> Iterator[HTTPSConnection]:
    with closing(HTTPSConnection("127.0.0.1", server.port, context=trusting(certificates), timeout=30.0)) as client:
        yield client


def status_of(client: HTTPSConnection, method: str = "POST") -> int:
    client.request(method, PATH, QUESTION)
    answer = client.getresponse()
    answer.read()
    return answer.status


def raw(server: WebhookServer, certificates: Certificates) -> ssl.SSLSocket:
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30.0)  # closed with what is made of it
    return trusting(certificates).wrap_socket(sock, server_hostname="127.0.0.1")


def test_questions_are_answered_one_after_the_other_on_a_connection(server, certificates):
    with connection(server, certificates) as client:
        for _ in range(3):
            client.request("POST", f"{PATH}?timeout=5s", QUESTION)
            assert json.loads(client.getresponse().read())["response"]["allowed"] is True
        assert status_of(client, "PUT") == 405


def test_another_certificate_is_shown_without_a_restart(server, identity, certificates):
    following = renewed(None, ["127.0.0.1"], NOW)
    with connection(server, certificates) as kept:
        assert status_of(kept) == 200
        identity.use(following)
        with connection(server, following) as fresh:
            assert status_of(fresh) == 200
        with connection(server, certificates) as late, pytest.raises(ssl.SSLError):
            late.connect()
        assert status_of(kept) == 200


def test_without_a_certificate_nobody_is_answered_and_it_says_so(certificates):
    server = WebhookServer("127.0.0.1:0", Reviews(HOOKS, SYSTEM_CLOCK), Identity("webhooks", SYSTEM_CLOCK), None)
    assert server.problem() == "it does not listen"
    server.start()
    assert server.problem() == "there is no certificate yet"
    with connection(server, certificates) as client, pytest.raises(OSError):  # noqa: PT011  whichever it is
        client.connect()
    server.stop()
    assert server.problem() == "it does not listen"


def test_a_certificate_that_has_ended_is_a_problem(certificates):
    clock = FakeClock(wall_time=NOW)
    identity = Identity("webhooks", clock)
    identity.use(certificates)
    assert identity.problem() == ""
    clock.advance(91 * 86_400)
    assert "the certificate ended" in identity.problem()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST //[ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", b"404"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000, b"431"),
    ],
)
def test_what_is_no_question_is_answered_and_others_are_not_held_up(server, certificates, sent, status):
    with raw(server, certificates) as client:
        client.sendall(sent)
        assert client.recv(1000).split()[1] == status
    test_questions_are_answered_one_after_the_other_on_a_connection(server, certificates)


def test_who_sends_too_slowly_is_cut_off(server, certificates, monkeypatch):
    monkeypatch.setattr(serving, "REQUEST_SECONDS", 0.2)
    with raw(server, certificates) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
        assert client.recv(1000) == b""


def test_those_who_say_nothing_keep_nobody_out(server, certificates, monkeypatch):
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 3)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(6)]
    test_questions_are_answered_one_after_the_other_on_a_connection(server, certificates)
    for each in silent:
        each.close()


def test_memory_for_bodies_has_an_end(identity, certificates, monkeypatch):
    monkeypatch.setattr(serving, "MAX_BYTES", 1)
    small = serving_hooks(identity)
    with connection(small, certificates) as client:
        assert status_of(client) == 503
    small.stop()


@validates(Volume)
def hanging(_: Admission[Volume]) -> Verdict:
    CAME.release()
    REAL.wait(30.0)
    return None


CAME, REAL = threading.Semaphore(0), Latch()


def serving_hooks(identity: Identity, *hooks: Hook) -> WebhookServer:
    made = WebhookServer("127.0.0.1:0", Reviews([*HOOKS, *hooks], SYSTEM_CLOCK), identity, None)
    made.start()
    return made


def test_a_hook_that_hangs_keeps_no_other_out_and_is_refused_at_once(identity, certificates, monkeypatch):
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(turns, "MAX_HANGING", 4)
    server = serving_hooks(identity, hanging)
    with ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(connection(server, certificates))
            client.request("POST", f"{path_of(hanging)}?timeout=0.01s", QUESTION)
            assert CAME.acquire(timeout=30.0)
        sleep(0.02)
        with connection(server, certificates) as late:
            late.request("POST", path_of(hanging), QUESTION)
            refused = late.getresponse()
            assert (refused.status, refused.read()) == (503, b"earlier questions still hang\n")
            assert status_of(late) == 200
        REAL.set()
    server.stop()


def test_those_who_send_slowly_keep_nobody_out_either(server, certificates, monkeypatch):
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 3)
    with ExitStack() as stack:
        slow = [stack.enter_context(raw(server, certificates)) for _ in range(3)]
        for each in slow:
            each.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
        sleep(0.2)  # until they have come
        test_questions_are_answered_one_after_the_other_on_a_connection(server, certificates)
        slow[0].settimeout(serving.REQUEST_SECONDS / 2)
        assert slow[0].recv(1000) == b""


def test_an_address_that_is_taken_is_said(server, identity):
    with pytest.raises(BtcctlError, match="cannot listen"):
        WebhookServer(f"127.0.0.1:{server.port}", Reviews(HOOKS, SYSTEM_CLOCK), identity, None).start()


def test_files_of_somebody_else_are_used_and_followed(tmp_path: Path, certificates):
    def write(made: Certificates) -> None:
        (tmp_path / "tls.crt").write_bytes(made.certificate)
        (tmp_path / "tls.key").write_bytes(made.key)

    identity = Identity("webhooks", SYSTEM_CLOCK)
    keeper = FileKeeper(str(tmp_path), identity, SYSTEM_CLOCK)
    with pytest.raises(ConfigError, match=r"tls\.crt: No such file"):
        keeper.start()
    write(certificates)
    keeper.read()
    assert identity.authorities == b""
    (tmp_path / "ca.crt").write_bytes(certificates.authorities)
    keeper.read()
    assert identity.authorities == certificates.authorities
    (tmp_path / "tls.key").write_bytes(renewed(None, ["x"], NOW).key)
    with pytest.raises(ConfigError, match="cannot be used"):
        keeper.read()
    assert identity.context is not None


def test_files_are_looked_at_from_time_to_time(tmp_path: Path, certificates):
    clock = FakeClock(wall_time=NOW)
    identity = Identity("webhooks", clock)
    keeper = FileKeeper(str(tmp_path), identity, clock)
    (tmp_path / "tls.crt").write_bytes(certificates.certificate)
    (tmp_path / "tls.key").write_bytes(certificates.key)
    keeper.start()
    (tmp_path / "ca.crt").write_bytes(certificates.authorities)
    clock.wait_until_blocked()
    clock.advance(5.0)
    eventually(lambda: identity.authorities == certificates.authorities)
    keeper.stop()
