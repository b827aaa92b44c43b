"""Whatever a source, or a server, answers: a reflector ends by being stopped, and asks at a bounded pace."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import (
    ApiError,
    BtcctlError,
    ConnectionRefused,
    ConnectionSilent,
    DecodeError,
    ObjectDecodeError,
    TransportError,
    WatchDecodeError,
)
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.reflector import Reflector
from btcctl.objects import ListPage, Object, WatchEvent
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response
from btcctl.testing import capture_logs
from btcctl.threads import Stop
from tests.properties import effort
from tests.unit.informers.reflector.test_reflector import Log
from tests.unit.informers.support import (
    Lasting,
    ScriptedSource,
    SteppingClock,
    Stream,
    StreamingSource,
    Together,
    bookmark,
    initial_end,
    pod,
)
from tests.unit.rest.fakes import ScriptedStream
from tests.unit.rest.hostile import JSON, SPOILED_LISTS, SPOILED_STATUSES, SPOILED_STREAMS

VERSIONS = st.sampled_from(["", "0", "7", "8", "soon", "-1"])
CODES = st.sampled_from([0, 400, 401, 403, 404, 405, 408, 409, 410, 422, 429, 500, 501, 502, 503, 504, 599])
REASONS = st.sampled_from(["", "Expired", "Gone", "Timeout", "TooManyRequests"])
MESSAGES = st.sampled_from(["", "Too large resource version: 9, current: 1"])
REFUSALS = st.builds(
    lambda code, reason, message, wait: ApiError.of(code, reason, message, retry_after=wait),
    *(CODES, REASONS, MESSAGES, st.sampled_from([None, 0.0, 1.0, 1e9])),
)
FAILURES = st.sampled_from(
    [ConnectionRefused(""), ConnectionSilent(""), TransportError(""), DecodeError(""), WatchDecodeError("")]
)
ERRORS: st.SearchStrategy[BtcctlError] = st.one_of(REFUSALS, FAILURES, st.just(ObjectDecodeError("")))
CHANGES = st.builds(
    WatchEvent,
    st.sampled_from(["ADDED", "MODIFIED", "DELETED", "SURPRISE", ""]),
    st.builds(pod, st.sampled_from("abc"), VERSIONS),
)
EVENTS = st.one_of(CHANGES, st.builds(bookmark, VERSIONS), st.builds(initial_end, VERSIONS))
STEPS = st.one_of(
    EVENTS,
    st.builds(Together, EVENTS, EVENTS),
    st.sampled_from([0.0, 0.5, 1.0, 70.0, 700.0]).map(Lasting),
    ERRORS,
)
STREAMS = st.lists(STEPS, max_size=5).map(lambda steps: Stream(*steps))
PAGES = st.builds(
    ListPage,
    st.lists(st.builds(pod, st.sampled_from("abc"), VERSIONS), max_size=2),
    VERSIONS,
    st.sampled_from(["", "", "t", "u"]),
    st.sampled_from([(), ("no name",)]),
)


class Arbitrary(StreamingSource):
    """Whatever is asked for, the next answer of that kind comes: from the beginning again after the last."""

    def __init__(self, pages: list[ListPage | BtcctlError], streams: list[Stream | BtcctlError], requests: int) -> None:
        super().__init__()
        self._pages = pages
        self._streams = streams
        self._left = requests

    def _answer(self, call: str) -> ListPage | Stream:
        answers: list[ListPage | BtcctlError] | list[Stream | BtcctlError] = self._streams
        if call.startswith("list"):
            answers = self._pages
        self._left -= 1
        self._script = [answers[self._left % len(answers)]] if self._left > 0 else []
        return super()._answer(call)


class Plain(Arbitrary):
    """One that streams no lists."""

    watch_list = None  # type: ignore[assignment]


def reflect(source: ScriptedSource) -> Reflector:
    reflector = Reflector("pods", source, Log(), clock=source.clock, options=ReflectorOptions())
    with capture_logs():
        reflector.run(source.stop)
    return reflector


@effort(40)
@given(
    st.lists(PAGES | ERRORS, min_size=1, max_size=4),
    st.lists(STREAMS | ERRORS, min_size=1, max_size=4),
    st.sampled_from([Arbitrary, Plain]),
)
def test_whatever_a_source_answers_the_reflector_goes_on_and_never_in_a_hurry(
    pages: list[ListPage | BtcctlError], streams: list[Stream | BtcctlError], kind: type[Arbitrary]
):
    source = kind(pages, streams, requests=60)
    reflector = reflect(source)
    assert source.stop.is_set()
    pages_of_lists = sum("after" in call for call in source.calls)
    # Not waited for: a few streams that end at once, a page after a page, the latest after a refused version.
    assert source.clock.now() >= 0.25 * (len(source.calls) - pages_of_lists - 20)
    reflector.statistics()
    reflector.why_unwatched()


class ArbitraryTransport:
    """Answers with bytes, one after the other, and stops whoever asks for more."""

    def __init__(self, answers: list[tuple[int, bytes]], stop: Stop) -> None:
        self._answers = list(answers)
        self._stop = stop

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        status, body = self._next()
        if status == 200 and request.receive is not None:
            request.receive(body)
            return Response(200, {}, b"")
        return Response(status, {"Retry-After": "1"}, body)

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> ScriptedStream:
        status, body = self._next()
        return ScriptedStream(Response(status, {}, body))

    def close(self) -> None:
        """Nothing is open."""

    def _next(self) -> tuple[int, bytes]:
        if not self._answers:
            self._stop.set()
            raise TransportError("the script is over")
        return self._answers.pop(0)


BODIES = st.one_of(
    SPOILED_LISTS, SPOILED_STREAMS, SPOILED_STATUSES, JSON.map(repr).map(lambda text: text.encode("utf-8", "replace"))
)
ANSWERS = st.tuples(st.sampled_from([200, 200, 200, 403, 410, 429, 503, 301]), BODIES)


class Strict(Log):
    """A store that looks at what it is given."""

    def replace(self, objects: list[Object]) -> None:
        assert all(isinstance(obj.key.name, str) and obj.key.name for obj in objects)


@effort(25)
@given(st.lists(ANSWERS, max_size=12), st.booleans())
def test_whatever_bytes_a_server_answers_with_the_reflector_goes_on(answers: list[tuple[int, bytes]], streaming: bool):
    clock = SteppingClock()
    stop = Stop(clock)
    client = ApiClient(ArbitraryTransport(answers, stop), clock=clock)
    source = client.resource(PODS).lister_watcher(streaming=streaming)
    with capture_logs():
        Reflector("pods", source, Strict(), clock=clock).run(stop)
    assert stop.is_set()
