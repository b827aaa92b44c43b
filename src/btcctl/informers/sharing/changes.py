"""Applies entries of the DeltaFIFO to the store, and says what handlers are to be notified of. No threads.

The store is always changed first: a handler may see a newer cache than what it is notified of,
never an older one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from btcctl.informers.cache.delta_fifo import Changes, Entry, Replaced, Resync
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.reflector.transform import QuarantinedObject
from btcctl.informers.sharing.notifications import Added, Deleted, Notification, Updated
from btcctl.objects import DELETED, Object, ObjectKey

KeyedNotification: TypeAlias = tuple[ObjectKey, Notification]

_new_tuple = tuple.__new__  # a NamedTuple's own is a Python function


def apply_entry(store: Indexer, entry: Entry) -> Iterator[KeyedNotification]:
    """Change `store` as `entry` says and yield the notifications, step by step.

    Exhaust the iterator before anything else changes the store.
    """
    if isinstance(entry, Changes):
        return _apply_changes(store, entry)
    if isinstance(entry, Replaced):
        return _apply_replaced(store, entry)
    return _apply_resync(store, entry)


def replay(store: Indexer) -> list[KeyedNotification]:
    """What a handler that comes late is notified of first."""
    return [(obj.key, Added(obj, in_initial_list=True)) for obj in store.list()]


def without_syncs(notifications: list[KeyedNotification]) -> list[KeyedNotification]:
    """Leaves out notifications without news: a resync, or an object relisted unchanged."""
    return [
        each
        for each in notifications
        if type(what := each[1]) is not Updated or what.old.meta.resource_version != what.new.meta.resource_version
    ]


def _apply_changes(store: Indexer, entry: Changes) -> Iterator[KeyedNotification]:
    notifications: list[KeyedNotification] = []
    put = store.put
    for key, deltas in entry.deltas.items():
        for type_, obj in deltas:
            if type_ == DELETED:
                if (old := store.delete(key)) is not None:
                    notifications.append((key, _deleted(key, old, obj)))
            elif type(obj) is QuarantinedObject:
                notifications += _doubted(store, key, obj)
            else:
                old = put(obj, key)
                if old is not None and old.meta.uid == obj.meta.uid:
                    notifications.append((key, _new_tuple(Updated, (old, obj))))  # nearly always, and on the hot path
                else:
                    notifications += _notifications_of(key, old, obj)
    return iter(notifications)


def _deleted(key: ObjectKey, old: Object, final: Object) -> Deleted:
    known = final.meta.uid == old.meta.uid and type(final) is not QuarantinedObject
    return Deleted(key, final if known else old, final_state_known=known)


def _apply_replaced(store: Indexer, entry: Replaced) -> Iterator[KeyedNotification]:
    listed = entry.objects
    quarantined = {key: obj for key, obj in listed.items() if type(obj) is QuarantinedObject}
    keep = {key for key, obj in quarantined.items() if _is_kept(store.get(key), obj)}
    if quarantined:
        listed = {key: obj for key, obj in listed.items() if key not in quarantined}
    old = store.replace(listed, entry.scope, keep=keep)
    for key, obj in old.items():
        if key not in listed and key not in keep:
            yield key, Deleted(key, obj, final_state_known=False)
    if not old and not quarantined:
        for key, obj in listed.items():
            yield key, _new_tuple(Added, (obj, entry.initial))
        return
    for key, obj in entry.objects.items():
        if key not in quarantined:
            yield from _notifications_of(key, old.get(key), obj, in_initial_list=entry.initial)


def _doubted(store: Indexer, key: ObjectKey, obj: Object) -> Iterator[KeyedNotification]:
    """Something is there, but what, is not known."""
    old = store.get(key)
    if old is not None and not _is_kept(old, obj):
        store.delete(key)
        yield key, Deleted(key, old, final_state_known=False)


def _is_kept(old: Object | None, quarantined: Object) -> bool:
    """An older state is better than none; another object of the same name is not."""
    return old is not None and old.meta.uid == quarantined.meta.uid


def _apply_resync(store: Indexer, entry: Resync) -> Iterator[KeyedNotification]:
    for obj in store.list():
        if obj.key not in entry.skip:
            yield obj.key, Updated(obj, obj)


def _notifications_of(
    key: ObjectKey, old: Object | None, new: Object, *, in_initial_list: bool = False
) -> Iterator[KeyedNotification]:
    if old is None:
        yield key, Added(new, in_initial_list)
    elif old.uid != new.uid:
        # Deleted and made again while we were not looking: another object of the same name.
        yield key, Deleted(key, old, final_state_known=False)
        yield key, Added(new, in_initial_list=False)
    else:
        yield key, Updated(old, new)
