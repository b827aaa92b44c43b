"""A request on its way through the proxy, and what a rule can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BufferedIOBase
from urllib.parse import parse_qs, urlencode, urlsplit

_LINE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class ProxiedRequest:
    """One HTTP request, as the client sent it."""

    method: str
    target: str
    headers: Mapping[str, str]  #: lower-case names
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The first value of each parameter."""
        parsed = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}

    def without(self, parameter: str) -> ProxiedRequest:
        """The same with one query parameter less."""
        query = urlencode({name: value for name, value in self.query.items() if name != parameter})
        return replace(self, target=f"{self.path}?{query}")

    @property
    def is_watch(self) -> bool:
        return self.method == "GET" and self.query.get("watch", "false") in {"1", "true"}

    @property
    def is_streamed_list(self) -> bool:
        return self.is_watch and self.query.get("sendInitialEvents") == "true"

    @property
    def is_list(self) -> bool:
        """Whether it may be one in pages: a GET that is no watch."""
        return self.method == "GET" and not self.is_watch

    @property
    def version(self) -> str:
        """The resourceVersion it asks for."""
        return self.query.get("resourceVersion", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets instead of the server's answer.

    Attributes:
        status: The HTTP status.
        body: All of it.
        content_type: Of the body.
        retry_after: Seconds, for the header; None for none.
        is_stream: Send it as the chunked body of a watch, and end that cleanly.
        is_cut: Close the connection in the middle of the body.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    retry_after: int | None = None
    is_stream: bool = False
    is_cut: bool = False


class Rule:
    """Looks at what passes through the proxy; this one changes nothing. Called from any thread."""

    def answer(self, request: ProxiedRequest) -> Answer | None:
        """Instead of the server; None lets the request pass."""
        return None

    def ask(self, request: ProxiedRequest) -> ProxiedRequest:
        """What the server is asked instead."""
        return request

    def line(self, request: ProxiedRequest, line: bytes) -> bytes:
        """What becomes of a line of a watch, its newline included; b"" drops it."""
        return line

    def page(self, request: ProxiedRequest, body: bytes) -> bytes:
        """What becomes of the body of any other answer with status 200."""
        return body


def read_request(source: BufferedIOBase) -> ProxiedRequest | None:
    """The next request of a connection; None at its end."""
    first = source.readline(_LINE_BYTES).decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (text := source.readline(_LINE_BYTES).decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return ProxiedRequest(first[0], first[1], headers, _read_body(source, headers))


def _read_body(source: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return source.read(int(headers.get("content-length") or 0))
    parts = []
    while size := int(source.readline(_LINE_BYTES).partition(b";")[0], 16):
        parts.append(source.read(size))
        source.readline(_LINE_BYTES)
    while source.readline(_LINE_BYTES).strip():  # trailers
        pass
    return b"".join(parts)
