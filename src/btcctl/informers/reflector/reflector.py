"""Keeps a store equal to a collection of the API server: list once, then watch.

What comes next is decided in `transitions`; here it is done.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol, TypeAlias, assert_never, cast

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError, NotFound, ObjectDecodeError
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.list_watch import ListerWatcher, SupportsWatchList, WatchStream
from btcctl.informers.reflector.listing import PagedLister, Snapshot, read_initial_events
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
    NotBefore,
    Pause,
    Phase,
    Polling,
    Received,
    Replace,
    ResetBackoff,
    Say,
    StreamingList,
    Unreadable,
    Watching,
)
from btcctl.informers.reflector.recovery import RetryDelays, is_refusal_for_good
from btcctl.informers.reflector.statistics import ReflectorCounters, ReflectorStatistics
from btcctl.informers.reflector.transitions import first_phase, step
from btcctl.logging import get_logger
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, Object, WatchEvent
from btcctl.threads import Stop

logger = get_logger(__name__)

Steps: TypeAlias = Generator[bool, None, Event | None]

_CHANGES = frozenset({ADDED, MODIFIED, DELETED})


class ReflectorStore(Protocol):
    """Where a reflector puts what it reads."""

    def replace(self, objects: list[Object]) -> None:
        """This, and nothing else, is the collection."""

    def apply(self, events: Sequence[WatchEvent]) -> None:
        """This has changed in it: ADDED, MODIFIED and DELETED, in this order."""


class _OpenWatch:
    """How far a stream that is open has been stored."""

    __slots__ = ("is_ordered", "opened_at", "received", "version")

    def __init__(self, version: str, opened_at: float, *, is_ordered: bool) -> None:
        self.version = version
        self.opened_at = opened_at
        self.is_ordered = is_ordered  # there was a version to resume from
        self.received = False

    def advance(self, events: list[WatchEvent]) -> None:
        """Move the version past `events`, which are stored."""
        for type_, obj in reversed(events):
            # A watch from no version begins with everything that exists, in no order.
            if obj.resource_version and (self.is_ordered or type_ != ADDED):
                self.version = obj.resource_version
                return


class Reflector:
    """Lists and watches `source` into `store`, whatever happens.

    Args:
        name: Names the collection in logs.
        source: What to reflect; interrupted for good when `run` is asked to stop. One that
            SupportsWatchList is read by streamed lists, as long as that works.
        store: Where to.
        clock: Measures back-off and short watches.
        options: Deadlines and delays.
    """

    def __init__(
        self,
        name: str,
        source: ListerWatcher,
        store: ReflectorStore,
        *,
        clock: Clock = SYSTEM_CLOCK,
        options: ReflectorOptions = ReflectorOptions(),
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._options = options
        self._delays = RetryDelays(options.backoff, options.unreachable)
        self._pages = PagedLister(source)
        self._counters = ReflectorCounters()
        self._log = _Log(name)
        self._phase: Phase = first_phase(clock.now(), streaming=isinstance(source, SupportsWatchList))
        self._open: _OpenWatch | None = None
        self._stored_version = ""
        self._action = "list"
        self._last_error: BtcctlError | None = None
        self._last_event_at: float | None = None
        self._heard_at: float | None = None

    @property
    def version(self) -> str:
        """Up to which version the store has been given everything; "" before the first list."""
        return self._stored_version

    @property
    def last_error(self) -> BtcctlError | None:
        """Why the last list or watch failed; None if it did not. While lists are polled: why there is no watch."""
        return self._last_error

    @property
    def action(self) -> str:
        """What is being tried, or was tried last: "list" or "watch"."""
        return self._action

    def why_unwatched(self) -> str:
        """For a message: why changes come late, because the server refuses watches and means it; else ""."""
        phase, opened = self._phase, self._open
        if opened is not None and self._clock.now() - opened.opened_at >= self._options.short_watch_seconds:
            return ""  # there is one, and it has lasted
        error = phase.memory.refusals.error
        if error is None or (self._options.accept_polling and isinstance(phase, Polling)):
            return ""
        if isinstance(phase, Polling):
            return f"watch: {error}; listed every {self._options.poll_seconds:g} s instead"
        return f"watch: {error}" if is_refusal_for_good(error) else ""

    def statistics(self) -> ReflectorStatistics:
        counters, opened = self._counters, self._open
        return ReflectorStatistics(
            lists=self._pages.begun + counters.streams,
            streamed=counters.streamed,
            watches=counters.watches,
            short_watches=counters.short_watches,
            relists=dict(counters.relists),
            events=counters.events,
            bookmarks=counters.bookmarks,
            skipped=counters.skipped,
            watch_opened_at=None if opened is None else opened.opened_at,
            last_event_at=self._last_event_at,
            heard_at=self._heard_at,
        )

    def run(self, stop: Stop) -> None:
        """Reflect until `stop` is set. Blocks."""
        for _ in self.steps(stop):
            pass  # only what does not wait comes back before its end

    def steps(self, stop: Stop) -> Generator[bool]:
        """The same piece by piece, for who has one thread only: it and its source must not wait.

        Yields:
            True if something was done; False if an open stream has nothing to read.
        """
        self._heard_at = self._clock.now()
        forget = stop.on_set(self._source.interrupt)
        try:
            while not stop.is_set():
                event = yield from self._request(stop)
                if event is not None and not stop.is_set():
                    self._happened(event, stop)
                yield True
        finally:
            forget()

    def _request(self, stop: Stop) -> Steps:
        """Make the request of this phase, and say what came of it; None for nothing that is not said yet."""
        began_at = self._clock.now()
        try:
            return (yield from self._requested(self._phase, began_at, stop))
        except BtcctlError as error:
            return self._failure(error, began_at)
        finally:
            self._open = None

    def _requested(self, phase: Phase, began_at: float, stop: Stop) -> Steps:
        self._action = "watch" if isinstance(phase, Watching) else "list"
        match phase:
            case Watching():
                return (yield from self._watch(phase, stop))
            case StreamingList():
                return (yield from self._stream(phase, began_at, stop))
            case Checking():
                self._pages.check(phase.memory.position.version)
                return Checked()
            case Listing() | Polling():
                snapshot = self._pages.read(phase.memory.position.to_list_from)
                return Listed(snapshot, began_at, self._clock.now())
        assert_never(phase)

    def _failure(self, error: BtcctlError, began_at: float) -> Event:
        now, phase, opened = self._clock.now(), self._phase, self._open
        if opened is not None:
            return Ended(now, opened.version, now - opened.opened_at, opened.received, error)
        if isinstance(phase, Watching):
            return Ended(now, phase.memory.position.version, error=error)
        return Failed(error, began_at, now)

    def _watch(self, phase: Watching, stop: Stop) -> Steps:
        self._counters.watches += 1
        version, seconds = phase.memory.position.version, self._watch_seconds(phase)
        with self._source.watch(resource_version=version, timeout_seconds=seconds) as stream:
            return (yield from self._follow(stream, phase, [], stop))

    def _stream(self, phase: StreamingList, began_at: float, stop: Stop) -> Steps:
        """List and watch in one stream."""
        source = cast("SupportsWatchList", self._source)  # or this would be no phase of ours
        self._counters.streams += 1
        self._counters.watches += 1
        version, seconds = phase.memory.position.to_stream_from, self._watch_seconds(phase)
        with source.watch_list(resource_version=version, timeout_seconds=seconds) as stream:
            snapshot, events = read_initial_events(stream, stop, self._clock, self._options.initial_seconds)
            self._counters.streamed += 1
            self._happened(Listed(snapshot, began_at, self._clock.now()), stop)
            if not isinstance(self._phase, Watching) or self._phase.is_brief:
                return None
            self._action = "watch"
            return (yield from self._follow(stream, self._phase, events, stop))

    def _watch_seconds(self, phase: Watching | StreamingList) -> int:
        """Random, so that the watches of many informers do not end together."""
        options = self._options
        if isinstance(phase, Watching) and phase.is_brief:
            return max(1, int(options.suspect_watch_seconds))
        return max(1, int(options.uniform(options.min_watch_seconds, options.max_watch_seconds)))

    def _follow(self, stream: WatchStream, phase: Watching, events: list[WatchEvent], stop: Stop) -> Steps:
        """Store events until the stream ends; `events` have been taken from it already."""
        position = phase.memory.position
        opened = self._open = _OpenWatch(position.version, self._clock.now(), is_ordered=position.is_ordered)
        self._last_error = None
        if events:
            self._take(events, opened, stop)
        while not stop.is_set():
            try:
                taken = stream.take()
            except ObjectDecodeError as error:
                if not self._is_suspect(opened):
                    raise
                self._happened(Unreadable(error), stop)
                continue
            if taken:
                self._take(taken, opened, stop)
            elif taken is None:
                yield False
            else:
                now = self._clock.now()
                return Ended(now, opened.version, now - opened.opened_at, opened.received)
        return None

    def _is_suspect(self, opened: _OpenWatch) -> bool:
        """Whether what comes next in the open stream could not be read before."""
        return isinstance(self._phase, Watching) and self._phase.suspect == opened.version

    def _take(self, events: list[WatchEvent], opened: _OpenWatch, stop: Stop) -> None:
        self._last_event_at = self._heard_at = self._clock.now()
        changes = [each for each in events if each.type in _CHANGES]
        if changes:
            self._counters.events += len(changes)
            self._store.apply(changes)
        known = changes if len(changes) == len(events) else self._without_unknown(events)
        if not known:
            return
        if not opened.received:
            opened.received = True
            self._happened(Received(), stop)
        opened.advance(known)
        self._stored_version = opened.version

    def _without_unknown(self, events: list[WatchEvent]) -> list[WatchEvent]:
        known = []
        for event in events:
            if event.type in _CHANGES or event.type == BOOKMARK:
                known.append(event)
                self._counters.bookmarks += event.type == BOOKMARK
            else:
                self._log.unknown(event.type)
        return known

    def _happened(self, event: Event, stop: Stop) -> None:
        """Go on to the next phase."""
        self._note(event)
        self._phase, effects = step(self._phase, event, self._options)
        for effect in effects:
            self._do(effect, stop)

    def _note(self, event: Event) -> None:
        """How it appears in statistics and in the log."""
        if isinstance(event, Ended | Failed) and event.error is not None:
            self._last_error = event.error
            self._log.failed(self._action, self._phase.memory.position.version, event.error)
        match event:
            case Received():
                self._log.recovered(self._phase.memory.position.version)
            case Unreadable(error):
                self._counters.skipped += 1
                self._log.skipped(error)
            case Listed(snapshot):
                self._heard_at = event.at
                self._last_error = self._phase.memory.refusals.error
                self._counters.skipped += len(snapshot.unreadable)
                self._log.left_out(snapshot)
            case Checked():
                self._heard_at = self._clock.now()
            case Ended(error=None):
                self._heard_at = event.at
                self._counters.short_watches += (event.lasted or 0.0) < self._options.short_watch_seconds

    def _do(self, effect: Effect, stop: Stop) -> None:
        match effect:
            case Replace(snapshot):
                self._store.replace(snapshot.objects)
                self._stored_version = snapshot.version
            case CountRelist(reason):
                self._counters.relists[reason] += 1
            case ResetBackoff():
                self._delays.succeeded()
            case BackOff(error):
                stop.wait(self._delays.after(error))
            case Pause(least, most):
                stop.wait(self._options.uniform(least, most))
            case NotBefore(instant):
                if (left := instant - self._clock.now()) > 0:
                    stop.wait(left)
            case Say(text, error):
                self._log.say(text, error)
            case _:
                assert_never(effect)


class _Log:
    """Says each thing once."""

    def __init__(self, informer: str) -> None:
        self._informer = informer
        self._failure: tuple[object, ...] | None = None
        self._left_out: frozenset[str] = frozenset()

    def failed(self, verb: str, version: str, error: BtcctlError) -> None:
        """A list or a watch failed: a line if it is not the same failure again."""
        # That a collection is not served has nothing to do with what it was asked for.
        kind = ("" if isinstance(error, NotFound) else verb, type(error), getattr(error, "reason", ""))
        if kind != self._failure:
            self._failure = kind
            self._warn("reflecting failed", verb=verb, version=version, error=str(error))

    def recovered(self, version: str) -> None:
        if self._failure is not None:
            self._failure = None
            logger.info("watch recovered", informer=self._informer, version=version)

    def left_out(self, snapshot: Snapshot) -> None:
        """Objects of a list could not be read."""
        unreadable = frozenset(snapshot.unreadable)
        for error in unreadable - self._left_out:
            logger.error("object left out of a list", informer=self._informer, error=error)
        self._left_out = unreadable

    def skipped(self, error: ObjectDecodeError) -> None:
        logger.error("event skipped", informer=self._informer, error=str(error))

    def unknown(self, type_: str) -> None:
        self._warn("unknown watch event skipped", type=type_)

    def say(self, text: str, error: BtcctlError) -> None:
        logger.info(text, informer=self._informer, error=str(error))

    def _warn(self, event: str, **fields: str) -> None:
        logger.warning(event, informer=self._informer, **fields)
