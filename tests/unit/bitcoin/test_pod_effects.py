"""What others say of pods in Events alone, and what is said of them: that they have the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from btcctl.bitcoin.pod_effects import Complaints, Gatekeeper
from btcctl.bitcoin.pod_problems import NOT_ANSWERING, STARTING, UNSCHEDULABLE
from btcctl.bitcoin.pod_template import SYNCED_GATE
from btcctl.bitcoin.pods import NodePod
from btcctl.controller.writing.contention import Contention
from btcctl.objects import Object, ObjectKey
from btcctl.resources import EVENTS, PODS
from btcctl.testing import FakeClient
from btcctl.testing.clock import FakeClock

KEY = ObjectKey("default", "net-sts-1")

STATEFUL_SET = Object.from_body({"metadata": {"name": "net-sts", "namespace": "default", "uid": "sts-uid"}})
WORDS = 'create Pod {0} in StatefulSet net-sts failed error: pods "{0}" is forbidden: exceeded quota: small'


def failed(pod: str, minute: int, uid: str = "sts-uid") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod}.{minute}", "namespace": "default"},
        "involvedObject": {"kind": "StatefulSet", "name": "net-sts", "namespace": "default", "uid": uid},
        "type": "Warning",
        "reason": "FailedCreate",
        "message": WORDS.format(pod),
        "lastTimestamp": f"2026-01-01T00:{minute:02}:00Z",
    }


def test_the_reason_is_the_same_whichever_pod_was_tried_last() -> None:
    client = FakeClient(failed("net-sts-1", 1), failed("net-sts-12", 2), failed("other", 3, "another-uid"))
    complaints = Complaints(client)
    before = complaints.why_missing(STATEFUL_SET)
    client.resource(EVENTS).create(failed("net-sts-1", 4))
    assert before == complaints.why_missing(STATEFUL_SET) == WORDS.format("net-sts-…")


def test_where_nothing_has_failed_there_is_no_reason() -> None:
    assert Complaints(FakeClient()).why_missing(STATEFUL_SET) == ""


def of_pod(minute: int, words: str, reason: str = "Unhealthy", **more: str) -> dict[str, Any]:
    pod = {"kind": "Pod", "name": "net-sts-1", "namespace": "default", "uid": "pod-uid"}
    named = {"name": f"probe.{minute}", "namespace": "default"}
    event = {**failed("", minute), "metadata": named, "involvedObject": pod, "reason": reason, "message": words}
    return {**event, **more}


def said(reason: str, *events: dict[str, Any]) -> str:
    """Of a pod that is not ready for this reason."""
    pod = NodePod("net-sts-1", "pod-uid", 1, "", "machine", ready=False, answers=False, terminating=False)
    return Complaints(FakeClient(*events)).why_stuck("default", replace(pod, reason=reason))


def test_of_a_node_that_does_not_answer_its_probe_what_that_said_last_is_known() -> None:
    words = "HTTP probe failed with statuscode: 503"
    assert said(NOT_ANSWERING, of_pod(2, words), of_pod(1, "connection refused"), of_pod(3, "x", "Killing")) == words


@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"])
def test_of_a_pod_that_does_not_start_the_trouble_that_is_the_last_to_have_happened_is_known(reason: str) -> None:
    trouble, start = of_pod(2, "no such disk", reason), of_pod(1, "assigned", "Scheduled", type="Normal")
    assert said(STARTING, start, trouble) == "no such disk"
    assert said(STARTING, start, trouble, of_pod(3, "pulling", "Pulling", type="Normal")) == ""


def test_of_a_pod_that_waits_for_a_volume_it_is_known_why_nobody_makes_one() -> None:
    claim = {"kind": "PersistentVolumeClaim", "name": "data-net-sts-1", "namespace": "default", "uid": "claim-uid"}
    words = 'storageclass.storage.k8s.io "fast" not found'
    event = {**of_pod(1, words, "ProvisioningFailed"), "involvedObject": claim}
    scheduled = of_pod(2, "0/1 nodes are available", "FailedScheduling")
    assert said(UNSCHEDULABLE, event, scheduled) == words


class Gate:
    """A pod of a fake cluster, and the operator's gatekeeper."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(field_manager="us", clock=self.clock)
        self.pods = self.client.resource(PODS, "default")
        self.contention = Contention("us", clock=self.clock)
        self.keeper = Gatekeeper(self.pods.get, self.pods, self.clock)
        self.make()

    def make(self) -> None:
        spec = {"containers": [{"name": "bitcoind", "image": "image"}]}
        self.pods.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "net-sts-1"}, "spec": spec})

    def let_in(self, height: int = 7) -> None:
        uid = self.pods.get(KEY).uid
        pod = NodePod(KEY.name, uid, 1, "10.0.0.1", "machine", ready=False, answers=True, terminating=False)
        self.keeper.let_in(KEY.namespace, pod, height, self.contention)

    def is_open(self) -> bool:
        conditions = self.pods.get(KEY).body()["status"].get("conditions") or []
        return {"type": SYNCED_GATE, "status": "True"}.items() <= (conditions or [{}])[-1].items()

    def shut(self) -> None:
        condition = {"type": SYNCED_GATE, "status": "False"}
        body = self.pods.get(KEY).body()
        self.pods.update_status({**body, "status": {**body["status"], "conditions": [condition]}})


def test_a_gate_that_somebody_shuts_each_time_is_opened_three_times_and_that_is_said() -> None:
    gate, opened = Gate(), 0
    for height in range(20):
        gate.let_in(height)
        opened += gate.is_open()
        gate.shut()
    assert opened == 3
    assert SYNCED_GATE in gate.contention.dispute_of(PODS, KEY)


def test_a_pod_that_is_made_anew_time_and_again_is_let_in_each_time() -> None:
    gate = Gate()
    for _ in range(6):
        gate.let_in()
        assert gate.is_open()
        gate.pods.delete(KEY, grace_period_seconds=0)
        gate.make()
    assert gate.contention.dispute_of(PODS, KEY) == ""


def test_a_pod_that_is_another_by_now_is_not_let_in() -> None:
    gate = Gate()
    gone = NodePod(KEY.name, "gone", 1, "10.0.0.1", "machine", ready=False, answers=True, terminating=False)
    gate.keeper.let_in(KEY.namespace, gone, 7, gate.contention)
    assert not gate.is_open()
