"""What a PodDisruptionBudget's status says, and the controller that writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from btcctl.objects import Object, ObjectKey, OwnerReference
from btcctl.resources import CONFIG_MAPS, DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS, STATEFUL_SETS
from btcctl.sandbox.controllers.budget_status import DELETION_SECONDS, PodHealth, UnknownScale, judge
from btcctl.sandbox.controllers.disruption import SCALED, STALE_RETRY_SECONDS, BudgetKeeper
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import LiveLister

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ObjectKey("default", "b")
OWNER = OwnerReference("apps/v1", "StatefulSet", "net", "uid-1", controller=True)


def budget(*, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    metadata = {"name": "b", "namespace": "default", "generation": 3}
    spec = {"selector": {"matchLabels": {"app": "net"}}, **spec}
    return {**head, "metadata": metadata, "spec": spec, "status": status or {}}


def pods(*ready: bool, owner: OwnerReference | None = OWNER) -> list[PodHealth]:
    return [PodHealth(f"net-{index}", each, is_going=False, controller=owner) for index, each in enumerate(ready)]


def counts(made: dict[str, Any]) -> tuple[int, int, int, int]:
    return tuple(made[each] for each in ("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed"))


@pytest.mark.parametrize(
    ("spec", "ready", "expected"),
    [
        ({"maxUnavailable": 1}, (True, True, True), (3, 3, 2, 1)),
        ({"maxUnavailable": 1}, (True, False, True), (3, 2, 2, 0)),
        ({"maxUnavailable": 1}, (True, True), (3, 2, 2, 0)),
        ({"maxUnavailable": "50%"}, (True, True, True), (3, 3, 1, 2)),
        ({"maxUnavailable": 9}, (True,), (3, 1, 0, 1)),
        ({"maxUnavailable": 1}, (), (0, 0, 0, 0)),
        ({"minAvailable": 1}, (True, True), (2, 2, 1, 1)),
        ({"minAvailable": "50%"}, (True, True, True), (3, 3, 2, 1)),
        ({}, (True, True), (0, 2, 0, 0)),
    ],
)
def test_a_budget_allows_what_is_beyond_what_it_wants(spec, ready, expected):
    made = judge(budget(**spec), pods(*ready), lambda _: 3, NOW).status
    assert counts(made) == expected
    assert made["observedGeneration"] == 3
    assert made["conditions"][0]["status"] == str(expected[3] > 0)


def test_pods_without_a_controller_are_healthy_but_not_expected():
    assert counts(judge(budget(maxUnavailable=1), pods(True, owner=None), lambda _: 3, NOW).status) == (0, 1, 0, 0)


def test_a_pod_that_goes_is_not_healthy():
    going = PodHealth("net-0", is_ready=True, is_going=True, controller=OWNER)
    assert counts(judge(budget(maxUnavailable=1), [going, *pods(True)], lambda _: 2, NOW).status) == (2, 1, 1, 0)


@pytest.mark.parametrize(("age", "healthy", "recheck"), [(1.0, 1, 119.0), (DELETION_SECONDS, 2, None)])
def test_an_evicted_pod_does_not_count_until_it_should_have_gone(age, healthy, recheck):
    evicted_at = (NOW - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    known = {"disruptedPods": {"net-0": evicted_at, "gone": evicted_at}}
    verdict = judge(budget(status=known, maxUnavailable=1), pods(True, True), lambda _: 2, NOW)
    assert (verdict.status["currentHealthy"], verdict.recheck_seconds) == (healthy, recheck)
    assert [*verdict.status.get("disruptedPods", {})] == (["net-0"] if recheck else [])


def test_the_condition_turns_only_when_its_status_does():
    first = judge(budget(maxUnavailable=1), pods(True, True), lambda _: 2, NOW).status
    known, later = budget(status=first, maxUnavailable=1), NOW + timedelta(hours=1)
    assert judge(known, pods(True, True), lambda _: 2, later).status == first
    turned = judge(known, pods(True), lambda _: 2, later).status
    assert turned["conditions"][0]["lastTransitionTime"] == "2026-01-01T01:00:00Z"


def test_a_budget_of_an_unknown_number_cannot_be_judged():
    def unknown(_: OwnerReference) -> int:
        raise UnknownScale("nobody knows")

    with pytest.raises(UnknownScale):
        judge(budget(maxUnavailable=1), pods(True), unknown, NOW)
    assert counts(judge(budget(minAvailable=1), pods(True), unknown, NOW).status) == (1, 1, 1, 0)


class Scene:
    """A set of two ready pods, and a budget for them."""

    def __init__(self) -> None:
        template = {"metadata": {"labels": {"app": "net"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "net"}}, "serviceName": "s", "template": template}
        head = {"metadata": {"name": "net", "namespace": "default"}}
        self.clock = FakeClock()
        self.client = FakeClient(
            {"apiVersion": "apps/v1", "kind": "StatefulSet", **head, "spec": spec},
            {**budget(maxUnavailable=1), "metadata": {"name": "b", "namespace": "default"}},
            clock=self.clock,
        )
        self.budgets, self.pods, self.sets = (
            self.client.resource(each) for each in (POD_DISRUPTION_BUDGETS, PODS, STATEFUL_SETS)
        )
        self.lister = LiveLister(self.budgets)
        self.scaled = {each.kind: LiveLister(self.client.resource(each)) for each in SCALED}
        self.keeper = BudgetKeeper(self.client, self.lister, LiveLister(self.pods), self.scaled, clock=self.clock)
        for index in range(2):
            self.add_pod(f"net-{index}", self.sets.get(ObjectKey("default", "net")))

    def add_pod(self, name: str, owner: Object) -> None:
        reference = {"name": owner.name, "uid": owner.uid, "controller": True}
        reference |= {"apiVersion": owner.api_version, "kind": owner.kind}
        metadata = {"name": name, "namespace": "default", "labels": {"app": "net"}, "ownerReferences": [reference]}
        spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
        made = self.pods.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}).body()
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        self.pods.update_status({**made, "status": {"phase": "Running", "conditions": [ready]}})

    def reconcile(self) -> float | None:
        return self.keeper.reconcile(KEY).requeue_after

    def status(self) -> dict[str, Any]:
        return self.budgets.get(KEY).body()["status"]

    def evict(self, name: str) -> None:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}}
        self.pods.subresource_post(ObjectKey("default", name), "eviction", body)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_status_is_written_once_and_then_settled(scene):
    scene.reconcile()
    assert counts(scene.status()) == (2, 2, 1, 1)
    scene.client.clear_actions()
    scene.reconcile()
    assert scene.client.writes == []


def test_an_eviction_is_never_forgotten_by_an_old_copy(scene):
    scene.reconcile()
    scene.lister.freeze()
    scene.evict("net-0")
    scene.pods.patch(ObjectKey("default", "net-1"), {"metadata": {"labels": {"app": "other"}}})
    assert scene.reconcile() == STALE_RETRY_SECONDS
    assert scene.status()["disruptionsAllowed"] == 0


def test_a_set_that_is_scaled_wants_more_of_its_pods(scene):
    scene.sets.patch(ObjectKey("default", "net"), {"spec": {"replicas": 5}})
    scene.reconcile()
    assert counts(scene.status()) == (5, 2, 4, 0)


def test_a_controller_that_nobody_knows_closes_the_budget(scene):
    scene.reconcile()
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}
    scene.add_pod("net-9", scene.client.resource(CONFIG_MAPS).create(body))
    scene.reconcile()
    status = scene.status()
    assert (status["disruptionsAllowed"], status["conditions"][0]["reason"]) == (0, "SyncFailed")


def test_pods_and_sets_lead_to_their_budgets(scene):
    assert scene.keeper.keys_of_pod(scene.pods.get(ObjectKey("default", "net-0"))) == [KEY]
    assert scene.keeper.keys_of_set(scene.sets.get(ObjectKey("default", "net"))) == [KEY]
    scene.pods.patch(ObjectKey("default", "net-0"), {"metadata": {"labels": {"app": "other"}}})
    assert scene.keeper.keys_of_pod(scene.pods.get(ObjectKey("default", "net-0"))) == []


def test_pods_of_all_sets_of_a_deployment_are_counted_by_its_scale(scene):
    head: dict[str, Any] = {"apiVersion": "apps/v1", "metadata": {"name": "d", "namespace": "default"}}
    template = {"metadata": {"labels": {"app": "net"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "net"}}, "template": template}
    made = scene.client.resource(DEPLOYMENTS).create({**head, "kind": "Deployment", "spec": spec})
    for name in ("d-1", "d-2"):
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": made.uid}
        metadata = {"name": name, "namespace": "default", "ownerReferences": [{**reference, "controller": True}]}
        body = {**head, "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
        scene.add_pod(f"{name}-x", scene.client.resource(REPLICA_SETS).create(body))
    scene.reconcile()
    assert counts(scene.status()) == (5, 4, 4, 0)
