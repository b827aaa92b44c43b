"""The one node, and who is bound to it."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.objects import ObjectKey
from btcctl.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.sandbox.cluster.node import ensure_node
from btcctl.sandbox.controllers.scheduler import Scheduler
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import FakeRecorder, LiveLister

KEY = ObjectKey("default", "p")


def pod(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "x"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


def schedule(client: FakeClient) -> FakeRecorder:
    recorder = FakeRecorder()
    Scheduler(client, LiveLister(client.resource(PODS)), recorder, "here").reconcile(KEY)
    return recorder


def node_of(client: FakeClient) -> str | None:
    return client.resource(PODS).get(KEY).body()["spec"].get("nodeName")


def test_a_new_pod_is_bound_to_the_node():
    client = FakeClient(pod())
    recorder = schedule(client)
    assert node_of(client) == "here"
    assert recorder.events == [("Normal", "Scheduled", "Successfully assigned default/p to here")]


@pytest.mark.parametrize("spec", [{"nodeName": "there"}, {"schedulerName": "another"}])
def test_pods_of_others_are_left_alone(spec):
    client = FakeClient(pod(**spec))
    assert schedule(client).events == []
    assert node_of(client) == spec.get("nodeName")


def test_a_pod_whose_claim_there_is_not_says_so_once_and_waits_for_it():
    client = FakeClient(pod(volumes=[{"name": "chain", "persistentVolumeClaim": {"claimName": "gone"}}]))
    why = '0/1 nodes are available: persistentvolumeclaim "gone" not found.'
    assert schedule(client).events == [("Warning", "FailedScheduling", why)]
    (said,) = client.resource(PODS).get(KEY).body()["status"]["conditions"]
    assert (said["type"], said["status"], said["reason"], said["message"]) == (
        *("PodScheduled", "False", "Unschedulable"),
        why,
    )
    assert (schedule(client).events, node_of(client)) == ([], None)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    client.resource(PERSISTENT_VOLUME_CLAIMS, "default").create({"metadata": {"name": "gone"}, "spec": spec})
    schedule(client)
    assert node_of(client) == "here"


def test_a_pod_that_is_gone_is_no_error():
    assert schedule(FakeClient()).events == []


def test_a_copy_that_is_old_is_no_error():
    client = FakeClient(pod())
    recorder = FakeRecorder()
    cache = LiveLister(client.resource(PODS))
    cache.freeze()
    scheduler = Scheduler(client, cache, recorder, "here")
    for _ in range(2):
        scheduler.reconcile(KEY)
    assert recorder.reasons == ["Scheduled"]


def test_the_node_is_made_once_and_is_ready():
    client = FakeClient()
    for _ in range(2):
        ensure_node(client, "here")
    (node,) = client.resource(NODES).list()[0]
    (condition,) = node.body()["status"]["conditions"]
    assert (node.name, condition["type"], condition["status"]) == ("here", "Ready", "True")


def test_the_taint_of_a_new_node_is_taken_off_and_no_other():
    client = FakeClient()
    ensure_node(client, "here")
    taints = [{"key": key, "effect": "NoSchedule"} for key in ("node.kubernetes.io/not-ready", "mine")]
    client.resource(NODES).patch(ObjectKey("", "here"), {"spec": {"taints": taints}})
    ensure_node(client, "here")
    (node,) = client.resource(NODES).list()[0]
    assert node.body()["spec"]["taints"] == taints[1:]
