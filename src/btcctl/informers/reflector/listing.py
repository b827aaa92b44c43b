"""Reading a whole collection: in pages, or as the beginning of a watch."""

from __future__ import annotations

import msgspec

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
from btcctl.informers.reflector.list_watch import ListerWatcher, WatchStream
from btcctl.informers.reflector.recovery import is_expired
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, ListPage, Object, ObjectKey, WatchEvent
from btcctl.threads import Stop

PAGE_SIZE = 500  # client-go tools/pager

LATEST = ""  #: a list at this version is read from etcd
ANY = "0"  #: a list at this version is whatever the server has in its cache


class Snapshot(msgspec.Struct, frozen=True):
    """A whole collection.

    Attributes:
        version: To watch from; "" if the server does not say, as aggregated API servers may.
        unreadable: What is wrong with objects that are left out.
    """

    objects: list[Object]
    version: str
    unreadable: tuple[str, ...] = ()


class PagedLister:
    """Reads a collection in pages, one whole read after the other.

    Args:
        source: What to read.

    Attributes:
        begun: Lists that were begun.
    """

    def __init__(self, source: ListerWatcher) -> None:
        self.begun = 0
        self._source = source
        self._server_pages_cache = False

    def read(self, version: str) -> Snapshot:
        """All of it, not older than `version`; raises as `ListerWatcher.list_page` does."""
        # With a limit, a version other than "" and "0" means exactly that version (which may be
        # compacted by now) instead of any newer one from the server's cache.
        paged = version in {LATEST, ANY} or self._server_pages_cache
        limit = PAGE_SIZE if paged else 0
        self.begun += 1
        first = self._source.list_page(resource_version=version, limit=limit, continue_token="")
        if version == ANY and first.continue_token:
            self._server_pages_cache = True
        try:
            return self._read_on(first, limit)
        except ApiError as error:
            if not is_expired(error):
                raise
        self.begun += 1
        whole = self._source.list_page(resource_version=version, limit=0, continue_token="")
        return self._read_on(whole, 0)

    def check(self, version: str) -> None:
        """Ask whether the server knows `version`, or a later one, at the cost of one object.

        Raises:
            ApiError: It does not: too old, or newer than anything it has.
        """
        self._source.list_page(resource_version=version, limit=1, continue_token="")

    def _read_on(self, page: ListPage, limit: int) -> Snapshot:
        """`page` and all that follow it, and the version of the list."""
        objects, version, unreadable = list(page.items), page.resource_version, page.unreadable
        seen: set[str] = set()
        while token := page.continue_token:
            seen.add(token)
            page = self._source.list_page(resource_version="", limit=limit, continue_token=token)
            if page.continue_token in seen:
                raise DecodeError("the list does not end: the same continue token came twice")
            objects += page.items
            unreadable += page.unreadable
        return Snapshot(objects, version, unreadable)


class IncompleteList(BtcctlError):
    """A streamed list ended before it was complete; what was read of it is worth nothing."""


class NotStreamed(IncompleteList):
    """The server does not know how to stream a list, and has not said so."""


def read_initial_events(
    stream: WatchStream, stop: Stop, clock: Clock, seconds: float
) -> tuple[Snapshot, list[WatchEvent]]:
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


def _completed(event: WatchEvent, objects: dict[ObjectKey, Object], unreadable: list[str]) -> Snapshot:
    if not event.ends_initial_events:
        raise NotStreamed("a bookmark came before the end of a streamed list: the server does not know streamed lists")
    return Snapshot([*objects.values()], event.object.resource_version, tuple(unreadable))
