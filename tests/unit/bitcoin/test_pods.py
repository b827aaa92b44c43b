from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.children import build_stateful_set
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.pods import NodePod, Pod, members, node_statuses, read_pods
from btcctl.bitcoin.topology import Member
from btcctl.objects import Object
from btcctl.typed.values import decoded
from tests.unit.bitcoin.builders import network, pod_body

NETWORK = network(nodes=2)
STATEFUL_SET = build_stateful_set(NETWORK, ChildOptions("image"))
STATEFUL_SET["metadata"]["uid"] = "sts-uid"


def read(*bodies: dict[str, Any]) -> list[NodePod]:
    return read_pods(NETWORK, [decoded(Object.from_body(body), Pod) for body in bodies], "sts-uid")


def test_a_ready_pod_is_a_ready_member() -> None:
    pods = read(pod_body(STATEFUL_SET, 1, "10.0.0.2", ready=True), pod_body(STATEFUL_SET, 0, "10.0.0.1"))
    assert members(pods) == [Member(0, "10.0.0.1", ready=False), Member(1, "10.0.0.2", ready=True)]


def test_a_node_is_called_at_the_port_that_its_own_pod_was_made_with() -> None:
    body = pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True)
    ports = [{"name": "p2p", "containerPort": 18444}, {"name": "rpc", "containerPort": 18332}]
    body["spec"]["containers"] = [
        {"name": "proxy", "ports": [{"name": "rpc", "containerPort": 1}]},
        {"name": "bitcoind"},
    ]
    body["spec"]["containers"][1]["ports"] = ports
    assert [each.rpc_port for each in members(read(body))] == [18332]


def test_a_pod_of_another_stateful_set_of_that_name_is_not_ours() -> None:
    body = pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True)
    body["metadata"]["ownerReferences"][0]["uid"] = "another"
    assert read(body) == []


def test_a_pod_without_owner_or_ordinal_is_not_ours() -> None:
    orphan = pod_body(STATEFUL_SET, 0)
    del orphan["metadata"]["ownerReferences"]
    odd = pod_body(STATEFUL_SET, 0)
    odd["metadata"]["name"] = "net-sts-x"
    assert read(orphan, odd) == []


def test_a_terminating_pod_is_shown_but_is_neither_ready_nor_a_member() -> None:
    body = pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True)
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    pods = read(body)
    assert members(pods) == []
    assert (pods[0].ready, pods[0].address) == (False, "10.0.0.1")


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_no_member_whatever_address_it_had(phase: str) -> None:
    body = pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True)
    body["status"]["phase"] = phase
    (pod,) = read(body)
    assert (members([pod]), pod.ready, pod.address) == ([], False, "")


@pytest.mark.parametrize("address", ["", "nonsense", "10.0.0.1; rm"])
def test_a_pod_without_a_proper_address_is_not_ready(address: str) -> None:
    body = pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True)
    body["status"]["podIP"] = address
    assert members(read(body)) == []


def test_the_status_lists_missing_nodes_and_those_that_are_still_there_beyond() -> None:
    pods = read(pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True), pod_body(STATEFUL_SET, 4, "10.0.0.5"))
    statuses = node_statuses(NETWORK, pods)
    assert [(each.ordinal, each.ready, each.ip) for each in statuses] == [
        (0, True, "10.0.0.1"),
        (1, False, ""),
        (4, False, "10.0.0.5"),
    ]


def test_the_dns_name_resolves_in_every_namespace() -> None:
    assert node_statuses(NETWORK, [])[0].dns_name == "net-sts-0.net-svc.default.svc"


def test_a_pod_with_addresses_of_both_families_is_called_by_the_first_and_known_by_both() -> None:
    body = pod_body(STATEFUL_SET, 0, "10.0.0.1", ready=True)
    body["status"]["podIPs"] = [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}, {"ip": "nonsense"}, {}]
    assert members(read(body)) == [Member(0, "10.0.0.1", ready=True, others=("fd00::1",))]
