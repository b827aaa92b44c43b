"""The StatefulSet controller, over a store without sockets."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from btcctl.errors import Forbidden, Invalid, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
)
from btcctl.sandbox.controllers.claims import by_controller
from btcctl.sandbox.controllers.stateful.statefulset import (
    CONTROLLER_INDEX,
    FOREIGN_RETRY_SECONDS,
    STALE_RETRY_SECONDS,
    StatefulSetCaches,
    StatefulSetReconciler,
)
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import Action, FakeClient
from tests.unit.sandbox.fakes import FakeRecorder, LiveLister

KEY = ObjectKey("default", "net")


def stateful_set(replicas: int, **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "net"}},
        "spec": {"containers": [{"name": "c", "image": "one"}]},
    }
    defaults = {"serviceName": "net-svc", "selector": {"matchLabels": {"app": "net"}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "net", "namespace": "default"},
        "spec": {"replicas": replicas, **defaults, **spec},
    }


def foreign_pod(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }


class Scene:
    """A StatefulSet in a store, and pods whose kubelet is the test."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(*objects, clock=self.clock)
        self.sets, self.pods = self.client.resource(STATEFUL_SETS), self.client.resource(PODS)
        self.revisions = self.client.resource(CONTROLLER_REVISIONS)
        self.claims = self.client.resource(PERSISTENT_VOLUME_CLAIMS)
        index = {CONTROLLER_INDEX: by_controller}
        self.caches = StatefulSetCaches(
            LiveLister(self.sets),
            LiveLister(self.pods, **index),
            LiveLister(self.revisions, **index),
            LiveLister(self.claims),
        )
        self.recorder = FakeRecorder()
        self.reconciler = StatefulSetReconciler(self.client, self.caches, self.recorder, clock=self.clock)

    def reconcile(self) -> float | None:
        return self.reconciler.reconcile(KEY).requeue_after

    def settle(self, turns: int = 30) -> None:
        """Reconcile while a kubelet makes every pod ready and ends those that go, until nothing is left to do."""
        for _ in range(turns):
            before = len(self.client.writes)
            self.reconcile()
            for pod in self.pods.list()[0]:
                self.play_kubelet(pod)
            if len(self.client.writes) == before:
                return

    def play_kubelet(self, pod: Object) -> None:
        if pod.deletion_timestamp is not None:
            self.pods.delete(pod.key, grace_period_seconds=0)
        else:
            self.make_ready(pod.name)

    def make_ready(self, name: str, *, ready: bool = True) -> None:
        body = self.pods.get(ObjectKey("default", name)).body()
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"phase": "Running", "conditions": [condition]}
        if body["spec"].get("nodeName") is None:
            self.client.resource(PODS).subresource_post(
                ObjectKey("default", name),
                "binding",
                {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"name": "node"}},
            )
            body = self.pods.get(ObjectKey("default", name)).body()
        known = [(each["type"], each["status"]) for each in body.get("status", {}).get("conditions", [])]
        if known != [(condition["type"], condition["status"])]:
            self.pods.update_status({**body, "status": status})

    def change(self, **spec: Any) -> None:
        self.sets.patch(KEY, {"spec": spec})

    def change_template(self, image: str) -> None:
        self.change(template={"spec": {"containers": [{"name": "c", "image": image}]}})

    def status(self) -> dict[str, Any]:
        return self.sets.get(KEY).body()["status"]

    def names(self) -> list[str]:
        return sorted(each.name for each in self.pods.list()[0])

    def images(self) -> list[str]:
        pods = sorted(self.pods.list()[0], key=lambda each: each.name)
        return [each.body()["spec"]["containers"][0]["image"] for each in pods]


@pytest.fixture
def scene() -> Scene:
    return Scene(stateful_set(3))


def test_pods_come_one_by_one_each_when_the_one_before_is_ready(scene):
    scene.reconcile()
    scene.reconcile()
    assert scene.names() == ["net-0"]
    scene.make_ready("net-0")
    scene.reconcile()
    assert scene.names() == ["net-0", "net-1"]
    assert scene.recorder.events[0] == ("Normal", "SuccessfulCreate", "Create Pod net-0 in StatefulSet net successful")


def test_pods_have_their_identity_and_their_owner(scene):
    scene.reconcile()
    pod = scene.pods.get(ObjectKey("default", "net-0"))
    (revision,) = scene.revisions.list()[0]
    assert pod.controller.uid == scene.sets.get(KEY).uid
    assert pod.labels["controller-revision-hash"] == revision.name
    assert (pod.body()["spec"]["hostname"], pod.body()["spec"]["subdomain"]) == ("net-0", "net-svc")


def test_a_settled_set_says_so_and_writes_no_more(scene):
    scene.settle()
    (revision,) = scene.revisions.list()[0]
    assert scene.status() == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": revision.name,
        "updateRevision": revision.name,
        "collisionCount": 0,
        "availableReplicas": 3,
    }
    scene.client.clear_actions()
    scene.reconcile()
    assert [each for each in scene.client.actions if each.verb not in {"get", "list"}] == []


def test_pods_of_a_parallel_set_come_at_once():
    scene = Scene(stateful_set(3, podManagementPolicy="Parallel"))
    scene.reconcile()
    assert scene.names() == ["net-0", "net-1", "net-2"]


def test_the_highest_pods_go_first_and_one_at_a_time(scene):
    scene.settle()
    scene.change(replicas=1)
    scene.reconcile()
    scene.reconcile()
    going = [each.name for each in scene.pods.list()[0] if each.deletion_timestamp]
    assert going == ["net-2"]
    assert scene.recorder.reasons.count("SuccessfulDelete") == 1
    scene.settle()
    assert scene.names() == ["net-0"]
    assert scene.status()["replicas"] == 1


def test_a_deleted_pod_comes_back_under_its_name(scene):
    scene.settle()
    before = scene.pods.get(ObjectKey("default", "net-1")).uid
    scene.pods.delete(ObjectKey("default", "net-1"), grace_period_seconds=0)
    scene.settle()
    assert scene.pods.get(ObjectKey("default", "net-1")).uid != before


def test_a_changed_template_replaces_the_pods_from_the_top(scene):
    scene.settle()
    scene.change_template("two")
    scene.reconcile()
    assert scene.status()["currentRevision"] != scene.status()["updateRevision"]
    scene.play_kubelet(scene.pods.get(ObjectKey("default", "net-2")))
    scene.reconcile()
    assert scene.images() == ["one", "one", "two"]
    scene.settle()
    assert scene.images() == ["two", "two", "two"]
    assert scene.status()["currentRevision"] == scene.status()["updateRevision"]


def test_a_partition_keeps_the_lower_pods_even_when_they_come_back():
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    scene = Scene(stateful_set(3, updateStrategy=rolling))
    scene.settle()
    scene.change_template("two")
    scene.settle()
    assert scene.images() == ["one", "one", "two"]
    scene.pods.delete(ObjectKey("default", "net-0"), grace_period_seconds=0)
    scene.settle()
    assert scene.images() == ["one", "one", "two"]


def test_on_delete_waits_for_somebody_to_delete():
    scene = Scene(stateful_set(2, updateStrategy={"type": "OnDelete"}))
    scene.settle()
    scene.change_template("two")
    scene.settle()
    assert scene.images() == ["one", "one"]
    scene.pods.delete(ObjectKey("default", "net-0"), grace_period_seconds=0)
    scene.settle()
    assert scene.images() == ["two", "one"]


def test_going_back_to_an_older_template_uses_its_revision_again(scene):
    scene.settle()
    for image in ("two", "one"):
        scene.change_template(image)
        scene.settle()
    numbers = sorted(each.body()["revision"] for each in scene.revisions.list()[0])
    assert numbers == [2, 3]


def test_old_revisions_are_forgotten():
    scene = Scene(stateful_set(1, revisionHistoryLimit=1))
    for image in ("two", "three", "four"):
        scene.change_template(image)
        scene.settle()
    assert len(scene.revisions.list()[0]) == 2


def test_orphans_that_match_are_adopted():
    orphan = foreign_pod("net-0", labels={"app": "net"})
    scene = Scene(stateful_set(1), orphan)
    before = scene.pods.get(ObjectKey("default", "net-0")).uid
    scene.reconcile()
    adopted = scene.pods.get(ObjectKey("default", "net-0"))
    assert (adopted.uid, adopted.controller.uid) == (before, scene.sets.get(KEY).uid)
    assert adopted.labels["statefulset.kubernetes.io/pod-name"] == "net-0"


def test_foreign_pods_are_left_alone_and_said_to_be_in_the_way():
    scene = Scene(stateful_set(1), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    uid = scene.client.resource(CONFIG_MAPS).get(ObjectKey("default", "x")).uid
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": uid, "controller": True}
    scene.client.add(foreign_pod("net-0", labels={"app": "net"}, ownerReferences=[owner]))
    assert scene.reconcile() == FOREIGN_RETRY_SECONDS
    assert scene.pods.get(ObjectKey("default", "net-0")).controller.uid == uid
    assert scene.recorder.reasons == ["FailedCreate"]


def test_a_pod_that_matches_no_longer_is_let_go(scene):
    scene.settle()
    scene.pods.patch(ObjectKey("default", "net-2"), {"metadata": {"labels": {"app": None}}})
    scene.reconcile()
    assert scene.pods.get(ObjectKey("default", "net-2")).controller is None


def test_a_cache_that_is_behind_makes_no_second_pod_and_no_second_event(scene):
    scene.caches.pods.freeze()
    assert [scene.reconcile(), scene.reconcile()] == [None, None]
    assert scene.names() == ["net-0"]
    assert scene.recorder.reasons == ["SuccessfulCreate"]


def test_a_cache_that_is_behind_deletes_no_second_pod(scene):
    scene.settle()
    scene.change(replicas=0)
    scene.caches.pods.freeze()
    scene.reconcile()
    scene.pods.delete(ObjectKey("default", "net-2"), grace_period_seconds=0)
    scene.reconcile()
    assert scene.names() == ["net-0", "net-1"]
    assert not any(each.deletion_timestamp for each in scene.pods.list()[0])


def test_a_deletion_that_the_cache_does_not_show_yet_is_not_asked_for_again(scene):
    scene.settle()
    scene.change(replicas=2)
    scene.caches.pods.freeze()
    scene.reconcile()
    scene.client.clear_actions()
    scene.reconcile()
    assert [each.verb for each in scene.client.writes if each.type == PODS] == []


def test_a_new_pod_under_the_name_of_the_one_that_was_meant_is_not_deleted(scene):
    scene.settle()
    scene.caches.pods.freeze()
    old = scene.pods.get(ObjectKey("default", "net-2"))
    scene.pods.delete(old.key, grace_period_seconds=0)
    scene.client.add(foreign_pod("net-2"))
    scene.change(replicas=2)
    scene.reconcile()
    assert scene.pods.get(old.key).deletion_timestamp is None


def test_nothing_is_adopted_for_a_set_that_is_gone():
    scene = Scene(stateful_set(1), foreign_pod("net-0", labels={"app": "net"}))
    scene.caches.sets.freeze()
    scene.sets.delete(KEY)
    with suppress(NotFound):
        scene.reconcile()
    assert scene.pods.get(ObjectKey("default", "net-0")).controller is None


def test_an_orphan_that_is_going_is_not_adopted():
    orphan = foreign_pod("net-0", labels={"app": "net"}, finalizers=["example.com/wait"])
    scene = Scene(stateful_set(1), orphan)
    scene.pods.delete(ObjectKey("default", "net-0"))
    assert scene.reconcile() == FOREIGN_RETRY_SECONDS
    assert scene.pods.get(ObjectKey("default", "net-0")).controller is None


def test_an_old_copy_of_the_set_is_looked_at_again_soon(scene):
    scene.caches.sets.freeze()
    scene.change(replicas=1)
    assert scene.reconcile() == STALE_RETRY_SECONDS


def test_a_set_that_is_being_deleted_is_left_to_the_garbage_collector():
    body = stateful_set(1)
    body["metadata"]["finalizers"] = ["example.com/wait"]
    scene = Scene(body)
    scene.sets.delete(KEY)
    scene.reconcile()
    assert scene.names() == []


def test_a_refused_pod_is_said_and_tried_again(scene):
    def refuse(action: Any) -> None:
        if (action.verb, action.type) == ("create", PODS):
            raise Forbidden(403, "Forbidden", "no pods today")

    scene.client.reactors.append(refuse)
    with pytest.raises(Forbidden):
        scene.reconcile()
    assert scene.recorder.events[-1][:2] == ("Warning", "FailedCreate")


def test_a_claim_that_is_refused_keeps_the_pod_away_and_the_set_says_so():
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    scene = Scene(stateful_set(1, volumeClaimTemplates=[claim]))

    def refuse(action: Any) -> None:
        if (action.verb, action.type) == ("create", PERSISTENT_VOLUME_CLAIMS):
            raise Forbidden(403, "Forbidden", "exceeded quota: storage")

    scene.client.reactors.append(refuse)
    with pytest.raises(Forbidden):
        scene.reconcile()
    assert scene.recorder.events[-1][:2] == ("Warning", "FailedCreate")
    assert "exceeded quota" in scene.recorder.events[-1][2]
    assert scene.names() == []


def test_pods_are_mapped_to_their_set_and_orphans_to_those_that_would_take_them(scene):
    scene.reconcile()
    owned = scene.pods.get(ObjectKey("default", "net-0"))
    assert scene.reconciler.keys_of_pod(owned) == [KEY]
    orphan = Object.from_body(foreign_pod("net-7", uid="u", labels={"app": "net"}))
    assert scene.reconciler.keys_of_pod(orphan) == [KEY]
    stranger = Object.from_body(foreign_pod("net-7", uid="u", labels={"app": "other"}))
    assert scene.reconciler.keys_of_pod(stranger) == []


def test_min_ready_seconds_hold_back_the_next_pod():
    scene = Scene(stateful_set(2, minReadySeconds=5))
    scene.reconcile()
    scene.make_ready("net-0")
    assert scene.reconcile() is not None
    assert scene.names() == ["net-0"]
    scene.clock.advance(5)
    scene.reconcile()
    assert scene.names() == ["net-0", "net-1"]


def test_an_orphan_that_was_made_anew_meanwhile_is_no_error():
    scene = Scene(stateful_set(1), foreign_pod("net-0", labels={"app": "net"}))

    def refuse(action: Action) -> None:
        if (action.verb, action.type) == ("patch", PODS):
            raise Invalid(422, "Invalid", "metadata.uid: field is immutable")  # a real API server's words

    scene.client.reactors.append(refuse)
    scene.reconcile()
    assert scene.pods.get(ObjectKey("default", "net-0")).controller is None
