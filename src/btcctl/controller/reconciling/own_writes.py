"""A reconcile sees what the one before it has written.

A cache lags behind. A reconcile that decides on a state from before its own last write creates twice, takes back what
it has just done, or cleans up a second time after what it has let go. So a key is held until the caches that its
controller watches hold what was written for it; not for long, because a cache may be in trouble.

A write is seen

    in the object that a cache holds: its version is that of the write, or a later one;
    in what a cache has held, though it has gone on since: another client has deleted the object again;
    because the cache was stopped, and shows nothing new any more;
    or because the cache has read on past the write's version, and whatever it holds now is what it makes of it:
    a selector leaves the object out, or a transform has refused it.

A key that is held is looked at again when something happens to an object that it waits for. Looks from time to time
are for what happens to no object. They are delays of the queue, measured with its clock, and taken back when they are
not needed any more.

Workers and the threads of caches take the lock only while something is waited for, and look at no cache under it. A
key's entry is made, and dropped, by the worker that has the key; a cache only takes writes out of it that it has held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import msgspec

from btcctl.clock import Clock
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Deleted, Notification
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.collection.written import RecordedWrite

logger = get_logger(__name__)

LOOK_AGAIN_SECONDS = 0.02  # the first time; twice as long each time
MAX_LOOK_SECONDS = 0.5

_Target = tuple[ResourceType, ObjectKey]


class _Pending(msgspec.Struct):
    writes: dict[_Target, RecordedWrite]
    give_up_at: float
    looks: int = 0  # how often the key came while it waited


class OwnWrites:
    """What was written for each key, and not seen in a cache yet. Thread-safe.

    Args:
        seconds: How long a key is held; 0 for never.
        clock: What they are measured with.
        wake: Has a key that is held looked at again.

    Attributes:
        waits: How often a key had to wait.
        timeouts: How often in vain.
    """

    def __init__(self, seconds: float, clock: Clock, wake: Callable[[ObjectKey], None]) -> None:
        self.waits = 0
        self.timeouts = 0
        self._seconds = seconds
        self._clock = clock
        self._wake = wake
        self._caches: dict[tuple[ResourceType, str], tuple[SharedInformer, ...]] = {}  # of a type in a cluster
        self._lock = threading.Lock()  # guards the two counters, and the three below
        self._pending: dict[ObjectKey, _Pending] = {}
        self._waiters: dict[_Target, set[ObjectKey]] = {}  # which keys wait for an object
        self._held: set[ObjectKey] = set()

    def watch(self, type_: ResourceType, cache: SharedInformer) -> None:
        """Wait for writes of this type until `cache` shows them.

        Raises:
            ValueError: It is known to hold objects of another type.
        """
        if cache.type is not None and cache.type.group_resource != type_.group_resource:
            raise ValueError(f"informer {cache.name} holds {cache.type}, not {type_}: give the informer of that type")
        known = self._caches.get((type_, cache.cluster), ())
        if cache not in known:
            self._caches[type_, cache.cluster] = (*known, cache)

    def record(self, key: ObjectKey, writes: Iterable[RecordedWrite]) -> None:
        """`writes` were made in a reconcile of `key`."""
        latest: dict[_Target, RecordedWrite] = {}
        for each in writes:
            if (each.type, each.key.cluster) in self._caches:
                target = (each.type, each.key)
                latest[target] = each.after(latest.get(target))
        if latest and self._seconds > 0:
            with self._lock:
                self._drop(key)
                self._pending[key] = _Pending(latest, self._clock.now() + self._seconds)
                for target in latest:
                    self._waiters.setdefault(target, set()).add(key)

    def hold(self, key: ObjectKey) -> float:
        """Hold `key` back if a cache does not show what was written for it.

        Returns:
            Seconds until it is to be looked at again; 0 if it is not held.
        """
        if key not in self._pending:
            return 0.0
        with self._lock:
            pending = self._pending.get(key)
            if pending is None:
                return 0.0
            self._held.add(key)  # before looking: what comes after the look wakes the key
            pending.looks += 1
            writes = [*pending.writes.values()]
        unseen = [each for each in writes if not self._is_seen(each)]
        left = pending.give_up_at - self._clock.now()
        with self._lock:
            if unseen and left > 0:
                self.waits += pending.looks == 1
                return min(LOOK_AGAIN_SECONDS * 2.0 ** (pending.looks - 1), MAX_LOOK_SECONDS, left)
            self._drop(key)
            self.timeouts += bool(unseen)
        if unseen:
            self._say_given_up(key, unseen[0])
        return 0.0

    def has_held(self, key: ObjectKey) -> bool:
        """Whether `key` is held just now."""
        return key in self._held

    def is_holding(self) -> bool:
        """Whether any key is held."""
        return bool(self._held)

    def witness(self, type_: ResourceType, changes: Sequence[tuple[ObjectKey, Notification]]) -> None:
        """A cache of this type has just made these changes."""
        if not self._waiters:
            return
        held: list[ObjectKey] = []
        with self._lock:
            for key, change in changes:
                waiters = [*self._waiters.get((type_, key), ())]
                for each in waiters:
                    self._note_change(each, (type_, key), change)
                held += [each for each in waiters if each in self._held]
        for each in held:
            self._wake(each)

    def _note_change(self, waiter: ObjectKey, target: _Target, change: Notification) -> None:
        pending = self._pending[waiter]
        if not _shows(change, pending.writes[target]):
            return
        del pending.writes[target]
        self._forget_waiter(target, waiter)
        if not pending.writes and waiter not in self._held:
            del self._pending[waiter]

    def _is_seen(self, write: RecordedWrite) -> bool:
        """Whether no cache of the type is behind the write. Of those that hold nothing, one has to know why."""
        namespace = write.key.namespace
        caches = [each for each in self._caches[write.type, write.key.cluster] if not each.is_stopped]
        objects = [each.lister.get(write.key) for each in caches]
        seen = [write.is_seen_in(obj) for obj in objects]
        if all(seen):
            return True
        return all(
            is_seen or (obj is None and any(seen)) or cache.has_read(write.resource_version, namespace)
            for cache, obj, is_seen in zip(caches, objects, seen, strict=True)
        )

    def _drop(self, key: ObjectKey) -> None:
        pending = self._pending.pop(key, None)
        self._held.discard(key)
        if pending is not None:
            for target in pending.writes:
                self._forget_waiter(target, key)

    def _forget_waiter(self, target: _Target, key: ObjectKey) -> None:
        waiters = self._waiters[target]
        waiters.discard(key)
        if not waiters:
            del self._waiters[target]

    def _say_given_up(self, key: ObjectKey, missing: RecordedWrite) -> None:
        logger.warning(
            "a cache does not show what was written",
            key=str(key),
            type=str(missing.type),
            missing=str(missing.key),
            seconds=self._seconds,
        )


def _shows(change: Notification, write: RecordedWrite) -> bool:
    """Whether a cache that has just made `change` has seen the write."""
    if not isinstance(change, Deleted):
        return write.is_seen_in(change.new)
    if write.is_gone or write.is_asked_to_go:
        return change.last is None or write.uid in {"", change.last.uid}
    return change.last is not None and write.is_seen_in(change.last)
