"""Breaks off a blocking call from another thread, in every phase of it.

A socket is registered before it connects, as a `dup()`: TLS detaches the original object, and
the twin's descriptor cannot be reused by someone else. `shutdown` on the twin ends connect,
handshake, headers and body alike within milliseconds; urllib3's own `HTTPResponse.shutdown`
exists only once the headers have come, and lets TLS ciphertext through as data.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable

from btcctl.errors import Interrupted


class Breaker:
    """One blocking call at a time; trip it once and it stays tripped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the three below
        self._twin: socket.socket | None = None
        self._tripped = False
        self._callback: Callable[[], None] | None = None

    @property
    def tripped(self) -> bool:
        return self._tripped

    def check(self) -> None:
        """Raise Interrupted if tripped: call before connecting and after every chunk."""
        if self._tripped:
            raise Interrupted("stopped")

    def attach(self, sock: socket.socket) -> None:
        """Watch over `sock`, before it connects.

        Raises:
            Interrupted: Tripped already; the socket is the caller's to close.
        """
        # Not sock.dup(), which sets the twin's timeout: whether it blocks is one property of both, and a socket that
        # is read without blocking would block from then on.
        twin = socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))
        with self._lock:
            if self._tripped:
                twin.close()
                raise Interrupted("stopped")
            previous, self._twin = self._twin, twin
        if previous is not None:
            previous.close()

    def on_trip(self, callback: Callable[[], None]) -> None:
        """For a call without a socket: call this when tripped, until `release`.

        Raises:
            Interrupted: Tripped already.
        """
        with self._lock:
            self.check()
            self._callback = callback

    def trip(self) -> None:
        """Break off the call in flight and every later one. From any thread; idempotent."""
        with self._lock:
            self._tripped = True
            callback, self._callback = self._callback, None
            if self._twin is not None:
                with contextlib.suppress(OSError):
                    self._twin.shutdown(socket.SHUT_RDWR)
        if callback is not None:
            callback()

    def release(self) -> None:
        """Let the socket go: the reader calls it in `finally`, or no FIN is ever sent."""
        with self._lock:
            twin, self._twin = self._twin, None
            self._callback = None
        if twin is not None:
            twin.close()
