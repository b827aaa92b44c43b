"""Keeps a store equal to a collection of the API server: list once, then watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import structlog

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError, ConnectionSilent, ObjectDecodeError, TransportError, WatchDecodeError
from btcctl.informers.list_watch import ListerWatcher, StreamingListerWatcher, WatchEvents
from btcctl.informers.listing import Listing, PagedList, Position, StreamedLists, read_initial_events
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.recovery import RetryDelays, is_refused_version, relist_reason
from btcctl.informers.statistics import ReflectorStatistics
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, Object, WatchEvent
from btcctl.threads import Stop

logger = structlog.get_logger(__name__)

# So many streams in a row may end at once although something came: then that is a failure, too.
MOST_SHORT_WATCHES = 3
_CHANGES = frozenset({ADDED, MODIFIED, DELETED})


class ReflectorStore(Protocol):
    """Where a reflector puts what it reads."""

    def replace(self, objects: list[Object]) -> None:
        """This, and nothing else, is the collection."""

    def apply(self, events: Sequence[WatchEvent]) -> None:
        """This has changed in it: ADDED, MODIFIED and DELETED, in this order."""


class Reflector:
    """Lists and watches `source` into `store`, whatever happens.

    The version to resume from moves past what has been put into the store, never further. A
    pass that failed always waits, so no answer of a server causes a hot loop.

    Args:
        name: Names the collection in logs.
        source: What to reflect; interrupted for good when `run` is asked to stop. A
            StreamingListerWatcher is read by streamed lists, as long as that works.
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
        self._name = name
        self._source = source
        self._store = store
        self._clock = clock
        self._options = options
        self._delays = RetryDelays(options.backoff, quiet_seconds=options.quiet_seconds)
        self._pages = PagedList(name, source)
        self._streamed_lists = StreamedLists(
            supported=isinstance(source, StreamingListerWatcher), paged_seconds=options.paged_seconds
        )

        self._position = Position()
        self._must_list = True
        self._suspect_version: str | None = None
        self._silent_version: str | None = None
        self._short_in_a_row = 0
        self._left_out: frozenset[str] = frozenset()
        self._action = "list"
        self._last_error: BtcctlError | None = None
        self._logged: tuple[object, ...] | None = None

        self._streams = 0
        self._streamed = 0
        self._watches = 0
        self._short_watches = 0
        self._relists: Counter[str] = Counter()
        self._events = 0
        self._bookmarks = 0
        self._skipped = 0
        self._came = False  # any event, since the watch was opened
        self._watch_opened_at: float | None = None
        self._last_event_at: float | None = None
        self._heard_at: float | None = None

    @property
    def last_error(self) -> BtcctlError | None:
        """Why the last list or watch failed; None if it did not."""
        return self._last_error

    @property
    def action(self) -> str:
        """What is being tried, or was tried last: "list" or "watch"."""
        return self._action

    def statistics(self) -> ReflectorStatistics:
        return ReflectorStatistics(
            lists=self._pages.count + self._streams,
            streamed=self._streamed,
            watches=self._watches,
            short_watches=self._short_watches,
            relists=dict(self._relists),
            events=self._events,
            bookmarks=self._bookmarks,
            skipped=self._skipped,
            watch_opened_at=self._watch_opened_at,
            last_event_at=self._last_event_at,
            heard_at=self._heard_at,
        )

    def run(self, stop: Stop) -> None:
        """Reflect until `stop` is set. Blocks."""
        self._heard_at = self._clock.now()
        forget = stop.on_set(self._source.interrupt)
        try:
            while not stop.is_set():
                self._pass(stop)
        finally:
            forget()

    def _pass(self, stop: Stop) -> None:
        try:
            if self._must_list and self._streamed_lists.is_next(self._clock.now()):
                self._stream(stop)
                return
            if self._must_list:
                self._action = "list"
                self._replace(self._pages.read(self._position))
            self._watch(stop)
        except BtcctlError as error:
            if not stop.is_set():
                self._failed(error)
                stop.wait(self._delays.after(error, self._clock.now()))
        finally:
            self._watch_opened_at = None

    def _stream(self, stop: Stop) -> None:
        """List and watch in one stream; an error that pages can get round ends the pass well."""
        if not isinstance(self._source, StreamingListerWatcher):
            raise TypeError(f"{self._source!r} cannot stream lists")
        self._action = "list"
        self._streams += 1
        self._watches += 1
        version = self._position.to_stream_from
        try:
            opened = self._source.watch_list(resource_version=version, timeout_seconds=self._watch_seconds())
            with opened as stream:
                listing, rest = read_initial_events(stream, stop, self._clock, self._options.initial_seconds)
                self._replace(listing)
                self._streamed += 1
                self._streamed_lists.completed()
                if not self._left_out:
                    self._watch_on(stream, stop, rest)
        except BtcctlError as error:
            if self._action == "watch" or stop.is_set():
                raise
            if is_refused_version(error) and not self._position.is_refused:
                logger.info("version refused, streaming the latest", informer=self._name, version=version)
                self._position.is_refused = True
                return
            if not self._streamed_lists.is_over(error, self._clock.now()):
                raise
            logger.info("reading lists in pages instead of streaming them", informer=self._name, error=str(error))

    def _replace(self, listing: Listing) -> None:
        for error in frozenset(listing.unreadable) - self._left_out:
            logger.error("object left out of a list", informer=self._name, error=error)
        self._left_out = frozenset(listing.unreadable)
        self._skipped += len(listing.unreadable)
        self._store.replace(listing.objects)
        self._position.move(listing.version)
        self._heard_at = self._clock.now()
        self._suspect_version = self._silent_version = None
        self._must_list = False

    def _watch(self, stop: Stop) -> None:
        if self._left_out:
            # The next change may be long in coming. The watch is kept short.
            self._relist("skipped")
        if not self._position.is_ordered:
            # Such a watch begins with everything that exists, in no order, and tells no deletion:
            # however it ends, there is no version to resume from.
            self._relist("unordered")
        seconds = self._watch_seconds()
        self._action = "watch"
        self._watches += 1
        with self._source.watch(resource_version=self._position.version, timeout_seconds=seconds) as stream:
            self._watch_on(stream, stop)

    def _watch_on(self, stream: WatchEvents, stop: Stop, events: list[WatchEvent] | None = None) -> None:
        """Follow a stream that is open, up to its end; `events` are those taken from it already."""
        self._action = "watch"
        opened_at = self._watch_opened_at = self._clock.now()
        self._last_error = None
        self._came = False
        if events:
            self._take(events)
        self._follow(stream, stop)
        if stop.is_set():
            return
        self._heard_at = self._clock.now()
        self._refuse_short(self._heard_at - opened_at)

    def _refuse_short(self, lasted: float) -> None:
        if lasted >= self._options.short_watch_seconds:
            self._short_in_a_row = 0
            return
        self._short_watches += 1
        self._short_in_a_row += 1
        if not self._came or self._short_in_a_row > MOST_SHORT_WATCHES:
            raise TransportError(f"the watch ended after {lasted:.3f} s" + ("" if self._came else " without an event"))

    def _watch_seconds(self) -> int:
        """Random, so that the watches of many informers do not end together."""
        options = self._options
        if self._left_out or self._suspect_version == self._position.version:
            return max(1, int(options.suspect_watch_seconds))
        return max(1, int(options.uniform(options.min_watch_seconds, options.max_watch_seconds)))

    def _follow(self, stream: WatchEvents, stop: Stop) -> None:
        """Store events until the stream ends."""
        while not stop.is_set():
            try:
                events = stream.take()
            except ObjectDecodeError as error:
                self._skip_if_seen_twice(error)
                continue
            if not events:
                break
            self._take(events)

    def _take(self, events: list[WatchEvent]) -> None:
        self._last_event_at = self._heard_at = self._clock.now()
        changes = [each for each in events if each.type in _CHANGES]
        if changes:
            self._store.apply(changes)
            self._events += len(changes)
        known = changes if len(changes) == len(events) else self._without_unknown(events)
        if not known:
            return
        if not self._came:
            self._came = True
            self._recovered()
        self._advance(known)

    def _without_unknown(self, events: list[WatchEvent]) -> list[WatchEvent]:
        known = []
        for event in events:
            if event.type in _CHANGES or event.type == BOOKMARK:
                known.append(event)
                self._bookmarks += event.type == BOOKMARK
            else:
                logger.warning("unknown watch event skipped", informer=self._name, type=event.type)
        return known

    def _advance(self, events: list[WatchEvent]) -> None:
        """Move the version past `events`, which are stored."""
        for type_, obj in reversed(events):
            unordered = type_ == ADDED and not self._position.is_ordered
            if obj.resource_version and not unordered:
                self._position.version = obj.resource_version
                return

    def _skip_if_seen_twice(self, error: ObjectDecodeError) -> None:
        """The first time, read the line again in a new stream; then go on without it."""
        if self._suspect_version != self._position.version:
            raise error
        self._skipped += 1
        logger.error("event skipped", informer=self._name, after_version=self._position.version, error=str(error))
        self._relist("skipped")

    def _failed(self, error: BtcctlError) -> None:
        if self._action == "watch":
            self._plan_after_failed_watch(error)
        self._last_error = error
        kind = (self._action, type(error), getattr(error, "reason", ""))
        if kind != self._logged:
            self._logged = kind
            logger.warning(
                "reflecting failed",
                informer=self._name,
                verb=self._action,
                version=self._position.version,
                error=str(error),
            )

    def _plan_after_failed_watch(self, error: BtcctlError) -> None:
        version = self._position.version
        if isinstance(error, (WatchDecodeError, ObjectDecodeError)):
            if isinstance(error, WatchDecodeError) and self._suspect_version == version:
                self._relist("undecodable")
            self._suspect_version = version
        elif isinstance(error, ConnectionSilent):
            self._plan_after_silence(version)
        else:
            reason = relist_reason(error)
            if reason is not None:
                self._relist(reason)

    def _plan_after_silence(self, version: str) -> None:
        """Twice nothing, not even a bookmark: a server that is behind our version says nothing, either."""
        if self._watch_opened_at is None or self._came:
            return
        if self._silent_version == version:
            self._relist("silent")
        self._silent_version = version

    def _relist(self, reason: str) -> None:
        """List before the next watch."""
        if not self._must_list:
            self._must_list = True
            self._relists[reason] += 1

    def _recovered(self) -> None:
        self._silent_version = None
        if self._logged is not None:
            self._logged = None
            logger.info("watch recovered", informer=self._name, version=self._position.version)
