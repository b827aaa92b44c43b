"""The whole path: a store, informers on it, a controller, events back to the store."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Forbidden
from btcctl.events.recorder import EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import ObjectKey
from btcctl.resources import EVENTS, PODS, STATEFUL_SETS
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import Action, FakeClient
from tests.unit.controller.support import key, owned_by

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang


class PodCounter:
    """Says in an event how many pods a StatefulSet has."""

    def __init__(self) -> None:
        self.client = FakeClient()
        clock = FakeClock()
        factory = SharedInformerFactory(self.client, clock=clock)
        self.recorder = EventRecorder(self.client, "pod-counter", clock)
        self._sets, self._pods = factory.informer(STATEFUL_SETS), factory.informer(PODS)
        self._done: SimpleQueue[tuple[ObjectKey, int | None]] = SimpleQueue()
        self.controller = Controller("pod-counter", self.reconcile, clock=clock)
        self.controller.watch(self._sets)
        self.controller.watch(self._pods, owner_keys(STATEFUL_SETS, self._uid_of))
        self.manager = Manager(factory, [self.controller], recorder=self.recorder, clock=clock)

    def reconcile(self, obj_key: ObjectKey) -> Result:
        owner = self._sets.lister.get(obj_key)
        if owner is None:
            self._done.put((obj_key, None))
            return Result()
        count = sum(pod.controller is not None for pod in self._pods.lister.list(obj_key.namespace))
        self.recorder.event(ObjectReference.of(STATEFUL_SETS, owner), "Normal", "Counted", f"{count} pods")
        self._done.put((obj_key, count))
        return Result()

    def next(self) -> tuple[ObjectKey, int | None]:
        return self._done.get(timeout=REAL_LIMIT_SECONDS)

    def events(self) -> list[dict]:
        self.recorder.flush(REAL_LIMIT_SECONDS)
        return [each.body() for each in self.client.resource(EVENTS, "default").list()[0]]

    def _uid_of(self, obj_key: ObjectKey) -> str | None:
        owner = self._sets.lister.get(obj_key)
        return None if owner is None else owner.uid


@pytest.fixture
def counter() -> Iterator[PodCounter]:
    counter = PodCounter()
    yield counter
    counter.manager.stop()


def stateful_set(name: str) -> dict:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"serviceName": name, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": "default"}} | {
        "spec": spec
    }


def pod(name: str, owner: str, uid: str) -> dict:
    metadata = {"name": name, "namespace": "default", **owned_by(STATEFUL_SETS, owner, uid)}
    spec = {"containers": [{"name": "c", "image": "i"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_what_exists_and_what_is_made_and_deleted_later_is_reconciled_and_told(counter):
    uid = counter.client.resource(STATEFUL_SETS).create(stateful_set("web")).uid
    counter.manager.start()
    assert counter.next() == (key("web"), 0)
    counter.client.resource(PODS).create(pod("web-0", "web", uid))
    assert counter.next() == (key("web"), 1)
    counter.client.resource(PODS, "default").delete(key("web-0"))
    assert counter.next() == (key("web"), 0)
    told = {each["message"]: (each["count"], each["involvedObject"]["uid"]) for each in counter.events()}
    assert told == {"0 pods": (2, uid), "1 pods": (1, uid)}
    counter.client.resource(STATEFUL_SETS, "default").delete(key("web"))
    assert counter.next() == (key("web"), None)


def test_events_get_through_without_the_right_to_patch_them(counter):
    def forbid_patch(action: Action) -> None:
        if action.type == EVENTS and action.verb == "patch":
            raise Forbidden(403, "Forbidden", "cannot patch events")

    counter.client.reactors.append(forbid_patch)
    owner = counter.client.resource(STATEFUL_SETS).create(stateful_set("web"))
    counter.recorder.start()
    for _ in range(3):
        counter.recorder.event(ObjectReference.of(STATEFUL_SETS, owner), "Normal", "Counted", "many")
    (event,) = counter.events()
    assert event["count"] == 3
    verbs = [each.verb for each in counter.client.actions if each.type == EVENTS]
    assert verbs[:6] == ["create", "patch", "get", "update", "get", "update"]
    counter.recorder.stop()
