"""Heads of answers and requests, as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.rest.exchange.failures import ExchangeError
from btcctl.rest.exchange.head import HEAD_BYTES, format_fields, format_request, parse_head

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate:\t x \r\nWarning: 299 - a\r\nwarning: 299 - b\r\n\r\n"
)


def test_fields_are_found_whatever_the_case_and_those_of_one_name_are_joined():
    head = parse_head(HEAD + b"{}")
    assert head is not None
    assert (head.status, head.minor_version, head.size) == (200, 1, len(HEAD))
    assert head["CONTENT-type"] == "application/json"
    assert head.get("Date") == "x"
    assert head.get("Warning") == "299 - a, 299 - b"
    assert "dATE" in head
    assert "299" not in head
    assert head.get("Nothing") is None


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        (b"Content-Length: 2", 2),
        (b"A: b\r\ncontent-LENGTH:\t07 \r\nC: content-length: 3", 7),
        (b"A: b", None),
        *(
            (b"Content-Length: 2\r\n" + other, None)
            for other in (b"content-Length: 2", b"CONNECTION: x", b"Warning: 299 - a", b"content-encoding: identity")
        ),
        (b"transfer-encoding: x\r\nContent-Length: 2", None),
        (b"Content-Length: 2, 2", None),
        (b"Content-Length: " + b"1" * 16, None),
    ],
)
def test_a_length_is_plain_if_nothing_else_is_said_of_the_body(fields: bytes, length: int | None):
    head = parse_head(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % fields)
    assert head is not None
    assert head.plain_length == length
    assert ("warning" in head, "Connection" in head) == (b"Warning" in fields, b"CONNECTION" in fields)
    assert "C:" not in head


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 503 Service \xfcber", b"HTTP/1.1 599 a\tb"]
)
def test_a_reason_may_be_missing_or_be_in_any_alphabet(line: bytes):
    assert parse_head(line + b"\r\n\r\n") is not None


@pytest.mark.parametrize("end", range(1, len(HEAD)))
def test_a_head_that_is_not_all_there_is_waited_for(end: int):
    assert parse_head(HEAD[:end]) is None


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 600 OK",
        b"HTTP/1.1 +20 OK",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 200OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/11 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"\r\nHTTP/1.1 200 OK",
        b"ICY 200 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\n: no name",
        b"HTTP/1.1 200 OK\r\na b: c",
        b"HTTP/1.1 200 OK\r\na : c",
        b"HTTP/1.1 200 OK\r\n a: c",
        b"HTTP/1.1 200 OK\r\na: b\r\n c",
        b"HTTP/1.1 200 OK\r\na: b\r\n\tc",
        b"HTTP/1.1 200 OK\r\na: b\x00",
        b"HTTP/1.1 200 OK\r\na: b\x7f",
        b"HTTP/1.1 200 OK\r\na: b\rc: d",
        b"HTTP/1.1 200 OK\r\na: b\nc: d",
        b"HTTP/1.1 200 OK\na: b",
        b"HTTP/1.1 200 OK\r\na\xfc: b",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding\x0b: chunked",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(head: bytes):
    with pytest.raises(ExchangeError):
        parse_head(head + b"\r\n\r\n")


@pytest.mark.parametrize("beginning", [b"\x15\x03\x01\x00\x02", b"<html>", b"SSH-2.0", b"{"])
def test_what_is_not_http_is_not_waited_for(beginning: bytes):
    with pytest.raises(ExchangeError, match="not HTTP"):
        parse_head(beginning)


def test_a_head_is_not_waited_for_without_end():
    with pytest.raises(ExchangeError, match="more than"):
        parse_head(b"HTTP/1.1 200 OK\r\na: " + b"b" * HEAD_BYTES)


@given(st.binary(max_size=200) | st.builds(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail, st.binary(max_size=200)))
def test_any_bytes_are_a_head_or_none_or_refused(data: bytes):
    try:
        head = parse_head(data)
    except ExchangeError:
        return
    assert head is None or 0 < head.size <= len(data)


def test_a_request_names_its_host_and_the_length_of_its_body():
    fields = format_fields("h:1", [*{"X-Y": "z"}.items()])
    head = format_request("PUT", "/x?y", fields, b"12345")
    assert head == (
        b"PUT /x?y HTTP/1.1\r\nHost: h:1\r\nAccept-Encoding: identity\r\nX-Y: z\r\nContent-Length: 5\r\n\r\n12345"
    )


@pytest.mark.parametrize(("method", "is_said"), [("GET", False), ("DELETE", False), ("POST", True), ("PATCH", True)])
def test_a_request_without_a_body_says_so_where_one_is_usual(method: str, is_said: bool):
    assert (b"Content-Length: 0\r\n" in format_request(method, "/", format_fields("h", [*{}.items()]), None)) is is_said


def test_what_the_caller_accepts_is_left_as_it_is():
    assert format_fields("h", [*{"Accept-Encoding": "gzip"}.items()]) == b"Host: h\r\nAccept-Encoding: gzip\r\n"


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\x00b", "\u20ac", "\ud800"])
def test_a_header_that_would_be_two_is_refused_without_being_shown(value: str):
    with pytest.raises(ValueError, match="header 'Authorization'") as caught:
        format_fields("h", [*{"Authorization": f"secret{value}"}.items()])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["a b", "a:", "", "ü", "a\r\nb"])
def test_a_header_without_a_proper_name_is_refused(name: str):
    with pytest.raises(ValueError, match="header"):
        format_fields("h", [*{name: "x"}.items()])
