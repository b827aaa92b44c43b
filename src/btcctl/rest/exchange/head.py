"""The heads of requests and answers (RFC 9112): text to bytes, bytes to fields, no I/O.

An answer is read as strictly as it can be: what a server and a proxy before it could understand differently is no
answer. A parser with a C core (httptools 0.9, on llhttp) saves 1 µs of 110 for a PUT, takes a second answer behind the
first for more of it, unknown transfer codings for none, and HTTP/1.0 with a transfer coding for chunked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

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
_LENGTH_LINE = b"\ncontent-length:"
_MAX_DIGITS = 15


class Headers(Mapping[str, str]):
    """The fields of a head, by lower-case name; looked up whatever the case. Those of one name are joined.

    Taken apart when one of them is asked for: most answers' headers are never asked for.
    """

    __slots__ = ("_fields", "_parsed")

    def __init__(self, fields: bytes) -> None:
        self._fields = fields
        self._parsed: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._all()[name.lower()]

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        name = name.lower()
        if self._parsed is None and name.encode("utf-8", "replace") not in self._fields.lower():
            return False  # what occurs nowhere is no name
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Headers({self._all()!r})"

    def _all(self) -> dict[str, str]:
        if self._parsed is None:
            self._parsed = _parse_fields(self._fields)
        return self._parsed


class Head(NamedTuple):
    """Of an answer.

    Attributes:
        size: Bytes it takes.
        plain_length: Bytes of the body that follows, if the head says that and nothing else on how it is framed and
            packed and whether the connection is kept; else None.
    """

    status: int
    headers: Headers
    minor_version: int  #: HTTP/1.0 or 1.1
    size: int
    plain_length: int | None = None


def parse_head(data: bytes | bytearray, searched: int = 0) -> Head | None:
    """The head that `data` begins with; None if it is not all there.

    Args:
        searched: Bytes that were looked at before.

    Raises:
        ExchangeError: It is none, or too long.
    """
    end = data.find(_END, searched - 3 if searched > 3 else 0)
    match = _ANSWER.match(data) if end >= 0 else None
    if match is not None:
        minor, status, fields = match.groups()
        # Each line begins after a line end, and no field has one in it.
        length = _plain_length(data[: end + 2].lower()) if minor == b"1" else None
        return Head(int(status), Headers(fields), minor == b"1", match.end(), length)
    if end >= 0:
        raise ExchangeError(f"not the head of an HTTP answer: {bytes(data[:20])!r}")
    if not data.startswith(_BEGINNING[: len(data)]):
        raise ExchangeError(f"this is not HTTP: {bytes(data[:20])!r}")
    if len(data) > HEAD_BYTES:
        raise ExchangeError(f"the head of the answer has more than {HEAD_BYTES} bytes")
    return None


def _plain_length(lines: bytes | bytearray) -> int | None:
    """See `Head`.

    Args:
        lines: Of the head, in lower case.
    """
    begin = lines.find(_LENGTH_LINE)
    if (
        begin < 0
        or b"\ntransfer-encoding:" in lines
        or b"\ncontent-encoding:" in lines
        or b"\nconnection:" in lines
        or lines.find(_LENGTH_LINE, begin + 1) >= 0
    ):
        return None
    digits = lines[begin + len(_LENGTH_LINE) : lines.find(b"\r", begin)].strip(b" \t")
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else None


def _parse_fields(fields: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in fields.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        known = headers.get(name)
        headers[name] = value if known is None else f"{known}, {value}"
    return headers


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
