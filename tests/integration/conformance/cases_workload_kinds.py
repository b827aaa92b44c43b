"""ReplicaSets, Jobs, Endpoints, EndpointSlices and NetworkPolicies, which no controller looks after here."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

REPLICA_SETS = "/apis/apps/v1/namespaces/{ns}/replicasets"
JOBS = "/apis/batch/v1/namespaces/{ns}/jobs"
ENDPOINTS = "/api/v1/namespaces/{ns}/endpoints"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies"
_DRY = {"dryRun": "All"}


def template(**spec: Any) -> Body:
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}], **spec}}


def replica_set(**spec: Any) -> Body:
    usual = {"selector": {"matchLabels": {"app": "a"}}, "template": template()}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "a"}, "spec": {**usual, **spec}}


def policy(**spec: Any) -> Body:
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}}
    return {**head, "spec": {"podSelector": {}, **spec}}


def slice_(**more: Any) -> Body:
    head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "a"}}
    return {**head, "addressType": "IPv4", "endpoints": [], "ports": [], **more}


@case("create", error=True)
def a_replica_set_is_checked(talk: Talk) -> None:
    talk.post(REPLICA_SETS, replica_set(replicas=-1), query=_DRY)
    talk.post(REPLICA_SETS, replica_set(minReadySeconds=-1), query=_DRY)
    talk.post(REPLICA_SETS, replica_set(selector={"matchLabels": {"app": "b"}}), query=_DRY)
    talk.post(REPLICA_SETS, replica_set(template=template(restartPolicy="Never")), query=_DRY)
    talk.post(REPLICA_SETS, replica_set(bogus=1), query={**_DRY, "fieldValidation": "Strict"})


@case("create")
def a_replica_set_is_made_scaled_and_counted(talk: Talk) -> None:
    talk.post(REPLICA_SETS, replica_set())
    talk.patch(f"{REPLICA_SETS}/a", {"spec": {"selector": {"matchLabels": {"b": "c"}}}})
    talk.patch(f"{REPLICA_SETS}/a/scale", {"spec": {"replicas": 3}})
    talk.patch(f"{REPLICA_SETS}/a/status", {"status": {"replicas": 1, "readyReplicas": 2}})
    talk.patch(f"{REPLICA_SETS}/a/status", {"status": {"replicas": 3, "readyReplicas": 2, "observedGeneration": 2}})


@case("create")
def an_endpoint_slice_keeps_its_family(talk: Talk) -> None:
    reference = {"kind": "Pod", "name": "p", "namespace": "n", "uid": "u"}
    endpoint = {"addresses": ["10.1.2.3"], "conditions": {"ready": True}, "targetRef": reference, "nodeName": "n"}
    talk.post(SLICES, slice_(endpoints=[endpoint], ports=[{"port": 80}]))
    talk.patch(f"{SLICES}/a", {"addressType": "IPv6"})
    talk.patch(f"{SLICES}/a", {"endpoints": [{"addresses": ["10.1.2.4"]}]})


@case("create")
def endpoints_are_stored(talk: Talk) -> None:
    subset = {"addresses": [{"ip": "10.1.2.3"}], "notReadyAddresses": [{"ip": "10.1.2.4"}], "ports": [{"port": 80}]}
    head = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "a"}}
    talk.post(ENDPOINTS, {**head, "subsets": [subset]})
    talk.patch(f"{ENDPOINTS}/a", {"subsets": None})


@case("create")
def a_network_policy_says_in_which_direction_it_works(talk: Talk) -> None:
    talk.post(POLICIES, policy(ingress=[{"ports": [{"port": 80}]}]))
    peers = [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, {"namespaceSelector": {}}]
    talk.put(f"{POLICIES}/a", policy(egress=[{"to": peers, "ports": [{"protocol": "UDP", "port": "dns"}]}]))


@case("create", error=True)
def a_job_is_checked(talk: Talk) -> None:
    head: Body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
    never = template(restartPolicy="Never")
    for spec in (
        {"template": template()}, {"template": template(restartPolicy="Always")},
        {"template": never, "backoffLimit": -1}, {"template": never, "completionMode": "Sometimes"},
        {"template": never, "completionMode": "Indexed"}, {"template": never, "manualSelector": True},
    ):  # fmt: skip
        talk.post(JOBS, {**head, "spec": spec}, query=_DRY)


@case("garbage")
def pods_of_a_job_stay_unless_its_deletion_says_otherwise(talk: Talk) -> None:
    spec = {"template": template(restartPolicy="Never"), "suspend": True}
    for name, policy_ in (("a", {}), ("b", {"propagationPolicy": "Background"})):
        talk.post(JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})
        talk.delete(f"{JOBS}/{name}", policy_)
