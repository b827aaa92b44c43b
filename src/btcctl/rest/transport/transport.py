"""What a client needs of HTTP, whatever provides it.

`btcctl.rest.http` provides it over sockets, `btcctl.testing.FakeClient` over a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from btcctl.rest.transport.breaker import Breaker
from btcctl.secret import SecretBytes

_READS = frozenset({"GET", "HEAD"})
_REVIEWS = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")
#: Methods of requests that do no more when sent twice than when sent once (RFC 9110, section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class FixedHeaders(dict[str, str]):
    """Headers that nobody changes any more: what a transport makes of them may be kept with them.

    Attributes:
        kept: By whom, for which authorization, and what.
    """

    __slots__ = ("kept",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        self.kept: tuple[object, str, SecretBytes] | None = None


class Request(msgspec.Struct, frozen=True, eq=False):
    """One request to the API server. Its headers and body may be secrets: its repr shows neither."""

    method: str
    path: str  #: from "/", unescaped
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes | None = None  #: a SecretBytes, if it is to be hidden inside other libraries
    #: Given the body of a 200 piece by piece as it comes, by a transport that can; it is not in the Response then.
    receive: Callable[[bytes], None] | None = None
    after_status: int = 0  #: what it was answered when it was sent before, if it was

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which would otherwise be given every field by msgspec."""
        return [("method", self.method), ("path", self.path)]

    @property
    def is_read(self) -> bool:
        """True if it changes nothing at the server: a review of access is a question, too, though it is POSTed."""
        return self.method in _READS or self.path.startswith(_REVIEWS)

    @property
    def is_idempotent(self) -> bool:
        """True if to send it twice does no more than to send it once (RFC 9110, section 9.2.2)."""
        return self.method in IDEMPOTENT


class Response(msgspec.Struct, frozen=True, eq=False):
    """A response read to its end. Its repr shows the status alone."""

    status: int
    headers: Mapping[str, str]  #: looked up whatever the case
    body: bytes
    is_hypothetical: bool = False  #: nothing was done: the server was only asked what would be

    def __repr__(self) -> str:
        return f"<Response {self.status}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """See `Request.__rich_repr__`."""
        return [("status", self.status)]


class Fence(Protocol):
    """Asked about each request that may change something, as late as can be."""

    def check(self) -> None:
        """Called right before each part of a request is sent, after connecting. What it raises is
        raised, and the request has no effect."""

    def sent(self) -> None:
        """Called right after."""


class StreamResponse(Protocol):
    """A response whose body is read as it comes. Close it, or leave its `with` block."""

    status: int
    headers: Mapping[str, str]

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces of any size, until the server ends it.

        Raises:
            TransportError: The connection broke, or was silent for longer than allowed.
            Interrupted: The breaker was tripped.
        """

    def set_idle_timeout(self, seconds: float) -> None:
        """Change how long the next piece may take. Only the reading thread may call it."""

    def close(self) -> None:
        """Let the connection go. Only the reading thread may call it."""


class Transport(Protocol):
    """Sends requests. Thread-safe."""

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """Send and read the whole answer, whatever its status.

        Args:
            timeout: Seconds for the whole call, from the name's resolution to the last byte, however they come.
            breaker: Breaks the call off when tripped.

        Raises:
            TransportError: No answer was had.
            CallTimedOut: Not in time; one of these, and a DeadlineExceeded.
        """

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """Send, and return as soon as the headers have come.

        Args:
            timeout: Seconds until the headers must be there; of an answer other than 200, all of it.
            idle_timeout: Seconds of silence in the body after which it counts as broken.
            breaker: Breaks the call or the stream off when tripped.
        """

    def close(self) -> None:
        """Let idle connections go. Idempotent."""
