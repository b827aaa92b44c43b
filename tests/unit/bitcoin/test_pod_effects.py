"""Why pods of a StatefulSet cannot be made, as its controller's Events say."""

from __future__ import annotations

from typing import Any

from btcctl.bitcoin.pod_effects import FailedCreations
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
    creations = FailedCreations(client)
    before = creations.of(STATEFUL_SET)
    client.resource(EVENTS).create(failed("net-sts-1", 4))
    assert before == creations.of(STATEFUL_SET) == WORDS.format("net-sts-…")


def test_where_nothing_has_failed_there_is_no_reason() -> None:
    assert FailedCreations(FakeClient()).of(STATEFUL_SET) == ""
