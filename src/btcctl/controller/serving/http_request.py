"""HTTP/1.1 requests without a body, as far as a status server needs them (RFC 9112). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from btcctl.secret import Secret

MAX_HEAD_BYTES = 16 << 10  # more than any probe or scraper sends

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])" % _TOKEN)
_HEADER = re.compile(rb"(%s):[ \t]*([^\x00\r\n]*?)[ \t]*" % _TOKEN)
_END = re.compile(rb"\r?\n\r?\n")
_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    path: str  #: decoded
    verbose: bool  #: `?verbose` was given
    is_head: bool  #: only the headers of the answer are wanted
    keep_alive: bool  #: another request may follow on the same connection
    excluded: tuple[str, ...] = ()  #: what `?exclude=` names, once or more often
    authorization: Secret = field(default=Secret(""), repr=False)  #: the header of that name


class BadRequest(Exception):
    """It is answered with `status`, and then the connection is closed: what follows cannot be known."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def take_request(buffer: bytearray) -> Request | None:
    """Take the first request out of `buffer`; None if it is not complete yet.

    Raises:
        BadRequest: It will never be one that can be answered.
    """
    del buffer[: len(buffer) - len(buffer.lstrip(b"\r\n"))]  # empty lines before it (RFC 9112, 2.2)
    end = _END.search(buffer)
    if (len(buffer) if end is None else end.start()) > MAX_HEAD_BYTES:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MAX_HEAD_BYTES} bytes of headers")
    if end is None:
        return None
    head = bytes(buffer[: end.start()])
    del buffer[: end.end()]
    return _parsed(head)


def _parsed(head: bytes) -> Request:
    first, *lines = re.split(rb"\r?\n", head)
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise BadRequest(HTTPStatus.BAD_REQUEST, "no request line")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise BadRequest(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "speak HTTP/1.1")
    headers = _headers(lines)
    if method.decode() not in _METHODS:
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, f"only {' and '.join(_METHODS)}")
    path, query = _path_and_query(target)
    asked = parse_qs(query, keep_blank_values=True)
    return Request(
        path,
        verbose="verbose" in asked,
        excluded=tuple(asked.get("exclude", ())),
        is_head=method == b"HEAD",
        keep_alive=_keeps_alive(headers, is_new=minor != b"0"),
        authorization=Secret(headers.get(b"authorization", b"").decode("latin-1")),
    )


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "a header line that is none")
        name, value = match[1].lower(), match[2]
        headers[name] = headers[name] + b"," + value if name in headers else value
    return headers


def _path_and_query(target: bytes) -> tuple[str, str]:
    text = target.decode("latin-1")
    if not text.startswith("/"):
        try:
            url = urlsplit(text)
        except ValueError:
            url = urlsplit("")
        if url.scheme not in {"http", "https"}:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "no path")
        return _decoded(url.path or "/"), url.query
    path, _, query = text.partition("?")
    return _decoded(path), query


def _decoded(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode(errors="replace")


def _keeps_alive(headers: dict[bytes, bytes], *, is_new: bool) -> bool:
    """A body is not read: what follows a request that has one may be anything, and is not looked at."""
    if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":
        return False
    options = {each.strip().lower() for each in headers.get(b"connection", b"").split(b",")}
    return b"close" not in options and (is_new or b"keep-alive" in options)
