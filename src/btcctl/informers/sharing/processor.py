"""Distributes an informer's notifications to its handlers. Used by one thread at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from btcctl.clock import Clock
from btcctl.informers.sharing.changes import KeyedNotification, without_syncs
from btcctl.informers.sharing.registration import NEVER, Registration

_BATCH = 500  # notifications handed to listeners at once


class SharedProcessor:
    """The handlers of one informer: which there are, and which of them gets what. Knows no cache.

    Args:
        clock: Says when a resync is due.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attached: tuple[Registration, ...] = ()

    def attach(self, newcomer: Registration, present: list[KeyedNotification], *, synced: bool) -> None:
        """Add a handler, which gets `present` first: all that there is at this moment.

        Args:
            synced: That is the whole initial list.
        """
        newcomer.listener.add(present)
        if synced:
            newcomer.listener.complete_initial_list()
        newcomer.rearm()
        self._attached = (*self._attached, newcomer)

    def drop_closed(self) -> None:
        """Let go of handlers that were removed."""
        self._attached = tuple(each for each in self._attached if not each.listener.closed)

    def distribute(self, notifications: Iterator[KeyedNotification]) -> None:
        """Hand changes to all handlers; what only repeats what is known to those alone that want a resync."""
        for batch in _batches(notifications):
            changes = without_syncs(batch)
            for each in self._attached:
                each.listener.add(batch if each.resync_seconds else changes)

    def resync(self, notifications: Iterator[KeyedNotification]) -> None:
        """Hand what is known already to the handlers whose resync is due, and set the time of their next."""
        due = self.due()
        for batch in _batches(notifications):
            for each in due:
                each.listener.add(batch)
        for each in due:
            each.rearm()

    def complete_initial_list(self) -> None:
        """Everything that existed at the beginning has been distributed."""
        for each in self._attached:
            each.listener.complete_initial_list()

    def until_resync(self) -> float | None:
        """Seconds until the next resync is due; None is never."""
        due_at = min((each.resync_at for each in self._attached), default=NEVER)
        return None if due_at == NEVER else due_at - self._clock.now()

    def due(self) -> list[Registration]:
        """The handlers whose resync is due."""
        now = self._clock.now()
        return [each for each in self._attached if each.resync_at <= now]


def _batches(notifications: Iterator[KeyedNotification]) -> Iterator[list[KeyedNotification]]:
    while batch := list(islice(notifications, _BATCH)):
        yield batch
