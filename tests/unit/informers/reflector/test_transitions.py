"""What a reflector does next, as tables: a phase, what happened in it, the next phase, and what is done before it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from btcctl.errors import (
    ApiError,
    BtcctlError,
    ConnectionRefused,
    ConnectionSilent,
    Forbidden,
    Gone,
    InternalError,
    MethodNotAllowed,
    NotFound,
    ObjectDecodeError,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
    Unauthorized,
    WatchDecodeError,
)
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.listing import IncompleteList, NotStreamed, Snapshot
from btcctl.informers.reflector.phases import (
    BackOff,
    Checked,
    Checking,
    CountRelist,
    Effect,
    Ended,
    Event,
    Failed,
    Listed,
    Listing,
    Memory,
    NotBefore,
    Pause,
    Phase,
    Polling,
    Position,
    Received,
    Refusals,
    Replace,
    ResetBackoff,
    Say,
    StreamingList,
    StreamingPolicy,
    Unreadable,
    Watching,
)
from btcctl.informers.reflector.recovery import EndedAtOnce
from btcctl.informers.reflector.transitions import first_phase, step

OPTIONS = ReflectorOptions()
NOW = 1000.0

EXPIRED = Gone(410, "Expired")
TOO_LARGE = ServerTimeout(504, "Timeout", "Timeout: Too large resource version: 5, current: 3")
NOT_JSON = WatchDecodeError("not JSON")
NO_NAME = ObjectDecodeError("no name")
SILENT = ConnectionSilent("silent")
RESET = TransportError("reset")
FORBIDDEN = Forbidden(403, "Forbidden")

AT_7 = Memory(Position("7"), listed_at=900.0)
AT_9 = replace(AT_7, position=Position("9"))
SOON = (Pause(0.0, 0.5), NotBefore(905.0))


def ended(error: BtcctlError | None = None, *, version: str = "7", **more: object) -> Ended:
    return Ended(NOW, version, error=error, **{"lasted": 60.0, "received": True, **more})


def refused(error: BtcctlError) -> Ended:
    return Ended(NOW, "7", error=error)


def of_use(*effects: Effect) -> tuple[Effect, ...]:
    """The effects of a watch that was."""
    return (ResetBackoff(), *effects)


def after(error: BtcctlError) -> tuple[Effect, ...]:
    return (BackOff(error), NotBefore(905.0))


def with_refusals(memory: Memory, count: int, error: BtcctlError, *, first_at: float = NOW) -> Memory:
    return replace(memory, refusals=Refusals(count, first_at, error))


@pytest.mark.parametrize(
    ("phase", "event", "following", "effects"),
    [
        # It ended as it should, or the connection broke: go on from there.
        (Watching(AT_7), ended(version="9"), Watching(AT_9), of_use()),
        (Watching(AT_7), ended(received=False, lasted=20.0), Watching(AT_7), of_use()),
        (Watching(AT_7), ended(RESET, version="9"), Watching(AT_9), of_use(BackOff(RESET))),
        (Watching(AT_7), ended(RESET, lasted=0.1), Watching(AT_7), (BackOff(RESET),)),
        (Watching(AT_7), refused(RESET), Watching(AT_7), (BackOff(RESET),)),
        # The version is not known any more: list, and wait for nothing but one's turn.
        (Watching(AT_7), ended(EXPIRED, version="9"), Listing(AT_9), of_use(CountRelist("expired"), *SOON)),
        (Watching(AT_7), ended(TOO_LARGE), Listing(AT_7), of_use(CountRelist("too_large"), *SOON)),
        # Something came that cannot be read: once more, then list.
        (Watching(AT_7), ended(NOT_JSON, version="9"), Watching(AT_9, suspect="9"), of_use(BackOff(NOT_JSON))),
        (Watching(AT_7), ended(NO_NAME), Watching(AT_7, suspect="7"), of_use(BackOff(NO_NAME))),
        (
            Watching(AT_7, suspect="7"),
            ended(NO_NAME, version="9"),
            Watching(AT_9, suspect="9"),
            of_use(BackOff(NO_NAME)),
        ),
        (
            Watching(AT_7, suspect="7"),
            ended(NOT_JSON),
            Listing(AT_7),
            of_use(CountRelist("undecodable"), *after(NOT_JSON)),
        ),
        # Silence: once more, then ask.
        (Watching(AT_7), ended(SILENT, received=False), Watching(AT_7, silent="7"), of_use(BackOff(SILENT))),
        (Watching(AT_7, silent="7"), ended(SILENT, received=False), Checking(AT_7), of_use(BackOff(SILENT))),
        (
            Watching(AT_7, silent="6"),
            ended(SILENT, received=False),
            Watching(AT_7, silent="7"),
            of_use(BackOff(SILENT)),
        ),
        (Watching(AT_7, silent="7"), ended(SILENT), Watching(AT_7, silent="7"), of_use(BackOff(SILENT))),
        # So it is if somebody on the way ends streams before we do.
        (Watching(AT_7), ended(received=False), Watching(AT_7, silent="7"), of_use()),
        (Watching(AT_7, silent="7"), ended(received=False), Checking(AT_7), of_use()),
        (Watching(AT_7, silent="7"), ended(RESET, received=False), Checking(AT_7), of_use(BackOff(RESET))),
        (Watching(AT_7, silent="7"), ended(received=False, lasted=20.0), Watching(AT_7, silent="7"), of_use()),
        (Watching(AT_7, silent="7"), refused(SILENT), Watching(AT_7, silent="7"), (BackOff(SILENT),)),
        # A list is due, however the watch ends.
        (Watching(AT_7, "skipped"), ended(), Listing(AT_7), of_use(CountRelist("skipped"), *SOON)),
        (Watching(AT_7, "unordered"), ended(RESET), Listing(AT_7), of_use(CountRelist("unordered"), *after(RESET))),
        (Watching(AT_7, "unordered"), refused(RESET), Listing(AT_7), (CountRelist("unordered"), *after(RESET))),
        (Watching(AT_7, "skipped"), ended(EXPIRED), Listing(AT_7), of_use(CountRelist("skipped"), *SOON)),
        # It ends at once: now and then that may be.
        (Watching(AT_7), ended(lasted=0.1), Watching(AT_7, short=1), ()),
        (Watching(AT_7, short=2), ended(lasted=0.1), Watching(AT_7, short=3), ()),
        (Watching(AT_7, short=3), ended(), Watching(AT_7), of_use()),
        (Watching(AT_7, "skipped"), ended(lasted=0.1), Listing(AT_7), (CountRelist("skipped"), *SOON)),
        # While it is open.
        (Watching(AT_7), Unreadable(NO_NAME), Watching(AT_7, "skipped"), ()),
        (Watching(AT_7, silent="7"), Received(), Watching(AT_7), ()),
        (Watching(with_refusals(AT_7, 3, FORBIDDEN)), Received(), Watching(AT_7), ()),
    ],
)
def test_after_a_watch(phase: Phase, event: Event, following: Phase, effects: tuple[Effect, ...]):
    assert step(phase, event, OPTIONS) == (following, effects)


@pytest.mark.parametrize("short", [0, 5])
def test_a_watch_that_ends_at_once_without_an_event_or_too_often_has_failed(short: int):
    following, (wait,) = step(Watching(AT_7, short=short), ended(lasted=0.1, received=short > 0), OPTIONS)
    assert isinstance(following, Watching)
    assert following.memory.refusals.count == (short == 0)
    assert isinstance(wait, BackOff)
    assert isinstance(wait.error, EndedAtOnce)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InternalError(500), "error"),
        (NotFound(404), "error"),
        (ApiError(400), "error"),
        (MethodNotAllowed(405), "error"),
        (EXPIRED, "expired"),
        (ApiError(0, "Expired"), "expired"),
        (TOO_LARGE, "too_large"),
    ],
)
def test_refusals_after_which_a_list_is_necessary(error: BtcctlError, reason: str):
    following, effects = step(Watching(AT_7), refused(error), OPTIONS)
    assert following == Listing(with_refusals(AT_7, 1, error))
    assert effects == (CountRelist(reason), *(SOON if reason != "error" else after(error)))


@pytest.mark.parametrize(
    "error",
    [TooManyRequests(429), ServiceUnavailable(503), ApiError(502), ServerTimeout(504), Unauthorized(401), FORBIDDEN],
)
def test_refusals_after_which_the_same_is_asked_for_again(error: BtcctlError):
    following = Watching(with_refusals(AT_7, 1, error))
    assert step(Watching(AT_7), refused(error), OPTIONS) == (following, (BackOff(error),))


@pytest.mark.parametrize(
    ("count", "seconds", "error", "polls"),
    [
        (1, 0.0, FORBIDDEN, True),
        (1, 0.0, Unauthorized(401), True),
        (1, 0.0, NotFound(404), True),
        (1, 0.0, MethodNotAllowed(405), True),
        (0, 100.0, FORBIDDEN, False),
        (3, 29.0, ServiceUnavailable(503), False),
        (3, 30.0, ServiceUnavailable(503), True),
        (3, 30.0, InternalError(500), True),
        (3, 30.0, EXPIRED, True),
        (3, 30.0, NOT_JSON, True),
        (2, 99.0, ServiceUnavailable(503), False),
        (9, 99.0, RESET, False),
        (9, 99.0, ConnectionRefused("refused"), False),
        (9, 99.0, SILENT, False),
    ],
)
def test_a_server_that_answers_and_gives_no_watch_is_polled(
    count: int, seconds: float, error: BtcctlError, polls: bool
):
    memory = with_refusals(AT_7, count, TooManyRequests(429), first_at=NOW - seconds)
    following, effects = step(Watching(memory), refused(error), OPTIONS)
    assert isinstance(following, Polling) == polls
    if polls:
        assert following.watch_at == NOW + 300.0
        assert effects[1:] == (NotBefore(905.0),)


@pytest.mark.parametrize("useful", [ended(FORBIDDEN), ended(FORBIDDEN, lasted=0.1), ended(FORBIDDEN, received=False)])
def test_a_watch_that_was_of_use_counts_as_no_refusal(useful: Ended):
    following, _ = step(Watching(AT_7), useful, OPTIONS)
    assert following.memory.refusals.count == 0


POLLING = Polling(with_refusals(AT_7, 2, FORBIDDEN), watch_at=NOW + 300.0)
BEGUN = Failed(RESET, 990.0, NOW)


def listed(version: str = "9", *unreadable: str, at: float = NOW) -> Listed:
    return Listed(Snapshot([], version, unreadable), 990.0, at)


def test_a_poll_is_followed_by_another_and_in_the_end_by_a_watch():
    event = listed()
    following, effects = step(POLLING, event, OPTIONS)
    assert following == replace(
        POLLING, memory=replace(POLLING.memory, position=Position("9"), listed_at=990.0), has_listed=True
    )
    assert effects == (Replace(event.snapshot), CountRelist("polled"), Pause(27.0, 33.0))
    following, effects = step(POLLING, listed(at=NOW + 300.0), OPTIONS)
    assert isinstance(following, Watching)
    assert CountRelist("polled") in effects
    assert isinstance(step(following, refused(FORBIDDEN), OPTIONS).phase, Polling)


def test_a_list_that_is_answered_after_401s_is_followed_by_a_watch_at_once_and_only_once():
    refusal = Unauthorized(401)
    following = step(Watching(with_refusals(AT_7, 1, refusal)), refused(refusal), OPTIONS).phase
    following, effects = step(following, listed(), OPTIONS)
    assert isinstance(following, Watching)
    assert [each for each in effects if isinstance(each, Pause | BackOff)] == []
    following = step(following, refused(refusal), OPTIONS).phase  # so it is not the credential
    following = step(following, listed(), OPTIONS).phase
    assert isinstance(following, Polling)


@pytest.mark.parametrize(
    ("polling", "error", "following"),
    [
        (replace(POLLING, has_listed=True), FORBIDDEN, Polling),
        (POLLING, RESET, Polling),
        (POLLING, FORBIDDEN, Watching),  # lists are refused as well: it was no fault of the watch
    ],
)
def test_a_poll_that_fails(polling: Polling, error: BtcctlError, following: type[Phase]):
    outcome = step(polling, Failed(error, 990.0, NOW), OPTIONS)
    assert type(outcome.phase) is following
    assert outcome.effects[0] == BackOff(error)


def test_where_lists_are_refused_as_well_the_next_poll_takes_four_times_as_many_refusals():
    following = step(POLLING, Failed(FORBIDDEN, 990.0, NOW), OPTIONS).phase
    refusals = 0
    while isinstance(following, Watching):
        following = step(following, refused(FORBIDDEN), OPTIONS).phase
        refusals += 1
    assert (POLLING.memory.refusals.count + refusals) == 8


def test_a_poll_whose_version_is_refused_is_made_again_at_the_latest():
    following, effects = step(POLLING, Failed(EXPIRED, 990.0, NOW), OPTIONS)
    assert following.memory.position.to_list_from == ""
    assert effects == ()


LATEST = replace(AT_7, position=Position("7", is_refused=True))
STREAMS = replace(AT_7, streaming=StreamingPolicy(supported=True))


@pytest.mark.parametrize(
    ("phase", "event", "following", "waits"),
    [
        (Listing(AT_7), listed("9"), Watching(replace(AT_9, listed_at=990.0)), (ResetBackoff(),)),
        (Listing(AT_7), listed("9", "bad"), Watching(replace(AT_9, listed_at=990.0), "skipped"), (ResetBackoff(),)),
        (
            Listing(AT_7),
            listed(""),
            Watching(replace(AT_7, position=Position(""), listed_at=990.0), "unordered"),
            (ResetBackoff(),),
        ),
        (Listing(LATEST), listed("3"), Watching(Memory(Position("3"), listed_at=990.0)), (ResetBackoff(),)),
        (Listing(AT_7), Failed(EXPIRED, 990.0, NOW), Listing(LATEST), ()),
        (Listing(LATEST), Failed(EXPIRED, 990.0, NOW), Listing(LATEST), after(EXPIRED)),
        (Listing(AT_7), Failed(FORBIDDEN, 990.0, NOW), Listing(AT_7), after(FORBIDDEN)),
        (Listing(AT_7), BEGUN, Listing(replace(AT_7, listed_at=990.0)), (BackOff(RESET), NotBefore(995.0))),
        (
            StreamingList(STREAMS),
            Failed(TOO_LARGE, 990.0, NOW),
            StreamingList(replace(STREAMS, position=LATEST.position)),
            (),
        ),
        (StreamingList(STREAMS), Failed(RESET, 900.0, NOW), StreamingList(STREAMS), after(RESET)),
        (
            StreamingList(STREAMS),
            Failed(FORBIDDEN, 990.0, NOW),
            StreamingList(replace(STREAMS, streaming=StreamingPolicy(supported=True, failures=1))),
            after(FORBIDDEN),
        ),
        (StreamingList(STREAMS), Failed(NotFound(404), 990.0, NOW), Listing, (NotBefore(905.0),)),
        (StreamingList(STREAMS), Failed(NotStreamed("?"), 990.0, NOW), Listing, (NotBefore(995.0),)),
        (Checking(AT_7), Checked(), Watching(AT_7), (ResetBackoff(),)),
        (Checking(AT_7), Failed(RESET, 990.0, NOW), Checking(AT_7), (BackOff(RESET),)),
        (Checking(AT_7), Failed(EXPIRED, 990.0, NOW), Listing(LATEST), SOON),
        (Checking(AT_7), Failed(NotFound(404), 990.0, NOW), Listing(AT_7), after(NotFound(404))),
    ],
)
def test_after_a_list_or_a_check(phase: Phase, event: Event, following: Phase | type[Phase], waits: tuple[Effect, ...]):
    outcome = step(phase, event, OPTIONS)
    assert (type(outcome.phase) if isinstance(following, type) else outcome.phase) == following
    done = [each for each in outcome.effects if not isinstance(each, Replace | CountRelist | Say)]
    assert [str(each) for each in done] == [str(each) for each in waits]


def test_a_streamed_list_that_ends_too_early_is_tried_once_more():
    cut = Failed(IncompleteList("cut"), 990.0, NOW)
    again = step(StreamingList(STREAMS), cut, OPTIONS)
    assert isinstance(again.phase, StreamingList)
    assert isinstance(step(again.phase, cut, OPTIONS).phase, Listing)


def test_as_long_as_there_is_no_watch_a_list_is_no_success_that_ends_the_back_off():
    refusing = Listing(with_refusals(AT_7, 1, InternalError(500)))
    assert ResetBackoff() not in step(refusing, listed(), OPTIONS).effects


def test_a_reflector_begins_with_a_list():
    assert first_phase(NOW, streaming=False) == Listing(Memory())
    assert isinstance(first_phase(NOW, streaming=True), StreamingList)


def test_what_cannot_happen_in_a_phase_is_said():
    with pytest.raises(ValueError, match="cannot happen"):
        step(Listing(AT_7), Received(), OPTIONS)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0])
def test_options_that_are_no_seconds_are_refused(seconds: float):
    with pytest.raises(ValueError, match="poll_seconds"):
        ReflectorOptions(poll_seconds=seconds)


def test_a_least_watch_time_above_the_greatest_is_refused():
    with pytest.raises(ValueError, match="min_watch_seconds is 700, must be at most max_watch_seconds, which is 600"):
        ReflectorOptions(min_watch_seconds=700.0)
