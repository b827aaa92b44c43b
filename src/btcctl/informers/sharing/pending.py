"""What a handler has not been told yet, coalesced per key."""

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


def merge(pending: Pending, news: Pending) -> Pending | None:
    """What to tell of a key when `news` come before `pending` was told; None is nothing at all."""
    if isinstance(news, Recreated):
        without = _merge_deletion(pending, news.deleted)
        return news.added if without is None else merge(without, news.added)
    if isinstance(news, Deleted):
        return _merge_deletion(pending, news)
    if isinstance(pending, Added):
        return Added(news.new, pending.in_initial_list)
    if isinstance(pending, Updated):
        return Updated(pending.old, news.new)
    deleted = pending.deleted if isinstance(pending, Recreated) else pending
    return Recreated(deleted, Added(news.new, in_initial_list=False))


def _merge_deletion(pending: Pending, news: Deleted) -> Pending | None:
    if isinstance(pending, Added):
        return None
    if isinstance(pending, Updated):
        return news
    return pending.deleted if isinstance(pending, Recreated) else pending


def is_initial(pending: Pending | None) -> bool:
    """Whether it belongs to the list of what existed before the handler."""
    return isinstance(pending, Added) and pending.in_initial_list


class PendingNotifications:
    """At most one entry per key. One thread takes, without a lock, while another adds.

    That is safe because an entry is only ever changed by whoever has popped it, and to pop one key
    is atomic. `add` and `put_back` must exclude each other: they are called under the owner's lock.

    It holds no more keys than are alive, plus those the handler knows and was not yet told to be
    deleted.
    """

    def __init__(self) -> None:
        self._pending: dict[ObjectKey, Pending] = {}
        self.initial_owed = 0  #: of the initial list, told or not; what cancelled out is not owed

    def add(self, key: ObjectKey, news: Notification) -> None:
        """Note what is to be told of `key`."""
        before = self._pending.pop(key, None)
        if before is None:
            self.initial_owed += type(news) is Added and news.in_initial_list
            self._pending[key] = news
            return
        after = merge(before, news)
        if type(news) is not Updated:  # which never changes whether an entry is initial
            self.initial_owed += is_initial(after) - is_initial(before)
        if after is not None:
            self._pending[key] = after

    def add_all(self, news: Iterable[tuple[ObjectKey, Notification]]) -> None:
        """Note what is to be told of each key."""
        pending = self._pending
        for key, each in news:
            if key in pending:
                self.add(key, each)
                continue
            pending[key] = each
            if type(each) is Added:
                self.initial_owed += each.in_initial_list

    def keys(self) -> list[ObjectKey]:
        """What there is to tell of; what has waited longest since its last change comes first."""
        return list(self._pending)

    def take(self, key: ObjectKey) -> Pending | None:
        """Remove and return what is to be told of `key`."""
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
