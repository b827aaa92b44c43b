"""A proxy between any client and any API server, in which what passes can go wrong."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.testing.faults.connection import ClientConnection, Target
from btcctl.testing.faults.requests import ProxiedRequest, Rule
from btcctl.testing.faults.streams import End, Stream
from btcctl.threads import Runner, Stop

_BACKLOG = 128
_HANDSHAKE_SECONDS = 10.0
_REMEMBERED = 100_000


class Seen(NamedTuple):
    """A request that has passed."""

    at: float  #: monotonic seconds
    request: ProxiedRequest


class FaultProxy:
    """Listens on loopback and passes HTTP/1.1 requests on. A context manager.

    Without rules and calls it changes nothing. Watches are passed on line by line.

    Args:
        target: Where to.
        tls: What clients are shown; None listens for plain HTTP.
        clock: Dates requests.
    """

    def __init__(self, target: Target, *, tls: ssl.SSLContext | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.upstream = target
        self._tls = tls
        self._clock = clock
        self._numbers = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor: Runner | None = None
        self._lock = threading.Lock()  # guards everything below
        self._rules: tuple[Rule, ...] = ()
        self._black_hole = False
        self._streams: set[Stream] = set()
        self._connections: dict[ClientConnection, Runner] = {}
        self._seen: deque[Seen] = deque(maxlen=_REMEMBERED)

    @property
    def url(self) -> str:
        """Where clients find it, on loopback."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """In force now."""
        return self._rules

    def is_black_hole(self) -> bool:
        """Whether nothing is to be answered."""
        return self._black_hole

    @contextmanager
    def rule(self, *rules: Rule) -> Iterator[None]:
        """Have `rules` in force for the `with` block; the first that answers a request wins."""
        with self._lock:
            self._rules = (*self._rules, *rules)
        try:
            yield
        finally:
            with self._lock:
                self._rules = tuple(each for each in self._rules if not any(each is one for one in rules))

    def end_watches(self, how: End) -> None:
        """End every watch that is open."""
        for stream in self._open_streams():
            stream.end(how)

    def silence_watches(self) -> list[Stream]:
        """Let every open watch stay open, and pass nothing on, for ever; returns them."""
        streams = self._open_streams()
        for stream in streams:
            stream.silence()
        return streams

    def tell(self, event: Mapping[str, Any]) -> None:
        """Put an event into every open watch."""
        line = json.dumps(event).encode() + b"\n"
        for stream in self._open_streams():
            with suppress(OSError):
                stream.send([line])

    def reset(self) -> None:
        """Break off every connection with an RST, whatever it is used for."""
        self.end_watches(End.RESET)
        with self._lock:
            connections = list(self._connections)
        for each in connections:
            each.reset()

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Take connections and bytes, and answer nothing. What was open then stays dead afterwards."""
        self._black_hole = True
        self.silence_watches()
        try:
            yield
        finally:
            self._black_hole = False

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse new connections: nothing listens. Open ones go on."""
        self._close_listener()
        try:
            with socket.socket() as placeholder:  # or another process might get the port
                placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                placeholder.bind(("127.0.0.1", self.port))
                yield
        finally:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=_BACKLOG)
            self._listen()

    def open_watches(self) -> int:
        """How many there are."""
        return len(self._open_streams())

    def seen(self) -> list[Seen]:
        """The requests that came, oldest first; the last hundred thousand."""
        with self._lock:
            return list(self._seen)

    def start(self) -> None:
        """Listen, on a free port of loopback."""
        self._listen()

    def stop(self) -> None:
        """Close it and every connection. Idempotent."""
        self._close_listener()
        self.end_watches(End.CLOSED)
        with self._lock:
            connections = dict(self._connections)
        for connection, runner in connections.items():
            connection.reset()
            runner.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def note(self, request: ProxiedRequest) -> None:
        """Called by connections: a request has come."""
        with self._lock:
            self._seen.append(Seen(self._clock.now(), request))

    def opened(self, stream: Stream) -> None:
        """Called by connections: a watch has begun."""
        with self._lock:
            self._streams.add(stream)

    def ended(self, stream: Stream) -> None:
        """Called by connections: a watch is over."""
        with self._lock:
            self._streams.discard(stream)

    def _open_streams(self) -> list[Stream]:
        with self._lock:
            return list(self._streams)

    def _listen(self) -> None:
        self._acceptor = Runner(f"faults-accept-{self.port}", self._accept)
        self._acceptor.start()

    def _close_listener(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._acceptor is not None:
            self._acceptor.stop()
        self._listener.close()

    def _accept(self, stop: Stop) -> None:
        listener = self._listener
        while not stop.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self._take(sock)

    def _take(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = f"faults-{self.port}-{next(self._numbers)}"
        runner = Runner(name, lambda _: self._serve(sock, runner, name))
        runner.start()

    def _serve(self, sock: socket.socket, runner: Runner, name: str) -> None:
        try:
            secured = self._secured(sock)
        except OSError:  # ssl.SSLError is one
            sock.close()
            return
        connection = ClientConnection(secured, self, name)
        with self._lock:
            self._connections[connection] = runner
        try:
            connection.serve()
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    def _secured(self, sock: socket.socket) -> socket.socket:
        if self._tls is None:
            return sock
        sock.settimeout(_HANDSHAKE_SECONDS)
        secured = self._tls.wrap_socket(sock, server_side=True)
        secured.settimeout(None)
        return secured
