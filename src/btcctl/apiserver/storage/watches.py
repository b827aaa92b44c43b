"""One watch: what has happened since, then what happens, as lines of JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from btcctl import codecs
from btcctl.apiserver.machinery.errors import StatusError, expired
from btcctl.apiserver.storage.answers import waiting
from btcctl.apiserver.storage.collection import (
    Body,
    Change,
    Collection,
    CollectionId,
    Compacted,
    Record,
    event_line,
    with_version,
)
from btcctl.apiserver.storage.collection import matching_type as type_seen
from btcctl.objects import ADDED, BOOKMARK, DELETED, ERROR, INITIAL_EVENTS_END

if TYPE_CHECKING:
    from btcctl.apiserver.storage.store import Store

_Call = tuple[Callable[[Any], None], Any]


def _match_all(_body: Body) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a client asked of a watch.

    Attributes:
        since: Start after this revision; None for the current state first.
        matches: The objects it wants to see.
        api_version: The version to serve objects in; "" for the stored one.
        encode: An object as JSON, if it wants another form than the object itself.
        bookmark: The object of a BOOKMARK, given its metadata.
        bookmarks: Whether it asked for BOOKMARKs.
        initial_end: Whether a BOOKMARK marks the end of the current state.
        deadline: When the server ends it, in monotonic seconds; None for never.
        waits: Whether `matches` and `encode` may wait for others, and raise StatusError: so they are called where
            nothing is locked, by whoever delivers.
    """

    since: int | None = None
    matches: Callable[[Body], bool] = _match_all
    api_version: str = ""
    encode: Callable[[Record], bytes] | None = None
    bookmark: Callable[[dict[str, Any]], dict[str, Any]] = lambda metadata: {"metadata": metadata}
    bookmarks: bool = False
    initial_end: bool = False
    deadline: float | None = None
    waits: bool = False


class Watch:
    """Made by the API, started by whoever has the connection.

    Lines come from whichever thread writes to the store, one at a time and in order.
    """

    def __init__(self, store: Store, collection: CollectionId, options: WatchOptions) -> None:
        self.collection = collection
        self.deadline = options.deadline
        self._store = store
        self._options = options
        self._floor = 0  # changes up to here are not for this watch
        self._last_revision = 0
        self._sink: Callable[[bytes], None] | None = None
        self._on_end: Callable[[], None] | None = None
        self.ended = False

    def start(self, sink: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """Replay, then go live.

        Args:
            sink: Gets one whole line at a time; must not block.
            on_end: Called once, after the last line, if the server ends the watch.
        """
        self._sink = sink
        self._on_end = on_end
        self._store.watch(self, self._options.since)

    def stop(self) -> None:
        """Deliver nothing any more. Idempotent; `on_end` is not called."""
        self.ended = True
        self._sink = self._on_end = None
        self._store.unwatch(self)

    def bookmark(self) -> None:
        """Send a BOOKMARK, if the client asked for them: about every 60 s.

        A watch of the future is told nothing until that has come.
        """
        with self._store.transaction():  # or a change could come between, and the bookmark would go back
            if self._options.bookmarks and not self.ended and self._last_revision <= self._store.revision:
                self._store.send(self, self._bookmark({"resourceVersion": str(self._last_revision)}))

    def begin(self, collection: Collection, revision: int, since: int | None) -> Iterator[_Call]:
        """What to deliver first; the store calls this with its lock held."""
        self._last_revision = revision if since is None else max(since, revision)
        self._floor = self._last_revision
        if since is None:
            for record in collection.records(""):
                if self._options.waits:
                    yield self.deliver_change, Change(self.collection, ADDED, record, None, 0.0)
                elif self._options.matches(record.body):
                    yield self.deliver, self._line(ADDED, record)
            if self._options.initial_end:
                metadata = {"resourceVersion": str(revision), "annotations": {INITIAL_EVENTS_END: "true"}}
                yield self.deliver, self._bookmark(metadata)
            return
        try:
            if since < collection.begun:
                raise Compacted(collection.begun)
            changes = collection.changes_after(since)
        except Compacted as error:
            self.ended = True
            status = expired(f"too old resource version: {since} ({error.oldest})").body
            yield self.deliver_last, event_line(ERROR, codecs.encode(status))
            return
        if self._options.waits:
            yield from ((self.deliver_change, change) for change in changes)
            return
        lines = [self._translate(change) for change in changes]
        yield from ((self.deliver, line) for line in lines if line is not None)

    def call_for(self, change: Change) -> _Call | None:
        """What delivers a live change to this watch, and what is to be given to it; None if it is not for it."""
        if self.ended or change.revision <= self._floor:
            return None
        self._last_revision = change.revision
        if self._options.waits:
            return self.deliver_change, change
        line = self._translate(change)
        return None if line is None else (self.deliver, line)

    def deliver_change(self, change: Change) -> None:
        """Called with nothing locked. What cannot be shown ends the watch."""
        if self.ended:
            return
        try:
            with waiting():
                line = self._translate(change)
        except StatusError as error:
            self.deliver_last(event_line(ERROR, codecs.encode(error.body)))
            return
        if line is not None:
            self.deliver(line)

    def deliver(self, line: bytes) -> None:
        if self._sink is not None and not self.ended:
            self._sink(line)

    def deliver_last(self, line: bytes) -> None:
        if self._sink is not None:
            self._sink(line)
        self.finish(None)

    def finish(self, _: None) -> None:
        """The server ends it: no line any more."""
        self.ended = True
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()

    def _translate(self, change: Change) -> bytes | None:
        before = change.previous is not None and self._options.matches(change.previous.body)
        after = change.type != DELETED and self._options.matches(change.record.body)
        type_ = type_seen(before=before, after=after)
        if type_ is None:
            return None
        record = change.record
        if type_ == DELETED and change.type != DELETED and change.previous is not None:
            # It left the selection: the client sees the state it knew, at the revision of the change.
            record = Record(with_version(change.previous.body, change.revision), change.revision)
        return self._line(type_, record)

    def _line(self, type_: str, record: Record) -> bytes:
        if self._options.encode is None:
            return record.line(type_, self._options.api_version)
        return event_line(type_, self._options.encode(record))

    def _bookmark(self, metadata: dict[str, Any]) -> bytes:
        return event_line(BOOKMARK, codecs.encode(self._options.bookmark(metadata)))
