"""Which pods are taken for the nodes of a network, and where they are called."""

from __future__ import annotations

from typing import Any

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.client.networks import Networks, Node
from btcctl.bitcoin.crd import load_crd
from btcctl.objects import ObjectKey
from btcctl.testing import FakeClient
from tests.unit.bitcoin.builders import network_body, pod_body

KEY = ObjectKey("default", "net")
SET = {
    "metadata": {"name": "net-sts", "namespace": "default", "uid": "sts"},
    "spec": {"template": {"metadata": {"labels": {NETWORK_LABEL: "net"}}}},
}


def pod(ordinal: int, ip: str, name: str = "", **status: Any) -> dict[str, Any]:
    body = pod_body(SET, ordinal, ip, ready=True)
    del body["metadata"]["ownerReferences"]  # its owner is not here, and it would go with it
    body["metadata"]["name"] = name or body["metadata"]["name"]
    body["status"] |= status
    return body


def nodes(*pods: dict[str, Any]) -> list[Node]:
    with Networks(FakeClient(load_crd(), network_body("net", 3), *pods)) as networks:
        return networks.nodes(networks.get(KEY))


def test_a_pod_that_has_the_label_and_another_name_is_none_of_the_nodes() -> None:
    strangers = (pod(0, "10.9.9.9", name) for name in ("x-0", "net-sts-01", "net-sts-0-0", "other-sts-0"))
    assert [(each.ordinal, each.address) for each in nodes(*strangers, pod(0, "10.0.0.1"))] == [(0, "10.0.0.1")]


def test_a_pod_that_was_evicted_is_not_called_at_the_address_that_it_had() -> None:
    (node,) = nodes(pod(0, "10.0.0.1", phase="Failed", reason="Evicted"))
    assert (node.address, node.rpc) == ("", None)


def test_of_two_ip_families_a_node_is_called_by_the_one_that_the_cluster_prefers() -> None:
    (node,) = nodes(pod(0, "fd00::1", podIPs=[{"ip": "fd00::1"}, {"ip": "10.0.0.1"}]))
    assert (node.address, node.others) == ("fd00::1", ("10.0.0.1",))


def test_what_nodes_print_can_be_read_without_the_networks_secret() -> None:
    body = network_body("net", 3, "a-secret-that-is-not-there")
    with Networks(FakeClient(load_crd(), body, pod(0, "10.0.0.1"))) as networks:
        node = networks.node(networks.get(KEY), 0, to_call=False)
    assert (node.pod.name, node.rpc) == ("net-sts-0", None)
