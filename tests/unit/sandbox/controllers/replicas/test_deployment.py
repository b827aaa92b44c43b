"""Deployments and ReplicaSets, over a store without sockets; the test is their kubelet."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.errors import Forbidden, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from btcctl.sandbox.controllers.claims import by_controller
from btcctl.sandbox.controllers.replicas.deployment import DeploymentCaches, DeploymentReconciler
from btcctl.sandbox.controllers.replicas.deployment_plan import REVISION
from btcctl.sandbox.controllers.replicas.replica_set import CONTROLLER_INDEX, ReplicaSetReconciler
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import Action, FakeClient
from tests.unit.sandbox.fakes import FakeRecorder, LiveLister

KEY = ObjectKey("default", "web")


def deployment(replicas: int = 3, image: str = "one", **spec: Any) -> dict[str, Any]:
    pod = {"nodeName": "n", "containers": [{"name": "c", "image": image}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    usual = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": replicas, **usual, **spec},
    }


class Scene:
    """A Deployment in a store, both controllers, and pods that run when a test says so."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(*objects, clock=self.clock)
        self.deployments, self.sets = self.client.resource(DEPLOYMENTS), self.client.resource(REPLICA_SETS)
        self.pods = self.client.resource(PODS)
        index = {CONTROLLER_INDEX: by_controller}
        self.pod_cache, self.set_cache = LiveLister(self.pods, **index), LiveLister(self.sets, **index)
        self.recorder = FakeRecorder()
        caches = DeploymentCaches(LiveLister(self.deployments), self.set_cache, self.pod_cache)
        self.deployer = DeploymentReconciler(self.client, caches, self.recorder, clock=self.clock)
        self.replicator = ReplicaSetReconciler(
            self.client, self.set_cache, self.pod_cache, self.recorder, clock=self.clock
        )

    def turn(self) -> None:
        """Each controller looks once."""
        self.deployer.reconcile(KEY)
        for each in self.sets.list()[0]:
            self.replicator.reconcile(each.key)

    def settle(self, turns: int = 12, *, runs: bool = True) -> None:
        """Turns until nothing is left to do; the kubelet keeps up, unless no pod runs."""
        for _ in range(turns):
            before = len(self.client.writes)
            self.turn()
            if runs:
                self.run_pods()
            self.end_pods()
            if len(self.client.writes) == before:
                return

    def run_pods(self) -> None:
        for pod in self.pods.list()[0]:
            if pod.body().get("status", {}).get("phase") == "Running":
                continue
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2000-01-01T00:00:00Z"}
            self.pods.patch(pod.key, {"status": {"phase": "Running", "conditions": [ready]}}, subresource="status")

    def end_pods(self) -> None:
        for pod in self.pods.list()[0]:
            if pod.deletion_timestamp is not None:
                self.pods.delete(pod.key, grace_period_seconds=0)

    def change(self, **spec: Any) -> None:
        self.deployments.patch(KEY, {"spec": spec})

    def use(self, image: str) -> None:
        self.change(template={"spec": {"containers": [{"name": "c", "image": image}]}})

    def images(self) -> list[str]:
        return sorted(pod.body()["spec"]["containers"][0]["image"] for pod in self.pods.list()[0])

    def body(self) -> dict[str, Any]:
        return self.deployments.get(KEY).body()

    def condition(self, type_: str) -> tuple[str, str]:
        found = next(each for each in self.body()["status"]["conditions"] if each["type"] == type_)
        return found["status"], found["reason"]

    def revisions(self) -> dict[str, str]:
        return {
            each.body()["spec"]["template"]["spec"]["containers"][0]["image"]: each.annotations[REVISION]
            for each in self.sets.list()[0]
        }


def test_a_deployment_becomes_pods_and_says_that_it_is_complete():
    scene = Scene(deployment())
    scene.settle()
    status = scene.body()["status"]
    assert scene.images() == ["one"] * 3
    assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (3, 3, 3)
    assert scene.condition("Progressing") == ("True", "NewReplicaSetAvailable")
    assert scene.condition("Available") == ("True", "MinimumReplicasAvailable")


def test_a_settled_deployment_writes_nothing():
    scene = Scene(deployment())
    scene.settle()
    scene.client.clear_actions()
    scene.turn()
    assert [each.verb for each in scene.client.writes] == []


def test_an_update_never_leaves_too_few_nor_too_many_pods():
    scene = Scene(deployment(4))
    scene.settle()
    scene.use("two")
    for _ in range(20):
        scene.turn()
        living = [pod for pod in scene.pods.list()[0] if pod.deletion_timestamp is None]
        assert 3 <= len(living) <= 5
        scene.run_pods()
        scene.end_pods()
    assert scene.images() == ["two"] * 4
    assert scene.revisions() == {"one": "1", "two": "2"}
    assert scene.body()["metadata"]["annotations"][REVISION] == "2"


def test_an_update_that_does_not_work_stops_in_time():
    scene = Scene(deployment(4, progressDeadlineSeconds=60))
    scene.settle()
    scene.use("two")
    scene.settle(runs=False)
    assert scene.images().count("one") == 3
    assert scene.condition("Progressing") == ("True", "ReplicaSetUpdated")
    scene.clock.advance(61)
    scene.turn()
    assert scene.condition("Progressing") == ("False", "ProgressDeadlineExceeded")


def test_with_recreate_old_pods_are_gone_before_new_ones_come():
    scene = Scene(deployment(2, strategy={"type": "Recreate"}))
    scene.settle()
    scene.use("two")
    scene.turn()
    scene.turn()
    assert scene.images() == ["one", "one"]
    scene.settle()
    assert scene.images() == ["two", "two"]


def test_a_paused_deployment_scales_but_does_not_roll():
    scene = Scene(deployment(2))
    scene.settle()
    scene.change(paused=True, replicas=3)
    scene.use("two")
    scene.settle()
    assert scene.images() == ["one"] * 3
    assert scene.condition("Progressing") == ("Unknown", "DeploymentPaused")
    scene.change(paused=False)
    scene.settle()
    assert scene.images() == ["two"] * 3


def test_a_template_of_old_comes_back_as_the_newest_revision():
    scene = Scene(deployment(2))
    scene.settle()
    scene.use("two")
    scene.settle()
    scene.use("one")
    scene.settle()
    assert scene.images() == ["one", "one"]
    assert scene.revisions() == {"one": "3", "two": "2"}


def test_no_more_old_sets_are_kept_than_asked_for():
    scene = Scene(deployment(1, revisionHistoryLimit=1))
    for image in ("one", "two", "three", "four"):
        scene.use(image)
        scene.settle()
    assert sorted(scene.revisions()) == ["four", "three"]


def test_a_pod_that_is_not_shown_yet_is_not_made_once_more():
    scene = Scene(deployment(2))
    scene.deployer.reconcile(KEY)
    scene.pod_cache.freeze()
    scene.turn()
    scene.turn()
    assert len(scene.pods.list()[0]) == 2


def test_a_pod_that_went_before_it_was_shown_is_made_again():
    scene = Scene(deployment(1))
    scene.deployer.reconcile(KEY)
    scene.pod_cache.freeze()
    scene.turn()
    (pod,) = scene.pods.list()[0]
    scene.pods.delete(pod.key, grace_period_seconds=0)
    scene.turn()
    assert len(scene.pods.list()[0]) == 1


def test_of_too_many_pods_those_go_that_do_not_run():
    scene = Scene(deployment(1))
    scene.settle()
    (working,) = scene.pods.list()[0]
    scene.change(replicas=3)
    scene.settle(2, runs=False)
    scene.change(replicas=1)
    scene.settle(3, runs=False)
    assert [pod.uid for pod in scene.pods.list()[0]] == [working.uid]


def test_what_is_refused_is_said_by_set_and_deployment():
    scene = Scene(deployment(1))
    refused = Forbidden(403, "Forbidden", "no pods here")

    def refuse(action: Action) -> None:
        if (action.verb, action.type) == ("create", PODS):
            raise refused

    scene.client.reactors.append(refuse)
    scene.turn()
    scene.turn()
    assert scene.condition("ReplicaFailure") == ("True", "FailedCreate")
    assert "FailedCreate" in scene.recorder.reasons


def test_a_set_of_the_same_name_that_is_somebodys_costs_another_name():
    scene = Scene(deployment(1))
    scene.turn()
    (made,) = scene.sets.list()[0]
    other = made.body()
    scene.sets.delete(made.key)
    scene.deployments.delete(KEY)
    other["metadata"] = {"name": made.name, "namespace": "default", "labels": {"app": "other"}}
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    scene.sets.create(other)
    scene.deployments.create(deployment(1))
    scene.settle()
    assert scene.body()["status"]["collisionCount"] == 1
    assert len(scene.sets.list()[0]) == 2


def test_an_orphan_that_matches_is_adopted():
    scene = Scene(deployment(1))
    scene.settle()
    (pod,) = scene.pods.list()[0]
    scene.pods.patch(pod.key, {"metadata": {"ownerReferences": None}})
    scene.turn()
    assert scene.pods.get(pod.key).controller is not None
    assert len(scene.pods.list()[0]) == 1


def test_a_deployment_that_is_gone_is_no_work():
    scene = Scene()
    assert scene.deployer.reconcile(KEY).requeue_after is None
    with pytest.raises(NotFound):
        scene.deployments.get(KEY)
