"""The heads of requests and answers (RFC 9112): text to bytes, bytes to fields, no I/O.

An answer is read as strictly as it can be: what a server and a proxy before it could understand differently is no
answer. A parser with a C core (httptools 0.9, on llhttp) saves 1 µs of 110 for a PUT, takes a second answer behind the
first for more of it, unknown transfer codings for none, and HTTP/1.0 with a transfer coding for chunked.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from btcctl.rest.exchange.failures import ExchangeError
from btcctl.secret import Secret

HEAD_BYTES = 1 << 18  # a longer one is none; an API server's warnings take at most 4 KiB of it
_END = b"\r\n\r\n"
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_TEXT = r"[^\x00-\x08\x0a-\x1f\x7f]*+"
_ANSWER = re.compile(rf"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: {_TEXT})?\r\n((?:{_NAME}:{_TEXT}\r\n)*+)\r\n".encode())
_TOKEN = re.compile(_NAME)
_FIELD = re.compile(rf"{_NAME}:[\t\x20-\x7e\x80-\xff]*+\r\n")
_BEGINNING = b"HTTP/1."
_METHODS_WITH_BODY = frozenset({"PUT", "POST", "PATCH"})


plain_get = dict[str, str].get  #: Looks up a name of `Headers` that is in lower case.


class Headers(dict[str, str]):
    """The fields of a head, by lower-case name; looked up whatever the case. Those of one name are joined."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class Head(NamedTuple):
    """Of an answer.

    Attributes:
        size: Bytes it takes.
    """

    status: int
    headers: Headers
    minor_version: int  #: HTTP/1.0 or 1.1
    size: int


def parse_head(data: bytes | bytearray, searched: int = 0) -> Head | None:
    """The head that `data` begins with; None if it is not all there.

    Args:
        searched: Bytes that were looked at before.

    Raises:
        ExchangeError: It is none, or too long.
    """
    match = _ANSWER.match(data) if data.find(_END, max(0, searched - 3)) >= 0 else None
    if match is not None:
        minor, status, fields = match.groups()
        return Head(int(status), _parse_fields(fields), minor == b"1", match.end())
    if data.find(_END, max(0, searched - 3)) >= 0:
        raise ExchangeError(f"not the head of an HTTP answer: {bytes(data[:20])!r}")
    if not data.startswith(_BEGINNING[: len(data)]):
        raise ExchangeError(f"this is not HTTP: {bytes(data[:20])!r}")
    if len(data) > HEAD_BYTES:
        raise ExchangeError(f"the head of the answer has more than {HEAD_BYTES} bytes")
    return None


def _parse_fields(fields: bytes) -> Headers:
    headers: dict[str, str] = {}
    for line in fields.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        known = headers.get(name)
        headers[name] = value if known is None else f"{known}, {value}"
    return Headers(headers)


def format_fields(host: str, headers: Collection[tuple[str, str]]) -> Secret:
    """The fields of a request, but for the length of its body.

    Args:
        headers: Names and values; a name may come several times.

    Raises:
        ValueError: One has a character that none may have; names it, and does not show the value.
    """
    lines = [Secret(f"{name}: {value}\r\n") for name, value in headers]
    for (name, _), line in zip(headers, lines, strict=True):
        if _TOKEN.fullmatch(name) is None or _FIELD.fullmatch(line) is None:
            raise ValueError(f"header {name!r} has a character that no header may have")
    packed = "" if any(name.lower() == "accept-encoding" for name, _ in headers) else "Accept-Encoding: identity\r\n"
    return Secret(f"Host: {host}\r\n{packed}{''.join(lines)}")


def format_head(method: str, target: str, fields: str, body: bytes | None) -> bytes:
    """The head of a request.

    Args:
        fields: As `format_fields` has them.
    """
    length = ""
    if body is not None:
        length = f"Content-Length: {len(body)}\r\n"
    elif method in _METHODS_WITH_BODY:
        length = "Content-Length: 0\r\n"
    return f"{method} {target} HTTP/1.1\r\n{fields}{length}\r\n".encode("latin-1")
