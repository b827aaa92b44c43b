"""Answers of an API server that is not well, in the shapes that real ones have."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from btcctl.testing.faults.requests import Answer, ProxiedRequest, Rule

__all__ = ["Answer", "Answering"]

EXPIRED = "The resourceVersion for the provided list is too old."
TOO_LARGE = "Too large resource version"


class Answering(Rule):
    """Answers some requests itself.

    Args:
        answer: What with.
        to: Which; all by default.
        times: How many of them; None for as long as the rule is in force.
    """

    def __init__(
        self,
        answer: Answer,
        to: Callable[[ProxiedRequest], bool] = lambda _: True,
        *,
        times: int | None = None,
    ) -> None:
        self._answer = answer
        self._to = to
        self._lock = threading.Lock()  # guards the count
        self._left = float("inf") if times is None else float(times)

    @property
    def is_spent(self) -> bool:
        """Whether it has answered as often as it will."""
        return self._left <= 0

    def answer(self, request: ProxiedRequest) -> Answer | None:
        if not self._to(request):
            return None
        with self._lock:
            if self._left <= 0:
                return None
            self._left -= 1
        return self._answer


def status(code: int, reason: str = "", message: str = "", **details: Any) -> dict[str, Any]:
    """A v1.Status; what is empty is left out, as a real server does."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    more = {"message": message, "reason": reason, "details": details, "code": code}
    return {**body, **{name: value for name, value in more.items() if value}}


def refusal(
    code: int, reason: str = "", message: str = "", *, retry_after: int | None = None, **details: Any
) -> Answer:
    """A Status as the answer to a request."""
    if retry_after is not None:
        details["retryAfterSeconds"] = retry_after
    return Answer(code, json.dumps(status(code, reason, message, **details)).encode() + b"\n", retry_after=retry_after)


def text(code: int, body: str, *, retry_after: int | None = None) -> Answer:
    """An answer that is no Status: overload, an unknown path, a proxy on the way."""
    return Answer(code, body.encode(), "text/plain; charset=utf-8", retry_after)


def events(*lines: Mapping[str, Any]) -> Answer:
    """A watch that is accepted, sends these and ends."""
    return Answer(200, b"".join(json.dumps(line).encode() + b"\n" for line in lines), is_stream=True)


def error_event(body: Mapping[str, Any]) -> Answer:
    """A watch that is accepted and refused by its first event."""
    return events({"type": "ERROR", "object": body})


def too_large(version: str = "9") -> dict[str, Any]:
    """As a real server says it, since 1.17."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": TOO_LARGE}]
    return status(504, "Timeout", f"Timeout: {TOO_LARGE}: {version}, current: 1", causes=causes, retryAfterSeconds=1)


def as_answer(body: Mapping[str, Any], code: int | None = None) -> Answer:
    """A Status as an answer, its Retry-After in the header, too."""
    retry_after = (body.get("details") or {}).get("retryAfterSeconds")
    return Answer(code or body["code"], json.dumps(body).encode() + b"\n", retry_after=retry_after)
