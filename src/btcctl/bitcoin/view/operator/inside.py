"""What goes on inside the operator, out of its debug pages: of this process, or of another one that serves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from btcctl import codecs
from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.insides import CacheView, Controller, KeyView, QueueView, Stage, Step
from btcctl.bitcoin.view.model import StepsChange
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.logging import get_logger, scrub
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

#: `queue`, `informers`, `lead` or `steps/NUMBER`. Raises BtcctlError, with words for people, if it cannot be had.
Fetch = Callable[[str], Mapping[str, Any] | None]

MAX_STEPS: Final = 300  #: that a snapshot has
_STEPS_SECONDS: Final = 0.05  # in this process, where it costs microseconds
_PAGES_SECONDS: Final = 0.25
_AWAY_SECONDS: Final = 1.0
_JITTER_SECONDS = 0.05
_IDLE_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_MOST_CHARACTERS = 1000  # of an error: it may quote an answer

V = TypeVar("V", bound=msgspec.Struct)


class _Last(msgspec.Struct, gc=False):
    result: str = ""
    seconds: float | None = None
    seconds_ago: float | None = None
    error: str = ""


class _Key(msgspec.Struct, gc=False):
    state: str = ""
    failures: int = 0
    next_try_seconds: float | None = None
    reconcile_id: str = ""
    running_seconds: float | None = None
    last: _Last | None = None


class _Queue(msgspec.Struct, gc=False):
    depth: int = 0
    delayed: int = 0
    running: int = 0
    next_due_seconds: float | None = None
    keys: dict[str, _Key] = {}


class _Informer(msgspec.Struct, gc=False):
    synced: bool = False
    objects: int = 0
    queued: int = 0
    events: int = 0
    last_event_seconds_ago: float | None = None
    silent_seconds: float | None = None
    last_error: str = ""
    why_unsynced: str = ""


class _Step(msgspec.Struct, gc=False):
    number: int
    at: float
    stage: Stage
    of: str
    key: str
    version: str = ""
    what: str = ""
    reconcile: str = ""


class _Lead(msgspec.Struct, gc=False):
    leads: bool = False


class _Steps(msgspec.Struct, gc=False):
    steps: list[_Step] = []


class Inside:
    """Looks as long as there are pages, and tells what is new. A part of the view that starts and stops.

    Args:
        hub: Is told.
        fetch: Reads a debug page; None: the operator cannot be looked into.
        where: Whose inside it is, for people.
        why_not: Why there is none.
        is_near: It is this process.
    """

    def __init__(
        self,
        hub: Hub,
        fetch: Fetch | None,
        *,
        where: str = "",
        why_not: str = "",
        is_near: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._hub = hub
        self._fetch = fetch
        self._where = where
        self._is_near = is_near
        self._clock = clock
        self._steps: tuple[Step, ...] = ()  # replaced, never changed
        self._reasons: dict[str, str] = {}  # by reconcile: what led to it; the thread's own
        self._controller = Controller(why_not=why_not, where=where)
        self._runner = Runner("view-inside", self.run, clock=clock)

    def start(self) -> None:
        """Begin to look."""
        self._runner.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End. Idempotent."""
        self._runner.stop(timeout)

    def picture(self) -> Controller:
        """What is known, the last steps included. For any thread."""
        return msgspec.structs.replace(self._controller, steps=list(self._steps))

    def run(self, stop: Stop) -> None:
        """Look until `stop` is set. Blocks."""
        pages_at = self._clock.now()
        while self._fetch is not None and not stop.is_set():
            pause = _IDLE_SECONDS
            if self._hub.is_watched:
                try:
                    self._look_at_steps(self._fetch)
                    if self._clock.now() >= pages_at:
                        pages_at = self._clock.now() + (_PAGES_SECONDS if self._is_near else _AWAY_SECONDS)
                        self._look_at_pages(self._fetch)
                    pause = _STEPS_SECONDS if self._is_near else _AWAY_SECONDS
                except BtcctlError as error:
                    self._set(Controller(why_not=str(scrub(str(error))), where=self._where))
                    pause = _RETRY_SECONDS
            stop.wait(pause)

    def _look_at_steps(self, fetch: Fetch) -> None:
        last = self._steps[-1].number if self._steps else 0
        page = fetch(f"steps/{last}")
        if page is None:
            return
        new = [
            Step(each.number, each.at, each.stage, each.of, each.key, each.version, each.what, each.reconcile)
            for each in _converted(page, _Steps).steps
        ]
        if not new:
            return
        for each in new:
            if each.stage == "handler" and each.reconcile:
                self._reasons[each.reconcile] = f"{each.what} {each.version}".strip()
        for old in list(self._reasons)[:-MAX_STEPS]:
            del self._reasons[old]
        self._steps = (*self._steps, *new)[-MAX_STEPS:]
        self._hub.publish("steps", StepsChange(new[-MAX_STEPS:]))

    def _look_at_pages(self, fetch: Fetch) -> None:
        queues, caches, lead = fetch("queue"), fetch("informers"), fetch("lead")
        if queues is None or caches is None or lead is None:
            raise BtcctlError("it has no such debug pages: another version of btcctl?")
        now = self._clock.wall_time().timestamp()
        self._set(
            Controller(
                is_visible=True,
                where=self._where,
                is_leading=_converted(lead, _Lead).leads,
                queues=[self._queue(name, _converted(each, _Queue), now) for name, each in queues.items()],
                caches=[_cache(name, _converted(each, _Informer), now) for name, each in caches.items()],
            )
        )

    def _queue(self, name: str, queue: _Queue, now: float) -> QueueView:
        keys = [self._key(key, each, now) for key, each in queue.keys.items()]
        return QueueView(name, queue.depth, queue.delayed, queue.running, _after(now, queue.next_due_seconds), keys)

    def _key(self, key: str, state: _Key, now: float) -> KeyView:
        last = state.last or _Last()
        return KeyView(
            key=key,
            state=state.state,
            since=0.0 if state.running_seconds is None else now - state.running_seconds,
            reconcile=state.reconcile_id,
            why=self._reasons.get(state.reconcile_id, ""),
            next_at=_after(now, state.next_try_seconds),
            failures=state.failures,
            last_result=last.result,
            last_error=_cut(last.error),
            last_at=0.0 if last.seconds_ago is None else now - last.seconds_ago,
            last_seconds=last.seconds or 0.0,
        )

    def _set(self, now: Controller) -> None:
        """Tell it, if it is another picture; instants that only trembled are none."""
        now = steadied(now, self._controller)
        if now != self._controller:
            self._controller = now
            self._hub.publish("controller", now, place="")


def steadied(new: V, old: V) -> V:
    """`new`, with the instants of `old` where they differ by less than they are measured with."""
    changes: dict[str, Any] = {}
    for name in new.__struct_fields__:
        now, before = getattr(new, name), getattr(old, name)
        if isinstance(now, float) and isinstance(before, float):
            if now != before and abs(now - before) < _JITTER_SECONDS:
                changes[name] = before
        elif isinstance(now, list) and isinstance(before, list) and len(now) == len(before):
            pairs = zip(now, before, strict=True)
            changes[name] = [
                steadied(a, b) if isinstance(a, msgspec.Struct) and type(a) is type(b) else a for a, b in pairs
            ]
    return msgspec.structs.replace(new, **changes) if changes else new


def _cache(name: str, informer: _Informer, now: float) -> CacheView:
    return CacheView(
        name=name,
        is_synced=informer.synced,
        objects=informer.objects,
        queued=informer.queued,
        events=informer.events,
        heard_at=0.0 if informer.silent_seconds is None else now - informer.silent_seconds,
        changed_at=0.0 if informer.last_event_seconds_ago is None else now - informer.last_event_seconds_ago,
        problem=_cut(informer.last_error or informer.why_unsynced),
    )


def _cut(text: str) -> str:
    return str(scrub(text))[:_MOST_CHARACTERS]


def _after(now: float, seconds: float | None) -> float:
    return 0.0 if seconds is None else now + seconds


def _converted(page: object, type_: type[V]) -> V:
    try:
        return codecs.convert(page, type_)
    except msgspec.ValidationError as error:
        raise BtcctlError(f"its debug pages make no sense: {error}") from error
