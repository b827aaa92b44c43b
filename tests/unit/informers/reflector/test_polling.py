"""Servers that let a collection be listed and not be watched, for whatever reason."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import (
    ApiError,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    Unauthorized,
    WatchDecodeError,
)
from btcctl.informers.cache.delta_fifo import DeltaFIFO
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.reflector import Reflector
from btcctl.informers.scoped_reflector import ScopedReflector
from btcctl.objects import ListPage
from tests.unit.informers.reflector.test_reflector import Log, reflect
from tests.unit.informers.support import Lasting, ScriptedSource, Stream, added, bookmark, page, pod

OPTIONS = ReflectorOptions(backoff=ExponentialBackoff(base=0.8, cap=30.0), uniform=lambda low, high: (low + high) / 2)
FORBIDDEN = Forbidden(403, "Forbidden", "you cannot watch")


class Unwatchable(ScriptedSource):
    """A collection that grows; each watch is refused, or comes from a script first."""

    def __init__(self, refusal: Exception | Stream, *watches: Exception | Stream, seconds: float) -> None:
        super().__init__()
        self.listed_at: list[float] = []
        self._refusal = refusal
        self._watches = list(watches)
        self._until = seconds

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        self.listed_at.append(self.clock.now())
        version = len(self.listed_at)
        self._script = [page(version, *(pod(f"p{number}", number) for number in range(1, version + 1)))]
        return super().list_page(resource_version=resource_version, limit=limit, continue_token=continue_token)

    def _answer(self, call: str) -> ListPage | Stream:
        if call.startswith("watch"):
            self._script = [self._watches.pop(0) if self._watches else self._refusal]
        if self.clock.now() > self._until:
            self._script = []
        return super()._answer(call)


@pytest.mark.parametrize(
    "refusal",
    [
        FORBIDDEN,
        Unauthorized(401),
        NotFound(404),
        MethodNotAllowed(405),
        ApiError(501),
        ServiceUnavailable(503),
        ApiError(500),
        ApiError(0, "Strange"),
        WatchDecodeError("an ERROR event without a Status"),
        Stream(),
        Stream(WatchDecodeError("not JSON")),
    ],
    ids=lambda refusal: f"{type(refusal).__name__} {refusal}" if isinstance(refusal, Exception) else "",
)
def test_what_cannot_be_watched_is_listed_about_every_half_minute(refusal: Exception | Stream):
    source = Unwatchable(refusal, seconds=3600.0)
    reflector, store = reflect(source)
    gaps = [later - before for before, later in zip(source.listed_at, source.listed_at[1:], strict=False)]
    assert max(gaps) < 70.0
    assert min(gaps) >= 5.0 - 1e-9
    assert 100 <= len(gaps) <= 140
    assert "p100" in store.log[-1]
    assert reflector.statistics().relists["polled"] > 90


def test_a_watch_is_tried_now_and_then_and_followed_once_it_is_to_be_had():
    source = Unwatchable(Stream(Lasting(400.0)), *[FORBIDDEN] * 3, Stream(added("x", 99), Lasting(50.0)), seconds=900.0)
    reflector, store = reflect(source)
    watches = [number for number, call in enumerate(source.calls) if call.startswith("watch")]
    assert watches[:2] == [1, 2]  # refused twice
    assert len(watches[2:4]) == 2  # refused once more, five minutes later, then not
    assert watches[3] - watches[2] > 8
    assert store.log.count("ADDED x") == 1
    assert "list" not in " ".join(source.calls[watches[3] :])
    assert reflector.why_unwatched() == ""


def test_that_there_is_no_watch_is_said_at_once_and_as_long_as_it_is_so():
    said: list[str] = []

    class Asking(Unwatchable):
        def _answer(self, call: str) -> ListPage | Stream:
            said.append(reflector.why_unwatched())
            return super()._answer(call)

    source = Asking(FORBIDDEN, seconds=60.0)
    reflector = Reflector("pods", source, Log(), clock=source.clock, options=OPTIONS)
    reflector.run(source.stop)
    assert said[:4] == ["", "", f"watch: {FORBIDDEN}", f"watch: {FORBIDDEN}; listed every 30 s instead"]
    assert set(said[4:]) == {said[3]}
    assert reflector.last_error is FORBIDDEN


def test_once_a_watch_has_lasted_nothing_is_said_any_more_though_it_is_silent():
    said: list[str] = []

    class Looking(Lasting):
        @property
        def seconds(self) -> float:
            said.append(reflector.why_unwatched())
            return self._seconds

        @seconds.setter
        def seconds(self, seconds: float) -> None:
            self._seconds = seconds

    source = ScriptedSource(page(10), FORBIDDEN, Stream(Looking(2.0), Looking(9.0)))
    reflector = Reflector("pods", source, Log(), clock=source.clock, options=OPTIONS)
    reflector.run(source.stop)
    assert said == [f"watch: {FORBIDDEN}", ""]


def test_a_passing_failure_of_a_watch_is_not_said():
    source = ScriptedSource(page(10), ServiceUnavailable(503))
    assert reflect(source)[0].why_unwatched() == ""


def test_lists_that_are_polled_are_no_complaint_where_that_was_agreed_to():
    source = Unwatchable(MethodNotAllowed(405), seconds=600.0)
    options = replace(OPTIONS, accept_polling=True)
    reflector = Reflector("pods", source, Log(), clock=source.clock, options=options)
    reflector.run(source.stop)
    assert reflector.why_unwatched() == ""


def test_why_an_informer_is_silent_names_the_scope_that_is_not_watched():
    source = Unwatchable(FORBIDDEN, seconds=60.0)
    fifo = DeltaFIFO(source.clock, ["one"])
    scoped = ScopedReflector("pods", source, fifo, "one", transform=None, clock=source.clock, options=OPTIONS)
    scoped.reflector.run(source.stop)
    why = f"watch: {FORBIDDEN}; listed every 30 s instead"
    assert scoped.why_silent(source.clock.now(), limit=300.0) == f"one: {why}"


def test_where_all_is_forbidden_for_a_while_no_list_is_made_that_is_not_needed():
    source = ScriptedSource(page(10), *[FORBIDDEN] * 7, Stream(bookmark(11)))
    reflect(source)
    assert [call for call in source.calls if "list" in call] == ["list at '0' limit 500", "list at '10'"]
    assert source.clock.now() > 30.0
