"""What is sent back. Pure."""

from __future__ import annotations

import email.utils
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

_HEADERS = {
    HTTPStatus.METHOD_NOT_ALLOWED: "Allow: GET, HEAD",
    HTTPStatus.UNAUTHORIZED: "WWW-Authenticate: Bearer",
}


class Answer(NamedTuple):
    """An answer to a request."""

    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"

    def encoded(self, now: datetime, *, keep_alive: bool, is_head: bool) -> bytes:
        """As HTTP/1.1 has it.

        Args:
            now: In UTC.
            is_head: Without the body.
        """
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Date: {email.utils.format_datetime(now, usegmt=True)}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "X-Content-Type-Options: nosniff",
        ]
        if self.status in _HEADERS:
            lines.append(_HEADERS[self.status])
        if not keep_alive:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head if is_head else head + self.body
