"""What networks are told: NetworkPolicies, EndpointSlices, Endpoints; expected is what kube-apiserver 1.36.2 says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.calls import Server

POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
ENDPOINTS = "/api/v1/namespaces/default/endpoints"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUME = {"kind": "PersistentVolumeClaim", "name": "b"}


def fields(server: Server, path: str, **body: Any) -> list[str]:
    """Where an object is wrong."""
    answer = server.post(path, {"metadata": {"name": "a"}, **body})
    return [] if answer.status == 201 else [place for place, _ in answer.causes]


def claim(**spec: Any) -> dict[str, Any]:
    usual = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": "a"}, "spec": {**usual, **spec}}


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0"}}]}, "from[0].ipBlock.cidr"),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]}, "from[0].ipBlock.except[0]"),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["::/16"]}}]}, "from[0].ipBlock.except[0]"),
        ({"from": [{}]}, "from[0]"),
        ({"from": [{"podSelector": {}, "ipBlock": {"cidr": "::/0"}}]}, "from[0]"),
        ({"ports": [{"port": 80, "endPort": 70}]}, "ports[0].endPort"),
        ({"ports": [{"port": "a", "endPort": 70}]}, "ports[0].endPort"),
        ({"ports": [{"protocol": "ICMP"}]}, "ports[0].protocol"),
    ],
)
def test_a_network_policy_is_told_what_is_wrong_with_it(server: Server, rule, field):
    assert fields(server, POLICIES, spec={"podSelector": {}, "ingress": [rule]}) == [f"spec.ingress[0].{field}"]


def test_ranges_of_ports_and_addresses_are_fine(server: Server):
    block = {"cidr": "10.1.2.3/8", "except": ["10.1.0.0/16"]}
    rule = {"from": [{"ipBlock": block}], "ports": [{"port": 1, "endPort": 9}]}
    assert fields(server, POLICIES, spec={"podSelector": {}, "ingress": [rule], "policyTypes": ["Egress"]}) == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"addressType": ""}, "addressType"),
        ({"endpoints": [{"addresses": []}]}, "endpoints[0].addresses"),
        ({"endpoints": [{"addresses": ["x"]}]}, "endpoints[0].addresses[0]"),
        ({"endpoints": [{"addresses": ["169.254.0.1"]}]}, "endpoints[0].addresses[0]"),
        ({"endpoints": [{"addresses": ["2001:db8::1"]}]}, "endpoints[0].addresses"),
        ({"endpoints": [{"addresses": ["10.0.0.1"] * 101}]}, "endpoints[0].addresses"),
        ({"ports": [{"name": "a"}, {"name": "a"}]}, "ports[1].name"),
    ],
)
def test_a_slice_is_told_what_is_wrong_with_it(server: Server, more, field):
    body = {"addressType": "IPv4", "endpoints": [], "ports": [], **more}
    assert fields(server, SLICES, **body) == [field]


@pytest.mark.parametrize(
    ("subset", "field"),
    [
        ({}, "subsets[0]"),
        ({"addresses": [{"ip": "224.0.0.1"}]}, "subsets[0].addresses[0].ip"),
        ({"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 0}]}, "subsets[0].ports[0].port"),
    ],
)
def test_endpoints_are_told_what_is_wrong_with_them(server: Server, subset, field):
    assert fields(server, ENDPOINTS, subsets=[subset]) == [field]


def test_pods_that_are_processes_of_this_machine_may_be_endpoints(server: Server):
    assert fields(server, SLICES, addressType="IPv4", endpoints=[{"addresses": ["127.9.0.2"]}], ports=[]) == []


def test_whoever_asks_for_endpoints_is_told_what_has_taken_their_place(server: Server):
    assert "use discovery.k8s.io/v1 EndpointSlice" in server.send("GET", ENDPOINTS).headers["Warning"]


def test_where_a_claim_is_filled_from_is_said_in_both_ways(server: Server):
    assert server.created(CLAIMS, claim(dataSource=VOLUME))["spec"]["dataSourceRef"]["name"] == "b"
    answer = server.post(CLAIMS, claim(dataSource=VOLUME, dataSourceRef={**VOLUME, "name": "c"}))
    assert "must match dataSourceRef" in answer.message
    unknown = {**claim(dataSource={"kind": "A", "name": "a", "apiGroup": "example.org"}), "metadata": {"name": "c"}}
    assert "dataSource" not in server.post(CLAIMS, unknown, dryRun="All").body["spec"]
