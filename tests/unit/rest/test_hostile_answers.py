"""Whatever is sent is data: objects come of it, or errors of ours, and nothing else."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import ApiError, BtcctlError, ObjectDecodeError
from btcctl.objects import ListPage, WatchEvent
from btcctl.rest.answers import decode_answer, error_from
from btcctl.rest.limits import StreamLimits
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Response
from btcctl.rest.watching.pages import PageDecoder, decode_page
from btcctl.rest.watching.stream import WatchDecoder, WatchStream
from btcctl.testing.clock import FakeClock
from tests.properties import effort
from tests.unit.rest.fakes import ScriptedStream
from tests.unit.rest.hostile import SPOILED_EVENTS, SPOILED_LISTS, SPOILED_STATUSES, SPOILED_STREAMS

READS: tuple[Callable[[ApiError], object], ...] = (
    lambda error: error.is_version_too_large,
    lambda error: [(each.get("reason"), each.get("message"), each.get("field")) for each in error.causes],
    lambda error: (str(error), repr(error), error.retry_after, error.details.get("kind")),
)


def cut(data: bytes, edges: list[int]) -> list[bytes]:
    """`data` in pieces."""
    places = [0, *sorted(edge % (len(data) + 1) for edge in edges), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@effort(60)
@given(SPOILED_LISTS, st.lists(st.integers(0, 10_000), max_size=4), st.integers(1, 300))
def test_a_list_is_a_page_or_an_error_of_ours_however_it_comes(body: bytes, edges: list[int], window: int):
    whole: ListPage | None = None
    with contextlib.suppress(ObjectDecodeError):
        whole = decode_page(body, "list")
    decoder, page = PageDecoder("list", window_bytes=window), None
    with contextlib.suppress(ObjectDecodeError):
        for piece in cut(body, edges):
            decoder.feed(piece)
        page = decoder.finish()
    assert (page is None) == (whole is None)
    if page is not None and whole is not None:
        assert [each.key for each in page.items] == [each.key for each in whole.items]
        assert isinstance(page.resource_version, str)
        assert isinstance(page.continue_token, str)


@effort(60)
@given(SPOILED_STREAMS, st.lists(st.integers(0, 10_000), max_size=4))
def test_a_line_is_an_event_or_an_error_of_ours(data: bytes, edges: list[int]):
    decoder = WatchDecoder()
    with contextlib.suppress(BtcctlError):
        for piece in cut(data, edges):
            for event in decoder.feed(piece):
                look_at(event)


def look_at(event: WatchEvent) -> None:
    """Everything that a reflector reads of an event."""
    assert isinstance(event.type, str)
    assert isinstance(event.object.resource_version, str)
    assert isinstance(event.ends_initial_events, bool)
    assert event.object.key.name or event.type == "BOOKMARK"


@effort(60)
@given(SPOILED_STREAMS, st.booleans())
def test_a_stream_gives_events_or_errors_of_ours_and_after_an_unreadable_object_goes_on(data: bytes, begins: bool):
    limits = StreamLimits(70.0, 10.0 if begins else None)
    stream = WatchStream(ScriptedStream(Response(200, {}, data)), Breaker(), limits, clock=FakeClock())
    taken = 0
    with contextlib.suppress(BtcctlError):
        while True:
            try:
                events = stream.take()
            except ObjectDecodeError:
                continue
            if not events:
                break
            taken += len(events)
    assert taken <= data.count(b"\n")


def test_a_bookmark_that_cannot_be_read_takes_no_other_event_with_it():
    lines = (
        b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'
        b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7","annotations":5}}}\n'
    )
    response = ScriptedStream(Response(200, {}, b""))
    response.chunks = lambda: iter([lines])  # type: ignore[method-assign]  # both at once
    stream = WatchStream(response, Breaker(), StreamLimits(70.0, 10.0), clock=FakeClock())
    events = stream.take()
    assert [event.type for event in events] == ["ADDED", "BOOKMARK"]
    assert not events[1].ends_initial_events


@effort(60)
@given(SPOILED_STATUSES, st.sampled_from(["", "1", "-1", "soon", "9" * 400, "Fri, 01 Jan 2038 00:00:00 GMT", "Fri, 0"]))
def test_a_refusal_is_an_error_of_ours_that_can_be_read(body: bytes, retry_after: str):
    error = error_from(Response(503, {"Retry-After": retry_after}, body), FakeClock())
    assert isinstance(error.code, int)
    assert isinstance(error.reason, str)
    assert isinstance(error.message, str)
    assert error.retry_after is None or error.retry_after >= 0
    for read in READS:
        read(error)


@effort(40)
@given(SPOILED_EVENTS)
def test_an_answer_is_an_object_or_an_error_of_ours(body: bytes):
    with contextlib.suppress(BtcctlError):
        assert isinstance(decode_answer(Response(200, {}, body), "an answer"), dict)


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (b'{"kind":"Status","code":"503","message":"m","details":"try later"}', 503, ""),
        (b'{"kind":"Status","code":{"a":1},"reason":{"a":1},"message":null}', 503, ""),
        (b'{"kind":"Status","code":true,"details":[{"reason":"x"}]}', 503, ""),
        (
            b'{"kind":"Status","code":409,"reason":"Conflict","details":{"causes":["x",{"reason":"r"}]}}',
            409,
            "Conflict",
        ),
        (b'{"kind":"Status","code":99999,"reason":5}', 503, ""),
    ],
)
def test_what_has_another_type_in_a_status_counts_as_missing(body: bytes, code: int, reason: str):
    error = error_from(Response(503, {}, body), FakeClock())
    assert (error.code, error.reason) == (code, reason)
    assert all(isinstance(each, dict) for each in error.causes)


def test_a_list_whose_metadata_is_null_has_no_version():
    page = decode_page(b'{"kind":"List","metadata":null,"items":[{"metadata":{"name":"a"}}]}', "list")
    assert ([each.name for each in page.items], page.resource_version, page.continue_token) == (["a"], "", "")
