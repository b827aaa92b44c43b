"""Counts requests on their way: for metrics, and for tests that count writes."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.errors import TransportError
from btcctl.rest.breaker import Breaker
from btcctl.rest.transport import Request, Response, StreamResponse, Transport

NO_ANSWER = "<error>"  #: in place of a status code, as client-go's metrics have it

Count = Callable[[int | str, str, str], None]  #: takes status code or NO_ANSWER, method and host


class CountingTransport:
    """A transport that tells of each request it carries.

    Args:
        transport: What really carries it.
        count: Told of each answer, or that there was none. Must not raise.
        host: Passed on to `count`.
    """

    def __init__(self, transport: Transport, count: Count, host: str) -> None:
        self._transport = transport
        self._count = count
        self._host = host

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """See `Transport.request`."""
        try:
            response = self._transport.request(request, timeout=timeout, breaker=breaker)
        except TransportError:
            self._count(NO_ANSWER, request.method, self._host)
            raise
        self._count(response.status, request.method, self._host)
        return response

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """See `Transport.stream`: counted when the headers have come."""
        try:
            response = self._transport.stream(request, timeout=timeout, idle_timeout=idle_timeout, breaker=breaker)
        except TransportError:
            self._count(NO_ANSWER, request.method, self._host)
            raise
        self._count(response.status, request.method, self._host)
        return response

    def close(self) -> None:
        """See `Transport.close`."""
        self._transport.close()
