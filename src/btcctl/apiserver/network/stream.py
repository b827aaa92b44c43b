"""One watch on its socket: what waits to be sent, and how much of it may wait."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from btcctl.apiserver.streaming.chunks import LAST_CHUNK

_READ_BYTES = 4096
_SENDS_PER_TURN = 16  # then the others get their turn
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Watch(Protocol):
    """What the pump needs of a watch; `btcctl.apiserver.storage.watches.Watch` fits."""

    deadline: float | None  #: monotonic instant at which it is to end; None for never

    def start(self, sink: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """Give each line to `sink`, in order; call `on_end` after the last, if it ends by itself."""

    def bookmark(self) -> None:
        """Give a BOOKMARK line to the sink, if the client asked for them."""

    def stop(self) -> None:
        """Give nothing to the sink any more. Idempotent."""


class Owner(Protocol):
    """What a stream needs of the pump that writes it."""

    def frame(self, line: bytes) -> bytes:
        """`line` as a chunk."""

    def mark_dirty_locked(self, stream: Stream) -> None:
        """Have `stream` written soon. The caller holds the lock."""


class Stream:
    """One watch and its socket. `put` and `end` come from any thread, the rest from the pump's."""

    def __init__(self, owner: Owner, lock: threading.Lock, sock: socket.socket, watch: Watch, about: str) -> None:
        self.sock = sock
        self.watch = watch
        self.about = about
        self.closed = False
        self.wants_write = False
        self.due_at = 0.0  # when the pump is to see to bookmark or deadline
        self.finished = False  # the last chunk is sent
        self._owner = owner
        self._lock = lock
        self._sending = memoryview(b"")
        # The pump's lock guards these.
        self.dirty = True  # and on nobody's list: the pump writes it once when it takes it over
        self.overrun = False
        self.backlog = 0  # bytes not sent yet
        self.limit: float = float("inf")
        self._frames: deque[bytes] = deque()
        self._ended = False

    def put(self, line: bytes) -> None:
        """Queue one event."""
        framed = self._owner.frame(line)
        with self._lock:
            if self._ended or self.overrun:
                return
            self._frames.append(framed)
            self.backlog += len(framed)
            if self.backlog > self.limit:
                self.overrun = True
                self._frames.clear()
            self._owner.mark_dirty_locked(self)

    def end(self) -> None:
        """Queue the end of the body; nothing may follow. Idempotent."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._frames.append(LAST_CHUNK)
                self.backlog += len(LAST_CHUNK)
                self._owner.mark_dirty_locked(self)

    def write(self) -> bool:
        """Send what the client takes without waiting.

        Returns:
            False if something is left.

        Raises:
            OSError: The client is gone.
        """
        for _ in range(_SENDS_PER_TURN):
            if not self._sending and not self._refill():
                return True
            try:
                sent = self.sock.send(self._sending)
            except _WOULD_BLOCK:
                return False
            self._sending = self._sending[sent:]
            with self._lock:
                self.backlog -= sent
                self.finished = self._ended and self.backlog == 0
        return self.backlog == 0

    def has_left(self) -> bool:
        """Read and discard what a client of a watch has no business to send."""
        try:
            for _ in range(_SENDS_PER_TURN):
                if not self.sock.recv(_READ_BYTES):
                    return True
        except _WOULD_BLOCK:
            pass
        except OSError:
            return True
        return False

    def close(self) -> None:
        """Idempotent."""
        self.closed = True
        self.watch.stop()
        with self._lock:
            self._ended = True
            self._frames.clear()
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _refill(self) -> bool:
        with self._lock:
            chunk = b"".join(self._frames)
            self._frames.clear()
        self._sending = memoryview(chunk)
        return bool(chunk)
