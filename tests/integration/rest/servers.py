"""Small servers that misbehave as told: each connection is handled by a function of the test."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from btcctl.threads import Runner, Stop


@dataclass
class Received:
    """One request as it came in."""

    method: str
    target: str
    headers: dict[str, str]  #: lower-case names
    body: bytes
    connection: int = 0  #: which of the server's connections brought it, from 0
    header_lines: list[str] = field(default_factory=list)  #: as they came, repeated ones too


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, number: int, server: SocketServer) -> None:
        self.number = number
        self._sock = sock
        self._file = sock.makefile("rb")
        self._server = server

    def read_request(self) -> Received | None:
        """The next request, or None if the client has gone."""
        line = self._file.readline()
        if not line:
            return None
        method, target, _ = line.decode().split(" ", 2)
        headers: dict[str, str] = {}
        lines: list[str] = []
        while (header := self._file.readline().decode().strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
            lines.append(header)
        body = self._file.read(int(headers.get("content-length", "0")))
        received = Received(method, target, headers, body, self.number, lines)
        self._server.requests.append(received)
        return received

    def read_some(self) -> bytes:
        """What has come; b"" once the client has gone."""
        return self._file.read1(65536)

    def read_exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise OSError("the client has gone")
        return data

    def note(self, what: str) -> None:
        """Keep something for the test to see."""
        self._server.notes.append(what)

    def shut_down(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def respond(self, body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self.send(head(status, {"Content-Length": str(len(data)), **(headers or {})}) + data)

    def start_stream(self, status: int = 200) -> None:
        self.send(head(status, {"Transfer-Encoding": "chunked"}))

    def send_chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def wait_until_gone(self) -> None:
        """Return once the client has closed the connection."""
        while self._file.read(1024):
            pass

    def close(self) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


Handler = Callable[[Peer], None]


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def event(type_: str, name: str, version: str = "1") -> bytes:
    body = {"metadata": {"name": name, "namespace": "ns", "resourceVersion": version}}
    return json.dumps({"type": type_, "object": body}).encode() + b"\n"


def always(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Handler:
    """Answer every request of a connection in the same way."""

    def handle(peer: Peer) -> None:
        while peer.read_request():
            peer.respond(body, status, headers)

    return handle


@dataclass
class SocketServer:
    """Listens on 127.0.0.1. The n-th connection gets the n-th handler, later ones the last."""

    handlers: list[Handler]
    tls: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._lock = threading.Lock()  # guards the two below
        self._connections: list[socket.socket] = []
        self._runners: list[Runner] = []
        self._acceptor = Runner("test-accept", self._accept)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def connection_count(self) -> int:
        with self._lock:
            return len(self._connections)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.stop()
        self._listener.close()
        with self._lock:
            connections, runners = self._connections, self._runners
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for runner in runners:
            runner.stop()
        for connection in connections:
            connection.close()

    def _accept(self, stop: Stop) -> None:
        while not stop.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                number = len(self._connections)
                self._connections.append(accepted.dup())
                runner = Runner(f"test-connection-{number}", lambda _, a=accepted, n=number: self._serve(a, n))
                self._runners.append(runner)
            runner.start()

    def _serve(self, accepted: socket.socket, number: int) -> None:
        handler = self.handlers[min(number, len(self.handlers) - 1)]
        try:
            if self.tls is not None:
                accepted = self.tls.wrap_socket(accepted, server_side=True)
            peer = Peer(accepted, number, self)
        except OSError:
            accepted.close()
            return
        with contextlib.closing(peer), contextlib.suppress(OSError, ValueError):
            handler(peer)
