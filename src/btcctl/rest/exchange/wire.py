"""What an exchange does with a connected socket: write, wait, read. Only the wait blocks, and for no longer than asked.

A blocking socket with a timeout asks the kernel whether it may before each read and write, and TLS reads in vain first.
Sockets here do not block: what is written mostly goes out at once, and what is read has been waited for.

A TLS connection has nothing in hand that a wait would not know of: a read takes a whole record, which is what OpenSSL
takes from the socket at a time.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from typing import Any

from btcctl.clock import Clock
from btcctl.rest.config.tls import TlsSocket

MAX_READ = 1 << 16  # bytes; more than a TLS record has


class Wire:
    """Belongs to one exchange at a time.

    Attributes:
        fd: The socket's descriptor.
        poll: Waits for so many milliseconds until something has come, or the end has; what it returns is true then.
        read: So many bytes at most of what has come, b"" at the end.
        write: As much of some bytes as goes at once; returns how much that was.
        limit: Sets how many seconds the next write may block; None where it does not.

    `read` and `write` raise one of WOULD_BLOCK if nothing can be done at the moment, a TimeoutError without an errno
    if it is one that blocks and its time is over, and `ssl.SSLEOFError` if TLS has not ended as it should.
    """

    __slots__ = ("fd", "limit", "poll", "read", "write")

    def __init__(
        self,
        fd: int,
        read: Callable[[int], bytes],
        write: Callable[[Any], int],
        poll: Callable[[float], object] | None = None,
        limit: Callable[[float], object] | None = None,
    ) -> None:
        self.fd = fd
        self.read = read
        self.write = write
        self.poll = _poll(fd, select.POLLIN) if poll is None else poll
        self.limit = limit

    def wait_after(self, refused: Exception, seconds: float) -> None:
        """Wait after a write that raised one of WOULD_BLOCK, or a read that wants to write: TLS may have to do the
        other first."""
        events = select.POLLIN if isinstance(refused, ssl.SSLWantReadError) else select.POLLOUT
        _poll(self.fd, events)(seconds * 1000)


#: That nothing can be read or written at the moment.
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def wire_to(sock: Any, clock: Clock) -> Wire:
    """The wire at a socket that has been connected; it does not block any more then."""
    if not isinstance(sock, socket.socket):
        return _layered_wire(sock, clock)
    sock.settimeout(0.0)
    read, write = sock.operations() if isinstance(sock, TlsSocket) else (sock.recv, sock.send)
    return Wire(sock.fileno(), read, write)


def _poll(fd: int, events: int) -> Callable[[float], object]:
    poller = select.poll()
    poller.register(fd, events)
    return poller.poll


def _layered_wire(sock: Any, clock: Clock) -> Wire:
    from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415  for few, and loads much

    if not isinstance(sock, SSLTransport):
        return _blocking(sock, sock.settimeout)
    below = _InTime(sock.socket, clock)
    sock.socket = below  # type: ignore[assignment]
    return _blocking(sock, below.settimeout)


def _blocking(sock: Any, limit: Callable[[float], object]) -> Wire:
    """TLS within TLS, or a stream within another connection: such a one has bytes in hand, so it is read at once.

    Args:
        limit: Sets how many seconds what is done from now on may take.
    """
    fd = sock.fileno()
    look = _poll(fd, select.POLLIN)

    def poll(milliseconds: float) -> object:
        return limit(milliseconds / 1000) if milliseconds > 0 else look(0)

    return Wire(fd, sock.recv, sock.send, poll, limit)


class _InTime:
    """What is under a TLS connection within another: its timeout is for all of an operation of the upper one."""

    def __init__(self, sock: Any, clock: Clock) -> None:
        self._sock = sock
        self._clock = clock
        self._ends_at = clock.now()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, seconds: float) -> None:
        self._ends_at = self._clock.now() + seconds

    def recv(self, size: int) -> bytes:
        self._sock.settimeout(self._left())
        data: bytes = self._sock.recv(size)
        return data

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._sock.settimeout(self._left())
            view = view[self._sock.send(view) :]

    def _left(self) -> float:
        left = self._ends_at - self._clock.now()
        if left <= 0:
            raise TimeoutError("timed out")
        return left
