"""Keeps a store equal to a collection of the API server: list once, then watch."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ApiError, BtcctlError, DecodeError, ObjectDecodeError, TransportError, WatchDecodeError
from btcctl.informers.list_watch import ListerWatcher
from btcctl.informers.recovery import RELIST_BACKOFF, RetryDelays, is_expired, is_too_large, relist_reason
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, ListPage, Object, WatchEvent
from btcctl.threads import Stop

logger = structlog.get_logger(__name__)

# client-go tools/cache/reflector.go and tools/pager: page size, watch timeouts, "very short watch".
PAGE_SIZE = 500
MIN_WATCH_SECONDS = 300.0
MAX_WATCH_SECONDS = 600.0
SHORT_WATCH_SECONDS = 1.0
# After a line we could not read, the stream that may skip it is kept short: a relist follows it.
SUSPECT_WATCH_SECONDS = 240.0

LATEST = ""  #: a list at this version is read from etcd
ANY = "0"  #: a list at this version is whatever the server has in its cache
_CHANGES = frozenset({ADDED, MODIFIED, DELETED})


class ReflectorStore(Protocol):
    """Where a reflector puts what it reads."""

    def replace(self, objects: list[Object]) -> None:
        """This, and nothing else, is the collection."""

    def apply(self, event: WatchEvent) -> None:
        """This has changed in it: ADDED, MODIFIED or DELETED."""


@dataclass(frozen=True, slots=True)
class ReflectorStatistics:
    """What a reflector has done so far."""

    lists: int
    watches: int
    relists: Mapping[str, int]  #: by reason: expired, too_large, undecodable, skipped, unordered, error
    events: int  #: without bookmarks
    bookmarks: int
    skipped: int  #: events whose object could not be read
    watch_opened_at: float | None  #: monotonic seconds; None: never
    last_event_at: float | None  #: bookmarks count, too


class Reflector:
    """Lists and watches `source` into `store`, whatever happens.

    The version to resume from moves past what has been put into the store, never further. A
    pass that failed always waits, so no answer of a server causes a hot loop.

    Args:
        name: Names the collection in logs.
        source: What to reflect; interrupted for good when `run` is asked to stop.
        store: Where to.
        clock: Measures back-off and short watches.
        backoff: Delays after failures in a row.
        uniform: Source of the watches' random timeouts.
    """

    def __init__(
        self,
        name: str,
        source: ListerWatcher,
        store: ReflectorStore,
        *,
        clock: Clock = SYSTEM_CLOCK,
        backoff: ExponentialBackoff = RELIST_BACKOFF,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._name = name
        self._source = source
        self._store = store
        self._clock = clock
        self._delays = RetryDelays(backoff)
        self._uniform = uniform

        self._version = ANY
        self._must_list = True
        self._version_refused = False
        self._server_pages_cache = False
        self._suspect_version: str | None = None
        self._action = "list"
        self._last_error: BtcctlError | None = None
        self._logged: tuple[object, ...] | None = None

        self._lists = 0
        self._watches = 0
        self._relists: Counter[str] = Counter()
        self._events = 0
        self._bookmarks = 0
        self._skipped = 0
        self._watch_opened_at: float | None = None
        self._last_event_at: float | None = None

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
            lists=self._lists,
            watches=self._watches,
            relists=dict(self._relists),
            events=self._events,
            bookmarks=self._bookmarks,
            skipped=self._skipped,
            watch_opened_at=self._watch_opened_at,
            last_event_at=self._last_event_at,
        )

    def run(self, stop: Stop) -> None:
        """Reflect until `stop` is set. Blocks."""
        forget = stop.on_set(self._source.interrupt)
        try:
            while not stop.is_set():
                self._pass(stop)
        finally:
            forget()

    def _pass(self, stop: Stop) -> None:
        try:
            if self._must_list:
                self._list()
            self._watch(stop)
        except BtcctlError as error:
            if not stop.is_set():
                self._failed(error)
                stop.wait(self._delays.after(error, self._clock.now()))

    def _list(self) -> None:
        self._action = "list"
        objects, version = self._list_not_going_back()
        if not version:
            raise DecodeError("the list has no resourceVersion to watch from")
        self._store.replace(objects)
        self._version = version
        self._suspect_version = None
        self._must_list = self._version_refused = False

    def _list_not_going_back(self) -> tuple[list[Object], str]:
        """List at the last version, and at the latest only if that one was refused."""
        if self._version_refused:
            return self._list_at(LATEST)
        try:
            return self._list_at(self._version)
        except ApiError as error:
            if not (is_expired(error) or is_too_large(error)):
                raise
            logger.info("version refused, listing the latest", informer=self._name, version=self._version)
            self._version_refused = True
            return self._list_at(LATEST)

    def _list_at(self, version: str) -> tuple[list[Object], str]:
        # With a limit, a version other than "" and "0" means exactly that version (which may be
        # compacted by now) instead of any newer one from the server's cache.
        paged = version in {LATEST, ANY} or self._server_pages_cache
        limit = PAGE_SIZE if paged else 0
        self._lists += 1
        first = self._source.list_page(resource_version=version, limit=limit, continue_token="")
        if version == ANY and first.continue_token:
            self._server_pages_cache = True
        try:
            return self._read_on(first, limit)
        except ApiError as error:
            if not is_expired(error):
                raise
        self._lists += 1
        whole = self._source.list_page(resource_version=version, limit=0, continue_token="")
        return self._read_on(whole, 0)

    def _read_on(self, page: ListPage, limit: int) -> tuple[list[Object], str]:
        """`page` and all that follow it, and the version of the list."""
        objects, version = list(page.items), page.resource_version
        while page.continue_token:
            page = self._source.list_page(resource_version="", limit=limit, continue_token=page.continue_token)
            objects += page.items
        return objects, version

    def _watch(self, stop: Stop) -> None:
        self._action = "watch"
        self._watches += 1
        opened_at = self._watch_opened_at = self._clock.now()
        if self._version in {LATEST, ANY}:
            # Such a watch begins with everything that exists, in no order, and tells no deletion:
            # however it ends, there is no version to resume from.
            self._relist("unordered")
        with self._source.watch(resource_version=self._version, timeout_seconds=self._watch_seconds()) as events:
            self._last_error = None
            any_came = self._follow(events, stop)
        lasted = self._clock.now() - opened_at
        if not any_came and lasted < SHORT_WATCH_SECONDS and not stop.is_set():
            raise TransportError(f"the watch ended after {lasted:.3f} s without an event")

    def _watch_seconds(self) -> int:
        """Random, so that the watches of many informers do not end together."""
        if self._suspect_version == self._version:
            return int(SUSPECT_WATCH_SECONDS)
        return int(self._uniform(MIN_WATCH_SECONDS, MAX_WATCH_SECONDS))

    def _follow(self, events: Iterator[WatchEvent], stop: Stop) -> bool:
        """Store events until the stream ends; True if any came."""
        any_came = False
        while not stop.is_set():
            try:
                event = next(events, None)
            except ObjectDecodeError as error:
                self._skip_if_seen_twice(error)
                continue
            if event is None:
                break
            self._take(event)
            if not any_came:
                any_came = True
                self._recovered()
        return any_came

    def _take(self, event: WatchEvent) -> None:
        self._last_event_at = self._clock.now()
        if event.type in _CHANGES:
            self._store.apply(event)
            self._events += 1
        elif event.type == BOOKMARK:
            self._bookmarks += 1
        else:
            logger.warning("unknown watch event skipped", informer=self._name, type=event.type)
            return
        unordered = event.type == ADDED and self._version in {LATEST, ANY}
        if event.object.resource_version and not unordered:
            self._version = event.object.resource_version

    def _skip_if_seen_twice(self, error: ObjectDecodeError) -> None:
        """The first time, read the line again in a new stream; then go on without it."""
        if self._suspect_version != self._version:
            raise error
        self._skipped += 1
        logger.error("event skipped", informer=self._name, after_version=self._version, error=str(error))
        self._relist("skipped")

    def _failed(self, error: BtcctlError) -> None:
        if self._action == "watch":
            self._plan_after_failed_watch(error)
        self._last_error = error
        kind = (self._action, type(error), getattr(error, "reason", ""))
        if kind != self._logged:
            self._logged = kind
            logger.warning(
                "reflecting failed", informer=self._name, verb=self._action, version=self._version, error=str(error)
            )

    def _plan_after_failed_watch(self, error: BtcctlError) -> None:
        if isinstance(error, (WatchDecodeError, ObjectDecodeError)):
            if isinstance(error, WatchDecodeError) and self._suspect_version == self._version:
                self._relist("undecodable")
            self._suspect_version = self._version
            return
        reason = relist_reason(error)
        if reason is not None:
            self._relist(reason)

    def _relist(self, reason: str) -> None:
        """List before the next watch."""
        if not self._must_list:
            self._must_list = True
            self._relists[reason] += 1

    def _recovered(self) -> None:
        if self._logged is not None:
            self._logged = None
            logger.info("watch recovered", informer=self._name, version=self._version)
