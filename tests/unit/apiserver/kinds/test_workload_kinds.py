"""ReplicaSets, Jobs, endpoints and network policies; the conformance cases compare them with a real server's."""

from __future__ import annotations

from typing import Any

import pytest

APPS, BATCH = "/apis/apps/v1/namespaces/default", "/apis/batch/v1/namespaces/default"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def template(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i"}]
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": containers, **spec}}


def replica_set(**spec: Any) -> dict[str, Any]:
    usual = {"selector": {"matchLabels": {"app": "a"}}, "template": template()}
    return {"metadata": {"name": "rs"}, "spec": {**usual, **spec}}


def job(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "j"}, "spec": {"template": template(restartPolicy="Never"), **spec}}


def test_a_replica_set_wants_one_pod_unless_it_says_how_many(server):
    assert server.created(f"{APPS}/replicasets", replica_set())["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": -1},
        {"minReadySeconds": -1},
        {"selector": {"matchLabels": {"app": "b"}}},
        {"template": template(restartPolicy="Never")},
    ],
)
def test_a_wrong_replica_set_is_refused(server, spec):
    assert server.post(f"{APPS}/replicasets", replica_set(**spec)).status == 422


def test_the_selector_of_a_replica_set_stays(server):
    server.created(f"{APPS}/replicasets", replica_set())
    change = {"spec": {"selector": {"matchLabels": {"more": "b"}}}}
    assert server.patch(f"{APPS}/replicasets/rs", change).status == 422


def test_a_job_finds_its_pods_by_its_uid(server):
    body = server.created(f"{BATCH}/jobs", job())
    labels = body["spec"]["template"]["metadata"]["labels"]
    assert body["spec"]["selector"]["matchLabels"] == {"batch.kubernetes.io/controller-uid": body["metadata"]["uid"]}
    assert (labels["batch.kubernetes.io/job-name"], labels["app"]) == ("j", "a")
    assert (body["spec"]["completions"], body["spec"]["parallelism"], body["spec"]["backoffLimit"]) == (1, 1, 6)


@pytest.mark.parametrize(
    "spec",
    [
        {"template": template()},
        {"backoffLimit": -1},
        {"completionMode": "Sometimes"},
        {"completionMode": "Indexed", "parallelism": 2},
        {"manualSelector": True},
    ],
)
def test_a_wrong_job_is_refused(server, spec):
    assert server.post(f"{BATCH}/jobs", job(**spec)).status == 422


def test_the_template_of_a_job_stays(server):
    server.created(f"{BATCH}/jobs", job())
    changed = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}
    assert server.patch(f"{BATCH}/jobs/j", changed).status == 422
    assert server.patch(f"{BATCH}/jobs/j", {"spec": {"parallelism": 3}}).status == 200


def test_the_family_of_an_endpoint_slice_stays(server):
    server.created(SLICES, {"metadata": {"name": "s"}, "addressType": "IPv4", "endpoints": [], "ports": []})
    assert server.patch(f"{SLICES}/s", {"addressType": "IPv6"}).status == 422


def test_a_policy_without_types_is_about_what_comes_in(server):
    body = server.created(POLICIES, {"metadata": {"name": "p"}, "spec": {"podSelector": {}, "ingress": [{}]}})
    assert body["spec"]["policyTypes"] == ["Ingress"]


def cells(server, path: str) -> list[Any]:
    return server.get(path, accept=TABLE).body["rows"][0]["cells"]


def test_people_see_how_far_a_job_is(server):
    server.created(f"{BATCH}/jobs", job())
    assert cells(server, f"{BATCH}/jobs")[:4] == ["j", "Running", "0/1", ""]
    done = [{"type": name, "status": "True"} for name in ("SuccessCriteriaMet", "Complete")]
    times = dict.fromkeys(("startTime", "completionTime"), "2026-01-01T00:00:00Z")
    server.patch(f"{BATCH}/jobs/j/status", {"status": {"succeeded": 1, "conditions": done, **times}})
    assert cells(server, f"{BATCH}/jobs")[:3] == ["j", "Complete", "1/1"]


def test_people_see_three_endpoints_and_how_many_more(server):
    endpoints = [{"addresses": [f"10.0.0.{number}"]} for number in range(1, 6)]
    ports = [{"port": 80}]
    server.created(SLICES, {"metadata": {"name": "s"}, "addressType": "IPv4", "endpoints": endpoints, "ports": ports})
    assert cells(server, SLICES)[1:4] == ["IPv4", "80", "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more..."]


def test_pods_of_a_job_stay_unless_its_deletion_says_otherwise(server):
    server.created(f"{BATCH}/jobs", job())
    kept = server.delete(f"{BATCH}/jobs/j")
    assert kept.body["metadata"]["finalizers"] == ["orphan"]
    assert "child pods are preserved by default" in kept.headers["Warning"]
    gone = server.delete(f"{BATCH}/jobs/j", propagationPolicy="Background")
    assert (gone.body["status"], gone.headers.get("Warning")) == ("Success", None)
