"""PersistentVolumeClaims; the conformance cases compare the words with a real server's."""

from __future__ import annotations

from typing import Any

import pytest

CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


def claim(**spec: Any) -> dict[str, Any]:
    usual = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": "c"}, "spec": {**usual, **spec}}


def bound(server) -> None:
    server.created(CLAIMS, claim())
    status = {"phase": "Bound", "capacity": {"storage": "2Gi"}}
    assert server.patch(f"{CLAIMS}/c", {"spec": {"volumeName": "v"}}).status == 200
    assert server.patch(f"{CLAIMS}/c/status", {"status": status}).status == 200


def test_a_new_claim_is_pending_and_protected(server):
    body = server.created(CLAIMS, {**claim(), "status": {"phase": "Bound"}})
    assert (body["status"]["phase"], body["spec"]["volumeMode"]) == ("Pending", "Filesystem")
    assert body["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


@pytest.mark.parametrize(
    "spec",
    [
        {"accessModes": []},
        {"accessModes": ["Any"]},
        {"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]},
        {"resources": {}},
        {"resources": {"requests": {"storage": "0"}}},
        {"volumeMode": "Any"},
        {"storageClassName": "Bad_Name"},
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(server, spec):
    assert server.post(CLAIMS, claim(**spec)).status == 422


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"accessModes": ["ReadOnlyMany"]}, 422),
        ({"volumeMode": "Block"}, 422),
        ({"volumeName": "w"}, 422),
        ({"resources": {"requests": {"storage": "3Gi"}}}, 200),
        ({"resources": {"requests": {"storage": "512Mi"}}}, 422),
        ({"storageClassName": "given-late"}, 200),
    ],
)
def test_a_bound_claim_stays_what_it_is_but_for_its_size(server, change, status):
    bound(server)
    assert server.patch(f"{CLAIMS}/c", {"spec": change}).status == status


def test_a_claim_without_a_volume_keeps_its_size(server):
    server.created(CLAIMS, claim())
    assert server.patch(f"{CLAIMS}/c", {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}).status == 422


def test_a_claim_waits_for_its_protection(server):
    server.created(CLAIMS, claim())
    server.delete(f"{CLAIMS}/c")
    assert "deletionTimestamp" in server.get(f"{CLAIMS}/c").body["metadata"]
    server.patch(f"{CLAIMS}/c", {"metadata": {"finalizers": None}})
    assert not server.exists(f"{CLAIMS}/c")
