"""What is read from and written to a socket, and what is waited for."""

from __future__ import annotations

import select
import socket
import ssl

import pytest

from btcctl.rest.exchange.wire import Wire, wire_to
from btcctl.testing.clock import FakeClock


class Poller:
    """Takes the place of `select.poll`."""

    asked: list[tuple[int, int, float]]

    def __init__(self) -> None:
        self._registered = (0, 0)

    def register(self, fd: int, events: int) -> None:
        self._registered = (fd, events)

    def poll(self, milliseconds: float) -> list[int]:
        self.asked.append((*self._registered, milliseconds))
        return []


@pytest.fixture(autouse=True)
def poller(monkeypatch: pytest.MonkeyPatch) -> type[Poller]:
    Poller.asked = []
    monkeypatch.setattr(select, "poll", Poller)
    return Poller


class Socket(socket.socket):
    def __init__(self) -> None:
        self.timeouts: list[float] = []

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def fileno(self) -> int:
        return 7

    def recv(self, size: int) -> bytes:
        return b"x" * min(size, 3)

    def send(self, data: bytes) -> int:
        return len(data)


def test_what_has_bytes_in_hand_is_read_at_once_in_the_time_there_is(poller: type[Poller]):
    class Stream:
        settimeout, fileno, recv, send = Socket.settimeout, Socket.fileno, Socket.recv, Socket.send

    stream = Stream()
    stream.timeouts = []
    wire = wire_to(stream, FakeClock())
    wire.poll(0)
    wire.poll(1500)
    assert (wire.read(9), wire.limit is not None) == (b"xxx", True)
    assert (stream.timeouts, poller.asked) == ([1.5], [(7, select.POLLIN, 0)])


def test_a_socket_does_not_block_and_is_waited_for_by_its_descriptor(poller: type[Poller]):
    sock = Socket()
    wire = wire_to(sock, FakeClock())
    assert (wire.read(9), wire.write(b"four"), wire.limit) == (b"xxx", 4, None)
    wire.poll(1500)
    assert sock.timeouts == [0.0]
    assert poller.asked == [(7, select.POLLIN, 1500)]


@pytest.mark.parametrize(
    ("refusal", "events"),
    [
        (BlockingIOError(), select.POLLOUT),
        (ssl.SSLWantWriteError(), select.POLLOUT),
        (ssl.SSLWantReadError(), select.POLLIN),
    ],
)
def test_what_was_refused_is_waited_for(refusal: Exception, events: int, poller: type[Poller]):
    Wire(7, lambda size: b"", len).wait_after(refusal, 2.0)
    assert poller.asked == [(7, events, 2000.0)]
