"""A cluster that comes back sets objects and directories right before anything runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from btcctl.clock import rfc3339
from btcctl.objects import ObjectKey
from btcctl.resources import EVENTS, PODS
from btcctl.sandbox.cluster.outage import settle
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient

KEY = ObjectKey("default", "p")


def pod(name: str, node: str = "here") -> dict[str, Any]:
    spec = {"nodeName": node, "containers": [{"name": "c", "image": "x"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    head = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {**head, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def run(client: FakeClient, name: str) -> None:
    """Let a pod's status say that it runs."""
    states = [{"name": "c", "image": "x", "imageID": "", "ready": True, "restartCount": 0, "state": {"running": {}}}]
    body = client.resource(PODS).get(ObjectKey("default", name)).body()
    client.resource(PODS).update_status(
        {**body, "status": {"phase": "Running", "podIP": "127.1.0.2", "containerStatuses": states}}
    )


def test_pods_of_the_node_run_no_more_and_those_of_others_still_do(tmp_path: Path, clock: FakeClock):
    client = FakeClient(pod("p"), pod("q", "elsewhere"), clock=clock)
    for name in ("p", "q"):
        run(client, name)
    settle(client, "here", tmp_path, clock)
    addresses = [each.body()["status"].get("podIP") for each in client.resource(PODS).list()[0]]
    assert addresses == [None, "127.1.0.2"]


def test_directories_of_nobody_are_removed_and_those_of_others_kept(tmp_path: Path, clock: FakeClock):
    client = FakeClient(pod("p"), claim("data"), clock=clock)
    uid = client.resource(PODS).get(KEY).uid
    kept = [tmp_path / "pods" / f"default_p_{uid}", tmp_path / "volumes" / "default" / "data"]
    gone = [tmp_path / "pods" / "default_p_old", tmp_path / "volumes" / "default" / "old"]
    for path in (*kept, *gone):
        path.mkdir(parents=True)
    settle(client, "here", tmp_path, clock)
    assert [path.exists() for path in (*kept, *gone)] == [True, True, False, False]


def test_events_are_forgotten_after_an_hour(tmp_path: Path, clock: FakeClock):
    client = FakeClient(clock=clock)
    for name, minutes in (("old", 90), ("new", 30)):
        client.resource(EVENTS).create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": "default"},
                "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
                "lastTimestamp": rfc3339(clock.wall_time() - timedelta(minutes=minutes)),
            }
        )
    settle(client, "here", tmp_path, clock)
    assert [each.name for each in client.resource(EVENTS).list()[0]] == ["new"]
