from __future__ import annotations

from datetime import UTC, datetime

import pytest

from btcctl.errors import (
    AlreadyExists,
    ApiError,
    Gone,
    NotFound,
    ObjectDecodeError,
    ServiceUnavailable,
    TooManyRequests,
)
from btcctl.rest.answers import decode_answer, error_from, parse_retry_after, parse_warnings
from btcctl.testing.clock import FakeClock
from tests.unit.rest.fakes import answer, status

CLOCK = FakeClock(wall_time=datetime(2026, 11, 23, 15, 0, 0, tzinfo=UTC))


def test_a_status_becomes_the_error_for_its_code_and_reason():
    error = error_from(status(409, "AlreadyExists", 'pods "a" already exists'), CLOCK)
    assert type(error) is AlreadyExists
    assert error.message == 'pods "a" already exists'


def test_details_of_a_status_are_kept():
    body = {"kind": "Status", "code": 410, "reason": "Expired", "details": {"causes": [{"field": "f"}]}}
    error = error_from(answer(body, 410), CLOCK)
    assert isinstance(error, Gone)
    assert error.causes == [{"field": "f"}]


def test_a_status_without_a_code_takes_the_one_of_http():
    assert error_from(answer({"kind": "Status", "message": "boom"}, 500), CLOCK).code == 500


def test_the_servers_plain_text_404_is_not_found():
    error = error_from(answer(b"404 page not found\n", 404, Content_Type="text/plain"), CLOCK)
    assert isinstance(error, NotFound)
    assert (error.reason, error.message) == ("", "404 page not found")


def test_the_overload_answer_is_text_and_carries_a_wait():
    body = b"Too many requests, please try again later.\n"
    error = error_from(answer(body, 429, Retry_After="1", Content_Type="text/plain"), CLOCK)
    assert isinstance(error, TooManyRequests)
    assert error.retry_after == 1.0


def test_a_proxys_html_page_is_read_for_its_words():
    page = b"<html><head><style>b{}</style></head><body><h1>503 &amp; out</h1>no server</body></html>"
    error = error_from(answer(page, 503, Content_Type="text/html"), CLOCK)
    assert isinstance(error, ServiceUnavailable)
    assert error.message == "503 & out no server"


def test_a_long_body_is_shortened():
    assert len(error_from(answer(b"x" * 10_000, 500), CLOCK).message) == 201


def test_an_empty_body_is_still_an_error():
    assert isinstance(error_from(answer(b"", 502), CLOCK), ApiError)


def test_bytes_that_are_no_text_are_still_an_error():
    assert "502" in str(error_from(answer(b"\xff\xfe\x00", 502), CLOCK))


@pytest.mark.parametrize("type_", ["application/vnd.kubernetes.protobuf", "application/cbor", "application/json"])
def test_what_is_no_text_may_be_a_secret_and_is_not_shown(type_):
    with pytest.raises(ObjectDecodeError) as caught:
        decode_answer(answer(b"k8s\0 hunter2", Content_Type=type_), "GET /x")
    assert "hunter2" not in str(caught.value)
    assert "12 bytes" in str(caught.value)


def test_a_warning_is_utf8_as_the_api_server_sends_it():
    sent = '299 - "größe ist veraltet"'.encode().decode("latin-1")
    assert parse_warnings(sent) == ["größe ist veraltet"]
    assert parse_warnings('299 - "a\xff"') == ["a\ufffd"]


def test_a_redirect_says_where_to():
    error = error_from(answer(b"", 302, Location="https://login/"), CLOCK)
    assert "redirected to https://login/" in error.message


def test_json_that_is_no_status_is_quoted():
    assert error_from(answer({"error": "no"}, 500), CLOCK).message == '{"error": "no"}'


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 15:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 14:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None):
    assert parse_retry_after(value, CLOCK) == seconds


def test_the_header_goes_before_the_seconds_in_the_details():
    body = {"kind": "Status", "code": 429, "details": {"retryAfterSeconds": 1}}
    assert error_from(answer(body, 429, Retry_After="3"), CLOCK).retry_after == 3.0
    assert error_from(answer(body, 429), CLOCK).retry_after == 1


def test_warnings_are_found_in_a_header_with_several():
    value = r'299 - "unknown field \"spec.bogus\"", 299 - "v1 Endpoints, too, is deprecated"'
    assert parse_warnings(value) == ['unknown field "spec.bogus"', "v1 Endpoints, too, is deprecated"]
    assert parse_warnings("") == []


def test_an_answer_that_is_no_json_says_what_it_was():
    with pytest.raises(ObjectDecodeError, match=r"GET /version .* is this an API server\? It said: hello"):
        decode_answer(answer(b"<p>hello</p>", Content_Type="text/html"), "GET /version")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data": {"key": "hidden"', "it begins like an object, and has 25 bytes"),
        (b'\xef\xbb\xbf{"key": "hidden"', "it begins like an object"),
        (b'ta": {"key": "hidden"}}', "the 23 bytes that came are no object, though they are called JSON"),
    ],
)
def test_of_an_answer_that_may_be_an_object_nothing_is_shown(body, words):
    with pytest.raises(ObjectDecodeError, match=words) as caught:
        decode_answer(answer(body, Content_Type="application/json"), "GET /a")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("600", 600.0),
        ("601", 600.0),
        ("99999999999", 600.0),
        ("9" * 400, 600.0),
        ("9" * 100_000, 600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 600.0),
        ("Mon, 23 Nov 2026 14:00:00 GMT", 0.0),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("nan", None),
        ("\u0665", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_server_cannot_ask_for_more_than_ten_minutes(value: str, seconds: float | None):
    assert parse_retry_after(value, CLOCK) == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("1e300", 600.0),
        ("9" * 400, 600.0),
        ("-1", None),
        ("true", None),
        ('"5"', None),
        ("null", None),
        ("[1]", None),
    ],
)
def test_neither_can_a_status(said: str, seconds: float | None):
    body = f'{{"kind": "Status", "code": 503, "details": {{"retryAfterSeconds": {said}}}}}'
    assert error_from(answer(body.encode(), 503), CLOCK).retry_after == seconds


@pytest.mark.parametrize(("given", "kept"), [(float("nan"), None), (float("inf"), 600.0), (10**400, 600.0), (-1, None)])
def test_nor_can_an_error_that_a_program_makes(given: float, kept: float | None):
    assert ApiError(503, retry_after=given).retry_after == kept
