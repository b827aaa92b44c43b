from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.rest.exchange.chunked import SIZE_LINE_BYTES, ChunkedError, Dechunker


def chunk(content: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(content), extension, content)


def feed_in_pieces(data: bytes, size: int) -> None:
    dechunker = Dechunker()
    for start in range(0, len(data), size):
        dechunker.feed(data[start : start + size])


LINES = st.binary(max_size=40).map(lambda content: content.replace(b"\n", b"") + b"\n")
LAST = b"0\r\n\r\n"
TRAILERS = b"0\r\nTrailer: a\r\nAnother: b\r\n\r\n"


@given(
    st.lists(st.binary(min_size=1, max_size=40) | LINES),
    st.sampled_from([b"", b";a=b"]),
    st.sampled_from([LAST, TRAILERS]),
    st.data(),
)
def test_content_is_the_same_however_it_is_cut(
    contents: list[bytes], extension: bytes, last: bytes, data: st.DataObject
):
    whole = b"".join(chunk(each, extension) for each in contents) + last
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=9)))
    dechunker = Dechunker()
    fed = [dechunker.feed(whole[start:end]) for start, end in itertools.pairwise([0, *cuts, len(whole)])]
    assert b"".join(fed) == b"".join(contents)
    assert (dechunker.is_complete, dechunker.is_overfull) == (True, False)


def test_a_line_whose_size_is_wrong_is_an_error_among_many_that_are_right():
    lines = [chunk(b"one line\n")] * 9
    lines[4] = lines[4].replace(b"9", b"8")
    with pytest.raises(ChunkedError):
        feed_in_pieces(b"".join(lines), 1000)


def test_content_is_given_before_its_chunk_is_complete():
    assert Dechunker().feed(chunk(b"first\nsecond")[:-4]) == b"first\nseco"


@pytest.mark.parametrize("end", [b"", LAST[:-1], TRAILERS[:-2]])
def test_it_is_not_complete_before_all_of_the_last_chunk(end: bytes):
    dechunker = Dechunker()
    dechunker.feed(chunk(b"a") + end)
    assert not dechunker.is_complete


def test_what_comes_after_the_last_chunk_is_noticed():
    dechunker = Dechunker()
    assert dechunker.feed(chunk(b"a") + LAST + b"more") == b"a"
    assert dechunker.is_overfull


@pytest.mark.parametrize(
    "nonsense",
    [b"\r\nabc\r\n", b"xyz\r\nabc\r\n", b"-3\r\nabc\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"3\r\nabc" + LAST, b"<html>\r\n"],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_is_not_chunked_is_an_error(nonsense: bytes, size: int):
    with pytest.raises(ChunkedError):
        feed_in_pieces(nonsense, size)


def test_a_size_is_not_waited_for_without_end():
    dechunker = Dechunker()
    with pytest.raises(ChunkedError, match="without a size"):
        dechunker.feed(b"1" * (SIZE_LINE_BYTES + 1))
