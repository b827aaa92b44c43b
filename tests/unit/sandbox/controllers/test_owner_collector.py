"""Who is collected, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, PODS
from btcctl.sandbox.controllers.owner_collector import (
    OWNERS_INDEX,
    STALE_RETRY_SECONDS,
    UNKNOWN_KIND_RETRY_SECONDS,
    OwnerCollector,
    dependent_keys,
    has_ended,
    owner_uids,
    owners_changed,
)
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import LiveLister

KEY = ObjectKey("default", "p")


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def reference(name: str, uid: str, kind: str = "ConfigMap") -> dict[str, str]:
    return {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid}


class Scene:
    """Two owners, and a pod of whom a test says."""

    def __init__(self) -> None:
        self.client = FakeClient(config_map("one"), config_map("two"), collects=False)
        self.pods = self.client.resource(PODS, "default")
        self.owners = self.client.resource(CONFIG_MAPS, "default")
        self.cache = LiveLister(self.pods, **{OWNERS_INDEX: owner_uids})
        self.collector = OwnerCollector(self.client, PODS, self.cache)  # type: ignore[arg-type]

    def owner(self, name: str) -> dict[str, str]:
        return reference(name, self.owners.get(ObjectKey("default", name)).uid)

    def pod_of(self, *owners: dict[str, str]) -> Object:
        spec = {"containers": [{"name": "c", "image": "i"}]}
        metadata = {"name": "p", "ownerReferences": [*owners]}
        return self.pods.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

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


def test_an_owner_leads_to_what_it_leaves_behind(scene: Scene) -> None:
    scene.pod_of(scene.owner("one"))
    one, two = (scene.owners.get(ObjectKey("default", name)) for name in ("one", "two"))
    keys_of = dependent_keys(scene.cache)  # type: ignore[arg-type]
    assert [*keys_of(one)] == [KEY]
    assert [*keys_of(two)] == []
    assert (has_ended(one, None), has_ended(one, two), has_ended(one, one), has_ended(None, one)) == (
        True,
        True,
        False,
        False,
    )


def test_only_a_change_of_owners_is_a_reason_to_look(scene: Scene) -> None:
    mine, free = scene.pod_of(scene.owner("one")), scene.owners.get(ObjectKey("default", "two"))
    changes = [(None, mine), (free, mine), (mine, mine), (mine, None)]
    assert [owners_changed(old, new) for old, new in changes] == [True, True, False, False]
