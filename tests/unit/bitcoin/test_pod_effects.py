"""What others say in Events alone: why pods cannot be made, and what their probes say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from btcctl.bitcoin.pod_effects import Complaints
from btcctl.bitcoin.pod_problems import NOT_ANSWERING, STARTING, UNSCHEDULABLE
from btcctl.bitcoin.pods import NodePod
from btcctl.objects import Object
from btcctl.resources import EVENTS
from btcctl.testing import FakeClient

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
