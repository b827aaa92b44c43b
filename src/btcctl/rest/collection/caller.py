"""What a collection needs of the client that it belongs to."""

from __future__ import annotations

from typing import Protocol

from btcctl.clock import Clock
from btcctl.metadata import TypeMeta
from btcctl.rest.limits import StreamLimits
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse
from btcctl.rest.watching.stream import WatchStream
from btcctl.threads import Stop


class Caller(Protocol):
    """Makes calls of one API server; `ApiClient` is one. Thread-safe."""

    @property
    def cluster(self) -> str:
        """Which cluster that is, in a program that looks after several."""

    @property
    def field_manager(self) -> str:
        """Names the owner of the fields that are written."""

    @property
    def has_chosen_field_manager(self) -> bool:
        """Whether that name was given, and is not merely the program's."""

    @property
    def gzip(self) -> bool:
        """Whether to ask for compressed lists."""

    @property
    def clock(self) -> Clock:
        """What waits are measured with."""

    def call(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        breaker: Breaker | None = None,
        stop: Stop | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """See `ApiClient.call`."""

    def open_watch(
        self, request: Request, *, limits: StreamLimits, breaker: Breaker, type_meta: TypeMeta | None = None
    ) -> WatchStream:
        """See `ApiClient.open_watch`."""

    def open_stream(self, request: Request, *, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """See `ApiClient.open_stream`."""
