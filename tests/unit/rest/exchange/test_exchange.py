"""One request and its answer, over connections without sockets."""

from __future__ import annotations

import contextlib
import errno
import gzip
import ssl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from btcctl.deadline import PendingCalls, limited_to
from btcctl.errors import Interrupted, NotLeading
from btcctl.rest.exchange import exchange as exchange_module
from btcctl.rest.exchange.body import MOST_UNPACKED
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.exchange import MAX_INFORMATIONAL, SEND_BYTES
from btcctl.rest.exchange.failures import ExchangeError, NoAnswer, OutOfTime, Silent
from btcctl.rest.transport.breaker import Breaker
from btcctl.testing.clock import FakeClock
from tests.unit.rest.exchange.fakes import GET, HEAD, POST, SILENCE, Link, Links, Wire, cut, read, send

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\n\r\n{}"
ANSWERS = {
    OK: b"{}",
    CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n": b"{}",
    CHUNKED + b"2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n": b"{}",
    CLOSED: b"{}",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}": b"{}",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK: b"{}",
    b"HTTP/1.1 204 No Content\r\n\r\n": b"",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n" + gzip.compress(b"{}", mtime=0): b"{}",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    + gzip.compress(b"{", mtime=0)
    + gzip.compress(b"}", mtime=0): b"{}",
}


def kept_after(data: bytes, message: bytes = GET) -> bool:
    """Whether the connection is kept after an answer like that, which must be a right one."""
    links = Links(Link(Wire(data)))
    read(message=message, links=links)
    return links.keeps_a_connection


def is_kept_after_all_of(data: bytes) -> bool:
    """The same of anything; after it the peer closes."""
    links = Links(Link(Wire(data)))
    with contextlib.suppress(ExchangeError):
        read(links=links)
    return links.keeps_a_connection


@given(st.sampled_from([*ANSWERS]), st.lists(st.integers(0, 120), max_size=12))
def test_an_answer_is_the_same_however_it_is_cut(answer: bytes, cuts: list[int]):
    assert read(*cut(answer, cuts))[2] == ANSWERS[answer]


@given(
    st.sampled_from([*ANSWERS]),
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=3),
    st.lists(st.integers(0, 150), max_size=5),
)
@example(CHUNKED + b"2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n", [(69, 0, b"\0\0")], [69, 70])
def test_an_answer_that_was_tampered_with_is_refused_or_read_and_leaves_no_poisoned_connection(
    answer: bytes, changes: list[tuple[int, int, bytes]], cuts: list[int]
):
    for at, removed, inserted in changes:
        answer = answer[:at] + inserted + answer[at + removed :]
    wire = Wire(*cut(answer, cuts))
    links = Links(Link(wire))
    try:
        read(links=links)
    except ExchangeError:
        assert not links.keeps_a_connection
    assert not links.is_out
    if links.keeps_a_connection:  # no byte came with the answer that was not the answer's
        came = answer[: len(answer) - sum(len(piece) for piece in wire.pieces)]
        assert not is_kept_after_all_of(came[:-1])


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_refused_or_read(pieces: list[bytes]):
    links = Links(Link(Wire(b"HTTP/1.1 200 OK\r\n", *pieces)))
    try:
        read(links=links)
    except ExchangeError:
        assert not links.keeps_a_connection


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Content-Length: 2\r\nContent-Length: 3",
        b"Content-Length: 2, 2",
        b"Content-Length: +2",
        b"Content-Length: -2",
        b"Content-Length: 0x2",
        b"Content-Length: 2_0",
        b"Content-Length: 2 0",
        b"Content-Length: \xb2",
        b"Content-Length: ",
        b"Content-Length: 9999999999999999999999",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: ",
        b"Content-Length: 2\r\nContent-Encoding: br",
    ],
)
def test_a_body_whose_end_could_be_seen_in_two_places_is_refused(fields: bytes):
    links = Links(Link(Wire(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n2\r\n{}\r\n0\r\n\r\n" % fields)))
    with pytest.raises(ExchangeError):
        read(links=links)
    assert not links.keeps_a_connection


def test_http_1_0_knows_no_transfer_coding():
    with pytest.raises(ExchangeError):
        read(CHUNKED.replace(b"1.1", b"1.0") + b"2\r\n{}\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "size",
    [b"-2", b"+2", b"0x2", b"2 ", b" 2", b"2_", b"0_2", b"2 ;x", b"", b";x", b"f" * 16, b"2\n", b"2;\x00", b"\xb2"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_chunk_of_an_odd_size_is_refused(size: bytes, is_first: bool):
    before = b"" if is_first else b"2\r\n{}\r\n" * 4
    with pytest.raises(ExchangeError):
        read(CHUNKED + before + size + b"\r\n{}\r\n0\r\n\r\n")


@pytest.mark.parametrize("trailers", [b"no colon\r\n", b" a: b\r\n", b"a: b\nc: d\r\n", b"a: b\r\n" * 20_000])
def test_odd_or_endless_trailers_are_refused(trailers: bytes):
    with pytest.raises(ExchangeError):
        read(CHUNKED + b"2\r\n{}\r\n0\r\n" + trailers + b"\r\n")


@pytest.mark.parametrize(
    ("answer", "is_kept"),
    [
        (OK, True),
        (OK.replace(b"1.1", b"1.0"), False),
        (OK.replace(b"1.1 200 OK", b"1.0 200 OK\r\nConnection: keep-alive"), True),
        (OK.replace(b"OK", b"OK\r\nConnection: close"), False),
        (OK.replace(b"OK", b"OK\r\nConnection: x, Close"), False),
        (OK.replace(b"OK", b"OK\r\nConnection: x"), True),
        (OK + b"more", False),
        (OK + OK, False),
        (CLOSED, False),
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", True),
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\nmore", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n{}", False),
        (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", False),
    ],
)
def test_a_connection_is_kept_only_where_the_next_answer_must_begin_right_after(answer: bytes, is_kept: bool):
    assert kept_after(answer) is is_kept


def test_an_answer_to_head_has_a_length_and_no_body():
    assert kept_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HEAD)


@pytest.mark.parametrize("answer", [*ANSWERS], ids=range(len(ANSWERS)))
def test_an_answer_that_ends_too_early_is_refused_or_was_complete(answer: bytes):
    for end in range(1, len(answer)):
        try:
            content = read(answer[:end])[2]
        except ExchangeError:
            continue
        assert content == ANSWERS[answer][: len(content)]
        assert b"Content-Length" not in answer or len(content) == 2


@pytest.mark.parametrize("count", [MAX_INFORMATIONAL, MAX_INFORMATIONAL + 1])
def test_so_many_answers_before_the_one_that_counts_and_no_more(count: int):
    data = b"HTTP/1.1 100 Continue\r\n\r\n" * count + OK
    if count <= MAX_INFORMATIONAL:
        assert read(data)[2] == b"{}"
    else:
        with pytest.raises(ExchangeError):
            read(data)


def test_nobody_asked_to_switch_protocols():
    with pytest.raises(ExchangeError, match="101"):
        read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK)


def test_a_request_goes_out_in_one_piece():
    wire = Wire(OK)
    read(links=Links(Link(wire)))
    assert (wire.sent, wire.parts) == (GET, 1)


BREAKS = [ConnectionResetError(), BrokenPipeError(), ssl.SSLEOFError(), b""]


@pytest.mark.parametrize("end", BREAKS)
def test_a_kept_connection_that_is_dead_is_replaced_once(end: Exception | bytes):
    links = Links(Link(Wire(end), Wire(OK), is_kept=True))
    assert read(links=links)[2] == b"{}"
    assert links.link.wires == []


@pytest.mark.parametrize("end", BREAKS)
def test_what_must_not_be_sent_twice_is_not(end: Exception | bytes):
    links = Links(Link(Wire(end), Wire(OK), is_kept=True))
    with pytest.raises(NoAnswer):
        read(links=links, message=POST)
    assert len(links.link.wires) == 1


def test_a_new_connection_that_dies_is_no_reason_to_try_again():
    links = Links(Link(Wire(), Wire(OK)))
    with pytest.raises(NoAnswer):
        read(links=links)
    assert (len(links.link.wires), links.keeps_a_connection) == (1, False)


def test_half_a_head_on_a_kept_connection_is_no_reason_either():
    links = Links(Link(Wire(OK[:9]), Wire(OK), is_kept=True))
    with pytest.raises(ExchangeError, match="in the middle"):
        read(links=links)
    assert len(links.link.wires) == 1


def test_what_a_server_says_before_it_hangs_up_on_a_request_counts():
    answer = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert read(links=Links(Link(Wire(answer, sending=[BrokenPipeError()]))))[0] == 413


def drip(clock: FakeClock, seconds: float, *pieces: bytes) -> Wire:
    wire = Wire(*pieces)
    wire.on_receive = lambda: clock.advance(seconds)
    return wire


@pytest.mark.parametrize("answer", [OK, CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 90])
def test_an_answer_that_drips_is_given_up_at_the_deadline(answer: bytes):
    clock = FakeClock()
    links = Links(Link(drip(clock, 1.0, *cut(answer, range(len(answer))))))
    began = clock.now()
    with pytest.raises(OutOfTime, match="within 10 s"):
        send(links, GET, Call(10.0, clock)).read()
    assert clock.now() - began <= 11.0
    assert not links.keeps_a_connection


def test_a_wait_is_given_what_is_left_of_this_call_whatever_the_one_before_was_given():
    clock, wire = FakeClock(), Wire(SILENCE, OK, OK, SILENCE, OK)
    wire.on_silence = clock.advance
    links = Links(Link(wire, is_kept=True))
    for seconds in (30.0, 0.2, 5.0):
        send(links, GET, Call(seconds, clock)).read()
    assert wire.waits == pytest.approx([0.25, 29.75, 0.2, 0.25, 4.75])


@pytest.mark.parametrize("refusal", [BlockingIOError(), ssl.SSLWantWriteError(), ssl.SSLWantReadError()])
def test_what_does_not_go_out_at_once_is_sent_as_soon_as_it_does(refusal: Exception):
    wire = Wire(OK, sending=[refusal, 7, refusal])
    assert read(links=Links(Link(wire)))[2] == b"{}"
    assert (wire.sent, wire.parts) == (GET, 2)


def test_a_server_that_takes_nothing_is_given_up_at_the_deadline():
    clock, wire = FakeClock(), Wire(OK, sending=[BlockingIOError()] * 9)
    wire.on_silence = clock.advance
    with pytest.raises(OutOfTime):
        send(Links(Link(wire)), GET, Call(10.0, clock))
    assert wire.waits == [10.0]


def test_a_server_that_says_nothing_is_given_up_at_the_deadline():
    clock, wire = FakeClock(), Wire(SILENCE, SILENCE, OK)
    wire.on_silence = clock.advance
    with pytest.raises(OutOfTime):
        send(Links(Link(wire)), GET, Call(10.0, clock))
    assert clock.now() == pytest.approx(10.0)


class Twins:
    """Takes the place of `watch_over`: what a breaker watches over gets its end when it is tripped."""

    def __init__(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        self.watched: list[Breaker] = []
        self._wire = wire
        monkeypatch.setattr(exchange_module, "watch_over", self.watch_over)

    def watch_over(self, fd: int, breaker: Breaker) -> None:
        self.watched.append(breaker)
        breaker.on_trip(self._wire.pieces.clear)


def test_a_call_that_is_not_answered_soon_is_broken_off_with_the_work_that_it_belongs_to(monkeypatch):
    clock, wire = FakeClock(), Wire(SILENCE, SILENCE, OK)
    calls, twins = PendingCalls(clock), Twins(wire, monkeypatch)
    wire.on_silence = lambda seconds: calls.break_off(clock.now()) if twins.watched else clock.advance(seconds)
    links = Links(Link(wire, is_kept=True))
    with limited_to(None, clock, calls), pytest.raises(Interrupted):
        send(links, GET, Call(10.0, clock))
    assert not links.keeps_a_connection
    assert clock.now() == pytest.approx(0.25)


def test_who_breaks_work_off_costs_an_answer_that_comes_soon_nothing(monkeypatch):
    clock, wire = FakeClock(), Wire(OK)
    calls, twins = PendingCalls(clock), Twins(wire, monkeypatch)
    with limited_to(None, clock, calls):
        assert send(Links(Link(wire, is_kept=True)), GET, Call(10.0, clock)).read() == b"{}"
    assert twins.watched == []


def test_a_connection_that_is_being_made_is_broken_off_with_the_work(monkeypatch):
    clock, calls = FakeClock(), PendingCalls(FakeClock())

    class Unreachable(Links):
        def connect(self, link: Link, call: Call) -> None:
            call.breaker.on_trip(lambda: None)
            calls.break_off(clock.now())
            call.breaker.check()

    links = Unreachable(Link(Wire(OK)))
    with limited_to(None, clock, calls), pytest.raises(Interrupted):
        send(links, GET, Call(10.0, clock))
    assert not links.is_out


@pytest.mark.parametrize("nothing", [ssl.SSLWantReadError(), ssl.SSLWantWriteError(), BlockingIOError()])
def test_what_wakes_a_wait_need_be_nothing_of_the_answer(nothing: Exception):
    assert read(nothing, OK[:9], nothing, OK[9:])[2] == b"{}"


def test_a_peer_that_has_vanished_is_no_slow_one():
    vanished = TimeoutError(errno.ETIMEDOUT, "Connection timed out")
    with pytest.raises(TimeoutError) as caught:
        read(vanished)
    assert caught.value is vanished


def test_less_is_left_for_the_second_piece():
    clock, wire = FakeClock(), Wire(SILENCE, OK[:9], SILENCE, OK[9:])
    wire.on_silence = clock.advance
    send(Links(Link(wire)), GET, Call(10.0, clock)).read()
    assert wire.waits == pytest.approx([0.25, 9.75, 0.25, 9.5])


def test_a_stream_may_take_as_long_as_it_likes_if_it_is_not_silent():
    clock = FakeClock()
    wire = drip(clock, 9.0, CHUNKED, b"1\r\n{\r\n", b"1\r\n}\r\n", b"0\r\n\r\n")
    answer = send(Links(Link(wire)), GET, Call(10.0, clock))
    answer.set_idle_timeout(10.0)
    assert b"".join(answer.pieces()) == b"{}"


def test_a_stream_that_is_silent_says_so():
    clock, wire = FakeClock(), Wire(CHUNKED, SILENCE)
    wire.on_silence = clock.advance
    answer = send(Links(Link(wire)), GET, Call(10.0, clock))
    answer.set_idle_timeout(3.0)
    with pytest.raises(Silent, match="nothing came for 3 s"):
        next(answer.pieces())


class Fence:
    def __init__(self, parts: int) -> None:
        self.asked, self.told, self._parts = 0, 0, parts

    def check(self) -> None:
        self.asked += 1
        if self.asked > self._parts:
            raise NotLeading("shut")

    def sent(self) -> None:
        self.told += 1


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_fence_is_asked_before_each_part_and_told_after(parts: int):
    fence, wire = Fence(parts), Wire(OK)
    links = Links(Link(wire))
    with pytest.raises(NotLeading):
        send(links, b"x" * (3 * SEND_BYTES), Call(10.0, FakeClock(), fence=fence))
    assert (fence.asked, fence.told, len(wire.sent)) == (parts + 1, parts, parts * SEND_BYTES)
    assert not links.keeps_a_connection


def test_what_takes_the_content_may_refuse_it_and_the_connection_is_not_kept():
    links = Links(Link(Wire(OK[:-1], OK[-1:])))
    answer = send(links)
    with pytest.raises(ZeroDivisionError):
        answer.read(lambda piece: 1 // 0)
    assert not links.keeps_a_connection


def test_an_answer_that_is_closed_twice_gives_its_connection_back_once():
    links = Links(Link(Wire(OK[:-1])))
    answer = send(links)
    answer.close()
    answer.close()
    assert (links.is_out, links.keeps_a_connection) == (False, False)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_call_needs_a_number_of_seconds(seconds: float):
    with pytest.raises(ValueError, match="timeout"):
        Call(seconds)


@pytest.mark.parametrize("seconds", [float("inf"), 1e300])
def test_a_call_may_be_given_any_time(seconds: float):
    assert Call(seconds).seconds_left() <= 1e6


def test_a_call_without_time_does_not_begin():
    with pytest.raises(OutOfTime):
        send(Links(Link(Wire(OK), is_kept=True)), GET, Call(0.0, FakeClock()))


@pytest.mark.parametrize("framing", [b"Content-Length: %d\r\n", b""])
@pytest.mark.parametrize("packed", [gzip.compress(b"{}", mtime=0)[:-1], gzip.compress(b"{}", mtime=0)[:3], b"{}"])
def test_gzip_that_is_cut_short_or_none_is_refused(packed: bytes, framing: bytes):
    length = framing % len(packed) if framing else b""
    links = Links(Link(Wire(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n%b\r\n" % length + packed)))
    with pytest.raises(ExchangeError, match="gzip"):
        read(links=links)
    assert not links.keeps_a_connection


@pytest.mark.parametrize("framing", [b"Content-Length: %d\r\n", b""])
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("size", [MOST_UNPACKED - 1, MOST_UNPACKED, MOST_UNPACKED + 1, 5 * MOST_UNPACKED])
def test_what_is_packed_well_comes_in_pieces_of_which_none_is_large(framing: bytes, members: int, size: int):
    packed = gzip.compress(b" " * size, mtime=0) * members
    length = framing % len(packed) if framing else b""
    links = Links(Link(Wire(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n%b\r\n" % length + packed)))
    pieces = [len(each) for each in send(links, GET, Call(10.0, FakeClock())).pieces()]
    assert (sum(pieces), max(pieces) <= MOST_UNPACKED) == (members * size, True)


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nA: b\r\ncontent-length: 2\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"TRANSFER-encoding: identity\r\nContent-Length: 2\r\n",
    ],
)
def test_a_body_of_the_length_that_is_said_is_refused_if_more_is_said_of_its_end(fields: bytes):
    links = Links(Link(Wire(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n{}")))
    with pytest.raises(ExchangeError):
        read(links=links)
    assert not links.keeps_a_connection
