"""HTTP/1.1 as bitcoind's server speaks it: keep-alive, pipelining, chunked bodies, an idle limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from btcctl.clock import Clock
from btcctl.errors import BtcctlError

HEADER_LIMIT_BYTES = 8 * 1024
BODY_LIMIT_BYTES = 32 * 1024 * 1024
IDLE_SECONDS = 30.0  # bitcoind's -rpcservertimeout
_FINISH_SECONDS = 0.5

HTML = "text/html; charset=ISO-8859-1"


class BadRequest(BtcctlError):
    """No HTTP request that can be understood."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        headers: With lower-case names.
        client: The numeric address it came from.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    keep_alive: bool
    client: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One response; `body_omitted` sends only the length, as HEAD wants it."""

    status: int
    body: bytes = b""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    body_omitted: bool = False


Respond = Callable[[Request], Awaitable[Response]]


def parse_head(raw: bytes, client: str = "") -> Request:
    """Read a request line and headers.

    Raises:
        BadRequest: They are none.
    """
    first, *lines = raw.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(f"not a request line: {first[:80]!r}")
    headers = {}
    for line in filter(None, lines):
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(f"not a header: {line[:80]!r}")
        headers[name.strip().lower()] = value.strip()
    connection = headers.get("connection", "").lower()
    keep_alive = connection == "keep-alive" if words[2] == "HTTP/1.0" else connection != "close"
    return Request(words[0], words[1], headers, keep_alive, client)


def render(response: Response, date: str, *, close: bool) -> bytes:
    """The bytes of a response.

    Args:
        response: What to send.
        date: Value of the Date header.
        close: Announce that the connection ends.
    """
    headers = dict(response.headers)
    if response.content_type != HTML:
        headers["Content-Type"] = response.content_type
    headers["Date"] = date
    if response.status != 204:
        headers["Content-Length"] = str(len(response.body))
        headers.setdefault("Content-Type", HTML)
    if close:
        headers["Connection"] = "close"
    head = f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = b"" if response.body_omitted else response.body
    return f"{head}{lines}\r\n".encode("latin-1") + body


def error_page(status: int) -> Response:
    """The page libevent makes for errors of HTTP itself."""
    phrase = HTTPStatus(status).phrase
    page = f"<HTML><HEAD>\n<TITLE>{status} {phrase}</TITLE>\n</HEAD><BODY>\n<H1>{phrase}</H1>\n</BODY></HTML>\n"
    return Response(status, page.encode())


class HttpServer:
    """Serves connections until closed.

    Args:
        respond: Answers one request.
        clock: For the Date header.
        idle_seconds: A connection without a request for so long is closed.
    """

    def __init__(self, respond: Respond, clock: Clock, idle_seconds: float = IDLE_SECONDS) -> None:
        self._respond = respond
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[Any]] = set()
        self._busy: set[asyncio.Task[Any]] = set()

    async def listen(self, host: str, port: int) -> None:
        """Open one more listening socket.

        Raises:
            OSError: The address cannot be bound.
        """
        self._servers.append(await asyncio.start_server(self._accept, host, port, limit=HEADER_LIMIT_BYTES))

    async def close(self) -> None:
        """Refuse new connections, let running calls finish for half a second, end everything."""
        for server in self._servers:
            server.close()
        for connection in self._connections - self._busy:
            connection.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=_FINISH_SECONDS)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._serve_one(reader, writer):
                pass
        except (BadRequest, asyncio.LimitOverrunError):
            writer.write(render(error_page(400), self._date(), close=True))
        except (OSError, asyncio.IncompleteReadError):
            pass  # idle for too long (a TimeoutError), or gone
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with asyncio.timeout(self._idle_seconds):
            request = await self._read(reader, writer)
        this = asyncio.current_task()
        assert this is not None  # noqa: S101
        self._busy.add(this)
        try:
            response = await self._respond(request)
            writer.write(render(response, self._date(), close=not request.keep_alive))
            await writer.drain()
        finally:
            self._busy.discard(this)
        return request.keep_alive and self._servers[0].is_serving()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        head = await reader.readuntil(b"\r\n\r\n")
        request = parse_head(head, writer.get_extra_info("peername")[0])
        if request.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            body = await _read_chunks(reader)
        else:
            body = await _read_sized(reader, request.headers.get("content-length", "0"))
        return Request(request.method, request.path, request.headers, request.keep_alive, request.client, body)

    def _date(self) -> str:
        return self._clock.wall_time().strftime("%a, %d %b %Y %H:%M:%S GMT")


async def _read_sized(reader: asyncio.StreamReader, length: str) -> bytes:
    if not length.isdecimal():
        raise BadRequest(f"not a length: {length[:80]!r}")
    if int(length) > BODY_LIMIT_BYTES:
        raise ConnectionAbortedError("too long a body")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size_line = await reader.readuntil(b"\r\n")
        try:
            size = int(size_line.partition(b";")[0], 16)
        except ValueError as error:
            raise BadRequest(f"not a chunk: {size_line[:80]!r}") from error
        if size < 0 or len(body) + size > BODY_LIMIT_BYTES:
            raise ConnectionAbortedError("too long a body")
        body += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            return bytes(body)
