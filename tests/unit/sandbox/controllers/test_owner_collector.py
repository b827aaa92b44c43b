"""Who is collected, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, JOBS, PODS
from btcctl.sandbox.controllers.owner_collector import (
    OWNERS_INDEX,
    STALE_RETRY_SECONDS,
    UNKNOWN_KIND_RETRY_SECONDS,
    OwnerCollector,
    has_new_fate,
    owner_uids,
)
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import LiveLister

KEY, ONE, TWO = (ObjectKey("default", name) for name in ("p", "one", "two"))


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def reference(name: str, uid: str, kind: str = "ConfigMap") -> dict[str, str]:
    return {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid}


class Scene:
    """Two owners, and a pod of whom a test says. Both kinds are collected."""

    def __init__(self) -> None:
        self.client = FakeClient(config_map("one"), config_map("two"), collects=False)
        self.pods = self.client.resource(PODS, "default")
        self.owners = self.client.resource(CONFIG_MAPS, "default")
        self.cache = LiveLister(self.pods, **{OWNERS_INDEX: owner_uids})
        owners = LiveLister(self.owners, **{OWNERS_INDEX: owner_uids})
        self.collector = OwnerCollector(self.client, [self.cache, owners])  # type: ignore[list-item]

    def owner(self, name: str) -> dict[str, str]:
        return reference(name, self.owners.get(ObjectKey("default", name)).uid)

    def pod_of(self, *owners: dict[str, str]) -> Object:
        spec = {"containers": [{"name": "c", "image": "i"}]}
        metadata = {"name": "p", "ownerReferences": [*owners]}
        return self.pods.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def delete_owner(self, policy: str) -> None:
        self.owners.delete(ONE, propagation_policy=policy)

    def left(self) -> list[list[str]]:
        return [[each.name for each in pod.owner_references] for pod in self.pods.list()[0]]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_object_whose_owner_lives_is_left_alone(scene: Scene) -> None:
    scene.pod_of(scene.owner("one"))
    scene.collector.reconcile(KEY)
    assert scene.left() == [["one"]]


def test_an_object_without_owners_is_left_alone(scene: Scene) -> None:
    scene.pod_of()
    scene.collector.reconcile(KEY)
    assert scene.left() == [[]]


def test_an_object_whose_owner_is_gone_is_collected(scene: Scene) -> None:
    scene.pod_of(scene.owner("one"))
    scene.owners.delete(ObjectKey("default", "one"))
    assert scene.left() == [["one"]]
    scene.collector.reconcile(KEY)
    assert scene.left() == []


def test_an_object_whose_owner_was_made_anew_is_collected(scene: Scene) -> None:
    scene.pod_of(reference("one", "the uid of the one before"))
    scene.collector.reconcile(KEY)
    assert scene.left() == []


def test_of_several_owners_those_that_are_gone_are_let_go_of(scene: Scene) -> None:
    scene.pod_of(scene.owner("one"), reference("three", "gone"))
    scene.collector.reconcile(KEY)
    assert scene.left() == [["one"]]


def test_an_owner_of_a_kind_that_is_not_served_may_live(scene: Scene) -> None:
    scene.pod_of(reference("x", "y", kind="Unheard"))
    assert scene.collector.reconcile(KEY).requeue_after == UNKNOWN_KIND_RETRY_SECONDS
    assert scene.left() == [["x"]]


def test_an_object_that_has_changed_since_is_looked_at_again(scene: Scene) -> None:
    scene.pod_of(reference("one", "gone"))
    scene.cache.freeze()
    scene.pods.patch(KEY, {"metadata": {"ownerReferences": [scene.owner("two")]}})
    assert scene.collector.reconcile(KEY).requeue_after == STALE_RETRY_SECONDS
    scene.cache.thaw()
    scene.collector.reconcile(KEY)
    assert scene.left() == [["two"]]


def test_orphans_lose_the_reference_and_stay(scene: Scene) -> None:
    scene.pod_of(scene.owner("one"), scene.owner("two"))
    scene.delete_owner("Orphan")
    scene.collector.reconcile(ONE)
    assert scene.left() == [["two"]]
    assert [each.name for each in scene.owners.list()[0]] == ["two"]


def test_in_the_foreground_the_owner_goes_after_its_dependents(scene: Scene) -> None:
    scene.pod_of({**scene.owner("one"), "blockOwnerDeletion": True})  # type: ignore[dict-item]
    scene.delete_owner("Foreground")
    scene.collector.reconcile(ONE)
    assert [each.name for each in scene.owners.list()[0]] == ["one", "two"]
    scene.collector.reconcile(KEY)
    assert scene.left() == []
    scene.collector.reconcile(ONE)
    assert [each.name for each in scene.owners.list()[0]] == ["two"]


def test_a_job_whose_owner_is_gone_orphans_nothing(scene: Scene) -> None:
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}
    jobs = scene.client.resource(JOBS, "default")
    metadata = {"name": "p", "ownerReferences": [reference("one", "gone")]}
    jobs.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})
    cache = LiveLister(jobs, **{OWNERS_INDEX: owner_uids})
    OwnerCollector(scene.client, [cache]).reconcile(KEY)  # type: ignore[list-item]
    assert jobs.list()[0] == []  # by its kind's own policy it would wait for a collector of orphans


def test_an_object_concerns_itself_its_dependents_and_its_owners(scene: Scene) -> None:
    pod = scene.pod_of(scene.owner("one"))
    assert {*scene.collector.concerned(scene.owners.get(ONE))} == {ONE, KEY}
    assert {*scene.collector.concerned(pod)} == {KEY, ONE, ObjectKey("", "one")}


def test_only_what_comes_goes_or_changes_owners_is_a_reason_to_look(scene: Scene) -> None:
    mine, free, other = scene.pod_of(scene.owner("one")), scene.owners.get(ONE), scene.owners.get(TWO)
    freed = scene.pods.patch(KEY, {"metadata": {"ownerReferences": None}})
    changes = [(None, mine), (mine, None), (free, other), (mine, freed), (mine, mine)]
    assert [has_new_fate(old, new) for old, new in changes] == [True, True, True, True, False]
    dying = scene.pods.patch(KEY, {"metadata": {"finalizers": ["x.example.org/f"]}})
    scene.pods.delete(KEY)
    assert has_new_fate(dying, scene.pods.get(KEY))
