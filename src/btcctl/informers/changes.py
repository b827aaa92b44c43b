"""What an entry of the DeltaFIFO does to the store, and what handlers are told of it. No threads.

The store is always changed first: a handler may see a newer cache than what it is told, never
an older one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from btcctl.informers.delta_fifo import Changes, Entry, Replaced, Resync
from btcctl.informers.indexer import Indexer
from btcctl.informers.notifications import Added, Deleted, Notification, Updated
from btcctl.objects import DELETED, Object, ObjectKey

News: TypeAlias = tuple[ObjectKey, Notification]


def apply_entry(store: Indexer, entry: Entry) -> Iterator[News]:
    """Change `store` as `entry` says and yield what to tell, step by step.

    Exhaust the iterator before anything else changes the store.
    """
    if isinstance(entry, Changes):
        return _apply_changes(store, entry)
    if isinstance(entry, Replaced):
        return _apply_replaced(store, entry)
    return _apply_resync(store, entry)


def replay(store: Indexer) -> list[News]:
    """What a handler that comes late is told first."""
    return [(obj.key, Added(obj, in_initial_list=True)) for obj in store.list()]


def is_sync(notification: Notification) -> bool:
    """Whether it tells a handler nothing new: a resync, or an object relisted unchanged."""
    return (
        isinstance(notification, Updated)
        and notification.old.meta.resource_version == notification.new.meta.resource_version
    )


def _apply_changes(store: Indexer, entry: Changes) -> Iterator[News]:
    for key, deltas in entry.deltas.items():
        for type_, obj in deltas:
            if type_ == DELETED:
                if store.delete(key) is not None:
                    yield key, Deleted(key, obj, final_state_known=True)
                continue
            old = store.put(obj)
            if old is not None and old.meta.uid == obj.meta.uid:
                yield key, Updated(old, obj)  # nearly always, and on the hot path
            else:
                yield from _told(key, old, obj)


def _apply_replaced(store: Indexer, entry: Replaced) -> Iterator[News]:
    old = store.replace(entry.objects)
    for key, obj in old.items():
        if key not in entry.objects:
            yield key, Deleted(key, obj, final_state_known=False)
    for key, obj in entry.objects.items():
        yield from _told(key, old.get(key), obj, in_initial_list=entry.initial)


def _apply_resync(store: Indexer, entry: Resync) -> Iterator[News]:
    for obj in store.list():
        if obj.key not in entry.skip:
            yield obj.key, Updated(obj, obj)


def _told(key: ObjectKey, old: Object | None, new: Object, *, in_initial_list: bool = False) -> Iterator[News]:
    if old is None:
        yield key, Added(new, in_initial_list)
    elif old.uid != new.uid:
        # Deleted and made again while we were not looking: another object of the same name.
        yield key, Deleted(key, old, final_state_known=False)
        yield key, Added(new, in_initial_list=False)
    else:
        yield key, Updated(old, new)
