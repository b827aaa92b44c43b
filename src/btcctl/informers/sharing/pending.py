"""Notifications that a handler has not received yet, coalesced per key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from btcctl.informers.sharing.notifications import Added, Deleted, Notification, Updated
from btcctl.objects import ObjectKey


class Recreated(NamedTuple):
    """A key's object is gone, and another one is there."""

    deleted: Deleted
    added: Added


Pending: TypeAlias = Added | Updated | Deleted | Recreated


def merge(pending: Pending, later: Pending) -> Pending | None:
    """The one notification of a key that stands for `pending` and what came `later`; None if they cancel out."""
    if isinstance(later, Recreated):
        without = _merge_deletion(pending, later.deleted)
        return later.added if without is None else merge(without, later.added)
    if isinstance(later, Deleted):
        return _merge_deletion(pending, later)
    if isinstance(pending, Added):
        return Added(later.new, pending.in_initial_list)
    if isinstance(pending, Updated):
        return Updated(pending.old, later.new)
    deleted = pending.deleted if isinstance(pending, Recreated) else pending
    return Recreated(deleted, Added(later.new, in_initial_list=False))


def _merge_deletion(pending: Pending, later: Deleted) -> Pending | None:
    if isinstance(pending, Added):
        return None
    if isinstance(pending, Updated):
        return later
    return pending.deleted if isinstance(pending, Recreated) else pending


def is_initial(pending: Pending | None) -> bool:
    """Whether it belongs to the list of what existed before the handler."""
    return isinstance(pending, Added) and pending.in_initial_list


class PendingNotifications:
    """At most one entry per key. One thread takes, without a lock, while another adds.

    That is safe because an entry is only ever changed by the thread that has popped it, and to pop one key
    is atomic. `add` and `put_back` must exclude each other: they are called under the owner's lock.

    It holds no more keys than are alive, plus those whose deletion the handler
    has not received yet.
    """

    def __init__(self) -> None:
        self._pending: dict[ObjectKey, Pending] = {}
        self.initial_owed = 0  #: of the initial list, handed on or not; what cancelled out is not owed

    def add(self, key: ObjectKey, notification: Notification) -> None:
        """Keep a notification for `key`."""
        before = self._pending.pop(key, None)
        if before is None:
            self.initial_owed += type(notification) is Added and notification.in_initial_list
            self._pending[key] = notification
            return
        after = merge(before, notification)
        if type(notification) is not Updated:  # which never changes whether an entry is initial
            self.initial_owed += is_initial(after) - is_initial(before)
        if after is not None:
            self._pending[key] = after

    def add_all(self, notifications: Iterable[tuple[ObjectKey, Notification]]) -> None:
        """Keep notifications of many keys."""
        pending = self._pending
        for key, each in notifications:
            if key in pending:
                self.add(key, each)
                continue
            pending[key] = each
            if type(each) is Added:
                self.initial_owed += each.in_initial_list

    def keys(self) -> list[ObjectKey]:
        """The keys with notifications; what has waited longest since its last change comes first."""
        return list(self._pending)

    def take(self, key: ObjectKey) -> Pending | None:
        """Remove and return the notification of `key`."""
        return self._pending.pop(key, None)

    def put_back(self, key: ObjectKey, added: Added) -> None:
        """The second half of a Recreated that was taken: it comes before what was added meanwhile."""
        later = self._pending.pop(key, None)
        after = added if later is None else merge(added, later)
        if after is not None:
            self._pending[key] = after

    def clear(self) -> None:
        self._pending.clear()

    def __len__(self) -> int:
        return len(self._pending)
