"""A TCP relay on loopback that a test can cut: the network between a client and its server."""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

from btcctl.threads import Runner, Stop

_SECONDS = 10.0
_CHUNK_BYTES = 1 << 16
_POLL_SECONDS = 0.02


class Relay:
    """Passes everything on to a port of this machine, while it is not cut. A context manager."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._pairs: dict[socket.socket, socket.socket] = {}  # touched by the runner's thread only
        self._whole = threading.Event()  # set: passes on
        self._broken = threading.Event()  # set: no connection is left
        self._whole.set()
        self._runner = Runner("relay", self._run)

    def cut(self) -> None:
        """Break every connection and take no new one, until `mend`."""
        self._whole.clear()
        assert self._broken.wait(_SECONDS)

    def mend(self) -> None:
        self._broken.clear()
        self._whole.set()

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._runner.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._runner.stop()
        self._drop_all()
        self._selector.close()
        self._listener.close()

    def _run(self, stop: Stop) -> None:
        while not stop.is_set():
            for key, _ in self._selector.select(_POLL_SECONDS):
                sock = key.fileobj
                if sock is self._listener:
                    self._accept()
                elif sock in self._pairs:
                    self._pass_on(sock)
            if not self._whole.is_set():
                self._drop_all()
                self._broken.set()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            if not self._whole.is_set():
                raise ConnectionError
            far = socket.create_connection(self._target, _SECONDS)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            one.settimeout(_SECONDS)
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(_CHUNK_BYTES)
            if data:
                self._pairs[sock].sendall(data)
                return
        except OSError:
            pass
        self._drop(sock)

    def _drop(self, sock: socket.socket) -> None:
        for each in (sock, self._pairs[sock]):
            del self._pairs[each]
            self._selector.unregister(each)
            each.close()

    def _drop_all(self) -> None:
        while self._pairs:
            self._drop(next(iter(self._pairs)))
