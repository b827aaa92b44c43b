"""The API on a socket: a thread per connection for requests, one pump for all watches."""

from __future__ import annotations

import hmac
import ipaddress
import itertools
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Protocol, Self

from btcctl.apiserver.machinery import errors as statuses
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.network.connection import Allowance, Connection
from btcctl.apiserver.network.pump import BOOKMARK_SECONDS, Pump
from btcctl.apiserver.requests.messages import ADMIN, ANONYMOUS, ApiRequest, Response, User, json_response
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.logging import get_logger
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

_OPEN_TO_ALL = ("/version", "/healthz", "/livez", "/readyz")
_HANDSHAKE_SECONDS = 10.0
_GRACE_SECONDS = 1.0  # for requests in flight when the server stops
_OUT_OF_SOCKETS_PAUSE_SECONDS = 0.1
_BACKLOG = 1024
MAX_CONNECTIONS = 1000  # each has a thread; watches do not count
_LOOK_SECONDS = 5.0  # from one look for late connections to the next


class ListenError(BtcctlError):
    """The address cannot be listened on: the port is taken, or the host is not ours."""


class Loop(Protocol):
    def run(self, stop: Stop) -> None:
        """Work until `stop` is set."""


class Handler(Protocol):
    """What answers requests; `btcctl.apiserver.api.Api` fits."""

    @property
    def collector(self) -> Loop:
        """What is to be run in the background while requests are answered."""

    def handle(self, request: ApiRequest) -> Response:
        """Answer one request."""

    def user_of_token(self, token: str) -> User | None:
        """Whose token it is that the API itself has given away; None if it has not."""


class EmbeddedServer:
    """Serves an API over HTTP/1.1. Starts once.

    Args:
        api: Answers requests.
        host: Where to listen.
        port: 0 picks a free one.
        tls: A context with a certificate; None serves plain HTTP.
        token: The bearer token everybody must send; "" lets everybody in as `system:admin`.
        users: Further tokens, and the user each stands for. Who sends none is `system:anonymous`.
        clock: Times watches.
        bookmark_seconds: From one bookmark of a watch to the next.
    """

    def __init__(
        self,
        api: Handler,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        token: str = "",
        users: Mapping[str, str | User] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        bookmark_seconds: float = BOOKMARK_SECONDS,
    ) -> None:
        self.host = host
        self.port = port  #: the real one after `start`
        self.clock = clock
        self.closing = False
        self.pump = Pump(clock=clock, bookmark_seconds=bookmark_seconds)
        self._api = api
        self._tls = tls
        known = {each: User(user) if isinstance(user, str) else user for each, user in (users or {}).items()}
        self._tokens = {**({token: ADMIN} if token else {}), **known}
        self._is_open = not token
        self._listener: _Listener | None = None
        self._collector = Runner("apiserver-collector", api.collector.run)

    @property
    def url(self) -> str:
        """As a kubeconfig's `server`; meaningful after `start`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def start(self) -> None:
        """Listen and serve.

        Raises:
            ListenError: The address cannot be had.
        """
        self._listener = _Listener(self, (self.host, self.port), self._tls)
        self.port = self._listener.server_address[1]
        self.pump.start()
        self._collector.start()
        self._listener.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop listening, end watches cleanly, let requests in flight finish. Idempotent.

        Args:
            timeout: Real seconds for the whole of it.

        Raises:
            TimeoutError: A thread did not end.
        """
        self.closing = True
        if self._listener is not None:
            self._listener.close(timeout)
            self.pump.stop(timeout)
            self._listener.end_connections(timeout)
            self._collector.stop(timeout)

    def connections(self) -> int:
        """How many connections wait for or work on requests; watches are not among them."""
        return 0 if self._listener is None else len(self._listener)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def user_of(self, path: str, headers: Mapping[str, str]) -> User | None:
        """Who sends this; None if the credentials are wrong.

        Raises:
            StatusError: 403, a web page sends it, which no token keeps out.
        """
        authorization = headers.get("authorization", "")
        if self._is_open and self._is_web_page(headers):
            raise StatusError(403, "requests of web pages are refused: this server asks for no token", "Forbidden")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            found = self._user_of_token(token.strip())
            if found is not None or self._tokens:
                return found
        return ADMIN if self._is_open or path.startswith(_OPEN_TO_ALL) else ANONYMOUS

    def handle(self, request: ApiRequest) -> Response:
        """Answer; what the API did not foresee becomes a 500."""
        try:
            return self._api.handle(request)
        except Exception:
            logger.exception("request failed", method=request.method, path=request.path)
            error = statuses.internal("internal error of the embedded API server; its log has the traceback")
            return json_response(500, error.body or {})

    def _is_web_page(self, headers: Mapping[str, str]) -> bool:
        """A page in a browser may send to a loopback address, or to a name that DNS leads there."""
        name = headers.get("host", "")
        host = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        return "origin" in headers or not (host in {"", "localhost", self.host} or _is_address(host))

    def _user_of_token(self, token: str) -> User | None:
        offered = token.encode()
        for known, user in self._tokens.items():
            if hmac.compare_digest(known.encode(), offered):
                return user
        return self._api.user_of_token(token)


class _Listener(ThreadingHTTPServer):
    """Accepts connections and gives each a Runner."""

    request_queue_size = _BACKLOG

    def __init__(self, server: EmbeddedServer, address: tuple[str, int], tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._tls = tls
        self._numbers = itertools.count(1)
        self._runner = Runner("apiserver-accept", self.run)
        self._lock = threading.Lock()
        self._open: dict[Runner, tuple[socket.socket, Allowance]] = {}  # guarded by the lock
        self.timeout = _LOOK_SECONDS
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, BaseHTTPRequestHandler)
        except OSError as error:
            raise ListenError(f"cannot listen on {address[0]} port {address[1]}: {error.strerror or error}") from error

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

    def server_bind(self) -> None:
        """Skip HTTPServer's, which asks DNS for our name."""
        TCPServer.server_bind(self)

    def start(self) -> None:
        self._runner.start()

    def run(self, stop: Stop) -> None:
        """Accept until `stop` is set."""
        forget = stop.on_set(self._break_accept)
        while not stop.is_set():
            self.handle_request()
            self._end_late_ones()
        forget()

    def close(self, timeout: float) -> None:
        """Stop listening. Idempotent."""
        self._runner.stop(timeout)
        self.server_close()

    def end_connections(self, timeout: float) -> None:
        """Let requests in flight finish, for a moment; then break their connections."""
        with self._lock:
            runners = dict(self._open)
        deadline = SYSTEM_CLOCK.now() + _GRACE_SECONDS
        for sock, _ in runners.values():
            _shut(sock, socket.SHUT_RD)
        for runner, (sock, _) in runners.items():
            try:
                runner.stop(max(0.0, deadline - SYSTEM_CLOCK.now()))
            except TimeoutError:
                _shut(sock, socket.SHUT_RDWR)
                runner.stop(timeout)

    def get_request(self) -> tuple[Any, Any]:
        try:
            return super().get_request()
        except OSError:
            if not self._server.closing:
                # Out of file descriptors, most likely: the socket stays readable, so wait a little.
                threading.Event().wait(_OUT_OF_SOCKETS_PAUSE_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        allowance = Allowance(SYSTEM_CLOCK)

        def run(_: Stop) -> None:
            self._serve(runner, request, client_address, allowance)

        runner = Runner(f"apiserver-request-{next(self._numbers)}", run)
        self._make_room()
        with self._lock:
            self._open[runner] = request, allowance
        runner.start()

    def _make_room(self) -> None:
        """If there are too many connections, end the one that has been idle for longest; so no client that says
        nothing keeps out those that do.
        """
        with self._lock:
            is_full = len(self._open) >= MAX_CONNECTIONS
            idle = [each for each in self._open.values() if each[1].is_idle]
        if is_full and idle:
            sock, allowance = min(idle, key=lambda each: each[1].until)
            allowance.is_idle = False  # the next one that is too many takes another
            _shut(sock, socket.SHUT_RDWR)

    def _end_late_ones(self) -> None:
        now = SYSTEM_CLOCK.now()
        with self._lock:
            late = [sock for sock, allowance in self._open.values() if now > allowance.until]
        for sock in late:
            _shut(sock, socket.SHUT_RDWR)

    def _serve(self, runner: Runner, sock: socket.socket, address: Any, allowance: Allowance) -> None:
        connection = None
        try:
            if self._tls is not None:
                sock = secured = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                self._replace(runner, sock, allowance)
                _handshake(secured)
            connection = Connection(sock, address, self._server, allowance)
            if connection.take_over is not None:
                connection.take_over.serve(sock, connection.request_head())
        except OSError as error:
            logger.debug("connection lost", error=str(error))
        finally:
            with self._lock:
                self._open.pop(runner, None)
            if connection is not None and connection.watch is not None:
                self._server.pump.adopt(sock, connection.watch.watch, about=connection.path)
            else:
                _shut(sock, socket.SHUT_WR)
                sock.close()

    def _replace(self, runner: Runner, sock: socket.socket, allowance: Allowance) -> None:
        """TLS makes a new socket object out of the old one's descriptor."""
        with self._lock:
            self._open[runner] = sock, allowance
        if self._server.closing:
            _shut(sock, socket.SHUT_RD)

    def _break_accept(self) -> None:
        _shut(self.socket, socket.SHUT_RDWR)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _handshake(sock: ssl.SSLSocket) -> None:
    sock.settimeout(_HANDSHAKE_SECONDS)
    sock.do_handshake()
    sock.settimeout(None)


def _shut(sock: socket.socket, how: int) -> None:
    """Shut down below TLS, whose own `shutdown` would have the reader read ciphertext."""
    with suppress(OSError):
        socket.socket.shutdown(sock, how)
