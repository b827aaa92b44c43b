"""Transport over sockets, and the one seam where the errors of sockets and TLS become ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote, urlencode, urlsplit

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import Interrupted
from btcctl.logging import get_logger
from btcctl.mistakes import check_is
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import TlsContexts, build_proxy_context
from btcctl.rest.config.urls import authority_of, host_of
from btcctl.rest.credentials import authorization_within, checked_header, rejected_within
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.connection import Connections
from btcctl.rest.exchange.exchange import Answer, exchange
from btcctl.rest.exchange.failures import FAILURES, describe
from btcctl.rest.exchange.head import format_fields, format_request
from btcctl.rest.exchange.reaching.names import Names
from btcctl.rest.exchange.reaching.proxies import proxy_for
from btcctl.rest.exchange.reaching.route import Route
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import IDEMPOTENT, Fence, FixedHeaders, Request, Response
from btcctl.secret import ENVIRON, Secret, SecretBytes

logger = get_logger(__name__)

POOL_SIZE = 32  # connections kept; more are made when needed, and closed after use


_PLAIN = re.compile(r"[/0-9A-Za-z.-]++")  # what most paths consist of, and `quote` leaves as it is


@lru_cache(maxsize=64)
def _query(items: tuple[tuple[str, str], ...]) -> str:
    """The same few queries come with all requests of a program."""
    return urlencode(items)


class HttpTransport:
    """Sends requests to one API server. Thread-safe.

    Args:
        config: Where to, and as whom, and through which proxy.
        pool_size: How many connections to keep open: as many as watches and workers.
        fence: Asked before anything is sent that may change something.
        environ: Where HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are looked up if the configuration has no proxy.

    Raises:
        ConfigError: The TLS files are missing or broken, or what should be the URL of a proxy is none.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        pool_size: int = POOL_SIZE,
        clock: Clock = SYSTEM_CLOCK,
        fence: Fence | None = None,
        environ: Mapping[str, str] = ENVIRON,
    ) -> None:
        check_is("the configuration", config, ClientConfig, "what load_config() returns")
        if type(pool_size) is not int or pool_size < 1:
            raise ValueError(f"pool_size is {pool_size!r}, must be an int, 1 or more")
        self._config = config
        self._fence = fence
        self._clock = clock
        url = urlsplit(config.host)
        self._prefix = url.path.rstrip("/")
        self._host = authority_of(url)
        tls: TlsContexts | None = None
        if url.scheme == "https":
            tls = TlsContexts(config.current_tls or (lambda: config.tls), clock)
            tls.current()
            if config.tls.insecure:
                logger.warning("TLS certificates are not verified", host=config.host, source=config.source)
        proxy = proxy_for(url, config.proxy_url, environ)
        route = Route(
            host_of(url),
            url.port or (443 if tls else 80),
            Names(),
            tls=tls,
            proxy=proxy,
            proxy_context=build_proxy_context(config.tls) if proxy and proxy.scheme == "https" else None,
        )
        self._tls = tls
        self._connections = Connections(route, pool_size)
        # A proxy that is not asked for a tunnel is told of the server in each request, and of us.
        self._origin = f"http://{self._host}" if route.is_forwarded else ""
        self._proxy_fields = proxy.fields() if proxy and route.is_forwarded else []
        self._may_wait = getattr(config.credentials, "may_wait", True)

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """Send and read the whole answer, whatever its status. See `Transport.request`."""
        try:
            answer = self._open(request, timeout, breaker)
            body = answer.content
            if body is None:
                body = answer.read(request.receive if answer.status == 200 else None)
            return Response(answer.status, answer.headers, body)
        except FAILURES as error:
            self.fail(error, breaker)
        finally:
            if breaker is not None:
                breaker.release()

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> HttpStream:
        """Send, and return as soon as the headers have come. See `Transport.stream`."""
        with contextlib.ExitStack() as undo:
            undo.callback(breaker.release)
            try:
                answer = self._open(request, timeout, breaker)
            except FAILURES as error:
                self.fail(error, breaker)
            undo.pop_all()
        if answer.status == 200:
            answer.set_idle_timeout(idle_timeout)
        return HttpStream(answer, self, breaker)

    def upgrade(self, request: Request, *, timeout: float) -> Answer:
        """Ask for another protocol; returns when the head of the answer has come.

        Args:
            timeout: Seconds until then.

        Returns:
            An answer of status 101, whose connection the caller detaches, or another one, to be read.

        Raises:
            TransportError: No answer was had.
        """
        try:
            return self._open(request, timeout, None, upgrades=True)
        except FAILURES as error:
            self.fail(error, None)

    def close(self) -> None:
        """Let idle connections go. Idempotent; later requests fail."""
        self._connections.close()

    def fail(self, error: BaseException, breaker: Breaker | None) -> NoReturn:
        """Raise the error of ours for one of `FAILURES`."""
        if breaker is not None and breaker.tripped:
            raise Interrupted("stopped") from error
        config = self._config
        tls = config.current_tls() if config.current_tls else config.tls
        kind, words = describe(error, source=config.source, ca_source=tls.ca_source)
        raise kind(f"{config.host}: {words}") from error

    def _open(self, request: Request, timeout: float, breaker: Breaker | None, *, upgrades: bool = False) -> Answer:
        """Send, once more with fresh credentials after a 401; the head has come when it returns."""
        call = Call(timeout, self._clock, breaker, None if self._fence is None or request.is_read else self._fence)
        credentials = self._config.credentials
        if self._may_wait:
            authorization = authorization_within(credentials, call.seconds_left(), self._clock)
        else:
            authorization = credentials.authorization()
        method, message, connections = request.method, self._message(request, authorization), self._connections
        twice = method in IDEMPOTENT
        answer = exchange(connections, call, method, message, may_be_sent_twice=twice, upgrades=upgrades)
        if answer.status != 401 or not self._has_others(call, authorization, answer):
            return answer
        answer.read()  # so that its connection can take the next request
        authorization = authorization_within(credentials, call.seconds_left(), self._clock)
        message = self._message(request, authorization)
        return exchange(connections, call, method, message, may_be_sent_twice=twice, upgrades=upgrades)

    def _has_others(self, call: Call, refused: str, answer: Answer) -> bool:
        """Tell that `answer` refuses the credentials; whether there are others. Closes it if that cannot be said."""
        credentials = self._config.credentials
        with contextlib.ExitStack() as undo:
            undo.callback(answer.close)
            has_others = rejected_within(credentials, refused, call.seconds_left(), self._clock)
            if self._tls is not None:
                self._tls.look_again()  # a certificate may be what is new
            undo.pop_all()
        return has_others

    def _message(self, request: Request, authorization: str) -> SecretBytes:
        headers, target = request.headers, self._prefix + request.path
        if _PLAIN.fullmatch(target) is None:
            target = quote(target, safe="/:@!$&'()*+,;=~")
        target = self._origin + target
        if request.query:
            target = f"{target}?{_query(tuple(request.query.items()))}"
        # Formatted once for all requests that have the same: there are few kinds of them.
        kept = headers.kept if type(headers) is FixedHeaders else None
        if kept is not None and kept[0] is self and kept[1] == authorization:
            return format_request(request.method, target, kept[2], request.body)
        return format_request(request.method, target, self._fields(headers, authorization), request.body)

    def _fields(self, headers: Mapping[str, str], authorization: str) -> SecretBytes:
        checked_header(Secret(authorization), "what the credentials give")
        impersonation = self._config.impersonation
        fields = format_fields(
            self._host,
            [
                *self._proxy_fields,
                *headers.items(),
                *([("Authorization", authorization)] if authorization else ()),
                *(impersonation.headers() if impersonation else ()),
            ],
        )
        if isinstance(headers, FixedHeaders):
            headers.kept = (self, authorization, fields)
        return fields


class HttpStream:
    """A body that is read as it comes."""

    def __init__(self, answer: Answer, transport: HttpTransport, breaker: Breaker) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._transport = transport
        self._breaker = breaker

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces of any size. See `StreamResponse.chunks`."""
        try:
            for piece in self._answer.pieces():
                self._breaker.check()
                yield piece
            self._breaker.check()
        except FAILURES as error:
            self._transport.fail(error, self._breaker)

    def set_idle_timeout(self, seconds: float) -> None:
        """See `StreamResponse.set_idle_timeout`."""
        self._answer.set_idle_timeout(seconds)

    def close(self) -> None:
        """Let the connection go. Idempotent; only the reading thread may call it."""
        self._answer.close()
        self._breaker.release()
