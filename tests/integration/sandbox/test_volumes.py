"""Volumes on a whole local cluster: what outlives what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import PERSISTENT_VOLUME_CLAIMS
from btcctl.sandbox.cluster.cluster import Cluster
from tests.integration.sandbox.test_cluster import NAMESPACE, Scene, key
from tests.integration.sandbox.web import web_command, web_set
from tests.integration.support import eventually

TEMPLATE = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


class VolumeScene(Scene):
    """Sets of web servers with volumes."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.claims = self.client.resource(PERSISTENT_VOLUME_CLAIMS, NAMESPACE)

    def create(self, replicas: int, *, stores: bool = True, **policy: str) -> None:
        made = web_set("web", replicas)
        if stores:
            made["spec"]["volumeClaimTemplates"] = [TEMPLATE]
            made["spec"]["persistentVolumeClaimRetentionPolicy"] = policy
            (container,) = made["spec"]["template"]["spec"]["containers"]
            container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        self.sets.create(made)
        self.wait_ready(*(f"web-{ordinal}" for ordinal in range(replicas)))

    def scale(self, replicas: int) -> None:
        self.sets.patch(key("web"), {"spec": {"replicas": replicas}})
        self.wait_ready(*(f"web-{ordinal}" for ordinal in range(replicas)))

    def replace(self, name: str) -> None:
        before = self.pod(name).uid
        self.pods.delete(key(name))
        eventually(lambda: self.ready_uids() and before not in self.ready_uids())

    def volume(self, ordinal: int = 0) -> Path:
        return self.cluster.run_dir / "volumes" / NAMESPACE / f"data-web-{ordinal}"

    def claim_names(self) -> list[str]:
        return sorted(each.name for each in self.claims.list()[0])

    def wait_claims(self, *names: str) -> None:
        eventually(lambda: self.claim_names() == [*names])


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[VolumeScene]:
    with Cluster(new_run_directory(tmp_path), web_command) as cluster:
        yield VolumeScene(cluster)


def test_data_on_a_volume_outlives_the_pod(scene):
    scene.create(1)
    (scene.volume() / "kept").touch()
    scene.replace("web-0")
    assert (scene.volume() / "kept").exists()
    (scene.volume() / "sick").touch()
    eventually(lambda: scene.ready() == [])


def test_data_without_a_volume_goes_with_the_pod(scene):
    scene.create(1, stores=False)
    (before,) = scene.cluster.run_dir.glob("pods/*/web/data")
    (before / "kept").touch()
    scene.replace("web-0")
    eventually(lambda: not [*scene.cluster.run_dir.glob("pods/*/web/data/kept")])


def test_scaling_down_and_up_again_finds_the_data(scene):
    scene.create(2)
    (scene.volume(1) / "kept").touch()
    scene.scale(1)
    assert scene.claim_names() == ["data-web-0", "data-web-1"]
    scene.scale(2)
    assert (scene.volume(1) / "kept").exists()


def test_with_delete_the_data_of_the_scaled_away_goes(scene):
    scene.create(2, whenScaled="Delete", whenDeleted="Delete")
    (scene.volume(0) / "kept").touch()
    (scene.volume(1) / "lost").touch()
    scene.scale(1)
    scene.wait_claims("data-web-0")
    scene.scale(2)
    assert ((scene.volume(0) / "kept").exists(), (scene.volume(1) / "lost").exists()) == (True, False)


@pytest.mark.parametrize(("policy", "left"), [("Retain", ["data-web-0"]), ("Delete", [])])
def test_a_deleted_set_leaves_or_takes_its_data(scene, policy, left):
    scene.create(1, whenDeleted=policy)
    scene.sets.delete(key("web"))
    eventually(lambda: scene.names() == [])
    scene.wait_claims(*left)
    eventually(lambda: scene.volume().exists() == bool(left))


def test_nothing_of_a_volume_is_left_at_the_end(tmp_path):
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(new_run_directory(tmp_path), web_command))
        VolumeScene(cluster).create(1)
        assert cluster.run_dir.exists()
    eventually(lambda: not cluster.run_dir.exists())
