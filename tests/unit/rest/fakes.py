"""A transport that answers from a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response
from btcctl.testing.clock import FakeClock


def answer(body: Any = None, status: int = 200, **headers: str) -> Response:
    """A Response; header names are given with underscores for dashes."""
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def status(code: int, reason: str = "", message: str = "", **headers: str) -> Response:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return answer(body, code, **headers)


def pod(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", "resourceVersion": version}}


class JumpingClock(FakeClock):
    """A wait takes no time, and its whole time has passed."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        self.advance(timeout or 0.0)
        return False


class ScriptedStream:
    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.is_closed = False
        self.idle_timeouts: list[float] = []
        self._body = response.body

    def chunks(self) -> Iterator[bytes]:
        yield from self._body.splitlines(keepends=True) or [b""]

    def set_idle_timeout(self, seconds: float) -> None:
        self.idle_timeouts.append(seconds)

    def close(self) -> None:
        self.is_closed = True


class ScriptedTransport:
    """Gives the answers in order, the last one for ever; an exception among them is raised."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.requests: list[Request] = []
        self.timeouts: list[float] = []
        self.streams: list[ScriptedStream] = []
        self.is_closed = False
        self.on_request: Callable[[], None] = lambda: None
        self._answers = list(answers)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    @property
    def last_body(self) -> Any:
        return json.loads(self.last.body or b"null")

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        if breaker is not None:
            breaker.check()
        self.timeouts.append(timeout)
        return self._next(request)

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> ScriptedStream:
        self.timeouts.append(idle_timeout)
        self.streams.append(ScriptedStream(self._next(request)))
        return self.streams[-1]

    def close(self) -> None:
        self.is_closed = True

    def _next(self, request: Request) -> Response:
        self.requests.append(request)
        self.on_request()
        upcoming = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(upcoming, Exception):
            raise upcoming
        return upcoming
