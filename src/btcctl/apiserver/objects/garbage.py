"""Collects what its owners have left behind, and what a dying namespace holds.

What a real cluster's garbage collector and namespace controller do in threads of their own is
here one `step`, so that tests can have it done at a time of their choosing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from cachetools import LRUCache

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.objects.ownership import UnknownOwnerError, collect
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


@dataclass(frozen=True, slots=True)
class _Place:
    served: Served
    key: ObjectKey

    @property
    def route(self) -> Route:
        return Route(self.served, self.key.namespace, self.key.name)


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
            while changes := self._take():
                worked = True
                for each in changes:  # whose dependents there are is known before anybody goes
                    self._index(each)
                for each in changes:
                    self._handle(each)
            return worked

    def _take(self) -> list[Change]:
        with self._changed:
            changes = [*self._queue]
            self._queue.clear()
            return changes

    def _on_change(self, change: Change) -> None:
        with self._changed:
            self._queue.append(change)
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _index(self, change: Change) -> None:
        uid, served = change.record.body["metadata"]["uid"], self._served(change)
        for owner in _owners(change.previous):
            self._dependents.get(owner["uid"], set()).discard(uid)
        if change.type == DELETED or served is None:
            self._places.pop(uid, None)
            return
        self._places[uid] = _Place(served, key_of(change.record.body))
        for owner in _owners(change.record):
            self._dependents.setdefault(owner["uid"], set()).add(uid)

    def _handle(self, change: Change) -> None:
        """The store itself is looked at, not what was in it then: more changes may have come since."""
        metadata = change.record.body["metadata"]
        if change.type == DELETED:
            self._gone[metadata["uid"]] = True
            self._collect_dependents(metadata["uid"])
            self._dependents.pop(metadata["uid"], None)
            self._check_namespace(metadata.get("namespace") or "")
        elif (body := self._exists(metadata["uid"])) is not None:
            self._check(self._places[metadata["uid"]].served, body)
        if change.type == DELETED or _owners(change.previous) != _owners(change.record):
            for owner in _owners(change.previous):
                self._collect(self._exists(owner["uid"]))  # it may have waited for this one

    def _served(self, change: Change) -> Served | None:
        group, plural = change.collection
        found = (self._registry.find(group, version, plural) for version in self._registry.versions(group))
        return next(filter(None, found), None)

    def _exists(self, uid: str) -> Body | None:
        """The object of that uid, from the store itself: the queue may be behind."""
        place = self._places.get(uid)
        record = None if place is None else self._store.get(place.served.collection, place.key)
        return record.body if record is not None and record.body["metadata"]["uid"] == uid else None

    def _check(self, served: Served, body: Body) -> None:
        is_dying = bool(body["metadata"].get("deletionTimestamp"))
        if is_dying:
            self._collect_dependents(body["metadata"]["uid"])
        self._collect(body)
        if is_dying and served.type == NAMESPACES:
            self._empty_namespace(body["metadata"]["name"])
        if is_dying and served.type.plural == "customresourcedefinitions":
            self._empty_definition(body)

    def _collect(self, body: Body | None) -> None:
        """Again if somebody else was faster. Nobody waits for a kind to be served, or for what is refused."""
        with suppress(UnknownOwnerError):
            while body is not None:
                try:
                    return collect(self, body)
                except StatusError as error:
                    body = self._exists(body["metadata"]["uid"]) if error.status == HTTPStatus.CONFLICT else None
        return None

    def _collect_dependents(self, uid: str) -> None:
        for each in [*self.dependents(uid)]:
            self._collect(each)

    # What the rules of ownership see, and what they do.

    def owner(self, reference: Body, namespace: str) -> Body | None:
        if reference["uid"] in self._gone:  # its kind may be gone, too
            return None
        served = self._registry.by_kind(reference["apiVersion"], reference["kind"])
        if served is None or (served.type.namespaced and not namespace):
            raise UnknownOwnerError(reference["kind"])
        key = ObjectKey(namespace if served.type.namespaced else "", reference["name"])
        record = self._store.get(served.collection, key)
        return record.body if record is not None and record.body["metadata"]["uid"] == reference["uid"] else None

    def dependents(self, uid: str) -> Iterator[Body]:
        for dependent in sorted(self._dependents.get(uid, ())):
            body = self._exists(dependent)
            if body is not None:
                yield body

    def delete(self, body: Body, policy: str) -> None:
        uid, version = body["metadata"]["uid"], body["metadata"]["resourceVersion"]
        self._writer.delete(self._places[uid].route, DeleteOptions(uid=uid, version=version, policy=policy))

    def change(self, body: Body, metadata: Body) -> Body:
        change = {**metadata, "resourceVersion": body["metadata"]["resourceVersion"]}
        options = WriteOptions(field_validation="Ignore", manager=_CONTROLLERS)
        patch = Patch(lambda obj: {**obj, "metadata": {**obj["metadata"], **change}})
        return self._writer.patch(self._places[body["metadata"]["uid"]].route, patch, options).body

    def _check_namespace(self, name: str) -> None:
        record = self._store.get(("", "namespaces"), ObjectKey("", name))
        if record is not None and record.body["metadata"].get("deletionTimestamp"):
            self._empty_namespace(name)

    def _empty_namespace(self, name: str) -> None:
        """Delete what is in it, pods with their grace, and then the namespace itself."""
        stored = {each.collection: each for each in self._registry.resources() if each.type.namespaced}
        for served in stored.values():
            self._empty(served, name)
        remaining = any(self._store.list(each, name)[0] for each in stored)
        namespaces = self._registry.find("", "v1", "namespaces")
        if not remaining and namespaces is not None:
            with suppress(StatusError):
                self._writer.finalize(Route(namespaces, "", name), [])

    def _empty_definition(self, body: Body) -> None:
        for served in self._registry.definition(body["metadata"]["name"])[:1]:
            self._empty(served)
        self._writer.recheck_definition(body["metadata"]["name"])

    def _empty(self, served: Served, namespace: str = "") -> None:
        for record in self._store.list(served.collection, namespace)[0]:
            with suppress(StatusError):  # somebody else was faster: the change that made comes to us as well
                options = DeleteOptions(uid=record.body["metadata"]["uid"], policy="Background")
                self._writer.delete(_Place(served, key_of(record.body)).route, options)


def _owners(record: Record | None) -> Sequence[Body]:
    return () if record is None else record.body["metadata"].get("ownerReferences") or ()
