"""Counts requests on their way: for metrics, and for tests that count writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import TransportError
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport

R = TypeVar("R", Response, StreamResponse)

NO_ANSWER = "<error>"  #: in place of a status code, as client-go's metrics have it

Count = Callable[[int | str, str, str], None]  #: takes status code or NO_ANSWER, method and host
Time = Callable[[str, str, float], None]  #: takes method, host, and seconds until the answer, or a watch's headers


class CountingTransport:
    """A transport that counts each request it carries.

    Args:
        transport: What really carries it.
        count: Called for each answer, or if there was none. Must not raise.
        host: Passed on to `count`.
        time: Called with how long each took. Must not raise.
        retried: Called, like `count`, for each that is sent again, and with which answer it came back. Must not raise.
    """

    def __init__(
        self,
        transport: Transport,
        count: Count,
        host: str,
        time: Time | None = None,
        clock: Clock = SYSTEM_CLOCK,
        *,
        retried: Count | None = None,
    ) -> None:
        self._transport = transport
        self._count = count
        self._host = host
        self._time = time
        self._clock = clock
        self._retried = retried

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """See `Transport.request`."""
        transport = self._transport
        return self._counted(request, partial(transport.request, request, timeout=timeout, breaker=breaker))

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """See `Transport.stream`: counted when the headers have come."""
        stream = self._transport.stream
        return self._counted(
            request, lambda: stream(request, timeout=timeout, idle_timeout=idle_timeout, breaker=breaker)
        )

    def close(self) -> None:
        """See `Transport.close`."""
        self._transport.close()

    def _counted(self, request: Request, send: Callable[[], R]) -> R:
        if request.after_status and self._retried is not None:
            self._retried(request.after_status, request.method, self._host)
        began_at = self._clock.now()
        try:
            response = send()
        except TransportError:
            self._count(NO_ANSWER, request.method, self._host)
            raise
        finally:
            if self._time is not None:
                self._time(request.method, self._host, self._clock.now() - began_at)
        self._count(response.status, request.method, self._host)
        return response
