"""The RPC client against sockets that behave, and that do not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from btcctl.bitcoin.rpc import (
    Credentials,
    RpcConnections,
    RpcTimedOut,
    RpcUnauthorized,
    RpcUnavailable,
)
from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import DeadlineExceeded, NotLeading
from btcctl.leaderelection.fence import Fence
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop
from tests.integration.support import closed_port, eventually

ADDRESS = "127.0.0.1"
READ_SECONDS = 0.3
RESULT = b'{"jsonrpc":"2.0","id":0,"result":7}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(RESULT), RESULT)

Serve = Callable[[socket.socket, int], None]  #: a connection and its number


@contextmanager
def server(serve: Serve, fence: Fence | None = None, *, read_seconds: float = 60.0) -> Iterator[RpcConnections]:
    """Serves one connection after the other, each until `serve` returns."""
    with socket.create_server((ADDRESS, 0)) as listener:
        runner = Runner("node", lambda stop: accept(listener, serve, stop))
        connections = RpcConnections(listener.getsockname()[1], read_seconds=read_seconds, fence=fence)
        runner.start()
        yield connections
        connections.close()
        listener.shutdown(socket.SHUT_RDWR)
        runner.stop()


def accept(listener: socket.socket, serve: Serve, stop: Stop) -> None:
    number = 0
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(60)
            serve(connection, number)
        number += 1


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    return data


def call(connections: RpcConnections, **options: bool) -> object:
    return connections.client(ADDRESS, Credentials("u", "p")).call("getblockcount", **options)


def test_a_connection_is_kept_for_the_next_call() -> None:
    numbers = []

    def serve(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            numbers.append(number)
            connection.sendall(OK)

    with server(serve) as connections:
        assert [call(connections) for _ in range(3)] == [7, 7, 7]
    assert numbers == [0, 0, 0]


def test_a_kept_connection_that_turns_out_dead_is_replaced_once() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(OK)
        if number == 0:
            read_request(connection)  # takes the second call, and hangs up

    with server(serve) as connections:
        assert call(connections) == 7
        assert call(connections) == 7


def test_a_call_that_must_not_be_made_twice_is_not() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)

    with server(serve) as connections, pytest.raises(RpcUnavailable):
        call(connections, retry=False)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 25\r\n\r\nWork queue depth exceeded",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_node_that_talks_nonsense_is_unavailable(answer: bytes) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(answer)

    with server(serve) as connections, pytest.raises(RpcUnavailable):
        call(connections)


def test_a_node_that_never_answers_is_given_up_on_in_time() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.recv(1)

    began = SYSTEM_CLOCK.now()
    with server(serve, read_seconds=READ_SECONDS) as connections, pytest.raises(RpcUnavailable):
        call(connections)
    assert SYSTEM_CLOCK.now() - began < 30


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 ",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_node_that_sends_a_byte_now_and_then_is_given_up_on_in_time(beginning: bytes) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        pause = Stop()
        read_request(connection)
        connection.sendall(beginning)
        for byte in b"HTTP/1.1 200 OK\r\n"[len(beginning) :] + b"0" * 1000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            pause.wait(0.05)

    with server(serve, read_seconds=READ_SECONDS) as connections:
        began = SYSTEM_CLOCK.now()
        with pytest.raises(RpcTimedOut, match="too slow") as caught:
            call(connections)
        assert SYSTEM_CLOCK.now() - began < 30  # of the fifty that it would take
    assert isinstance(caught.value, DeadlineExceeded)


def test_a_node_that_sends_without_end_is_given_up_on() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 40))
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b" " * (1 << 20))

    with server(serve, read_seconds=120.0) as connections, pytest.raises(RpcUnavailable, match="too much"):
        call(connections)


def test_401_with_an_empty_body_is_about_credentials() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    with server(serve) as connections, pytest.raises(RpcUnauthorized):
        call(connections)


def test_nobody_listening_is_unavailable() -> None:
    with closed_port() as port, pytest.raises(RpcUnavailable, match="refused"):
        call(RpcConnections(port))


def test_behind_a_fence_that_is_shut_nothing_is_sent_although_it_was_connected() -> None:
    received: list[bytes] = []
    shut = Fence(FakeClock())
    with server(lambda connection, _: received.append(read_request(connection)), fence=shut) as connections:
        with pytest.raises(NotLeading):
            call(connections)
        eventually(lambda: received == [b""])


def test_a_fence_that_is_open_lets_calls_through() -> None:
    def serve(connection: socket.socket, _: int) -> None:
        while read_request(connection):
            connection.sendall(OK)

    fence = Fence(FakeClock())
    fence.extend(1.0)
    with server(serve, fence=fence) as connections:
        assert call(connections) == 7
    assert (fence.refused, fence.overtaken) == (0, 0)
