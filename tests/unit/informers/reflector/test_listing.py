"""Reading a collection as the beginning of a watch, and getting round servers that cannot."""

from __future__ import annotations

import pytest

from btcctl.errors import (
    ConnectionRefused,
    ConnectionSilent,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    ObjectDecodeError,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
    Unauthorized,
    WatchDecodeError,
)
from tests.unit.informers.reflector.test_reflector import reflect
from tests.unit.informers.support import (
    Lasting,
    Stream,
    StreamingSource,
    Together,
    added,
    bookmark,
    deleted,
    initial_end,
    modified,
    page,
    pod,
)

EXPIRED = Gone(410, "Expired", "too old")
TOO_LARGE = ServerTimeout(504, "Timeout", details={"causes": [{"reason": "ResourceVersionTooLarge"}]})
STREAMED = Stream(added("a", 9), added("b", 3), initial_end(10), added("c", 11), Lasting(300))


def test_changes_that_come_together_with_the_end_of_a_streamed_list_are_not_lost():
    together = Together(added("a", 9), initial_end(10), added("b", 11), deleted("a", 12))
    source = StreamingSource(Stream(together, Lasting(300)), Stream())
    _, store = reflect(source)
    assert store.log == ["replace a", "ADDED b", "DELETED a"]
    assert source.calls[1] == "watch from '12'"


def test_what_exists_becomes_one_list_and_the_stream_goes_on_as_the_watch():
    source = StreamingSource(STREAMED, Stream(bookmark(12)))
    reflector, store = reflect(source)
    assert source.calls == ["stream at ''", "watch from '11'"]
    assert store.log == ["replace a b", "ADDED c"]
    assert (reflector.statistics().lists, reflector.statistics().streamed) == (1, 1)


def test_what_changes_before_the_list_is_complete_is_part_of_it():
    script = Stream(added("a", 9), added("b", 3), modified("a", 11), deleted("b", 12), initial_end(12))
    assert reflect(StreamingSource(script))[1].log == ["replace a"]


def test_a_later_list_is_streamed_not_older_than_the_last_version():
    source = StreamingSource(STREAMED, Stream(EXPIRED), Stream(added("d", 20), initial_end(21), Lasting(300)))
    reflector, store = reflect(source)
    assert source.calls == ["stream at ''", "watch from '11'", "stream at '11'"]
    assert store.log[-1] == "replace d"
    assert reflector.statistics().relists == {"expired": 1}


@pytest.mark.parametrize("error", [EXPIRED, TOO_LARGE])
def test_the_latest_is_streamed_at_once_where_the_last_version_is_refused(error: Exception):
    source = StreamingSource(
        STREAMED, Stream(EXPIRED), error, Stream(initial_end(5), Lasting(300)), Stream(bookmark(6))
    )
    reflect(source)
    assert source.calls[2:] == ["stream at '11'", "stream at ''", "watch from '5'"]
    assert source.clock.waits == [0.25]


def test_a_server_that_refuses_even_the_latest_is_not_asked_without_a_pause():
    source = StreamingSource(TOO_LARGE, TOO_LARGE, TOO_LARGE, Stream(initial_end(5), Lasting(300)))
    reflect(source)
    assert source.calls == ["stream at ''"] * 4
    assert source.clock.waits == [0.8, 1.6]


@pytest.mark.parametrize("error", [Invalid(422, "Invalid", "sendInitialEvents is forbidden"), NotFound(404)])
def test_a_server_that_refuses_streams_is_listed_in_pages_at_once_and_for_an_hour(error: Exception):
    lasting = Stream(Lasting(4000), EXPIRED)
    source = StreamingSource(error, page(10), Stream(Lasting(5), EXPIRED), page(20), lasting, STREAMED)
    reflect(source)
    assert source.calls == [
        "stream at ''",
        *["list at '0' limit 500", "watch from '10'"],
        *["list at '10'", "watch from '20'"],
        "stream at '20'",
    ]
    assert source.clock.waits == [0.25, 0.25]  # after the two expiries


@pytest.mark.parametrize(
    "end",
    [[], [TransportError("reset")], [ConnectionSilent("silent")], [WatchDecodeError("not JSON")]],
    ids=["clean", "reset", "silent", "not JSON"],
)
def test_a_stream_that_ends_too_early_is_tried_once_more_then_pages_are_read(end: list[Exception]):
    cut = Stream(added("a", 9), *end)
    source = StreamingSource(cut, cut, page(10, pod("b", 2)), Stream(bookmark(11)))
    _, store = reflect(source)
    assert source.calls == ["stream at ''", "stream at ''", "list at '0' limit 500", "watch from '10'"]
    assert store.log == ["replace b"]
    assert sum(source.clock.waits) == 10.0  # three lists have begun


@pytest.mark.parametrize("error", [TooManyRequests(429), ConnectionRefused("refused"), ServiceUnavailable(503)])
def test_a_server_that_is_busy_or_away_is_asked_for_a_stream_again(error: Exception):
    source = StreamingSource(error, error, error, STREAMED)
    reflect(source)
    assert source.calls == ["stream at ''"] * 4


@pytest.mark.parametrize(
    ("error", "streams"), [(Forbidden(403), 2), (Unauthorized(401), 2), (ServiceUnavailable(503), 4)]
)
def test_where_watches_are_refused_and_lists_are_not_pages_are_read(error: Exception, streams: int):
    source = StreamingSource(*[error] * streams, page(10, pod("a", 1)), Stream(bookmark(11)))
    _, store = reflect(source)
    assert source.calls == [*["stream at ''"] * streams, "list at '0' limit 500", "watch from '10'"]
    assert store.log == ["replace a"]


def test_a_server_that_does_not_know_of_streamed_lists_is_found_out_by_its_bookmark():
    source = StreamingSource(Stream(added("a", 9), bookmark(10)), page(10), Stream(bookmark(11)))
    reflect(source)
    assert source.calls == ["stream at ''", "list at '0' limit 500", "watch from '10'"]


def test_a_server_that_never_says_that_it_is_done_is_given_two_minutes():
    source = StreamingSource(Stream(added("a", 9), Lasting(121.0), added("b", 10)), page(10), Stream(bookmark(11)))
    reflect(source)
    assert source.calls[1] == "list at '0' limit 500"


def test_an_object_that_cannot_be_read_keeps_no_other_from_being_streamed():
    source = StreamingSource(Stream(added("a", 9), ObjectDecodeError("no name"), initial_end(10)))
    reflector, store = reflect(source)
    assert store.log == ["replace a"]
    assert reflector.statistics().skipped == 1
