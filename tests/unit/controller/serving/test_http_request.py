"""What a status server takes for a request."""

from __future__ import annotations

import contextlib
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.controller.serving.http_request import MAX_HEAD_BYTES, BadRequest, Request, take_request

HOST = b"Host: x\r\n\r\n"


def taken(text: bytes) -> Request:
    request = take_request(bytearray(text))
    assert request is not None
    return request


def refused(text: bytes) -> HTTPStatus:
    with pytest.raises(BadRequest) as refusal:
        take_request(bytearray(text))
    return refusal.value.status


def test_a_request_is_a_path_and_whether_more_is_wanted() -> None:
    assert taken(b"GET /readyz?verbose HTTP/1.1\r\n" + HOST) == Request("/readyz", True, False, True)
    assert taken(b"HEAD /healthz HTTP/1.1\r\n" + HOST) == Request("/healthz", False, True, True)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/debug/key/a%3Ab", "/debug/key/a:b"),
        (b"http://x:1/readyz?a=b", "/readyz"),
        (b"http://x", "/"),
        (b"/\xff", "/\ufffd"),
    ],
)
def test_a_path_is_decoded_and_may_come_with_a_host(target: bytes, path: str) -> None:
    assert taken(b"GET " + target + b" HTTP/1.1\r\n" + HOST).path == path


@pytest.mark.parametrize(
    ("first", "header", "keeps"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: Foo, Close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"connection: keep-alive\r\n", True),
        (b"1.1", b"Content-Length: 0\r\n", True),
        (b"1.1", b"Content-Length: 5\r\n", False),
        (b"1.1", b"Content-Length: 0\r\nContent-Length: 5\r\n", False),
        (b"1.1", b"Transfer-Encoding: chunked\r\n", False),
    ],
)
def test_another_request_may_follow_if_it_is_known_where_it_begins(first: bytes, header: bytes, keeps: bool) -> None:
    assert taken(b"GET / HTTP/" + first + b"\r\n" + header + HOST).keep_alive is keeps


def test_requests_are_taken_one_after_the_other_and_what_is_incomplete_stays() -> None:
    buffer = bytearray(b"\r\nGET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\n\nGET /c")
    found = [take_request(buffer), take_request(buffer), take_request(buffer)]
    assert [each.path if each else None for each in found] == ["/a", "/b", None]
    assert buffer == b"GET /c"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"\x16\x03\x01\x02\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET /\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET  / HTTP/1.1\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET x HTTP/1.1\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET http://[ HTTP/1.1\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\n folded\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nname : value\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nname: a\x00b\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"PRI * HTTP/2.0\r\n\r\n", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED),
        (b"POST / HTTP/1.1\r\n\r\n", HTTPStatus.METHOD_NOT_ALLOWED),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * MAX_HEAD_BYTES, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    ],
)
def test_what_is_no_request_is_refused_in_http(text: bytes, status: HTTPStatus) -> None:
    assert refused(text) == status


_PIECES = st.sampled_from(
    [b"GET", b"HEAD", b" ", b"/", b"?", b"%", b"HTTP/1.1", b"\r", b"\n", b"\r\n\r\n", b":", b"a: b", b"\x00"]
)


@given(st.lists(st.one_of(_PIECES, st.binary(max_size=20)), max_size=40).map(b"".join))
def test_any_bytes_are_a_request_or_refused_or_not_complete(text: bytes) -> None:
    buffer = bytearray(text)
    with contextlib.suppress(BadRequest):
        while take_request(buffer) is not None:
            assert len(buffer) < len(text)
            text = bytes(buffer)
        assert text.endswith(bytes(buffer))


@given(st.binary(max_size=300), st.data())
def test_it_does_not_matter_in_which_pieces_a_request_comes(noise: bytes, data: st.DataObject) -> None:
    text = b"GET /healthz HTTP/1.1\r\n" + noise
    cut = data.draw(st.integers(0, len(text)))
    assert _outcome([text]) == _outcome([text[:cut], text[cut:]])


def _outcome(pieces: list[bytes]) -> object:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        try:
            request = take_request(buffer)
        except BadRequest as refusal:
            return refusal.status
        if request is not None:
            return request
    return None
