"""urllib3's connections, with the Breaker attached before anything can block.

The call being made is in a thread-local: urllib3 offers no other way from a request to the
connection that serves it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError

from btcctl.clock import bounded
from btcctl.errors import Interrupted
from btcctl.rest.breaker import Breaker
from btcctl.rest.tls import TlsContexts
from btcctl.rest.transport import Fence

# A peer that vanished is noticed after 30 + 3 × 10 s, also by a connection nothing is sent on.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class Answer(http.client.HTTPResponse):
    """An answer that makes itself known: urllib3 keeps what its body is read from to itself."""

    def begin(self) -> None:
        super().begin()
        _current.call.answer = self

    def read_raw(self, size: int) -> bytes:
        """What has come of the body, at most `size` bytes, with its framing; b"" at the end."""
        return self.fp.read1(size)


@dataclass(slots=True)
class Call:
    """One request on its way through urllib3."""

    breaker: Breaker | None = None
    tls: TlsContexts | None = None
    fence: Fence | None = None
    dialled: bool = False  #: a new connection was made for it
    #: What the answer is read from. The connection itself forgets it after "Connection: close".
    sock: socket.socket | None = None
    answer: Answer | None = None

    def attach(self, sock: socket.socket) -> None:
        if self.breaker is not None:
            self.breaker.attach(sock)

    def set_read_timeout(self, seconds: float) -> None:
        """Change how long each of the next reads may block."""
        if self.sock is not None:
            with contextlib.suppress(OSError):  # it is closed: the whole answer has come
                self.sock.settimeout(bounded(seconds))


class _Current(threading.local):
    call: Call = Call()


_current = _Current()


@contextlib.contextmanager
def calling(call: Call) -> Iterator[Call]:
    """Make `call` known to the connections this thread uses meanwhile."""
    _current.call = call
    try:
        yield call
    finally:
        _current.call = Call()


def _dial(connection: HTTPConnection, host: str) -> socket.socket:
    """Connect, trying each address the name resolves to; the breaker comes first."""
    call = _current.call
    call.dialled = True
    last: OSError | None = None
    for family, kind, protocol, _, address in _resolve(host, connection.port):
        sock = socket.socket(family, kind, protocol)
        try:
            _configure(sock, connection.timeout)
            call.attach(sock)
            sock.connect(address)
        except (OSError, Interrupted) as error:
            sock.close()
            # Not as the OSError it is: urllib3 takes ECONNRESET for an answer that is already there.
            if call.breaker is not None and call.breaker.tripped:
                raise Interrupted("stopped") from error
            last = error if isinstance(error, OSError) else None
        else:
            return sock
    if isinstance(last, TimeoutError):
        raise ConnectTimeoutError(connection, "connect timed out") from last
    raise NewConnectionError(connection, "connect failed") from last


def _resolve(host: str, port: int | None) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label of more than 63 characters
        raise LocationParseError(host) from error


def _configure(sock: socket.socket, timeout: object) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    if isinstance(timeout, int | float):
        sock.settimeout(bounded(timeout))


def _attach_reused(sock: socket.socket | None) -> None:
    """Attach to a connection made for an earlier call."""
    call = _current.call
    if sock is None or call.dialled:
        return
    call.sock = sock
    if call.breaker is None:
        return
    # A TLS socket refuses dup(), its descriptor does not.
    with socket.fromfd(sock.fileno(), sock.family, sock.type) as plain:
        call.attach(plain)


def send_fenced(fence: Fence | None, send: Callable[[Any], None], data: Any) -> None:
    """Send the head or a part of the body of a request; one that is not sent whole has no effect.

    Between the question and the system call there is nothing that waits.
    """
    if fence is None:
        send(data)
        return
    fence.check()
    send(data)
    fence.sent()


class PlainConnection(HTTPConnection):
    """Over TCP."""

    response_class = Answer

    def _new_conn(self) -> socket.socket:
        return _dial(self, self._dns_host)

    def connect(self) -> None:
        super().connect()
        _current.call.sock = self.sock

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        _attach_reused(self.sock)
        super().putrequest(method, url, skip_host, skip_accept_encoding)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        send_fenced(_current.call.fence, super().send, data)


class TlsConnection(HTTPSConnection):
    """Over TLS, with the context that is in force when it connects."""

    response_class = Answer

    def _new_conn(self) -> socket.socket:
        return _dial(self, self._dns_host)

    def connect(self) -> None:
        contexts = _current.call.tls
        if contexts is not None:
            tls = contexts.tls()
            self.ssl_context = contexts.current()
            self.cert_reqs = self.ssl_context.verify_mode
            self.server_hostname = tls.server_name or None
        super().connect()
        _current.call.sock = self.sock
        # Somebody chose not to verify, and was warned about it once, at the start.
        self.is_verified = True

    @property
    def is_connected(self) -> bool:
        """False for a connection made under certificates that have been replaced since."""
        contexts = _current.call.tls
        if contexts is not None and self.ssl_context is not contexts.current():
            return False
        return super().is_connected

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        _attach_reused(self.sock)
        super().putrequest(method, url, skip_host, skip_accept_encoding)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        send_fenced(_current.call.fence, super().send, data)


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection
