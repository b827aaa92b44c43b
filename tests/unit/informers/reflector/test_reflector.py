from __future__ import annotations

from collections.abc import Sequence

import pytest

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import (
    ApiError,
    ConnectionRefused,
    ConnectionSilent,
    Forbidden,
    Gone,
    InternalError,
    NotFound,
    ObjectDecodeError,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
    WatchDecodeError,
)
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.reflector import Reflector
from btcctl.objects import ListPage, Object, WatchEvent
from btcctl.testing import capture_logs
from tests.unit.informers.support import (
    Lasting,
    ScriptedSource,
    Stream,
    Together,
    added,
    bookmark,
    deleted,
    modified,
    page,
    pod,
)

EXPIRED = Gone(410, "Expired", "too old resource version: 1 (804)")
TOO_LARGE = ServerTimeout(
    504, "Timeout", "no matter what", details={"causes": [{"reason": "ResourceVersionTooLarge", "message": "…"}]}
)
POISON = ObjectDecodeError("object cannot be decoded")
NOT_JSON = WatchDecodeError("not a watch event")


class Log:
    """A store that writes down what it is given."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def replace(self, objects: list[Object]) -> None:
        self.log.append(" ".join(["replace", *(obj.name for obj in objects)]))

    def apply(self, events: Sequence[WatchEvent]) -> None:
        self.log += [f"{event.type} {event.object.name}" for event in events]


def reflect(source: ScriptedSource) -> tuple[Reflector, Log]:
    store = Log()
    options = ReflectorOptions(
        backoff=ExponentialBackoff(base=0.8, cap=30.0),
        unreachable=ExponentialBackoff(base=0.4, cap=4.0, factor=1.1),
        uniform=lambda low, high: (low + high) / 2,
    )
    reflector = Reflector("pods", source, store, clock=source.clock, options=options)
    reflector.run(source.stop)
    return reflector, store


def calls(*script: object) -> list[str]:
    source = ScriptedSource(*script)
    reflect(source)
    return source.calls


def test_lists_what_the_server_has_at_hand_then_watches_from_there():
    source = ScriptedSource(page(10, pod("a", 5)), Stream(added("b", 11), modified("a", 12), deleted("b", 13)))
    _, store = reflect(source)
    assert source.calls == ["list at '0' limit 500", "watch from '10'"]
    assert store.log == ["replace a", "ADDED b", "MODIFIED a", "DELETED b"]


def test_all_pages_become_one_list_at_the_version_of_the_first():
    source = ScriptedSource(page(10, pod("a", 1), continue_token="t"), page(11, pod("b", 2)), Stream())
    _, store = reflect(source)
    assert source.calls == ["list at '0' limit 500", "list after t limit 500", "watch from '10'"]
    assert store.log == ["replace a b"]


def test_a_stream_that_ends_goes_on_from_the_last_event_at_once():
    source = ScriptedSource(page(10), Stream(added("b", 11)), Stream(bookmark(15)), Stream(Lasting(400)), Stream())
    reflect(source)
    assert source.calls[1:] == ["watch from '10'", "watch from '11'", "watch from '15'", "watch from '15'"]
    assert source.clock.waits == [0.8]  # the last stream was too short to be true


def test_bookmarks_count_as_signs_of_a_watch_that_is_of_use():
    short = [Stream(bookmark(version)) for version in (11, 12, 13)]
    source = ScriptedSource(page(10), Forbidden(403), *short, Forbidden(403), Stream(bookmark(14), Lasting(9)))
    reflector, _ = reflect(source)
    assert reflector.statistics().relists == {}


def test_who_is_told_of_an_event_finds_it_counted():
    counted: list[int] = []

    class Counting(Log):
        def apply(self, events: Sequence[WatchEvent]) -> None:
            counted.append(reflector.statistics().events)

    source = ScriptedSource(page(10), Stream(added("b", 11), modified("b", 12)))
    reflector = Reflector("pods", source, Counting(), clock=source.clock)
    reflector.run(source.stop)
    assert counted == [1, 2]


def test_bookmarks_move_the_version_and_reach_no_store():
    source = ScriptedSource(page(10), Stream(bookmark(20)))
    reflector, store = reflect(source)
    assert store.log == ["replace"]
    assert reflector.version == "20"
    assert (reflector.statistics().events, reflector.statistics().bookmarks) == (0, 1)


def test_an_empty_stream_of_less_than_a_second_backs_off_without_a_list():
    source = ScriptedSource(page(10), Stream(Lasting(0.9)), Stream(Lasting(0.9)), Stream(Lasting(1.0)), Stream())
    reflect(source)
    assert source.calls[1:] == ["watch from '10'"] * 4
    assert source.clock.waits == [0.8, 1.6, 0.8]  # the third was a success


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (TooManyRequests(429, "TooManyRequests", "slow down"), [0.8, 1.6, 3.2]),
        (ConnectionRefused("refused"), [0.4, 0.44, 0.484]),
        (ServiceUnavailable(503, "", "starting"), [0.8, 1.6, 3.2]),
        (TransportError("reset"), [0.4, 0.44, 0.484]),
        (Forbidden(403, "Forbidden", "not yours"), [0.8, 1.6, 3.2]),
        (ServerTimeout(504, "Timeout", "etcd is slow"), [0.8, 1.6, 3.2]),
    ],
)
def test_an_error_that_leaves_our_version_valid_is_followed_by_a_watch_and_no_list(error, waits):
    source = ScriptedSource(page(10), error, Stream(added("a", 11), error), error, Stream(bookmark(12)))
    reflect(source)
    assert source.calls[1:] == ["watch from '10'", "watch from '10'", "watch from '11'", "watch from '11'"]
    assert source.clock.waits == waits


@pytest.mark.parametrize("error", [InternalError(500, "", "?"), NotFound(404, "", "page not found"), ApiError(400)])
def test_other_refusals_of_a_watch_lead_to_a_list_at_the_last_version(error):
    source = ScriptedSource(page(10), Stream(added("a", 11)), error, page(12), Stream(bookmark(13)))
    reflector, _ = reflect(source)
    assert source.calls[2:] == ["watch from '11'", "list at '11'", "watch from '12'"]
    assert reflector.statistics().relists == {"error": 1}


@pytest.mark.parametrize("error", [EXPIRED, ApiError(0, "Expired"), Gone(410), TOO_LARGE])
def test_a_version_that_is_refused_is_listed_once_more_before_the_latest_is_asked_for(error):
    script = (page(10), Stream(error), error, page(30), Stream(bookmark(31)), EXPIRED, page(32), Stream(bookmark(33)))
    assert calls(*script) == [
        "list at '0' limit 500",
        "watch from '10'",
        "list at '10'",
        "list at '' limit 500",
        "watch from '30'",
        "watch from '31'",
        "list at '31'",
        "watch from '32'",
    ]


def test_a_server_that_refuses_even_the_latest_is_asked_for_nothing_older_until_it_answers():
    source = ScriptedSource(EXPIRED, InternalError(500), EXPIRED, page(30), Stream(bookmark(31)))
    reflect(source)
    assert source.calls[:4] == ["list at '0' limit 500"] + ["list at '' limit 500"] * 3
    assert source.clock.waits == [0.8, 1.6]


def test_too_large_is_recognised_by_the_message_of_servers_that_send_no_cause():
    old = ApiError(504, "Timeout", "Timeout: Too large resource version: 5, current: 3")
    assert calls(old, page(3), Stream(bookmark(4)))[:2] == ["list at '0' limit 500", "list at '' limit 500"]


def test_a_token_that_expires_between_pages_leads_to_one_whole_list_at_the_same_version():
    script = (page(10, continue_token="t"), EXPIRED, page(11, pod("a", 1)), Stream(bookmark(12)))
    assert calls(*script) == [
        "list at '0' limit 500",
        "list after t limit 500",
        "list at '0'",
        "watch from '11'",
    ]


def test_pages_that_do_not_end_are_a_failure():
    endless = [page(10, pod("a", 1), continue_token=each) for each in ("t", "u", "t")]
    source = ScriptedSource(*endless, page(11), Stream(bookmark(12)))
    _, store = reflect(source)
    assert store.log == ["replace"]
    assert sum(source.clock.waits) == pytest.approx(5.0)


def test_a_server_without_a_watch_cache_is_read_in_pages_later_too():
    script = (page(10, continue_token="t"), page(10), Stream(EXPIRED), page(20), Stream(bookmark(21)))
    assert calls(*script)[3:] == ["list at '10' limit 500", "watch from '20'"]


def test_retry_after_is_the_least_to_wait():
    source = ScriptedSource(
        TooManyRequests(429, retry_after=5.0), page(10), TooManyRequests(429, retry_after=0.1), Stream(bookmark(11))
    )
    reflect(source)
    assert source.clock.waits == [5.0, 0.8]  # the list was a success


def test_no_retry_after_silences_an_informer_for_ever():
    source = ScriptedSource(TooManyRequests(429, retry_after=1e9), page(10), Stream(bookmark(11)))
    reflect(source)
    assert source.clock.waits == [600.0]


def test_back_off_doubles_to_its_cap_and_starts_anew_with_a_success():
    busy = TooManyRequests(429)
    source = ScriptedSource(*[busy] * 7, page(10), busy, Stream(bookmark(11), Lasting(1.0), busy), busy, Stream())
    reflect(source)
    assert source.clock.waits == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 0.8, 0.8, 1.6, 3.2]


def test_a_server_that_is_away_is_asked_at_least_every_five_seconds_and_at_once_when_that_has_just_begun():
    source = ScriptedSource(page(10), *[ConnectionRefused("refused")] * 100, Stream(bookmark(11)))
    Reflector("pods", source, Log(), clock=source.clock).run(source.stop)
    waits = source.clock.waits
    assert source.calls.count("watch from '10'") == 101
    assert 0.4 <= waits[0] <= 0.5
    assert 4.0 <= max(waits) <= 5.0
    waited = 0.0
    for wait in waits:  # after 20 s it is away, it is found back within 3 s
        assert wait <= 3.0 or waited > 20.0
        waited += wait


def test_a_server_before_which_a_proxy_answers_is_asked_at_least_every_five_seconds_too():
    source = ScriptedSource(page(10), *[ApiError(502)] * 3, *[ServiceUnavailable(503)] * 5, Stream(bookmark(11)))
    reflect(source)
    assert source.clock.waits == [0.8, 1.6, 3.2, 4.0, 4.0, 4.0, 4.0, 4.0]


def test_a_server_that_was_away_and_then_refuses_is_not_waited_for_as_if_it_had_refused_before():
    source = ScriptedSource(page(10), *[ConnectionRefused("")] * 30, Forbidden(403), Stream(bookmark(11)))
    reflect(source)
    assert source.clock.waits[30:] == [0.8]


def test_a_version_that_has_expired_is_no_reason_to_wait():
    source = ScriptedSource(page(10), Stream(Lasting(60.0), EXPIRED), page(20), Stream(bookmark(21), Lasting(9)))
    reflect(source)
    assert source.calls[2] == "list at '10'"
    assert source.clock.waits == [0.25]  # somewhere within half a second: not all informers at once


def test_lists_that_cost_something_begin_five_seconds_apart_however_often_a_version_is_refused():
    source = ScriptedSource(page(10), EXPIRED, page(20), EXPIRED, page(30), Stream(bookmark(31)))
    reflect(source)
    assert source.clock.waits == [0.25, 4.75, 0.25, 4.75]


def test_a_list_that_breaks_off_has_cost_something_and_one_that_is_refused_has_not():
    cut, busy = TransportError("reset"), TooManyRequests(429)
    source = ScriptedSource(busy, ConnectionRefused("refused"), cut, page(10), Stream(bookmark(11)))
    reflect(source)
    assert source.clock.waits == [0.8, 0.4, 0.44, 4.56]


def test_a_line_that_is_not_json_is_read_again_then_listed_over():
    source = ScriptedSource(
        page(10), Stream(NOT_JSON), Stream(NOT_JSON), page(12), Stream(NOT_JSON), Stream(bookmark(13))
    )
    reflector, _ = reflect(source)
    assert source.calls[1:] == [
        "watch from '10'",
        "watch from '10'",
        "list at '10'",
        "watch from '12'",
        "watch from '12'",
    ]
    assert source.clock.waits == [0.8, 1.6, 2.6, 3.2]  # it takes a watch of use to begin anew
    assert reflector.statistics().relists == {"undecodable": 1}


def test_after_a_list_the_count_of_unreadable_lines_begins_anew():
    again = [Stream(NOT_JSON), Stream(NOT_JSON), page(10)]
    assert calls(page(10), *again, *again, Stream(bookmark(11)))[1:] == [
        *["watch from '10'", "watch from '10'", "list at '10'"] * 2,
        "watch from '10'",
    ]


def test_two_unreadable_lines_at_different_versions_need_no_list():
    assert calls(page(10), Stream(NOT_JSON), Stream(added("a", 11), NOT_JSON), Stream(bookmark(12)))[1:] == [
        "watch from '10'",
        "watch from '10'",
        "watch from '11'",
    ]


def test_an_object_unreadable_twice_is_skipped_and_listed_soon():
    source = ScriptedSource(
        page(10), Stream(POISON), Stream(POISON, added("b", 12)), page(13), Stream(bookmark(14)), Stream(Lasting(9))
    )
    reflector, store = reflect(source)
    assert store.log == ["replace", "ADDED b", "replace"]
    assert source.calls[3:5] == ["list at '12'", "watch from '13'"]
    assert reflector.statistics().skipped == 1
    assert reflector.statistics().relists == {"skipped": 1}
    assert source.timeouts[1] + 100 <= 300 < source.timeouts[2]  # what silence and a slow end may add


def test_versions_without_an_order_are_not_resumed_from():
    source = ScriptedSource(
        page(0), Stream(added("b", 7), added("a", 3), TransportError("reset")), page(8), Stream(bookmark(9))
    )
    reflector, _ = reflect(source)
    assert source.calls[1:] == ["watch from '0'", "list at '0' limit 500", "watch from '8'"]
    assert reflector.statistics().relists == {"unordered": 1}


def test_a_list_without_a_version_is_followed_by_a_watch_from_none():
    stream = Stream(added("a", "7"), Lasting(300.0))
    source = ScriptedSource(page("", pod("a", "7")), stream, page("", pod("b", "8")), Stream(Lasting(9)))
    reflector, store = reflect(source)
    assert source.calls == ["list at '0' limit 500", "watch from ''", "list at '' limit 500", "watch from ''"]
    assert store.log == ["replace a", "ADDED a", "replace b"]
    assert reflector.statistics().relists == {"unordered": 2}


def test_what_comes_together_is_stored_together_and_the_version_moves_past_all_of_it():
    source = ScriptedSource(page(10), Stream(Together(added("a", 11), bookmark(12), modified("a", 13))), Stream())
    reflector, store = reflect(source)
    assert store.log == ["replace", "ADDED a", "MODIFIED a"]
    assert source.calls[2] == "watch from '13'"
    assert (reflector.statistics().events, reflector.statistics().bookmarks) == (2, 1)


def test_a_bookmark_that_comes_last_moves_the_version_although_it_is_not_stored():
    source = ScriptedSource(page(10), Stream(Together(added("a", 11), bookmark(14))), Stream())
    reflect(source)
    assert source.calls[2] == "watch from '14'"


def test_an_unknown_event_among_others_is_skipped_and_the_others_are_not():
    unknown = WatchEvent("RENAMED", pod("c", 99))
    source = ScriptedSource(page(10), Stream(Together(added("a", 11), unknown)), Stream())
    _, store = reflect(source)
    assert store.log == ["replace", "ADDED a"]
    assert source.calls[2] == "watch from '11'"


def test_an_unknown_event_is_skipped_and_moves_nothing():
    source = ScriptedSource(page(10), Stream(WatchEvent("SURPRISE", pod("a", 11)), Lasting(2)), Stream(bookmark(12)))
    _, store = reflect(source)
    assert source.calls[1:] == ["watch from '10'", "watch from '10'"]
    assert store.log == ["replace"]


def test_the_last_error_stands_until_a_watch_is_open_again():
    forbidden = Forbidden(403, "Forbidden", "pods is forbidden")
    reflector, _ = reflect(ScriptedSource(forbidden, page(10), forbidden))
    assert reflector.last_error is forbidden
    assert reflector.action == "watch"
    reflector, _ = reflect(ScriptedSource(forbidden, page(10), Stream(bookmark(11))))
    assert reflector.last_error is None


def test_watches_of_many_informers_do_not_end_together():
    source = ScriptedSource(page(10), *(Stream(bookmark(11)) for _ in range(50)))
    Reflector("pods", source, Log(), clock=source.clock).run(source.stop)
    assert len(set(source.timeouts)) > 10
    assert all(300 <= timeout <= 600 for timeout in source.timeouts)


def test_what_was_done_is_counted():
    source = ScriptedSource(page(10), Stream(added("a", 11), Lasting(3), EXPIRED), page(12), Stream(bookmark(13)))
    statistics = reflect(source)[0].statistics()
    assert (statistics.lists, statistics.watches, statistics.events) == (2, 3, 1)
    assert statistics.relists == {"expired": 1}
    assert statistics.last_event_at == pytest.approx(5.0)


def test_a_repeated_failure_is_logged_once_and_its_end_too():
    with capture_logs() as logged:
        reflect(ScriptedSource(*[Forbidden(403)] * 5, NotFound(404), page(10), Stream(bookmark(11))))
    assert [entry.get("error", entry["event"]) for entry in logged] == ["403: ", "404: ", "watch recovered"]


def test_the_server_is_not_hurried_by_streams_that_end_at_once_though_something_came():
    again = [Stream(bookmark(version)) for version in range(11, 18)]
    source = ScriptedSource(page(10), *again, Stream(bookmark(18), Lasting(1.0)), Stream(bookmark(19)))
    reflector, _ = reflect(source)
    assert source.clock.waits == [0.8, 1.6, 3.2, 6.4]  # after the fourth and each that follows it
    assert (reflector.statistics().short_watches, reflector.statistics().relists) == (8, {})


@pytest.mark.parametrize("refusal", [TOO_LARGE, EXPIRED])
def test_after_two_silent_streams_the_server_is_asked_for_our_version_and_listed_if_it_refuses_it(refusal):
    silent = [Lasting(70.0), ConnectionSilent("silent")]
    source = ScriptedSource(page(10), Stream(*silent), Stream(*silent), refusal, page(5), Stream(bookmark(6)))
    reflector, _ = reflect(source)
    assert source.calls[1:] == [
        *["watch from '10'", "watch from '10'"],
        *["list at '10' limit 1", "list at '' limit 500", "watch from '5'"],
    ]
    assert reflector.statistics().relists == {"silent": 1}


def test_a_server_without_bookmarks_is_not_listed_for_being_quiet():
    silent = Stream(Lasting(70.0), ConnectionSilent("silent"))
    hour = [silent, silent, page(10)] * 25
    source = ScriptedSource(page(10), *hour, Stream(added("a", 11)))
    reflector, store = reflect(source)
    assert set(source.calls[1:]) == {"watch from '10'", "list at '10' limit 1"}
    assert reflector.statistics().relists == {}
    assert store.log == ["replace", "ADDED a"]


def test_the_question_for_our_version_is_put_again_where_it_was_not_answered():
    silent = Stream(Lasting(70.0), ConnectionSilent("silent"))
    away = [ConnectionRefused("refused"), TooManyRequests(429, retry_after=3.0)]
    source = ScriptedSource(page(10), silent, silent, *away, page(12), Stream(bookmark(11)))
    reflect(source)
    assert source.calls[3:] == ["list at '10' limit 1"] * 3 + ["watch from '10'"]


def test_a_server_that_will_not_answer_for_our_version_is_listed():
    silent = Stream(Lasting(70.0), ConnectionSilent("silent"))
    source = ScriptedSource(page(10), silent, silent, ApiError(400), page(12), Stream(bookmark(13)))
    reflector, _ = reflect(source)
    assert source.calls[3:5] == ["list at '10' limit 1", "list at '10'"]
    assert reflector.statistics().relists == {"silent": 1}


def test_silence_needs_no_list_where_anything_came_between_or_no_stream_was_open():
    silent = ConnectionSilent("silent")
    script = (page(10), Stream(silent), Stream(bookmark(10), silent), Stream(silent), silent, Stream(bookmark(11)))
    reflector, _ = reflect(ScriptedSource(*script))
    assert reflector.statistics().relists == {}


def test_objects_left_out_of_a_list_are_counted_each_time_and_logged_once():
    first = ListPage([pod("a", 1)], "10", "", ("no name",))
    source = ScriptedSource(first, Stream(Lasting(180)), first, Stream(Lasting(180)), page(10), Stream(Lasting(400)))
    with capture_logs() as logged:
        reflector, store = reflect(source)
    assert store.log == ["replace a", "replace a", "replace"]
    assert source.timeouts == [180, 180, 450]  # another list soon
    assert reflector.statistics().skipped == 2
    assert [entry["error"] for entry in logged if entry["event"] == "object left out of a list"] == ["no name"]


def test_a_watch_that_is_over_has_no_age_and_silence_is_measured():
    source = ScriptedSource(page(10), Stream(Lasting(20.0), added("a", 11), Lasting(30.0), EXPIRED))
    statistics = reflect(source)[0].statistics()
    assert statistics.watch_opened_at is None
    assert statistics.silence(source.clock.now()) == pytest.approx(30.25)
