from __future__ import annotations

import pytest

from btcctl.sandbox.simnode.rpc.http import BadRequest, Response, error_page, parse_head, render

DATE = "Mon, 23 Nov 2026 15:36:36 GMT"


def test_names_of_headers_are_lowered_and_values_trimmed() -> None:
    request = parse_head(b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization:  Basic abc \r\n\r\n", "127.0.0.1")
    assert (request.method, request.path, request.client) == ("POST", "/", "127.0.0.1")
    assert request.headers == {"host": "x", "authorization": "Basic abc"}


@pytest.mark.parametrize(
    ("version", "header", "keeps"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: Keep-Alive\r\n", True),
    ],
)
def test_who_keeps_a_connection_open(version: str, header: str, keeps: bool) -> None:
    assert parse_head(f"GET / HTTP/{version}\r\n{header}\r\n".encode()).keep_alive == keeps


@pytest.mark.parametrize(
    "raw", [b"", b"GET /\r\n\r\n", b"GET / HTTP/2\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"]
)
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_head(raw)


def test_an_answer_has_the_headers_of_the_real_one() -> None:
    assert render(Response(200, b"{}\n", "application/json"), DATE, close=False) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Date: Mon, 23 Nov 2026 15:36:36 GMT\r\nContent-Length: 3\r\n\r\n{}\n"
    )
    refusal = render(Response(401, headers={"WWW-Authenticate": "x"}), DATE, close=True).decode()
    assert "Content-Length: 0\r\n" in refusal
    assert "Connection: close\r\n" in refusal
    assert "Content-Type: text/html; charset=ISO-8859-1\r\n" in refusal


def test_no_content_has_no_length_and_head_no_body() -> None:
    assert b"Content-Length" not in render(Response(204), DATE, close=False)
    head = render(Response(200, b"body", body_omitted=True), DATE, close=False)
    assert b"Content-Length: 4\r\n" in head
    assert not head.endswith(b"body")


def test_an_error_page_names_the_error() -> None:
    assert b"<TITLE>400 Bad Request</TITLE>" in error_page(400).body
