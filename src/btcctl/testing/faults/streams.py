"""One watch on its way through the proxy, and the ways it can end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum

LAST_CHUNK = b"0\r\n\r\n"
_LINE = b'{"type":"MODIFIED","object":{"metadata":{"name":"never-told","resourceVersion":"1"}}}\n'


class End(Enum):
    """How a stream can end."""

    CLEAN = "clean"  #: the body is complete
    CLOSED = "closed"  #: the connection is closed without the body's end, as a killed server does
    RESET = "reset"  #: TCP RST
    HALF_LINE = "half line"  #: a chunk with half a line, and closed
    TRUNCATED_CHUNK = "truncated chunk"  #: a chunk that is longer than what comes of it, and closed


def frame(line: bytes) -> bytes:
    """As one chunk."""
    return b"%x\r\n%b\r\n" % (len(line), line)


class Stream:
    """The client's side of one watch. Thread-safe."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()  # guards everything below, and what is written to the socket
        self._silent = False
        self.end_of_it: End | None = None  #: how it ended; None while it has not

    def send(self, lines: list[bytes]) -> None:
        """Pass lines on, unless it is silent.

        Raises:
            OSError: The client is gone, or the stream was ended.
        """
        data = b"".join(map(frame, lines))
        with self._lock:
            if self.end_of_it is not None:
                raise ConnectionError("the stream was ended")
            if not self._silent:
                self._sock.sendall(data)

    def trickle(self, data: bytes) -> None:
        """Send bytes that complete no line."""
        with self._lock, suppress(OSError):
            if self.end_of_it is None:
                self._sock.sendall(frame(data))

    def silence(self) -> None:
        """Pass nothing on any more, and stay open."""
        with self._lock:
            self._silent = True

    def end(self, how: End) -> None:
        """Idempotent."""
        with self._lock:
            if self.end_of_it is not None:
                return
            self.end_of_it = how
            with suppress(OSError):
                self._sock.sendall(_last_bytes(how))
            with suppress(OSError):
                # Wakes the thread that waits for the client to leave; it closes the connection. Below
                # TLS, whose own shutdown is not for use by two threads.
                socket.socket.shutdown(self._sock, socket.SHUT_RD)


def _last_bytes(how: End) -> bytes:
    if how is End.CLEAN:
        return LAST_CHUNK
    if how is End.HALF_LINE:
        return frame(_LINE[: len(_LINE) // 2])
    if how is End.TRUNCATED_CHUNK:
        return frame(_LINE)[: len(_LINE) // 2]
    return b""


def close(sock: socket.socket, *, reset: bool) -> None:
    """Close a connection, in good order or with an RST."""
    with suppress(OSError):
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        else:
            socket.socket.shutdown(sock, socket.SHUT_WR)
    sock.close()
