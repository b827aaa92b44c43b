"""Where the objects are: one revision counter over all collections, and a bounded past.

No sockets and no threads; safe to use from any number of them. Bodies that are in the store are
never changed again: whoever wants another state builds another dict.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from btcctl.apiserver.storage.collection import Body, Change, Collection, CollectionId, Record, with_version
from btcctl.apiserver.storage.watches import Watch
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.objects import ADDED, DELETED, MODIFIED, ObjectKey

HISTORY_CHANGES = 1000  # per collection: few enough for a 410 to happen in tests
HISTORY_SECONDS = 300.0  # etcd's compaction interval in kube-apiserver, --etcd-compaction-interval


Records = list[Record]


class Exists(BtcctlError):
    """There is an object of that key already."""


class Missing(BtcctlError):
    """There is no object of that key."""


class Stale(BtcctlError):
    """The object was changed since the caller read it."""


class _Transaction:
    """One for all: each thread leaves it as often as it has come in.

    Args:
        deliver: Called outside of the lock when the outermost is over.
    """

    __slots__ = ("_deliver", "_depth", "_lock")

    def __init__(self, lock: threading.RLock, deliver: Callable[[], None]) -> None:
        self._lock = lock
        self._deliver = deliver
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        is_over = self._depth == 0
        self._lock.release()
        if is_over:
            self._deliver()


class Store:
    """All collections, by (group, plural).

    Args:
        history: Changes remembered per collection.
        history_seconds: Seconds for which a change is remembered.
        journal: Called with each change before anybody sees it, under the store's lock: a
            write-ahead log. It must not call back.
    """

    def __init__(
        self,
        clock: Clock = SYSTEM_CLOCK,
        history: int = HISTORY_CHANGES,
        history_seconds: float = HISTORY_SECONDS,
        *,
        journal: Callable[[Change], None] | None = None,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self._history = history
        self._history_seconds = history_seconds
        self._lock = threading.RLock()  # guards everything below
        self._transaction = _Transaction(self._lock, self._deliver)
        self._revision = 1
        self._floor = 0  # revisions up to this one were never seen by this store
        self._collections: dict[CollectionId, Collection] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._outbox: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._delivering = False

    @property
    def revision(self) -> int:
        """The latest revision given out."""
        return self._revision

    def transaction(self) -> AbstractContextManager[None]:
        """Read and write with nobody in between. What was written is delivered at the end, outside the lock."""
        return self._transaction

    def get(self, collection: CollectionId, key: ObjectKey) -> Record | None:
        with self._lock:
            return self._collection(collection).get(key)

    def list(self, collection: CollectionId, namespace: str = "", revision: int | None = None) -> tuple[Records, int]:
        """The objects, sorted by namespace and name, and the revision they were read at.

        Args:
            namespace: "" for all of them.
            revision: Read the past: the state right after this revision.

        Raises:
            Compacted: That past is forgotten.
        """
        with self._lock:
            found = self._collection(collection)
            found.forget_before(self.clock.now() - self._history_seconds)
            if revision is None or revision >= self._revision:
                return found.records(namespace), self._revision
            return found.records_at(revision, namespace), revision

    def collections(self) -> Sequence[CollectionId]:
        """Those that have, or have had, objects."""
        with self._lock:
            return list(self._collections)

    def changed(self, *collections: CollectionId) -> Sequence[int]:
        """The revision of each one's last change; 0 if it never had an object. Takes no lock."""
        return [0 if found is None else found.changed for found in map(self._collections.get, collections)]

    def create(self, collection: CollectionId, body: Body) -> Record:
        """Store a new object, whose `metadata.resourceVersion` is set here.

        Raises:
            Exists: There is one of that key.
        """
        key = key_of(body)
        with self.transaction():
            if self._collection(collection).get(key) is not None:
                raise Exists(f"{key}")
            return self._commit(collection, ADDED, body, None)

    def update(self, collection: CollectionId, body: Body) -> Record:
        """Replace an object; if the body names a resourceVersion it must be the object's.

        Raises:
            Missing: There is none of that key.
            Stale: The object has another resourceVersion.
        """
        with self.transaction():
            previous = self._existing(collection, key_of(body))
            if body["metadata"].get("resourceVersion") not in {None, "", str(previous.revision)}:
                raise Stale(f"{key_of(body)}")
            return self._commit(collection, MODIFIED, body, previous)

    def delete(self, collection: CollectionId, key: ObjectKey) -> Record:
        """Remove an object.

        Returns:
            Its last state, with the revision of the deletion.

        Raises:
            Missing: There is none of that key.
        """
        with self.transaction():
            previous = self._existing(collection, key)
            return self._commit(collection, DELETED, previous.body, previous)

    def watch(self, watch: Watch, since: int | None) -> None:
        """Deliver to `watch` what happened after `since`, then what happens: `Watch.start` calls this.

        Args:
            since: None for the current state first.
        """
        with self.transaction():
            if watch.deadline is not None and watch.deadline <= self.clock.now():
                self._outbox.append((watch.finish, None))  # it was given no time
                return
            found = self._collection(watch.collection)
            found.forget_before(self.clock.now() - self._history_seconds)
            for call in watch.begin(found, self._revision, since):
                self._outbox.append(call)
            if not watch.ended:
                found.watches.append(watch)

    def unwatch(self, watch: Watch) -> None:
        with self._lock:
            watches = self._collection(watch.collection).watches
            if watch in watches:
                watches.remove(watch)

    def send(self, watch: Watch, line: bytes) -> None:
        """Queue a line behind everything that was delivered before, and deliver."""
        with self.transaction():
            self._outbox.append((watch.deliver, line))

    def begin_watches(self, collection: CollectionId) -> None:
        """Let nobody watch a collection from before now on: its resource is served anew."""
        with self.transaction():
            self._collection(collection).begun = self._revision

    def end_watches(self, collection: CollectionId) -> None:
        """End every watch of a collection, without an ERROR: its definition changed or is gone."""
        with self.transaction():
            for watch in self._collection(collection).watches:
                self._outbox.append((watch.finish, None))
            self._collection(collection).watches.clear()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Tell `listener` of every change from now on, in order; it must not block."""
        with self._lock:
            self._listeners.append(listener)

    def snapshot(self) -> dict[str, Any]:
        """Everything, as JSON-able data."""
        with self._lock:
            return {
                "resourceVersion": str(self._revision),
                "collections": [
                    {"group": id_[0], "resource": id_[1], "items": [record.body for record in each.records("")]}
                    for id_, each in self._collections.items()
                ],
            }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Become what `snapshot` said. As after a restart, no older revision can be watched from.

        Raises:
            ValueError, KeyError, TypeError: This is no snapshot.
        """
        loaded = [(each["group"], each["resource"], each["items"]) for each in data["collections"]]
        with self.transaction():
            for id_ in self._collections:
                self.end_watches(id_)
            self._revision = self._floor = int(data["resourceVersion"])
            self._collections = {(group, plural): self._new_collection(items) for group, plural, items in loaded}

    def _collection(self, id_: CollectionId) -> Collection:
        found = self._collections.get(id_)
        if found is None:
            found = self._collections[id_] = self._new_collection(())
        return found

    def _new_collection(self, items: Iterable[Body]) -> Collection:
        collection = Collection(history=self._history, compacted=self._floor)
        for body in items:
            collection.put(key_of(body), Record(body, int(body["metadata"]["resourceVersion"])))
        return collection

    def _existing(self, collection: CollectionId, key: ObjectKey) -> Record:
        record = self._collection(collection).get(key)
        if record is None:
            raise Missing(f"{key}")
        return record

    def _commit(self, id_: CollectionId, type_: str, body: Body, previous: Record | None) -> Record:
        revision = self._revision + 1
        record = Record(with_version(body, revision), revision)
        collection = self._collection(id_)
        change = Change(id_, type_, record, previous, self.clock.now())
        if self.journal is not None:
            self.journal(change)
        self._revision = revision
        collection.apply(change)
        collection.forget_before(change.at - self._history_seconds)
        for watch in collection.watches:
            call = watch.call_for(change)
            if call is not None:
                self._outbox.append(call)
        self._outbox.extend((listener, change) for listener in self._listeners)
        return record

    def _deliver(self) -> None:
        """Empty the outbox, one thread at a time, so that everybody sees every change in order."""
        while batch := self._taken():
            try:
                for receiver, what in batch:
                    receiver(what)
            finally:
                with self._lock:
                    self._delivering = False

    def _taken(self) -> Sequence[tuple[Callable[[Any], None], Any]]:
        """What is to be delivered; nothing if somebody is about it."""
        with self._lock:
            if self._delivering or not self._outbox:
                return ()
            self._delivering = True
            batch = list(self._outbox)
            self._outbox.clear()
        return batch


def key_of(body: Body) -> ObjectKey:
    metadata = body["metadata"]
    return ObjectKey(metadata.get("namespace") or "", metadata["name"])
