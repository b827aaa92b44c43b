from __future__ import annotations

import io

import pytest

from btcctl.testing.faults.requests import ProxiedRequest, read_request

LIST = ProxiedRequest("GET", "/api/v1/pods?resourceVersion=7&limit=500", {})
WATCH = ProxiedRequest("GET", "/api/v1/pods?watch=true&resourceVersion=7&timeoutSeconds=300", {})
STREAMED = ProxiedRequest("GET", "/api/v1/pods?watch=1&sendInitialEvents=true", {})


def read(text: bytes) -> ProxiedRequest | None:
    return read_request(io.BufferedReader(io.BytesIO(text)))


def test_a_request_is_read_with_its_body_and_no_more():
    source = io.BufferedReader(io.BytesIO(b"POST /x HTTP/1.1\r\nContent-Length: 2\r\nHost: h\r\n\r\n{}GET /y"))
    request = read_request(source)
    assert request == ProxiedRequest("POST", "/x", {"content-length": "2", "host": "h"}, b"{}")
    assert source.read() == b"GET /y"


def test_a_body_may_come_in_chunks():
    request = read(b'PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{"\r\n3\r\na"}\r\n0\r\n\r\n')
    assert request is not None
    assert request.body == b'{"a"}'


@pytest.mark.parametrize("text", [b"", b"nonsense\r\n\r\n"])
def test_what_is_no_request_is_the_end_of_the_connection(text: bytes):
    assert read(text) is None


def test_lists_watches_and_streamed_lists_are_told_apart():
    kinds = [(each.is_list, each.is_watch, each.is_streamed_list) for each in (LIST, WATCH, STREAMED)]
    assert kinds == [(True, False, False), (False, True, False), (False, True, True)]
    assert (LIST.version, STREAMED.version) == ("7", "")


def test_a_parameter_can_be_kept_from_the_server():
    assert WATCH.without("timeoutSeconds").target == "/api/v1/pods?watch=true&resourceVersion=7"
