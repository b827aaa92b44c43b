"""The network between one writer and the API server: it can be cut, and then holds what is sent.

Towards the writer it speaks plain HTTP, so that it can note each request that arrives.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from btcctl.clock import SYSTEM_CLOCK
from btcctl.threads import Runner, Stop

_CHUNK_BYTES = 1 << 16
_SECONDS = 10.0
_POLL_SECONDS = 0.02
_LAST_ANSWER_SECONDS = 1.0
_REQUEST = re.compile(rb"[A-Z]+ /.*?\r\nUser-Agent: (\S+)", re.DOTALL | re.IGNORECASE)


class Network:
    """A context manager.

    Attributes:
        url: For the writer.
    """

    def __init__(self, server_url: str) -> None:
        url = urlsplit(server_url)
        self.target = (url.hostname or "", url.port or 0)
        self.tls = ssl._create_unverified_context() if url.scheme == "https" else None  # noqa: S323  on loopback
        self.is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()  # guards the two that follow
        self._arrived: dict[str, float] = {}
        self._connections: list[Runner] = []
        self._acceptor = Runner("network", self._accept)

    def cut(self) -> None:
        """Hold whatever comes from now on, in both directions, until `mend`."""
        self.is_cut = True

    def mend(self) -> None:
        """Deliver what was held, late as it is."""
        self.is_cut = False

    def note(self, data: bytes) -> None:
        found = _REQUEST.match(data)
        if found:
            with self._lock:
                self._arrived.setdefault(found[1].decode(), SYSTEM_CLOCK.wall_time().timestamp())

    def arrived(self) -> dict[str, float]:
        """When each request first arrived here, in seconds of the time of day, by its User-Agent."""
        with self._lock:
            return dict(self._arrived)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.mend()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.stop()
        self._listener.close()
        with self._lock:
            connections = [*self._connections]
        for each in connections:
            each.request_stop()
        for each in connections:
            each.stop()

    def _accept(self, stop: Stop) -> None:
        while not stop.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            runner = Runner("network-connection", _Connection(self, near).run)
            with self._lock:
                self._connections = [*(each for each in self._connections if each.is_alive()), runner]
                runner.start()


class _Connection:
    """One connection of the writer's. What it sent before it hung up is delivered, too."""

    def __init__(self, network: Network, near: socket.socket) -> None:
        self._network = network
        self._near = near
        self._far: socket.socket | None = None
        self._held = bytearray()
        self._is_near_open = True

    def run(self, stop: Stop) -> None:
        with suppress(OSError):
            while not stop.is_set() and (self._is_near_open or self._held):
                self._step()
            if self._far is not None:
                self._far.settimeout(_LAST_ANSWER_SECONDS)
                self._far.recv(_CHUNK_BYTES)  # so that the server has taken the last request
        for sock in (self._near, self._far):
            if sock is not None:
                sock.close()

    def _step(self) -> None:
        if self._held and not self._network.is_cut:
            if self._far is None:
                self._far = self._dial()
            self._far.sendall(self._held)
            self._held.clear()
        wanted = [self._near] if self._is_near_open else []
        if self._far is not None and not self._network.is_cut:
            wanted.append(self._far)
        readable, _, _ = select.select(wanted, [], [], _POLL_SECONDS)
        if self._near in readable:
            self._take()
        if self._far in readable:
            self._give()

    def _take(self) -> None:
        try:
            data = self._near.recv(_CHUNK_BYTES)
        except OSError:
            data = b""
        self._network.note(data)
        self._held += data
        self._is_near_open = bool(data)

    def _give(self) -> None:
        """TLS may have more in its own buffer, which select does not see."""
        assert self._far is not None
        while True:
            data = self._received()
            if data is None:
                return
            if data and self._is_near_open:
                with suppress(OSError):
                    self._near.sendall(data)
            self._is_near_open = self._is_near_open and bool(data)
            if not (data and isinstance(self._far, ssl.SSLSocket) and self._far.pending()):
                return

    def _received(self) -> bytes | None:
        """None if nothing came that is for the writer: a ticket of TLS, say, while the server waits for a body."""
        assert self._far is not None
        self._far.settimeout(0.0)
        try:
            return self._far.recv(_CHUNK_BYTES)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        finally:
            self._far.settimeout(_SECONDS)

    def _dial(self) -> socket.socket:
        plain = socket.create_connection(self._network.target, _SECONDS)
        return plain if self._network.tls is None else self._network.tls.wrap_socket(plain)
