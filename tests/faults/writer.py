"""Makes changes, at random, on the server's side of all faults."""

from __future__ import annotations

import random
from typing import Any

from btcctl.apiserver.storage.store import Store
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.testing.faults import FaultServer
from btcctl.threads import Runner, Stop
from tests.faults.handlers import State

WIDGETS = ResourceType("faults.example.org", "v1", "widgets", "Widget")
COLLECTION = (WIDGETS.group, WIDGETS.plural)
NAMES = 600
_DELETIONS = 0.15


class Writer:
    """Creates, changes and deletes objects.

    Args:
        server: Where.
        random_: Says what.
        scale: Of all durations; in the background it makes ten changes in a second of the client's own time.
    """

    def __init__(self, server: FaultServer, random_: random.Random, scale: float) -> None:
        self.changes = 0
        self._pause_seconds = 0.1 * scale
        self._server = server
        self._random = random_

    def change(self, count: int) -> None:
        """Make that many changes, as fast as it can."""
        for _ in range(count):
            with self._server.store() as store:
                self._change(store)

    def run(self, stop: Stop) -> None:
        """Make changes one by one, at leisure, until `stop` is set."""
        while not stop.wait(self._pause_seconds):
            self.change(1)

    def in_background(self) -> Runner:
        return Runner("faults-writer", self.run)

    def truth(self) -> dict[ObjectKey, State]:
        """What there is on the server."""
        with self._server.store() as store:
            bodies = [record.body["metadata"] for record in store.list(COLLECTION)[0]]
        return {ObjectKey(each["namespace"], each["name"]): (each["uid"], each["resourceVersion"]) for each in bodies}

    def _change(self, store: Store) -> None:
        self.changes += 1
        key = ObjectKey("default", f"w{self._random.randrange(NAMES)}")
        existing = store.get(COLLECTION, key)
        if existing is None:
            store.create(COLLECTION, self._body(key, f"{key.name}-{self.changes}"))
        elif self._random.random() < _DELETIONS:
            store.delete(COLLECTION, key)
        else:
            store.update(COLLECTION, self._body(key, existing.body["metadata"]["uid"]))

    def _body(self, key: ObjectKey, uid: str) -> dict[str, Any]:
        metadata = {"name": key.name, "namespace": key.namespace, "uid": uid, "labels": {"app": "faults"}}
        return {
            "apiVersion": WIDGETS.api_version,
            "kind": WIDGETS.kind,
            "metadata": metadata,
            "spec": {"n": self.changes, "text": "x" * 100},
        }
