from __future__ import annotations

import gzip
import tracemalloc
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.network.connection import GZIP_FROM_BYTES, MAX_BODY_BYTES, compressed, names_gzip, read_body
from btcctl.apiserver.requests.messages import ApiResponse
from btcctl.apiserver.streaming.chunks import frame

CHUNKED = {"transfer-encoding": "chunked"}


def status_of(data: bytes, headers: dict[str, str]) -> int:
    with pytest.raises(StatusError) as caught:
        read_body(BytesIO(data), headers)
    return caught.value.status


def test_a_body_of_known_length_leaves_the_next_request_alone() -> None:
    source = BytesIO(b"abcGET /")
    assert read_body(source, {"content-length": "3"}) == b"abc"
    assert source.read() == b"GET /"


def test_without_length_or_chunks_there_is_no_body() -> None:
    assert read_body(BytesIO(b"GET /"), {}) == b""


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20))
def test_chunks_of_any_size_add_up_and_leave_the_next_request_alone(chunks: list[bytes]) -> None:
    source = BytesIO(b"".join(map(frame, chunks)) + b"0\r\nTrailer: x\r\n\r\nGET /")
    assert read_body(source, CHUNKED) == b"".join(chunks)
    assert source.read() == b"GET /"


def test_chunk_extensions_are_ignored() -> None:
    assert read_body(BytesIO(b"3;a=b\r\nabc\r\n0\r\n\r\n"), CHUNKED) == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        (b"1;" + b"x" * 4000 + b"\r\na\r\n") * 10 + b"0\r\n\r\n",
        b"1\r\na\r\n0\r\n" + b"Trailer: x\r\n" * 1000 + b"\r\n",
    ],
)
def test_what_is_no_data_is_limited(data: bytes) -> None:
    assert status_of(data, CHUNKED) == 400


def test_many_small_chunks_take_no_more_room_than_one() -> None:
    source = BytesIO(b"2\r\nab\r\n" * 100_000 + b"0\r\n\r\n")
    tracemalloc.start()
    assert len(read_body(source, CHUNKED)) == 200_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("data", [b"", b"x\r\n", b"-1\r\n", b"3\r\nab", b"3\r\nabcd\r\n", b"\r\n"])
def test_broken_chunks_are_refused(data: bytes) -> None:
    assert status_of(data, CHUNKED) in {400, 413}


@pytest.mark.parametrize("length", ["-1", "x", "", "１"])
def test_a_broken_length_is_refused(length: str) -> None:
    assert status_of(b"", {"content-length": length}) == 400


def test_the_limit_is_three_mebibytes_however_it_is_sent() -> None:
    body = bytes(MAX_BODY_BYTES)
    assert read_body(BytesIO(body), {"content-length": str(len(body))}) == body
    assert read_body(BytesIO(frame(body) + b"0\r\n\r\n"), CHUNKED) == body
    assert status_of(b"", {"content-length": str(MAX_BODY_BYTES + 1)}) == 413
    assert status_of(frame(body) + b"1\r\nx\r\n0\r\n\r\n", CHUNKED) == 413


def test_only_large_answers_are_compressed_and_only_if_wanted() -> None:
    large, small = ApiResponse(200, {}, bytes(GZIP_FROM_BYTES)), ApiResponse(200, {}, bytes(GZIP_FROM_BYTES - 1))
    headers, body = compressed(large, wanted=True)
    assert (headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", large.body)
    assert compressed(large, wanted=False) == ({}, large.body)
    assert compressed(small, wanted=True) == ({}, small.body)


def test_what_is_compressed_varies_by_that_too() -> None:
    body = bytes(GZIP_FROM_BYTES)
    assert compressed(ApiResponse(200, {}, body), wanted=True)[0]["Vary"] == "Accept-Encoding"
    assert compressed(ApiResponse(200, {"Vary": "Accept"}, body), wanted=True)[0]["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(
    ("text", "asks"),
    [("gzip", True), ("br, gzip", True), ("gzip;q=0", False), ("x-gzip", False), ("*", False), ("", False)],
)
def test_only_gzip_without_a_quality_asks_for_it(text: str, asks: bool) -> None:
    assert names_gzip(text) == asks
