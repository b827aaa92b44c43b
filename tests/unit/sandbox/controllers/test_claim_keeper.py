"""Claims get their directories, and go when nobody uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from btcctl.errors import NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.sandbox.controllers.claim_keeper import ClaimKeeper, keys_of_pod
from btcctl.sandbox.kubelet.claims import volume_directory
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import LiveLister

KEY = ObjectKey("default", "c")


def claim() -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    head = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {**head, "metadata": {"name": "c", "namespace": "default"}, "spec": spec}


def pod() -> dict[str, Any]:
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    spec = {"volumes": volumes, "containers": [{"name": "c", "image": "i"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec}


class Scene:
    """A claim, and a file in its directory."""

    def __init__(self, directory: Path) -> None:
        self.client = FakeClient(claim())
        self.claims, self.pods = self.client.resource(PERSISTENT_VOLUME_CLAIMS), self.client.resource(PODS)
        self.keeper = ClaimKeeper(self.client, LiveLister(self.claims), directory)
        self.directory = volume_directory(directory, KEY)
        self.reconcile()
        self.directory.mkdir(parents=True)

    def reconcile(self) -> None:
        self.keeper.reconcile(KEY)

    def claim(self) -> Object:
        return self.claims.get(KEY)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_claim_is_bound_at_once_and_once(scene):
    body = scene.claim().body()
    assert body["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    assert body["spec"]["volumeName"] == f"pvc-{scene.claim().uid}"
    scene.client.clear_actions()
    scene.reconcile()
    assert scene.client.writes == []


def test_a_claim_that_nobody_uses_goes_and_its_directory_with_it(scene):
    scene.claims.delete(KEY)
    scene.reconcile()
    with pytest.raises(NotFound):
        scene.claim()
    scene.reconcile()
    assert not scene.directory.exists()


def test_a_claim_that_a_pod_uses_stays_until_the_pod_is_gone(scene):
    made = scene.pods.create(pod())
    scene.claims.delete(KEY)
    scene.reconcile()
    assert (scene.claim().deletion_timestamp is not None, scene.directory.exists()) == (True, True)
    assert keys_of_pod(made) == [KEY]
    scene.pods.delete(made.key)
    scene.reconcile()
    with pytest.raises(NotFound):
        scene.claim()


def test_a_pod_that_has_ended_uses_nothing(scene):
    made = scene.pods.create(pod())
    scene.pods.update_status({**made.body(), "status": {"phase": "Succeeded"}})
    scene.claims.delete(KEY)
    scene.reconcile()
    with pytest.raises(NotFound):
        scene.claim()


def test_another_claim_of_the_name_finds_nothing_of_the_one_before(scene):
    scene.claims.patch(KEY, {"metadata": {"finalizers": None}})
    scene.claims.delete(KEY)
    scene.claims.create(claim())
    scene.reconcile()
    assert not scene.directory.exists()
    assert scene.claim().body()["status"]["phase"] == "Bound"
