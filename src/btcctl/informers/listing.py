"""Reading a whole collection: in pages, or as the beginning of a watch."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from btcctl.clock import Clock
from btcctl.errors import (
    ApiError,
    BtcctlError,
    DecodeError,
    Interrupted,
    ObjectDecodeError,
    TransportError,
    WatchDecodeError,
)
from btcctl.informers.list_watch import ListerWatcher, WatchEvents
from btcctl.informers.recovery import is_expired, is_refused_version, says_nothing_of_version
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, ListPage, Object, ObjectKey, WatchEvent
from btcctl.threads import Stop

logger = structlog.get_logger(__name__)

PAGE_SIZE = 500  # client-go tools/pager
MOST_INCOMPLETE = 2  #: streamed lists in a row that ended too early; then pages are read

LATEST = ""  #: a list at this version is read from etcd
ANY = "0"  #: a list at this version is whatever the server has in its cache


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole collection.

    Attributes:
        unreadable: What is wrong with objects that are left out.
    """

    objects: list[Object]
    version: str
    unreadable: tuple[str, ...] = ()


class Position:
    """The version that has been read up to, and whether the server still knows it."""

    def __init__(self) -> None:
        self.version = ANY
        self.is_refused = False

    @property
    def is_ordered(self) -> bool:
        """Whether there is a version to resume a watch from."""
        return self.version not in {LATEST, ANY}

    @property
    def to_list_from(self) -> str:
        return LATEST if self.is_refused else self.version

    @property
    def to_stream_from(self) -> str:
        return LATEST if self.is_refused or not self.is_ordered else self.version

    def move(self, version: str) -> None:
        self.version = version
        self.is_refused = False


class PagedList:
    """Reads a collection in pages, one whole read after the other.

    Args:
        name: Names the collection in logs.
        source: What to read.
    """

    def __init__(self, name: str, source: ListerWatcher) -> None:
        self._name = name
        self._source = source
        self._server_pages_cache = False
        self.count = 0  #: lists that were begun

    def read(self, position: Position) -> Listing:
        """Read at the last version, and at the latest only if that one was refused."""
        if position.is_refused:
            return self._read_at(LATEST)
        try:
            return self._read_at(position.to_list_from)
        except ApiError as error:
            if not is_refused_version(error):
                raise
            logger.info("version refused, listing the latest", informer=self._name, version=position.version)
            position.is_refused = True
            return self._read_at(LATEST)

    def _read_at(self, version: str) -> Listing:
        # With a limit, a version other than "" and "0" means exactly that version (which may be
        # compacted by now) instead of any newer one from the server's cache.
        paged = version in {LATEST, ANY} or self._server_pages_cache
        limit = PAGE_SIZE if paged else 0
        self.count += 1
        first = self._source.list_page(resource_version=version, limit=limit, continue_token="")
        if version == ANY and first.continue_token:
            self._server_pages_cache = True
        try:
            return self._read_on(first, limit)
        except ApiError as error:
            if not is_expired(error):
                raise
        self.count += 1
        whole = self._source.list_page(resource_version=version, limit=0, continue_token="")
        return self._read_on(whole, 0)

    def _read_on(self, page: ListPage, limit: int) -> Listing:
        """`page` and all that follow it, and the version of the list."""
        objects, version, unreadable = list(page.items), page.resource_version, page.unreadable
        while page.continue_token:
            page = self._source.list_page(resource_version="", limit=limit, continue_token=page.continue_token)
            objects += page.items
            unreadable += page.unreadable
        if not version:
            raise DecodeError("the list has no resourceVersion to watch from")
        return Listing(objects, version, unreadable)


class IncompleteList(BtcctlError):
    """A streamed list ended before it was complete; what was read of it is worth nothing."""


class NotStreamed(IncompleteList):
    """The server does not know how to stream a list, and has not said so."""


def read_initial_events(
    stream: WatchEvents, stop: Stop, clock: Clock, seconds: float
) -> tuple[Listing, list[WatchEvent]]:
    """Read a stream up to the BOOKMARK that ends what existed when it began.

    Args:
        seconds: How long it may take.

    Returns:
        What existed, and the events that came together with its end.

    Raises:
        IncompleteList: It ended, or broke off, before.
        ApiError: The server sent an ERROR event.
    """
    objects: dict[ObjectKey, Object] = {}
    unreadable: list[str] = []
    deadline = clock.now() + seconds
    while not stop.is_set():
        try:
            events = stream.take()
        except ObjectDecodeError as error:
            unreadable.append(str(error))
            continue
        except Interrupted:
            raise
        except (TransportError, WatchDecodeError) as error:
            raise IncompleteList(f"a streamed list broke off: {error}") from error
        if not events:
            raise IncompleteList("a streamed list ended too early")
        end = next((number for number, each in enumerate(events) if each.type == BOOKMARK), None)
        _apply(events[:end], objects)
        if end is not None:
            return _completed(events[end], objects, unreadable), events[end + 1 :]
        if clock.now() > deadline:
            raise NotStreamed(f"a streamed list was not complete after {seconds:g} s")
    raise Interrupted("stopped")


def _apply(events: list[WatchEvent], objects: dict[ObjectKey, Object]) -> None:
    for type_, obj in events:
        if type_ == DELETED:
            objects.pop(obj.key, None)
        elif type_ in {ADDED, MODIFIED}:
            objects[obj.key] = obj


def _completed(event: WatchEvent, objects: dict[ObjectKey, Object], unreadable: list[str]) -> Listing:
    if not event.ends_initial_events:
        raise NotStreamed("a bookmark came before the end of a streamed list: the server does not know streamed lists")
    return Listing([*objects.values()], event.object.resource_version, tuple(unreadable))


class StreamedLists:
    """Whether the next list is to be streamed. Pure.

    Args:
        supported: The source can do it.
        paged_seconds: For how long it is not tried again after it went wrong.
    """

    def __init__(self, *, supported: bool, paged_seconds: float) -> None:
        self._supported = supported
        self._paged_seconds = paged_seconds
        self._paged_until = float("-inf")
        self._incomplete = 0

    def is_next(self, now: float) -> bool:
        return self._supported and now >= self._paged_until

    def completed(self) -> None:
        self._incomplete = 0

    def is_over(self, error: BtcctlError, now: float) -> bool:
        """Told of a failure; True if the list is to be read in pages instead, at once."""
        if says_nothing_of_version(error) or is_refused_version(error):
            return False
        if isinstance(error, IncompleteList) and not isinstance(error, NotStreamed):
            self._incomplete += 1
            if self._incomplete < MOST_INCOMPLETE:
                return False
        self._incomplete = 0
        self._paged_until = now + self._paged_seconds
        return True
