"""One connection of a client to the proxy."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import build_context
from btcctl.testing.faults.requests import Answer, ProxiedRequest, Rule, read_request
from btcctl.testing.faults.streams import End, Stream, close, frame
from btcctl.threads import Runner

_PIECE_BYTES = 1 << 16
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"})
UPSTREAM_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go."""

    host: str
    port: int
    context: ssl.SSLContext | None = None  #: None for plain HTTP

    @classmethod
    def of(cls, config: ClientConfig) -> Target:
        """The server of a client's configuration; its client certificate, if any, becomes the proxy's."""
        url = urlsplit(config.host)
        secure = url.scheme == "https"
        context = build_context(config.tls) if secure else None
        return cls(url.hostname or "", url.port or (443 if secure else 80), context)


class Proxy(Protocol):
    """What a connection needs of the proxy it belongs to."""

    upstream: Target

    @property
    def rules(self) -> tuple[Rule, ...]: ...

    def is_black_hole(self) -> bool: ...

    def note(self, request: ProxiedRequest) -> None: ...

    def opened(self, stream: Stream) -> None: ...

    def ended(self, stream: Stream) -> None: ...


class ClientConnection:
    """Answers the requests of one connection, one after the other.

    Args:
        sock: Connected, TLS done.
        proxy: Says what is to go wrong.
        name: For its threads.
    """

    def __init__(self, sock: socket.socket, proxy: Proxy, name: str) -> None:
        self._sock = sock
        self._proxy = proxy
        self._name = name
        self._reset = False
        self._far: http.client.HTTPConnection | None = None
        self._far_sock: socket.socket | None = None

    def reset(self) -> None:
        """Break it off with an RST. Any thread."""
        self._reset = True
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RD)

    def serve(self) -> None:
        """Until either side ends it. Blocks."""
        try:
            with self._sock.makefile("rb") as source:
                while not self._reset and (request := read_request(source)) is not None:
                    self._proxy.note(request)
                    if not self._answer(request):
                        break
        except (OSError, ValueError, http.client.HTTPException):
            pass  # one side is gone, and so will be the other
        finally:
            if self._far is not None:
                self._far.close()
            close(self._sock, reset=self._reset)

    def _answer(self, request: ProxiedRequest) -> bool:
        """Answer; False if nothing may follow on this connection."""
        if self._proxy.is_black_hole():
            return self._hold()
        for rule in self._proxy.rules:
            answer = rule.answer(request)
            if answer is not None:
                self._send(answer)
                return not answer.is_cut
        asked = request
        for rule in self._proxy.rules:
            asked = rule.ask(asked)
        response = self._ask(asked)
        if request.is_watch and response.status == 200:
            self._watch(request, response)
            return False
        body = response.read()
        for rule in self._proxy.rules:
            body = rule.page(request, body) if response.status == 200 else body
        if self._proxy.is_black_hole():
            return self._hold()
        headers = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
        self._send_whole(response.status, headers, body, head_only=request.method == "HEAD")
        return True

    def _hold(self) -> bool:
        """Answer nothing; only the client can end that."""
        while self._sock.recv(_PIECE_BYTES):
            pass
        return False

    def _wait_until_left(self) -> None:
        """Reads nothing: another thread writes, and TLS does not take both at once."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        poll.poll()

    def _ask(self, request: ProxiedRequest) -> http.client.HTTPResponse:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        if self._far is None:
            self._far = self._dial()
        self._far.request(request.method, request.target, request.body or None, headers)
        self._far_sock = self._far.sock  # forgotten by its owner once a "Connection: close" has come
        return self._far.getresponse()

    def _dial(self) -> http.client.HTTPConnection:
        to = self._proxy.upstream
        if to.context is None:
            return http.client.HTTPConnection(to.host, to.port, timeout=UPSTREAM_SECONDS)
        return http.client.HTTPSConnection(to.host, to.port, timeout=UPSTREAM_SECONDS, context=to.context)

    def _watch(self, request: ProxiedRequest, response: http.client.HTTPResponse) -> None:
        far = self._far_sock
        if far is not None:
            far.settimeout(None)
        self._sock.sendall(_head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
        stream = Stream(self._sock)
        self._proxy.opened(stream)
        pump = Runner(f"{self._name}-watch", lambda _: self._pump(request, response, stream))
        try:
            pump.start()
            self._wait_until_left()
        finally:
            stream.end(End.CLOSED)
            self._reset = self._reset or stream.end_of_it is End.RESET
            _break(far)
            pump.stop()
            response.close()
            self._proxy.ended(stream)

    def _pump(self, request: ProxiedRequest, response: http.client.HTTPResponse, stream: Stream) -> None:
        """Pass the lines of a watch on, until either side ends it."""
        partial = b""
        try:
            while piece := response.read1(_PIECE_BYTES):
                *lines, partial = (partial + piece).split(b"\n")
                passed = [self._ruled(request, line + b"\n") for line in lines]
                if lines:
                    stream.send([line for line in passed if line])
            stream.end(End.CLEAN)
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            # The client left, the server broke off, or the response was closed under our hands.
            stream.end(End.CLOSED)

    def _ruled(self, request: ProxiedRequest, line: bytes) -> bytes:
        for rule in self._proxy.rules:
            line = rule.line(request, line) if line else line
        return line

    def _send(self, answer: Answer) -> None:
        headers = {"Content-Type": answer.content_type}
        if answer.retry_after is not None:
            headers["Retry-After"] = str(answer.retry_after)
        if answer.is_stream:
            chunk = frame(answer.body) if answer.body else b""
            self._sock.sendall(_head(answer.status, {**headers, "Transfer-Encoding": "chunked"}) + chunk + b"0\r\n\r\n")
        elif answer.is_cut:
            head = _head(answer.status, {**headers, "Content-Length": str(len(answer.body))})
            self._sock.sendall(head + answer.body[: len(answer.body) // 2])
        else:
            self._send_whole(answer.status, headers, answer.body)

    def _send_whole(self, status: int, headers: dict[str, str], body: bytes, *, head_only: bool = False) -> None:
        head = _head(status, {**headers, "Content-Length": str(len(body))})
        self._sock.sendall(head if head_only else head + body)


def _head(status: int, headers: dict[str, str]) -> bytes:
    phrase = http.client.responses.get(status, "Unknown")
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _break(sock: socket.socket | None) -> None:
    if sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
