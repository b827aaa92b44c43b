"""One connection of the embedded server: requests in, answers out, until either side closes it."""

from __future__ import annotations

import gzip
import math
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.requests.messages import (
    ApiRequest,
    ApiResponse,
    Response,
    TakeOver,
    User,
    WatchResponse,
    json_response,
)
from btcctl.clock import Clock
from btcctl.logging import get_logger

logger = get_logger(__name__)

IDLE_SECONDS = 90.0  # between two requests; the real server's
REQUEST_SECONDS = 60.0  # from its first line to the end of its body
SEND_SECONDS = 60.0  # for an answer, however slow its reader is
MAX_BODY_BYTES = 3 << 20  # the real server's limit
GZIP_FROM_BYTES = 128 << 10  # likewise; below it, compressing costs more than it saves
_GZIP_LEVEL = 1
_JOIN_BELOW_BYTES = 64 << 10
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 64 << 20
_MAX_LINE_BYTES = 8 << 10
_MOST_EXCESS_BYTES = 16 << 10
_MOST_TRAILER_BYTES = 4 << 10  # what fits into Go's buffer
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")


class Backend(Protocol):
    """What a connection needs of the server it belongs to."""

    clock: Clock
    closing: bool  #: the server stops: no connection is kept for a further request

    def user_of(self, path: str, headers: Mapping[str, str]) -> User | None:
        """Who sends this; None if the credentials are wrong. May raise a StatusError."""

    def handle(self, request: ApiRequest) -> Response:
        """Answer. Never raises."""


class Allowance:
    """Until when a connection may be at what it does: its own thread says so, and another ends it when it is late.

    Attributes:
        until: Monotonic seconds; infinite while the server works for it.
        is_idle: It waits for a request.
    """

    __slots__ = ("_clock", "is_idle", "until")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_idle = True
        self.until = clock.now() + IDLE_SECONDS

    def give(self, seconds: float, *, is_idle: bool = False) -> None:
        """Begin something else, which has this long."""
        self.is_idle = is_idle
        self.until = self._clock.now() + seconds


class Connection(BaseHTTPRequestHandler):
    """Parses and answers; the base class' constructor does it all.

    Attributes:
        watch: What the socket has been left to, with the response headers sent; None for nothing.
        take_over: What the socket has been left to, with nothing sent; None for nothing.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, sock: socket.socket, address: Any, backend: Backend, allowance: Allowance | None = None) -> None:
        self.backend = backend
        self._allowance = allowance or Allowance(backend.clock)
        self.watch: WatchResponse | None = None
        self.take_over: TakeOver | None = None
        self.path = ""
        self.request_version = self.default_request_version
        super().__init__(sock, address, None)  # type: ignore[arg-type]  # only its handlers use the server

    def handle_one_request(self) -> None:
        self._allowance.give(IDLE_SECONDS, is_idle=True)
        super().handle_one_request()

    def parse_request(self) -> bool:
        self._allowance.give(REQUEST_SECONDS)
        return super().parse_request()

    def answer(self) -> None:
        try:
            response = self._response()
        except StatusError as error:
            response = json_response(error.status, error.body or {}, error.headers)
        self._allowance.give(math.inf if isinstance(response, TakeOver) else SEND_SECONDS)
        if self.backend.closing:
            self.close_connection = True
        if isinstance(response, WatchResponse):
            self._send_watch_head(response)
        elif isinstance(response, TakeOver):
            self.close_connection = True
            self.take_over = response
        else:
            self._send(response)

    def __getattr__(self, name: str) -> Any:
        """The base class looks for `do_GET` and so on; which methods there are is the API's business."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class finds wrong with a request, as a Status."""
        self.close_connection = True
        reason = "BadRequest" if code == 400 else ""
        error = StatusError(int(code), message or HTTPStatus(code).phrase, reason)
        self._send(json_response(error.status, error.body or {}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class' name
        logger.debug("connection", said=format % args)

    def request_head(self) -> bytes:
        """The head of the last request, as it came but for the spelling of line ends."""
        lines = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def _response(self) -> Response:
        target, _, query = self.path.partition("?")
        path = unquote(target)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            user = self.backend.user_of(path, headers)
            if user is None:
                raise errors.unauthorized()
            check_framing(self.headers.get_all("Content-Length", []), self.headers.get_all("Transfer-Encoding", []))
            body = read_body(self.rfile, headers)
        except StatusError:
            # What follows on this connection is a body, and no request.
            self.close_connection |= bool({"content-length", "transfer-encoding"} & headers.keys())
            raise
        self._allowance.give(math.inf)
        parsed = parse_qs(query, keep_blank_values=True)
        repeated = self._repeated() if len(headers) < len(self.headers) else {}
        return self.backend.handle(
            ApiRequest(self.command, path, parsed, headers, body, user.name, user.groups, repeated)
        )

    def _repeated(self) -> dict[str, tuple[str, ...]]:
        """The headers that came more than once."""
        found: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers.items():
            found[name.lower()] = (*found.get(name.lower(), ()), value)
        return {name: values for name, values in found.items() if len(values) > 1}

    def _send(self, response: ApiResponse) -> None:
        headers, body = compressed(response, self._accepts_gzip())
        if headers.get("Connection") == "close":
            self.close_connection = True
        headers["Content-Length"] = str(len(body))
        if getattr(self, "command", "") == "HEAD":
            body = b""
        head = self._head(response.status, headers)
        if len(body) < _JOIN_BELOW_BYTES:
            self.wfile.write(head + body)
        else:
            self.wfile.write(head)
            self.wfile.write(body)
        if response.status == 413 and self.close_connection:  # it may still be sending
            self._linger()

    def _send_watch_head(self, response: WatchResponse) -> None:
        self.close_connection = True
        headers = {**response.headers, "Transfer-Encoding": "chunked"}
        self.wfile.write(self._head(200, headers))
        self.watch = response

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Date: {format_datetime(self.backend.clock.wall_time(), usegmt=True)}")
        if self.close_connection and "Connection" not in headers:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def _accepts_gzip(self) -> bool:
        headers = getattr(self, "headers", None)
        return headers is not None and names_gzip(headers.get("Accept-Encoding") or "")

    def _linger(self) -> None:
        """Read what the client is still sending: a close with unread data would take our answer with it."""
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_WR)
            self.connection.settimeout(_LINGER_SECONDS)
            left = _LINGER_BYTES
            while left > 0 and (data := self.connection.recv(_JOIN_BELOW_BYTES)):
                left -= len(data)


def check_framing(lengths: Sequence[str], encodings: Sequence[str]) -> None:
    """Where a body ends must be beyond doubt: else another server might see other requests in the same bytes.

    Raises:
        StatusError: 400, there are two lengths; 501, an encoding that is not known.
    """
    if len(set(lengths)) > 1:
        raise errors.bad_request("several Content-Length headers that differ")
    if encodings and [each.lower() for each in encodings] != ["chunked"]:
        raise errors.StatusError(501, f"unsupported transfer encoding: {', '.join(encodings)}", "")


def read_body(source: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """Read a request's body, of a known length or in chunks.

    Raises:
        StatusError: 413, larger than `MAX_BODY_BYTES`; 400, the framing is broken.
    """
    length = headers.get("content-length")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        if length is not None:
            raise errors.bad_request("both Content-Length and Transfer-Encoding")
        body = bytearray()  # so that many small chunks take no more room than one
        for chunk in _chunks(source):
            body += chunk
        return bytes(body)
    if length is None:
        return b""
    if not length.isascii() or not length.isdecimal():
        raise errors.bad_request("bad Content-Length")
    size = saturated(length)
    if size > MAX_BODY_BYTES:
        raise errors.too_large_entity(MAX_BODY_BYTES)
    return _exactly(source, size)


def names_gzip(accept_encoding: str) -> bool:
    """Whether a client asks for it in the one way that a real server understands: without a quality."""
    return "gzip" in (each.strip() for each in accept_encoding.split(","))


def compressed(response: ApiResponse, wanted: bool) -> tuple[dict[str, str], bytes]:
    """Headers and body, gzipped if that is wanted and worth it; only then it is said that answers vary by that."""
    headers = dict(response.headers)
    if len(response.body) < GZIP_FROM_BYTES or not wanted:
        return headers, response.body
    varies = ("Accept-Encoding",) if "Vary" not in headers else (headers["Vary"], "Accept-Encoding")
    headers |= {"Vary": ", ".join(varies), "Content-Encoding": "gzip"}
    return headers, gzip.compress(response.body, _GZIP_LEVEL, mtime=0)


def _chunks(source: BufferedIOBase) -> Iterator[bytes]:
    """What is no data is limited as in Go's net/http: for each chunk to 16 bytes and twice its data, and to 16 KiB."""
    left, excess = MAX_BODY_BYTES, 0
    while True:
        line = source.readline(_MAX_LINE_BYTES)
        size_text = line.partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size_text):
            raise errors.bad_request("bad chunk size")
        size = int(size_text, 16)
        if size > left:
            raise errors.too_large_entity(MAX_BODY_BYTES)
        if size == 0:
            break
        excess = max(0, excess + len(line) + 2 - 16 - 2 * size)
        if excess > _MOST_EXCESS_BYTES:
            raise errors.bad_request("chunked encoding contains too much non-data")
        left -= size
        yield _exactly(source, size)
        if source.readline(_MAX_LINE_BYTES).strip():
            raise errors.bad_request("a chunk is longer than it says")
    trailer_left = _MOST_TRAILER_BYTES
    while (line := source.readline(_MAX_LINE_BYTES)).strip():
        trailer_left -= len(line)
        if trailer_left < 0:
            raise errors.bad_request("http: suspiciously long trailer after chunked body")


def _exactly(source: BufferedIOBase, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise errors.bad_request("the body ends early")
    return data


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
