"""What others say in Events alone: why pods cannot be made, and what their probes say."""

from __future__ import annotations

from typing import Any

from btcctl.bitcoin.pod_effects import Complaints
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


def unhealthy(minute: int, words: str) -> dict[str, Any]:
    pod = {"kind": "Pod", "name": "net-sts-1", "namespace": "default", "uid": "pod-uid"}
    named = {"name": f"probe.{minute}", "namespace": "default"}
    return {**failed("", minute), "metadata": named, "involvedObject": pod, "reason": "Unhealthy", "message": words}


def test_of_a_node_that_does_not_answer_its_probe_what_that_said_last_is_known() -> None:
    client = FakeClient(unhealthy(2, "HTTP probe failed with statuscode: 503"), unhealthy(1, "connection refused"))
    pod = NodePod("net-sts-1", "pod-uid", 1, "10.0.0.1", "machine", ready=False, answers=False, terminating=False)
    assert Complaints(client).why_unhealthy("default", pod) == "HTTP probe failed with statuscode: 503"
