"""Transport over sockets: urllib3, and the one seam where its errors become ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from http.client import IncompleteRead
from typing import NamedTuple, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPHeaderDict, Timeout
from urllib3.exceptions import HTTPError, ProtocolError

from btcctl.clock import SYSTEM_CLOCK, Clock, bounded
from btcctl.errors import Interrupted, TransportError
from btcctl.logging import get_logger
from btcctl.rest.breaker import Breaker
from btcctl.rest.chunked import ChunkedError, Dechunker
from btcctl.rest.config import ClientConfig
from btcctl.rest.connection import Answer, Call, PlainPool, TlsPool, calling
from btcctl.rest.failures import broke_before_an_answer, describe
from btcctl.rest.tls import TlsContexts
from btcctl.rest.transport import Fence, Request, Response

logger = get_logger(__name__)

CONNECT_SECONDS = 10.0
POOL_SIZE = 32  # connections kept; more are made when needed, and closed after use
_PIECE_BYTES = 1 << 16


class _Sent(NamedTuple):
    call: Call
    answer: BaseHTTPResponse


class HttpTransport:
    """Sends requests to one API server. Thread-safe. Does not use proxies.

    Args:
        config: Where to, and as whom.
        pool_size: How many connections to keep open: as many as watches and workers.
        fence: Asked before anything is sent that may change something.

    Raises:
        ConfigError: The TLS files are missing or broken.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        pool_size: int = POOL_SIZE,
        clock: Clock = SYSTEM_CLOCK,
        fence: Fence | None = None,
    ) -> None:
        self._config = config
        self._fence = fence
        self._clock = clock
        url = urlsplit(config.host)
        self._prefix = url.path.rstrip("/")
        self._tls: TlsContexts | None = None
        host = url.hostname or ""
        if url.scheme == "https":
            self._tls = TlsContexts(config.current_tls or (lambda: config.tls))
            self._tls.current()
            self._pool: HTTPConnectionPool = TlsPool(host, url.port or 443, maxsize=pool_size)
            if config.tls.insecure:
                logger.warning("TLS certificates are not verified", host=config.host, source=config.source)
        else:
            self._pool = PlainPool(host, url.port or 80, maxsize=pool_size)

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """Send and read the whole answer, whatever its status.

        Args:
            timeout: Seconds for the whole call. A server that trickles out its headers byte by
                byte can stretch it.
            breaker: Breaks the call off when tripped.

        Raises:
            TransportError: No answer was had.
        """
        deadline = self._clock.now() + timeout
        with self._translated(breaker):
            call, answer = self._open(request, timeout, breaker)
            with contextlib.closing(answer):
                parts: list[bytes] = []
                receive = request.receive if request.receive and answer.status == 200 else parts.append
                self._read(call, answer, deadline, receive)
                return Response(answer.status, answer.headers, b"".join(parts))

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> HttpStream:
        """Send, and return as soon as the headers have come. See `Transport.stream`."""
        with contextlib.ExitStack() as undo, self._translated(breaker, release=False):
            undo.callback(breaker.release)
            call, answer = self._open(request, timeout, breaker)
            call.set_read_timeout(idle_timeout)
            undo.pop_all()
            return HttpStream(call, answer, self, breaker)

    def close(self) -> None:
        """Let idle connections go. Idempotent; later requests fail."""
        self._pool.close()

    def fail(self, error: Exception, breaker: Breaker | None) -> NoReturn:
        """Raise the error of ours for one of urllib3's."""
        if breaker is not None and breaker.tripped:
            raise Interrupted("stopped") from error
        kind, cause = describe(error, self._config)
        raise kind(f"{self._config.host}: {cause}") from error

    @contextlib.contextmanager
    def _translated(self, breaker: Breaker | None, *, release: bool = True) -> Iterator[None]:
        try:
            yield
        except (HTTPError, OSError) as error:  # ssl.SSLError is an OSError
            self.fail(error, breaker)
        finally:
            if breaker is not None and release:
                breaker.release()

    def _open(self, request: Request, timeout: float, breaker: Breaker | None) -> _Sent:
        """Send, once more with fresh credentials after a 401; headers have come when it returns."""
        credentials = self._config.credentials
        authorization = credentials.authorization()
        sent = self._send(request, authorization, timeout, breaker)
        if sent.answer.status != 401 or not credentials.rejected(authorization):
            return sent
        sent.answer.drain_conn()
        return self._send(request, credentials.authorization(), timeout, breaker)

    def _send(self, request: Request, authorization: str, timeout: float, breaker: Breaker | None) -> _Sent:
        """Send, once more if a kept-alive connection turns out to be dead."""
        headers = HTTPHeaderDict(request.headers)
        if authorization:
            headers["Authorization"] = authorization
        if self._config.impersonation is not None:
            for name, value in self._config.impersonation.headers():
                headers.add(name, value)  # some come several times
        fence = None if request.is_read else self._fence
        while True:
            with calling(Call(breaker, self._tls, fence)) as call:
                try:
                    return _Sent(call, self._send_once(request, headers, timeout))
                except HTTPError as error:
                    is_stale = not call.dialled and broke_before_an_answer(error)
                    if not is_stale or not request.is_idempotent:
                        raise

    def _send_once(self, request: Request, headers: HTTPHeaderDict, timeout: float) -> BaseHTTPResponse:
        return self._pool.urlopen(
            request.method,
            self._target(request),
            body=request.body,
            headers=headers,
            retries=False,
            redirect=False,
            timeout=Timeout(connect=min(CONNECT_SECONDS, timeout), read=bounded(timeout)),
            preload_content=False,
        )

    def _target(self, request: Request) -> str:
        path = quote(self._prefix + request.path, safe="/:@!$&'()*+,;=~")
        return f"{path}?{urlencode(request.query)}" if request.query else path

    def _read(self, call: Call, answer: BaseHTTPResponse, deadline: float, receive: Callable[[bytes], None]) -> None:
        for piece in pieces(answer):
            receive(piece)
            left = deadline - self._clock.now()
            if left <= 0:
                raise TransportError(f"{self._config.host}: connected, but silent or too slow")
            call.set_read_timeout(left)


class HttpStream:
    """A body that is read as it comes."""

    def __init__(self, call: Call, answer: BaseHTTPResponse, transport: HttpTransport, breaker: Breaker) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._call = call
        self._answer = answer
        self._transport = transport
        self._breaker = breaker

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces of any size. See `StreamResponse.chunks`."""
        try:
            for piece in self._pieces():
                self._breaker.check()
                yield piece
            self._breaker.check()
        except (HTTPError, OSError) as error:
            self._transport.fail(error, self._breaker)

    def _pieces(self) -> Iterator[bytes]:
        answer = self._call.answer
        if answer is None or not is_chunked(self._answer) or "Content-Encoding" in self.headers:
            yield from pieces(self._answer)
            return
        dechunker = Dechunker()
        yield from dechunked(answer, dechunker)
        if not dechunker.is_overfull:
            answer.close()
            self._answer.release_conn()  # it can carry the next request

    def set_idle_timeout(self, seconds: float) -> None:
        """See `StreamResponse.set_idle_timeout`."""
        self._call.set_read_timeout(seconds)

    def close(self) -> None:
        """Let the connection go. Idempotent; only the reading thread may call it."""
        self._answer.close()
        self._answer.release_conn()
        self._breaker.release()


def pieces(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it arrives: never waits for more than the next piece."""
    if is_chunked(answer):
        yield from answer.stream(_PIECE_BYTES, decode_content=True)
        return
    while piece := answer.read1(_PIECE_BYTES, decode_content=True):
        yield piece


def is_chunked(answer: BaseHTTPResponse) -> bool:
    return answer.headers.get("Transfer-Encoding", "").lower() == "chunked"


def dechunked(answer: Answer, dechunker: Dechunker) -> Iterator[bytes]:
    """The content of a chunked body as it arrives; all that has come at once is one piece."""
    while not dechunker.is_complete:
        data = answer.read_raw(_PIECE_BYTES)
        if not data:
            raise ProtocolError("Connection broken", IncompleteRead(b""))
        try:
            content = dechunker.feed(data)
        except ChunkedError as error:
            raise ProtocolError("Connection broken", error) from error
        if content:
            yield content
