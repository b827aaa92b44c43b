"""The heads of requests and answers (RFC 9112): text to bytes, bytes to fields, no I/O.

An answer is read as strictly as it can be: what a server and a proxy before it could understand differently is no
answer. A parser with a C core (httptools 0.9, on llhttp) saves 1 µs of 110 for a PUT, takes a second answer behind the
first for more of it, unknown transfer codings for none, and HTTP/1.0 with a transfer coding for chunked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from btcctl.patterns import again
from btcctl.rest.exchange.failures import ExchangeError
from btcctl.secret import Secret, SecretBytes

HEAD_BYTES = 1 << 18  # a longer one is none; an API server's warnings take at most 4 KiB of it
_END = b"\r\n\r\n"
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_TEXT = r"[^\x00-\x08\x0a-\x1f\x7f]*+"
_FIELDS = again(rf"{_NAME}:{_TEXT}\r\n")
_ANSWER = re.compile(rf"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: {_TEXT})?\r\n({_FIELDS})\r\n".encode())
# The answer to most requests: of what frames and packs its body there is one length, and nothing for us to tell of.
_SPECIAL_NAMES = frozenset({"transfer-encoding", "content-encoding", "connection", "warning"})
_OTHER_FIELDS = again(rf"(?!(?i:content-length|{'|'.join(sorted(_SPECIAL_NAMES))}):){_NAME}:{_TEXT}\r\n")
_LENGTH_FIELD = r"(?i:content-length):[ \t]*+([0-9]{1,15})[ \t]*+\r\n"
_PLAIN_ANSWER = re.compile(
    rf"HTTP/1\.1 ([2-5][0-9][0-9])(?: {_TEXT})?\r\n({_OTHER_FIELDS}{_LENGTH_FIELD}{_OTHER_FIELDS})\r\n".encode()
)
_TOKEN = re.compile(_NAME)
_FIELD = re.compile(rf"{_NAME}:[\t\x20-\x7e\x80-\xff]*+\r\n")
_BEGINNING = b"HTTP/1."
_METHODS_WITH_BODY = frozenset({"PUT", "POST", "PATCH"})


class Head(Mapping[str, str]):
    """Of an answer: its fields by lower-case name, looked up whatever the case. Those of one name are joined.

    They are taken apart when one of them is asked for: most answers' are never asked for.

    Attributes:
        status: 100 to 599.
        minor_version: Of HTTP: 0 or 1.
        size: Bytes it takes.
        plain_length: Bytes of the body that follows, if the head says that, and nothing else on how it is framed and
            packed, on whether the connection is kept, and of warnings; else None.
    """

    __slots__ = ("_fields", "_parsed", "minor_version", "plain_length", "size", "status")

    def __init__(self, status: int, minor_version: int, fields: bytes, size: int, plain_length: int | None) -> None:
        self.status = status
        self.minor_version = minor_version
        self.size = size
        self.plain_length = plain_length
        self._fields = fields
        self._parsed: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._all()[name.lower()]

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        name = name.lower()
        if name in _SPECIAL_NAMES and self.plain_length is not None:
            return False
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<Head of an answer {self.status}>"

    def _all(self) -> dict[str, str]:
        if self._parsed is None:
            self._parsed = _parse_fields(self._fields)
        return self._parsed


def parse_head(data: bytes | bytearray, searched: int = 0) -> Head | None:
    """The head that `data` begins with; None if it is not all there.

    Args:
        searched: Bytes that were looked at before.

    Raises:
        ExchangeError: It is none, or too long.
    """
    end = data.find(_END, searched - 3 if searched > 3 else 0)
    if end >= 0:
        match = _PLAIN_ANSWER.match(data)
        if match is not None:
            status, fields, length = match.groups()
            return Head(int(status), 1, fields, match.end(), int(length))
        match = _ANSWER.match(data)
        if match is not None:
            minor, status, fields = match.groups()
            return Head(int(status), int(minor), fields, match.end(), None)
        raise ExchangeError(f"not the head of an HTTP answer: {bytes(data[:20])!r}")
    if not data.startswith(_BEGINNING[: len(data)]):
        raise ExchangeError(f"this is not HTTP: {bytes(data[:20])!r}")
    if len(data) > HEAD_BYTES:
        raise ExchangeError(f"the head of the answer has more than {HEAD_BYTES} bytes")
    return None


def _parse_fields(fields: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in fields.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        known = headers.get(name)
        headers[name] = value if known is None else f"{known}, {value}"
    return headers


def format_fields(host: str, headers: Collection[tuple[str, str]]) -> SecretBytes:
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
    return SecretBytes(f"Host: {host}\r\n{packed}{''.join(lines)}".encode("latin-1"))


def format_request(method: str, target: str, fields: bytes, body: bytes | None) -> SecretBytes:
    """A request as it goes over the wire.

    Args:
        target: ASCII.
        fields: As `format_fields` has them.
    """
    line = f"{method} {target} HTTP/1.1\r\n".encode()
    if body is not None:
        return SecretBytes(b"%b%bContent-Length: %d\r\n\r\n%b" % (line, fields, len(body), body))
    length = b"Content-Length: 0\r\n" if method in _METHODS_WITH_BODY else b""
    return SecretBytes(b"%b%b%b\r\n" % (line, fields, length))
