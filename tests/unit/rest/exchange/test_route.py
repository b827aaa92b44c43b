"""The steps on the way to a server."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from btcctl.errors import Interrupted
from btcctl.rest.config.tls import Tls
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.connection import Connections
from btcctl.rest.exchange.failures import OutOfTime
from btcctl.rest.exchange.reaching.names import Names
from btcctl.rest.exchange.reaching.proxies import parse_proxy
from btcctl.rest.exchange.reaching.route import Route
from btcctl.rest.transport.breaker import Breaker
from btcctl.testing.clock import FakeClock

OPEN = b"HTTP/1.1 200 Connection established\r\nContent-Length: 7\r\n\r\n"


class Socket:
    """Of a proxy, which answers piece by piece."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [*pieces, b""]
        self.sent = b""
        self.is_closed = False

    def fileno(self) -> int:
        return 7

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self.pieces.pop(0)

    def close(self) -> None:
        self.is_closed = True

    def settimeout(self, seconds: float) -> None:
        """Each wait is short enough."""


class Contexts:
    """TLS that only notes the name it expects."""

    def __init__(self, server_name: str = "") -> None:
        self._tls = Tls(server_name=server_name)

    def tls(self) -> Tls:
        return self._tls

    def current(self) -> Contexts:
        return self

    def wrap_socket(self, sock: Socket, server_hostname: str) -> tuple[Socket, str]:
        return sock, server_hostname


def connect(sock: Socket, host: str = "api.example", proxy: str = "http://u:p@p:1", name: str = "") -> Any:
    way = Route(
        host,
        6443,
        Names(),
        tls=Contexts(name),
        proxy=parse_proxy(proxy, "x") if proxy else None,
        dial=lambda *_: sock,
    )
    return way.connect(Call(30.0, FakeClock()), None)[0]


def test_a_tunnel_is_asked_for_before_tls_begins():
    sock = Socket(OPEN[:20], OPEN[20:])
    assert connect(sock, "fd00::1") == (sock, "fd00::1")
    assert sock.sent.startswith(b"CONNECT [fd00::1]:6443 HTTP/1.1\r\nHost: [fd00::1]:6443\r\n")
    assert b"\r\nProxy-Authorization: Basic dTpw\r\n" in sock.sent
    assert sock.sent.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "no tunnel, and answers 407"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "no tunnel, and answers 101"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "this is not HTTP"),
        (OPEN + b"x", "more than that the tunnel is open"),
        (OPEN[:30], "closed the connection"),
    ],
)
def test_what_is_no_tunnel_is_closed(answer: bytes, words: str):
    sock = Socket(answer)
    with pytest.raises(OSError, match=words):
        connect(sock)
    assert sock.is_closed


@pytest.mark.parametrize(
    ("host", "server_name", "expected"),
    [
        ("api.example.", "", "api.example"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("10.0.0.1", "kubernetes.default", "kubernetes.default"),
    ],
)
def test_the_certificate_is_for_the_servers_name_or_for_the_one_that_is_configured(
    host: str, server_name: str, expected: str
):
    assert connect(Socket(), host, proxy="", name=server_name)[1] == expected


def test_a_connection_that_was_had_too_late_is_closed():
    sock, clock = Socket(), FakeClock()

    def dial(*_: object) -> Socket:
        clock.advance(30.0)
        return sock

    with pytest.raises(OutOfTime):
        Route("api.example", 80, Names(), dial=dial).connect(Call(30.0, clock), None)
    assert sock.is_closed


def test_a_connection_of_a_call_that_was_broken_off_meanwhile_is_closed():
    breaker, (sock, peer) = Breaker(), socket.socketpair()

    def dial(*_: object) -> socket.socket:
        breaker.trip()
        return sock

    with peer, pytest.raises(Interrupted):
        Route("api.example", 80, Names(), dial=dial).connect(Call(30.0, breaker=breaker), None)
    assert sock.fileno() == -1


class Unresolved(Names):
    """Waits for as long as it may, in vain."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self._clock_of_test = clock

    def resolve(self, host: str, port: int, seconds: float, breaker: Any = None) -> Any:
        self._clock_of_test.advance(seconds)
        raise TimeoutError("the name is not resolved in time")


class BusyClock(FakeClock):
    """Of a machine that does other things between two looks at it, each time for half as long."""

    pause = 0.1

    def now(self) -> float:
        self.pause /= 2
        self.advance(self.pause)
        return super().now()


def test_a_call_whose_time_is_over_while_a_name_is_resolved_has_had_its_time():
    clock = BusyClock()
    connections = Connections(Route("api.example", 80, Unresolved(clock)))
    with pytest.raises(OutOfTime):
        connections.connect(connections.take(), Call(1.0, clock))
