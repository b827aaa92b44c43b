from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import ApiError, ConnectionSilent, Gone, ObjectDecodeError, TransportError, WatchDecodeError
from btcctl.objects import WatchEvent
from btcctl.rest.limits import StreamLimits
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.watching import stream as stream_module
from btcctl.rest.watching.stream import WatchDecoder, WatchStream
from btcctl.testing.clock import FakeClock
from btcctl.testing.faults.spoiling import DEPTH
from tests.deep import DEEP
from tests.unit.rest.fakes import pod


def line(type_: str, body: object) -> bytes:
    return json.dumps({"type": type_, "object": body}, ensure_ascii=False).encode() + b"\n"


def decode(*chunks: bytes) -> list[WatchEvent]:
    decoder = WatchDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def facts(events: list[WatchEvent]) -> list[tuple[str, str, bytes]]:
    return [(event.type, event.object.resource_version, event.object.raw) for event in events]


BOOKMARK = {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}}
STREAM = line("ADDED", pod("ä\n", "1")) + b"\n" + line("MODIFIED", pod("b", "2")) + line("BOOKMARK", BOOKMARK)


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_chunks_may_end_anywhere(size: int):
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert facts(decode(*chunks)) == facts(decode(STREAM))


names = st.text(min_size=1, max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["ADDED", "MODIFIED", "DELETED"]), names), max_size=6), st.data())
def test_any_stream_is_read_the_same_however_it_is_cut(wanted: list[tuple[str, str]], data: st.DataObject):
    whole = b"".join(line(type_, pod(json.loads(msgspec.json.encode(name)))) for type_, name in wanted)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    edges = [0, *cuts, len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(edges)]
    assert [(event.type, event.object.name) for event in decode(*chunks)] == wanted


def compact_line(type_: str, body: object) -> bytes:
    """As the API server writes it."""
    return json.dumps({"type": type_, "object": body}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


@given(
    st.sampled_from(["ADDED", "MODIFIED", "DELETED"]), names, st.sampled_from([{}, {"object": {"a": [1]}}, {"z": "}}"}])
)
def test_an_event_has_the_bytes_of_its_object_and_no_others(type_: str, name: str, more: dict[str, object]):
    body = {**pod(json.loads(msgspec.json.encode(name)), "7"), **more}
    (event,) = decode(compact_line(type_, body))
    assert (event.type, event.object.name, event.object.resource_version) == (type_, name, "7")
    assert event.object.raw == json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "written",
    [
        b'{"type":"ADDED","object":OBJECT,"more":1}',
        b'{"object":OBJECT,"type":"ADDED"}',
        b'{"type":"ADDED","object":OBJECT }',
        b'{"type":"ADDED","object": OBJECT}',
        b' {"type":"ADDED","object":OBJECT}\r',
        b'{"type" :"ADDED","object":OBJECT}',
    ],
)
def test_an_event_may_be_written_in_other_ways(written: bytes):
    (event,) = decode(written.replace(b"OBJECT", b'{"metadata":{"name":"a"}}') + b"\n")
    assert (event.type, event.object.name, event.object.raw) == ("ADDED", "a", b'{"metadata":{"name":"a"}}')


def test_bookmarks_and_errors_are_read_however_they_are_written():
    (event,) = decode(compact_line("BOOKMARK", BOOKMARK))
    assert (event.type, event.object.resource_version) == ("BOOKMARK", "9")
    with pytest.raises(Gone):
        decode(compact_line("ERROR", {"kind": "Status", "metadata": {}, "code": 410, "reason": "Expired"}))


@pytest.mark.parametrize("body", [{}, {"metadata": {}}, {"metadata": {"name": ""}}, {"metadata": {"name": 1}}])
def test_an_event_without_a_name_is_told_from_a_line_that_is_none(body: object):
    with pytest.raises(ObjectDecodeError) as raised:
        decode(compact_line("ADDED", body))
    assert not isinstance(raised.value, WatchDecodeError)


def test_an_event_is_complete_with_its_newline_and_not_before():
    decoder = WatchDecoder()
    whole = line("ADDED", pod("a"))
    assert list(decoder.feed(whole[:-1])) == []
    assert len(list(decoder.feed(b"\n"))) == 1


def test_an_object_keeps_its_own_bytes_exactly():
    raw = b'{"metadata":{"name":"a","x":1e2},  "spec":{}}'
    (event,) = decode(b'{"type":"ADDED","object":' + raw + b"}\n")
    assert event.object.raw == raw
    assert type(event.object.raw) is bytes


def test_a_bookmark_has_a_version_and_no_name():
    (event,) = decode(line("BOOKMARK", BOOKMARK))
    assert (event.type, event.object.resource_version, event.object.name) == ("BOOKMARK", "9", "")


def test_an_error_event_raises_what_the_status_says():
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    with pytest.raises(Gone, match="too old"):
        decode(line("ERROR", gone))


def test_events_before_an_error_are_delivered_first():
    events = WatchDecoder().feed(line("ADDED", pod("a")) + line("ERROR", {"code": 500, "message": "boom"}))
    assert next(events).object.name == "a"
    with pytest.raises(ApiError, match="boom"):
        next(events)


@pytest.mark.parametrize(
    "bad",
    [
        b"not json\n",
        b"[]\n",
        b'{"type":"ADDED"}\n',
        b'{"object":{}}\n',
        b'{"type":1,"object":{}}\n',
        b'{"type":"ADDED","object":{"a":1}\n',
        b'{"type":"ERROR","object":"boom"}\n',
        b'\x17\x03\x03{"type"\n',
    ],
)
def test_a_line_that_is_no_event_is_an_error_of_the_stream(bad: bytes):
    with pytest.raises(WatchDecodeError):
        decode(bad)


def test_an_object_without_metadata_is_reported_and_the_stream_can_be_read_on():
    events = WatchDecoder().feed(line("ADDED", {"kind": "Pod"}) + line("ADDED", pod("b")))
    with pytest.raises(ObjectDecodeError):
        next(events)
    assert next(events).object.name == "b"


def test_a_line_without_end_is_given_up_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream_module, "LINE_LIMIT_BYTES", 100)
    decoder = WatchDecoder()
    decoder.feed(b"x" * 100)
    with pytest.raises(WatchDecodeError, match="100 bytes"):
        decoder.feed(b"x")


def test_an_object_nested_deeper_than_the_decoder_goes_arrives_all_the_same():
    raw = b'{"metadata":{"name":"d","resourceVersion":"5","managedFields":' + DEEP + b'},"spec":' + DEEP + b"}"
    (event,) = decode(b'{"type":"MODIFIED","object":' + raw + b"}\n")
    assert (event.type, event.object.name, event.object.resource_version) == ("MODIFIED", "d", "5")
    with pytest.raises(ObjectDecodeError):
        event.object.body()


def test_a_deep_line_that_is_no_event_is_an_error_of_the_stream():
    with pytest.raises(WatchDecodeError):
        decode(b"[" * DEPTH + b"\n")
    with pytest.raises(WatchDecodeError):
        decode(b'{"object":' + DEEP + b"}\n")


class Trickle:
    """A response that comes in pieces, each after some seconds."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, clock: FakeClock, *pieces: tuple[float, bytes]) -> None:
        self._clock = clock
        self._pieces = pieces

    def chunks(self) -> Iterator[bytes]:
        for seconds, piece in self._pieces:
            self._clock.advance(seconds)
            yield piece

    def set_idle_timeout(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


def stream_of(*pieces: tuple[float, bytes]) -> WatchStream:
    clock = FakeClock()
    limits = StreamLimits(idle_seconds=70.0, lifetime_seconds=330.0)
    return WatchStream(Trickle(clock, *pieces), Breaker(), limits, clock=clock)


def test_a_server_that_trickles_half_a_line_is_as_good_as_silent():
    stream = stream_of((60.0, line("ADDED", pod("a"))), (60.0, b"{"), (11.0, b'"'))
    assert next(stream).object.name == "a"
    with pytest.raises(ConnectionSilent):
        next(stream)


def test_a_server_that_never_ends_a_stream_is_left():
    bookmarks = [(60.0, line("BOOKMARK", BOOKMARK))] * 6
    stream = stream_of(*bookmarks)
    assert [next(stream).type for _ in range(5)] == ["BOOKMARK"] * 5
    with pytest.raises(TransportError, match="330"):
        next(stream)


def test_what_comes_last_is_an_event_without_its_newline_too():
    stream = stream_of((0.0, line("ADDED", pod("a")) + line("ADDED", pod("b")).strip()))
    assert [event.object.name for event in stream] == ["a", "b"]


@pytest.mark.parametrize("answered", [b"<html>log in</html>", b'{"kind":"PodList","items":[]}', b"OK"])
def test_a_server_that_has_not_understood_that_it_is_to_be_a_watch_is_noticed(answered):
    with pytest.raises(WatchDecodeError, match="not a watch event"):
        stream_of((0.0, answered)).take()


def test_half_an_event_at_the_end_is_a_connection_that_broke():
    with pytest.raises(TransportError, match="in the middle of an event"):
        stream_of((0.0, line("ADDED", pod("a"))[:-9])).take()


def test_events_that_come_together_are_taken_together():
    stream = stream_of((0.0, line("ADDED", pod("a")) + line("ADDED", pod("b")) + b'{"type"'), (0.0, b"}\n"))
    assert [event.object.name for event in stream.take()] == ["a", "b"]


def test_what_cannot_be_decoded_is_raised_in_its_turn_and_what_came_with_it_is_not_lost():
    bad = line("ADDED", {"kind": "Pod"})
    stream = stream_of((0.0, line("ADDED", pod("a")) + bad + bad + line("ADDED", pod("b"))))
    assert [event.object.name for event in stream.take()] == ["a"]
    for _ in range(2):
        with pytest.raises(ObjectDecodeError):
            stream.take()
    assert [event.object.name for event in stream.take()] == ["b"]
    assert stream.take() == []


def test_events_before_the_end_of_a_version_are_taken_before_it_is_raised():
    gone = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
    stream = stream_of((0.0, line("ADDED", pod("a")) + gone))
    assert [event.object.name for event in stream.take()] == ["a"]
    with pytest.raises(Gone):
        stream.take()


def test_what_is_left_of_a_stream_that_was_iterated_over_can_be_taken():
    stream = stream_of((0.0, line("ADDED", pod("a")) + line("ADDED", pod("b"))), (0.0, line("ADDED", pod("c"))))
    assert next(stream).object.name == "a"
    assert [[event.object.name for event in stream.take()] for _ in range(3)] == [["b"], ["c"], []]
