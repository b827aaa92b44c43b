"""One end of a stream: a socket, TLS or not, or the end of a pipe, read and written without waiting."""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress

from btcctl.clock import SYSTEM_CLOCK, Clock

_READ_BYTES = 64 << 10
_READS_PER_TURN = 16  # then the others get their turn
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
CROWDED_BYTES = 1 << 20


class End:
    """One end, used by one thread.

    Attributes:
        ended: Nothing more will be read.
        broken: Nothing more can be written.

    Args:
        file: A socket, or the descriptor of a pipe, which this then owns.
    """

    def __init__(self, file: socket.socket | int) -> None:
        self.ended = False
        self.broken = False
        self._file = file
        self._outbox = bytearray()
        self._finishing = False
        self._closed = False
        if isinstance(file, int):
            os.set_blocking(file, False)
        else:
            file.setblocking(False)

    def fileno(self) -> int:
        return self._file if isinstance(self._file, int) else self._file.fileno()

    @property
    def pending(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._outbox)

    @property
    def crowded(self) -> bool:
        """Whether so much waits to be sent that its source should not be read."""
        return len(self._outbox) > CROWDED_BYTES

    @property
    def has_buffered(self) -> bool:
        """Whether TLS holds bytes that no poll tells of."""
        return isinstance(self._file, ssl.SSLSocket) and self._file.pending() > 0

    def read(self) -> bytes:
        """What is there, perhaps nothing."""
        chunks: list[bytes] = []
        try:
            for _ in range(_READS_PER_TURN):
                chunk = self._read_once()
                if not chunk:
                    self.ended = True
                    break
                chunks.append(chunk)
        except _WOULD_BLOCK:
            pass
        except OSError:
            self.ended = True
        return b"".join(chunks)

    def write(self, data: bytes) -> None:
        """Send as much as goes now, keep the rest."""
        if not self.broken and not self._closed:
            self._outbox += data
            self.flush()

    def flush(self) -> None:
        """Send as much as goes now of what was kept."""
        try:
            while self._outbox:
                del self._outbox[: self._write_once(self._outbox)]
        except _WOULD_BLOCK:
            return
        except OSError:
            self.broken = True
            self._outbox.clear()
        if self._finishing:
            self._finish_now()

    def finish(self) -> None:
        """Write nothing more; the other side learns of it once all has been sent."""
        self._finishing = True
        self.flush()

    def close(self) -> None:
        """Idempotent; what was not sent is lost."""
        if not self._closed:
            self._closed = self.ended = self.broken = True
            self._outbox.clear()
            if isinstance(self._file, int):
                os.close(self._file)
            else:
                self._file.close()

    def drain(self, timeout: float, clock: Clock = SYSTEM_CLOCK) -> None:
        """Wait until all has been sent, for at most `timeout` seconds."""
        deadline = clock.now() + timeout
        while self._outbox and not self.broken and clock.now() < deadline:
            wait_for((), (self,), deadline - clock.now())

    def _read_once(self) -> bytes:
        return os.read(self._file, _READ_BYTES) if isinstance(self._file, int) else self._file.recv(_READ_BYTES)

    def _write_once(self, data: bytearray) -> int:
        return os.write(self._file, data) if isinstance(self._file, int) else self._file.send(data)

    def _finish_now(self) -> None:
        if isinstance(self._file, int):
            self.close()
        else:
            with suppress(OSError):
                socket.socket.shutdown(self._file, socket.SHUT_WR)


def wait_for(readers: Iterable[End], writers: Iterable[End], timeout: float) -> list[End]:
    """Wait until an end can be read or written, and send what `writers` hold.

    Args:
        timeout: Seconds.

    Returns:
        Those of `readers` that have something to read, or have ended.
    """
    readers = [each for each in readers if not each.ended]
    wanted: dict[End, int] = dict.fromkeys(readers, select.POLLIN)
    for end in writers:
        if end.pending and not end.broken:
            wanted[end] = wanted.get(end, 0) | select.POLLOUT
    buffered = [each for each in readers if each.has_buffered]
    by_number = {each.fileno(): each for each in wanted}
    poll = select.poll()
    for end, mask in wanted.items():
        poll.register(end.fileno(), mask)
    happened = {by_number[number]: mask for number, mask in poll.poll(0 if buffered else timeout * 1000)}
    for end, mask in happened.items():
        if end.pending and mask & ~select.POLLIN:
            end.flush()
    return [each for each in readers if each in buffered or happened.get(each, 0) & ~select.POLLOUT]
