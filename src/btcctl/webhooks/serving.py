"""Hooks on the network: HTTPS, a thread for each connection. h11 reads and writes HTTP.

No client can hold up another, or fill our memory:

- A connection has HANDSHAKE_SECONDS for TLS, IDLE_SECONDS to begin a request, REQUEST_SECONDS to send it whole, and as
  many to take the answer.
- There are MAX_CONNECTIONS at most, beside those whose question is being answered. For another one the one goes that
  has been idle for longest; if none is, the one that has been sending for longest.
- A hook that hangs holds up questions of its own alone, and not for ever: see `turns`.
- A body has MAX_BODY_BYTES at most, one of a conversion, which brings whole pages of lists, MAX_LIST_BYTES; all that
  are just being read or answered together MAX_BYTES.
- Without a certificate there is no handshake: the connection is closed.
"""

from __future__ import annotations

import contextlib
import enum
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import h11

from btcctl.certificates.identity import Identity
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.serving.http_server import listen
from btcctl.controller.serving.status_server import parse_address
from btcctl.errors import BtcctlError, describe_error
from btcctl.logging import get_logger
from btcctl.threads import Runner, Stop
from btcctl.webhooks.answers.reviews import CONVERT_PATH, Reply, Reviews
from btcctl.webhooks.metrics import WebhookMetrics
from btcctl.webhooks.turns import Budget, Crowded, Turns

logger = get_logger(__name__)

HANDSHAKE_SECONDS = 5.0
REQUEST_SECONDS = 10.0
IDLE_SECONDS = 120.0  # client-go keeps a connection for 90 s
MAX_CONNECTIONS = 256
MAX_BODY_BYTES = 8 << 20  # an object has 3 MiB at most, and comes with what it was
MAX_LIST_BYTES = 64 << 20
MAX_BYTES = 256 << 20
MAX_ANSWER_SECONDS = 30.0
_DEFAULT_ANSWER_SECONDS = 10.0
_READ_BYTES = 1 << 16
_HEAD_BYTES = 16 << 10
_GRACE_SECONDS = 1.0  # for answers under way when the server stops
_NO_ROOM_PAUSE_SECONDS = 0.1


class WebhookServer:
    """Serves hooks. A service: starts once.

    Args:
        address: "host:port", or ":port" for all interfaces; port 0 picks a free one.
        reviews: Answers.
        identity: The certificate.
        metrics: Where to count.
    """

    def __init__(self, address: str, reviews: Reviews, identity: Identity, metrics: WebhookMetrics | None) -> None:
        self._host, self._wanted_port = parse_address(address)
        self._reviews = reviews
        self._identity = identity
        self._metrics = metrics
        self._budget = Budget(MAX_BYTES)
        self._turns = Turns(SYSTEM_CLOCK)
        self._listener: socket.socket | None = None
        self._runner = Runner("webhooks-accept", self.run)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # guards the connections
        self._connections: dict[_Connection, Runner] = {}

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._wanted_port if self._listener is None else int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Listen, and answer in threads.

        Raises:
            BtcctlError: The address is taken or not ours.
        """
        try:
            self._listener = listen(self._host, self._wanted_port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BtcctlError(f"cannot listen on {self._host}:{self._wanted_port}: {reason}") from error
        self._runner.start()
        logger.info("serving webhooks", host=self._host or "all interfaces", port=self.port)

    def stop(self, timeout: float = 5.0) -> None:
        """Let answers under way finish, for a moment, and end. Idempotent."""
        self._runner.stop(timeout)
        with self._lock:
            left = dict(self._connections)
        for connection in left:
            connection.end_when_idle()
        deadline = SYSTEM_CLOCK.now() + min(_GRACE_SECONDS, timeout)
        for connection, runner in left.items():
            with contextlib.suppress(TimeoutError):
                runner.stop(max(0.0, deadline - SYSTEM_CLOCK.now()))
            connection.end()
        if self._listener is not None:
            self._listener.close()

    def problem(self) -> str:
        """Why hooks are not answered; "" if they are."""
        if not self._runner.is_alive():
            return "it does not listen"
        return self._identity.problem()

    def run(self, stop: Stop) -> None:
        """Accept until `stop` is set. Blocks."""
        listener = self._listener
        if listener is None:
            raise RuntimeError("start() listens, run() answers")
        unlink = stop.on_set(lambda: _shut(listener, socket.SHUT_RDWR))
        while not stop.is_set():
            try:
                sock, _ = listener.accept()
                self._begin(sock)
            except OSError as error:  # no descriptor is left, or no thread
                if not stop.wait(_NO_ROOM_PAUSE_SECONDS):
                    logger.warning("no client can be let in at the moment", error=describe_error(error))
        unlink()

    def _begin(self, sock: socket.socket) -> None:
        connection = _Connection(sock, self._answer, self._budget)

        def forget() -> None:
            with self._lock:
                self._connections.pop(connection, None)

        def run(_: Stop) -> None:
            try:
                connection.serve(self._identity.context)
            finally:
                forget()

        with self._lock:
            self._make_room()
            runner = self._connections[connection] = Runner(f"webhooks-{next(self._numbers)}", run)
        try:
            runner.start()
        except OSError:
            sock.close()
            forget()
            raise

    def _make_room(self) -> None:
        """For one more."""
        waiting = [each for each in self._connections if each.phase is not _Phase.ANSWERING and not each.has_ended]
        waiting.sort(key=lambda each: (each.phase is not _Phase.IDLE, each.since))
        for each in waiting[: max(0, len(waiting) + 1 - MAX_CONNECTIONS)]:
            each.end()

    def _answer(self, path: str, body: bytes, seconds: float) -> Reply:
        if path not in self._reviews.paths():
            return self._reviews.handle(path, body, seconds)
        if self._metrics is None:
            return self._asked(path, body, seconds)
        with self._metrics.counting(path) as count:
            reply = self._asked(path, body, seconds)
            count(reply.status.value)
        return reply

    def _asked(self, path: str, body: bytes, seconds: float) -> Reply:
        try:
            with self._turns.turn(path, seconds):
                return self._reviews.handle(path, body, seconds)
        except Crowded as crowded:
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE, f"{crowded}\n".encode())


class _Unreadable(Exception):
    """It is answered with a status, and the connection is closed: its client is still sending."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class _Phase(enum.Enum):
    IDLE = enum.auto()  # nothing of a request has come
    SENDING = enum.auto()
    ANSWERING = enum.auto()


class _Connection:
    """One client; the thread that serves it owns all but `end` and `end_when_idle`."""

    def __init__(self, sock: socket.socket, answer: Callable[[str, bytes, float], Reply], budget: Budget) -> None:
        self._raw = self._sock = sock
        self._answer = answer
        self._budget = budget
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._is_ending = False
        self.has_ended = False
        self.phase = _Phase.IDLE
        self.since = SYSTEM_CLOCK.now()  # it is idle, or was before what it sends now
        self._deadline = self.since + HANDSHAKE_SECONDS

    def serve(self, context: ssl.SSLContext | None) -> None:
        """Answer requests until either side has enough."""
        try:
            if context is not None:
                self._secure(context)
                while self._serve_one():
                    pass
        except (OSError, h11.ProtocolError) as error:  # ssl.SSLError is an OSError
            logger.debug("connection lost", error=describe_error(error))
        finally:
            _shut(self._sock, socket.SHUT_RDWR)
            self._sock.close()

    def end(self) -> None:
        """Break it off."""
        self.has_ended = True
        _shut(self._sock, socket.SHUT_RDWR)

    def end_when_idle(self) -> None:
        """End it after the answer that is under way, if there is one."""
        self._is_ending = True
        if self.phase is _Phase.IDLE:
            self.end()

    def _secure(self, context: ssl.SSLContext) -> None:
        self._raw.settimeout(HANDSHAKE_SECONDS)
        self._sock = context.wrap_socket(self._raw, server_side=True, do_handshake_on_connect=False)
        self._sock.do_handshake()

    def _serve_one(self) -> bool:
        """One request; whether another may follow."""
        request = self._next_request()
        if request is None:
            return False
        try:
            path, seconds = _target(request)
            with self._body(request, path) as body:
                if request.method != b"POST":
                    reply = Reply(HTTPStatus.METHOD_NOT_ALLOWED, b"POST only\n")
                else:
                    self.phase = _Phase.ANSWERING
                    reply = self._answer(path, body, seconds)
            self._send(reply)
        except _Unreadable as error:
            self._send(Reply(error.status, f"{error}\n".encode()), is_last=True)
            return False
        if self._is_ending or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def _next_request(self) -> h11.Request | None:
        self.since = SYSTEM_CLOCK.now()
        self._deadline = self.since + IDLE_SECONDS
        self.phase = _Phase.IDLE
        if self._is_ending:
            return None
        try:
            event = self._event()
        except h11.RemoteProtocolError as error:
            if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                self._send(Reply(HTTPStatus(error.error_status_hint), b"that is no request\n"), is_last=True)
            return None
        self.phase = _Phase.SENDING
        return event if isinstance(event, h11.Request) else None

    @contextlib.contextmanager
    def _body(self, request: h11.Request, path: str) -> Iterator[bytes]:
        """The body, of which the server's memory is kept for as long as it is worked on."""
        most = MAX_LIST_BYTES if path == CONVERT_PATH else MAX_BODY_BYTES
        length = dict(request.headers).get(b"content-length")
        if length is not None and int(length) > most:
            raise _Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        try:
            while isinstance(event := self._rest(), h11.Data):
                if len(body) + len(event.data) > most:
                    raise _Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                if not self._budget.take(path, len(event.data)):
                    raise _Unreadable(HTTPStatus.SERVICE_UNAVAILABLE)
                body += event.data
            yield bytes(body)
        finally:
            self._budget.give_back(path, len(body))

    def _rest(self) -> Any:
        try:
            return self._event()
        except h11.RemoteProtocolError as error:
            raise _Unreadable(HTTPStatus(error.error_status_hint)) from error

    def _event(self) -> Any:
        """What comes next, by the deadline."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            left = self._deadline - SYSTEM_CLOCK.now()
            if left <= 0:
                raise TimeoutError("the request did not come in time")
            self._sock.settimeout(left)
            data = self._sock.recv(_READ_BYTES)
            if data and self.phase is _Phase.IDLE:
                self._deadline = min(self._deadline, SYSTEM_CLOCK.now() + REQUEST_SECONDS)
                self.phase = _Phase.SENDING
            self._http.receive_data(data)
        return event

    def _send(self, reply: Reply, *, is_last: bool = False) -> None:
        self._deadline = SYSTEM_CLOCK.now() + REQUEST_SECONDS
        is_json = reply.status is HTTPStatus.OK
        headers = [
            ("Content-Type", "application/json" if is_json else "text/plain; charset=utf-8"),
            ("Content-Length", str(len(reply.body))),
            *([("Connection", "close")] if is_last or self._is_ending else []),
        ]
        self._write(h11.Response(status_code=reply.status.value, headers=headers, reason=reply.status.phrase))
        self._write(h11.Data(data=reply.body))
        self._write(h11.EndOfMessage())

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event) or b""
        if data:
            self._sock.settimeout(REQUEST_SECONDS)  # for all of it: `sendall` counts the time of the whole
            self._sock.sendall(data)


def _target(request: h11.Request) -> tuple[str, float]:
    """The path, and for how many seconds the API server waits.

    Raises:
        _Unreadable: It is no URL.
    """
    try:
        url = urlsplit(request.target.decode("latin-1"))
    except ValueError as error:
        raise _Unreadable(HTTPStatus.BAD_REQUEST) from error
    given = parse_qs(url.query).get("timeout", [""])[0].removesuffix("s")
    try:
        seconds = float(given)
    except ValueError:
        seconds = _DEFAULT_ANSWER_SECONDS
    return url.path, seconds if 0 < seconds <= MAX_ANSWER_SECONDS else MAX_ANSWER_SECONDS


def _shut(sock: socket.socket, how: int) -> None:
    """Shut down below TLS, from whatever thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, how)
