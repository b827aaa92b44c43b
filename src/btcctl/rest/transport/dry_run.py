"""Has the server work out what each write would do, without doing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from btcctl import codecs
from btcctl.errors import DecodeError
from btcctl.objects import decode_json
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport


@dataclass(frozen=True, slots=True)
class Planned:
    """A write that was not made.

    Attributes:
        before: The object as it is, None if there is none.
        after: The object as it would be, None if it would be gone or the server refuses.
        refusal: What the server has against it, "" if nothing.
    """

    method: str
    path: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    refusal: str = ""


class DryRunTransport:
    """A transport that lets reads through, and of each write only the question what it would do.

    The server answers that with defaults, validation and admission. So the caller goes on as if
    it had written, though no read ever shows it.

    Args:
        transport: What really carries the requests.
        report: Called with each write.
    """

    def __init__(self, transport: Transport, report: Callable[[Planned], None]) -> None:
        self._transport = transport
        self._report = report

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """See `Transport.request`."""
        if request.is_read:
            return self._transport.request(request, timeout=timeout, breaker=breaker)
        before = None
        if request.method != "POST":
            live = Request("GET", request.path, {}, {"Accept": "application/json"})
            before = _body(self._transport.request(live, timeout=timeout, breaker=breaker))
        answer = self._transport.request(_asking_only(request), timeout=timeout, breaker=breaker)
        is_accepted = 200 <= answer.status < 300
        after = _body(answer) if is_accepted and request.method != "DELETE" else None
        refusal = "" if is_accepted else str((_decoded(answer) or {}).get("message") or answer.status)
        self._report(Planned(request.method, request.path, before, after, refusal))
        return replace(answer, is_hypothetical=True)

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """See `Transport.stream`."""
        return self._transport.stream(request, timeout=timeout, idle_timeout=idle_timeout, breaker=breaker)

    def close(self) -> None:
        """See `Transport.close`."""
        self._transport.close()


def _asking_only(request: Request) -> Request:
    """The same request as a question. DELETE with DeleteOptions: the server ignores the query, so it is in the body."""
    question = replace(request, query={**request.query, "dryRun": "All"})
    if request.method != "DELETE" or not request.body:
        return question
    options = decode_json(request.body, dict[str, Any], lambda: "options of a deletion")
    return replace(question, body=codecs.encode({**options, "dryRun": ["All"]}))


def _body(response: Response) -> Mapping[str, Any] | None:
    return _decoded(response) if 200 <= response.status < 300 else None


def _decoded(response: Response) -> Mapping[str, Any] | None:
    try:
        return decode_json(response.body, dict[str, Any], lambda: "answer")
    except DecodeError:
        return None
