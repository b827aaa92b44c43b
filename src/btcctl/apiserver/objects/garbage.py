"""Collects what its owners have left behind, and what a dying namespace holds.

What a real cluster's garbage collector and namespace controller do in threads of their own is
here one `step`, so that tests can have it done at a time of their choosing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cachetools import LRUCache

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.objects.deletion import FOREGROUND, ORPHAN
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests.options import DeleteOptions, WriteOptions
from btcctl.apiserver.requests.patches import Patch
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.apiserver.storage.collection import Body, Change, Record
from btcctl.apiserver.storage.store import Store, key_of
from btcctl.objects import DELETED, ObjectKey
from btcctl.resources import NAMESPACES
from btcctl.threads import Stop

_CONTROLLERS = "kube-controller-manager"  # who does this in a real cluster, as entries name it
_MOST_GONE = 10_000  # owners that are known to be gone
_Owners = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Place:
    served: Served
    key: ObjectKey


class Collector:
    """Follows the store; does nothing by itself.

    Args:
        writer: Deletes as a client would.
    """

    def __init__(self, store: Store, registry: Registry, writer: Writer) -> None:
        self._store = store
        self._registry = registry
        self._writer = writer
        self._stepping = threading.Lock()  # one step at a time
        self._changed = threading.Condition()  # guards the queue
        self._queue: deque[Change] = deque()
        self._places: dict[str, _Place] = {}  # by uid; touched while stepping only
        self._dependents: dict[str, set[str]] = {}  # uids by their owners'; touched while stepping only
        self._gone: LRUCache[str, bool] = LRUCache(_MOST_GONE)  # uids; touched while stepping only
        with store.transaction():
            store.listen(self._on_change)
            records = [(id_, record) for id_ in store.collections() for record in store.list(id_)[0]]
        for id_, record in records:
            self._on_change(Change(id_, "ADDED", record, None, store.clock.now()))

    def run(self, stop: Stop) -> None:
        """Step whenever there is something to do, until asked to stop."""
        forget = stop.on_set(self._wake)
        try:
            while not stop.is_set():
                self.step()
                with self._changed:
                    while not self._queue and not stop.is_set():
                        self._store.clock.wait(self._changed, None)
        finally:
            forget()

    def step(self) -> bool:
        """Do all there is to do, and what follows from it.

        Returns:
            Whether there was anything.
        """
        with self._stepping:
            worked = False
            while True:
                with self._changed:
                    if not self._queue:
                        return worked
                    change = self._queue.popleft()
                worked = True
                self._handle(change)

    def _on_change(self, change: Change) -> None:
        with self._changed:
            self._queue.append(change)
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _handle(self, change: Change) -> None:
        served = self._served(change)
        body = change.record.body
        uid = body["metadata"]["uid"]
        self._index(change, served, uid)
        if change.type == DELETED:
            self._gone[uid] = True
            self._owner_is_gone(uid)
            self._check_waiting_owners(body)
            self._check_namespace(body["metadata"].get("namespace") or "")
        elif served is not None:
            self._check_owners(served, body)
            self._check_dying(served, body)

    def _served(self, change: Change) -> Served | None:
        group, plural = change.collection
        versions = self._registry.versions(group)
        found = (self._registry.find(group, version, plural) for version in versions)
        return next((each for each in found if each is not None), None)

    def _index(self, change: Change, served: Served | None, uid: str) -> None:
        before = _owner_uids(change.previous)
        after = frozenset() if change.type == DELETED else _owner_uids(change.record)
        for owner in before - after:
            self._dependents.get(owner, set()).discard(uid)
        for owner in after:
            self._dependents.setdefault(owner, set()).add(uid)
        if change.type == DELETED or served is None:
            self._places.pop(uid, None)
        else:
            self._places[uid] = _Place(served, key_of(change.record.body))

    def _exists(self, uid: str) -> Body | None:
        """The object of that uid, from the store itself: the queue may be behind."""
        place = self._places.get(uid)
        record = None if place is None else self._store.get(place.served.collection, place.key)
        return record.body if record is not None and record.body["metadata"]["uid"] == uid else None

    def _owner_is_gone(self, uid: str) -> None:
        for dependent in sorted(self._dependents.pop(uid, ())):
            body, place = self._exists(dependent), self._places.get(dependent)
            if body is not None and place is not None:
                self._check_owners(place.served, body)

    def _check_owners(self, served: Served, body: Body) -> None:
        """Delete an object all of whose owners are gone; let go of those that are."""
        references = body["metadata"].get("ownerReferences") or ()
        if not references or body["metadata"].get("deletionTimestamp"):
            return
        alive = [each for each in references if self._is_alive(each, body["metadata"].get("namespace") or "")]
        if not alive:
            self._delete(served, key_of(body), body["metadata"]["uid"])
        elif len(alive) < len(references):
            self._set_owners(served, body, alive)

    def _is_alive(self, reference: Body, namespace: str) -> bool:
        if reference["uid"] in self._gone:  # its kind may be gone, too
            return False
        served = self._registry.by_kind(reference["apiVersion"], reference["kind"])
        if served is None:
            return True  # nobody can tell: a real collector waits for the kind to be served
        key = ObjectKey(namespace if served.type.namespaced else "", reference["name"])
        record = self._store.get(served.collection, key)
        return record is not None and record.body["metadata"]["uid"] == reference["uid"]

    def _check_dying(self, served: Served, body: Body) -> None:
        metadata = body["metadata"]
        if "deletionTimestamp" not in metadata:
            return
        if ORPHAN in metadata.get("finalizers", ()):
            for place, dependent in self._dependents_of(metadata["uid"]):
                kept = [each for each in dependent["metadata"]["ownerReferences"] if each["uid"] != metadata["uid"]]
                self._set_owners(place.served, dependent, kept)
            self._drop_finalizer(served, body, ORPHAN)
        elif FOREGROUND in metadata.get("finalizers", ()):
            self._delete_foreground(served, body)
        if served.type == NAMESPACES:
            self._empty_namespace(metadata["name"])
        if served.type.plural == "customresourcedefinitions":
            self._empty_definition(body)

    def _delete_foreground(self, served: Served, body: Body) -> None:
        """Dependents first; the owner waits for those that block its deletion."""
        uid = body["metadata"]["uid"]
        for place, dependent in self._dependents_of(uid):
            below = dependent["metadata"]["uid"]
            policy = "Foreground" if any(_blocks(each, below) for _, each in self._dependents_of(below)) else ""
            self._delete(place.served, place.key, below, policy=policy)
        if not any(_blocks(each, uid) for _, each in self._dependents_of(uid)):
            self._drop_finalizer(served, body, FOREGROUND)

    def _check_waiting_owners(self, body: Body) -> None:
        for reference in body["metadata"].get("ownerReferences") or ():
            owner, place = self._exists(reference["uid"]), self._places.get(reference["uid"])
            if owner is not None and place is not None:
                self._check_dying(place.served, owner)
        group, _, _ = str(body.get("apiVersion", "")).rpartition("/")
        for name in self._registry.definitions():
            if self._registry.definition(name)[0].type.group == group:
                self._writer.recheck_definition(name)

    def _dependents_of(self, uid: str) -> Iterator[tuple[_Place, Body]]:
        for dependent in sorted(self._dependents.get(uid, ())):
            body, place = self._exists(dependent), self._places.get(dependent)
            if body is not None and place is not None:
                yield place, body

    def _check_namespace(self, name: str) -> None:
        record = self._store.get(("", "namespaces"), ObjectKey("", name))
        if record is not None and record.body["metadata"].get("deletionTimestamp"):
            self._empty_namespace(name)

    def _empty_namespace(self, name: str) -> None:
        """Delete what is in it, pods with their grace, and then the namespace itself."""
        remaining = False
        for served in self._stored():
            if not served.type.namespaced:
                continue
            for record in self._store.list(served.collection, name)[0]:
                self._delete(served, key_of(record.body), record.body["metadata"]["uid"])
            remaining = remaining or bool(self._store.list(served.collection, name)[0])
        namespaces = self._registry.find("", "v1", "namespaces")
        if not remaining and namespaces is not None:
            self._quietly(lambda: self._writer.finalize(Route(namespaces, "", name), []))

    def _empty_definition(self, body: Body) -> None:
        for served in self._registry.definition(body["metadata"]["name"])[:1]:
            for record in self._store.list(served.collection)[0]:
                self._delete(served, key_of(record.body), record.body["metadata"]["uid"])
        self._writer.recheck_definition(body["metadata"]["name"])

    def _stored(self) -> list[Served]:
        """One version of each resource."""
        return list({each.collection: each for each in self._registry.resources()}.values())

    def _delete(self, served: Served, key: ObjectKey, uid: str, *, policy: str = "") -> None:
        route = Route(served, key.namespace, key.name)
        self._quietly(lambda: self._writer.delete(route, DeleteOptions(uid=uid, policy=policy)))

    def _set_owners(self, served: Served, body: Body, owners: list[Body]) -> None:
        key = key_of(body)
        change = {"ownerReferences": owners, "resourceVersion": body["metadata"]["resourceVersion"]}
        self._patch_metadata(served, key, change)

    def _drop_finalizer(self, served: Served, body: Body, finalizer: str) -> None:
        current = self._exists(body["metadata"]["uid"])
        if current is not None:
            kept = [each for each in current["metadata"].get("finalizers", ()) if each != finalizer]
            self._patch_metadata(served, key_of(body), {"finalizers": kept})

    def _patch_metadata(self, served: Served, key: ObjectKey, change: Body) -> None:
        route = Route(served, key.namespace, key.name)

        options = WriteOptions(field_validation="Ignore", manager=_CONTROLLERS)
        patch = Patch(lambda obj: {**obj, "metadata": {**obj["metadata"], **change}})
        self._quietly(lambda: self._writer.patch(route, patch, options))

    @staticmethod
    def _quietly(write: Callable[[], object]) -> None:
        """Somebody else was faster: the change that made comes to us as well."""
        try:
            write()
        except StatusError:
            return


def _blocks(dependent: Body, owner: str) -> bool:
    references = dependent["metadata"].get("ownerReferences") or ()
    return any(each["uid"] == owner and each.get("blockOwnerDeletion") for each in references)


def _owner_uids(record: Record | None) -> _Owners:
    if record is None:
        return frozenset()
    return frozenset(each["uid"] for each in record.body["metadata"].get("ownerReferences") or ())
