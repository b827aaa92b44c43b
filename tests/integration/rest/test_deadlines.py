"""A call's deadline holds for the whole call, whatever comes, however slowly it comes, and wherever it stops."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import CallTimedOut, DeadlineExceeded, ServiceUnavailable, TransportError
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.exchange.call import watch_over
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request
from btcctl.threads import Stop
from tests.integration.rest.conftest import Authority
from tests.integration.rest.servers import Handler, Peer, SocketServer, always, head

GET = Request("GET", "/x")
SECONDS = 0.6
LATE_SECONDS = 20.0  # what a busy machine may add; without deadlines all these calls last thirty seconds and more


def drip(peer: Peer, data: bytes) -> None:
    """A byte now and then, over and over."""
    pause = threading.Event()
    while True:
        for at in range(len(data)):
            peer.send(data[at : at + 1])
            pause.wait(0.05)


def dripping(data: bytes, before: bytes = b"") -> Handler:
    def handle(peer: Peer) -> None:
        peer.read_request()
        peer.send(before)
        drip(peer, data)

    return handle


def always_continue(peer: Peer) -> None:
    peer.read_request()
    pause = threading.Event()
    while True:
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        pause.wait(0.05)


def busy_for_ever(peer: Peer) -> None:
    """A 503 that asks to come again in a second, as often as it is asked."""
    while peer.read_request():
        peer.respond(b"busy", 503, {"Retry-After": "1"})


HANDLERS = {
    "nothing": Peer.wait_until_gone,
    "status line": dripping(b"HTTP/1.1 200 " + b"O" * 1000),
    "headers": dripping(b"a: b\r\n", b"HTTP/1.1 200 OK\r\n"),
    "100 Continue": always_continue,
    "body": dripping(b" ", head(200, {"Content-Length": "1000"})),
    "chunks": dripping(b"1\r\n \r\n", head(200, {"Transfer-Encoding": "chunked"})),
    "a chunk's size": dripping(b"0", head(200, {"Transfer-Encoding": "chunked"})),
    "trailers": dripping(b"a: b\r\n", head(200, {"Transfer-Encoding": "chunked"}) + b"0\r\n"),
    "until close": dripping(b" ", head(200, {})),
}


@contextlib.contextmanager
def timed_out(seconds: float = SECONDS) -> Iterator[None]:
    began = SYSTEM_CLOCK.now()
    with pytest.raises(DeadlineExceeded) as caught:
        yield
    assert seconds - 0.1 < SYSTEM_CLOCK.now() - began < seconds + LATE_SECONDS
    assert isinstance(caught.value, CallTimedOut)  # and so a TransportError, for who retries


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, authority: Authority) -> ssl.SSLContext | None:
    return authority.server_context() if request.param == "tls" else None


@contextlib.contextmanager
def transport_to(server: SocketServer, authority: Authority) -> Iterator[HttpTransport]:
    transport = HttpTransport(ClientConfig(server.url, tls=authority.trusting))
    try:
        yield transport
    finally:
        transport.close()


@pytest.mark.parametrize("name", HANDLERS)
def test_whatever_drips_a_request_ends_at_its_deadline(authority: Authority, tls: ssl.SSLContext | None, name: str):
    with SocketServer([HANDLERS[name]], tls) as server, transport_to(server, authority) as transport, timed_out():
        transport.request(GET, timeout=SECONDS)


@pytest.mark.parametrize("name", ["status line", "headers", "100 Continue"])
def test_so_does_the_opening_of_a_watch(authority: Authority, name: str):
    with SocketServer([HANDLERS[name]]) as server, transport_to(server, authority) as transport, timed_out():
        ApiClient(transport, timeout=SECONDS).resource(PODS).watch(resource_version="1")


def test_so_does_a_watch_that_is_refused_in_drips(authority: Authority):
    refusal = dripping(b" ", head(403, {"Content-Length": "1000"}))
    with SocketServer([refusal]) as server, transport_to(server, authority) as transport, timed_out():
        ApiClient(transport, timeout=SECONDS).resource(PODS).watch(resource_version="1")


def test_retries_have_no_time_of_their_own(authority: Authority):
    with SocketServer([busy_for_ever]) as server, transport_to(server, authority) as transport:
        began = SYSTEM_CLOCK.now()
        with pytest.raises((ServiceUnavailable, CallTimedOut)):
            ApiClient(transport, timeout=SECONDS).get_json("/x")
        assert SYSTEM_CLOCK.now() - began < SECONDS + LATE_SECONDS


def test_a_large_body_for_a_peer_that_does_not_read_ends_in_time(authority: Authority, tls: ssl.SSLContext | None):
    with contextlib.ExitStack() as stack:
        enough = threading.Event()
        stack.callback(enough.set)
        server = stack.enter_context(SocketServer([lambda _: enough.wait(60.0) and None], tls))
        transport = stack.enter_context(transport_to(server, authority))
        put = Request("PUT", "/x", body=b"x" * (64 << 20))
        with timed_out():
            transport.request(put, timeout=SECONDS)
        enough.set()


def test_a_handshake_that_drips_ends_in_time(authority: Authority):
    def handle(peer: Peer) -> None:
        peer.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # the beginning of a long ServerHello
        drip(peer, b"\x00")

    with SocketServer([handle]) as server:
        transport = HttpTransport(ClientConfig(f"https://127.0.0.1:{server.port}", tls=authority.trusting))
        with timed_out():
            transport.request(GET, timeout=SECONDS)


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """`socket.getaddrinfo` hangs for every name; the list has those that it was asked for."""
    asked: list[str] = []
    released = Stop()
    real = socket.getaddrinfo

    def hang(host: str, *arguments: object, **options: int) -> object:
        if options.get("flags"):
            return real(host, *arguments, **options)  # type: ignore[arg-type]
        asked.append(host)
        released.wait(60.0)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield asked
    released.set()


def test_a_resolver_that_hangs_is_left_at_the_deadline(hanging_resolver: list[str]):
    transport = HttpTransport(ClientConfig("http://api.example"))
    for _ in range(2):
        with timed_out():
            transport.request(GET, timeout=SECONDS)
    assert hanging_resolver == ["api.example"]  # which is still being asked: there is one thread for all who wait


def test_a_call_that_waits_for_the_resolver_can_be_broken_off(hanging_resolver: list[str]):
    transport, breaker = HttpTransport(ClientConfig("http://api.example")), Breaker()
    timer = Stop()
    timer.on_set(breaker.trip)
    threads = [threading.Timer(0.2, timer.set)]
    threads[0].start()
    began = SYSTEM_CLOCK.now()
    with pytest.raises(TransportError, match="stopped"):
        transport.request(GET, timeout=60.0, breaker=breaker)
    assert SYSTEM_CLOCK.now() - began < 30.0


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that nobody answers at: a SYN into a full backlog is dropped, as a firewall would drop it."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def leading_to(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets every name lead to these ports of 127.0.0.1."""

    def lead(*ports: int) -> None:
        def answer(host: str, *_: object, **options: int) -> object:
            if options.get("flags"):
                raise socket.gaierror(socket.EAI_NONAME, "not a number")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    return lead


def test_addresses_that_lead_nowhere_share_the_time(black_hole: int, leading_to: Callable[..., None]):
    leading_to(*[black_hole] * 5)
    with timed_out():
        HttpTransport(ClientConfig("http://api.example")).request(GET, timeout=SECONDS)


def test_no_address_alone_uses_up_the_time(black_hole: int, leading_to: Callable[..., None]):
    with SocketServer([always()]) as server:
        leading_to(black_hole, server.port)
        transport = HttpTransport(ClientConfig("http://api.example"))
        assert transport.request(GET, timeout=6.0).status == 200
        transport.close()


def test_a_socket_that_a_breaker_watches_over_blocks_no_more_than_before():
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        breaker = Breaker()
        watch_over(near.fileno(), breaker)
        assert not os.get_blocking(near.fileno())
        breaker.release()
