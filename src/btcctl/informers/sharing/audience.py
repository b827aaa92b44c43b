"""Who is told of an informer's changes, and of which. Used by one thread at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from btcctl.clock import Clock
from btcctl.informers.cache.delta_fifo import Entry, Resync
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.sharing.changes import News, apply_entry, replay, without_syncs
from btcctl.informers.sharing.registration import NEVER, Registration

_BATCH = 500  # news handed to listeners at once


class Audience:
    """Changes the store, entry by entry, and tells the handlers.

    Between two entries the store stands still: that is when handlers come, and what they are told
    first has neither a gap nor a duplicate.

    Args:
        store: What the handlers are told of.
        clock: Says when a resync is due.
    """

    def __init__(self, store: Indexer, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._attached: tuple[Registration, ...] = ()

    def attach(self, newcomers: list[Registration], *, synced: bool) -> None:
        """Tell newcomers of everything there is; let those go that were removed."""
        for each in newcomers:
            each.listener.add(replay(self._store))
            if synced:
                each.listener.complete_initial_list()
            each.rearm()
        self._attached = tuple(each for each in (*self._attached, *newcomers) if not each.listener.closed)

    def process(self, entry: Entry) -> None:
        """Change the store as `entry` says, and tell."""
        if isinstance(entry, Resync):
            self._resync(entry)
            return
        for batch in _batches(apply_entry(self._store, entry)):
            self._tell(batch)

    def complete_initial_list(self) -> None:
        """Everything that existed at the beginning has been told."""
        for each in self._attached:
            each.listener.complete_initial_list()

    def until_resync(self) -> float | None:
        """Seconds until somebody wants a resync; None is never."""
        due_at = min((each.resync_at for each in self._attached), default=NEVER)
        return None if due_at == NEVER else due_at - self._clock.now()

    def due(self) -> list[Registration]:
        """Who wants a resync by now."""
        now = self._clock.now()
        return [each for each in self._attached if each.resync_at <= now]

    def _tell(self, batch: list[News]) -> None:
        changes = without_syncs(batch)
        for each in self._attached:
            each.listener.add(batch if each.resync_seconds else changes)

    def _resync(self, entry: Resync) -> None:
        due = self.due()
        for batch in _batches(apply_entry(self._store, entry)):
            for each in due:
                each.listener.add(batch)
        for each in due:
            each.rearm()


def _batches(news: Iterator[News]) -> Iterator[list[News]]:
    while batch := list(islice(news, _BATCH)):
        yield batch
