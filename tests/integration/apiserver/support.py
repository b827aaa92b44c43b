"""A watch under a test's control, and a client that reads chunks off a socket."""

from __future__ import annotations

import socket
from collections.abc import Callable


class ScriptedWatch:
    """A watch whose events the test makes.

    Args:
        deadline: When the pump is to end it.
        replay: Lines given at its start.
    """

    def __init__(self, *, deadline: float | None = None, replay: tuple[bytes, ...] = ()) -> None:
        self.deadline = deadline
        self.stopped = False
        self.bookmarks = 0
        self.sink: Callable[[bytes], None] = lambda _: None
        self.on_end: Callable[[], None] = lambda: None
        self._replay = replay

    def start(self, sink: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self.sink, self.on_end = sink, on_end
        for line in self._replay:
            sink(line)

    def bookmark(self) -> None:
        self.bookmarks += 1
        self.sink(b'{"type":"BOOKMARK"}\n')

    def stop(self) -> None:
        self.stopped = True


class ChunkReader:
    """Reads a chunked body, one chunk at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(10.0)
        self._file = sock.makefile("rb")

    def chunk(self) -> bytes:
        """The next chunk; b"" at the clean end.

        Raises:
            EOFError: The body was broken off.
        """
        size_line = self._file.readline()
        if not size_line.endswith(b"\r\n"):
            raise EOFError
        data = self._file.read(int(size_line, 16))
        if self._file.read(2) != b"\r\n":
            raise EOFError
        return data

    def rest(self) -> bytes:
        return self._file.read()

    def close(self) -> None:
        self._file.close()
