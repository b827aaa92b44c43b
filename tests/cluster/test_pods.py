"""Pods that end, in each way that only a kubelet knows: the network comes back, and nobody calls the dead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.machine import Machine
from tests.cluster.network import Network, wait_for
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.timeout(1200)

Make = Callable[..., Network]


def test_a_deleted_pod_comes_back_with_the_chain_and_its_old_address_is_forgotten(network: Make, kubectl: Kubectl):
    net = network(3)
    net.mine(5)
    before = net.pods()["net-sts-1"]
    kubectl("delete", "pod", "net-sts-1", "--wait=false")
    wait_for(lambda: net.pods().get("net-sts-1", before).uid != before.uid)
    net.wait_until_ready(3)
    net.wait_for_height(5, 3)


def test_a_network_grows_and_shrinks(network: Make):
    net = network(2)
    net.mine(3)
    for nodes in (4, 1, 3):
        net.scale(nodes)
        net.wait_until_ready(nodes)
    net.wait_for_height(3, 3)


def test_a_killed_container_is_restarted_in_its_pod_and_keeps_the_chain(
    network: Make, machine: Machine, namespace: str
):
    net = network(3)
    net.mine(5)
    before = net.pods()["net-sts-1"]
    machine.kill_container(namespace, "net-sts-1")
    wait_for(lambda: net.pods()["net-sts-1"].restarts == 1)
    net.wait_until_ready(3)
    assert net.pods()["net-sts-1"].uid == before.uid
    net.wait_for_height(5, 3)


def test_a_killed_sandbox_gives_the_same_pod_another_address(network: Make, machine: Machine, namespace: str):
    net = network(3)
    net.mine(5)
    before = net.pods()["net-sts-2"]
    machine.kill_sandbox(namespace, "net-sts-2")
    wait_for(lambda: net.pods()["net-sts-2"].ip not in {before.ip, ""})
    net.wait_until_ready(3)
    assert net.pods()["net-sts-2"].uid == before.uid
    net.wait_for_height(5, 3)


def test_addresses_may_be_swapped_among_pods_that_all_come_back_at_once(network: Make, kubectl: Kubectl):
    net = network(3, storage={"size": "1Gi"})
    net.mine(4)
    before = {pod.uid for pod in net.pods().values()}
    kubectl("delete", "pods", "--all", "--wait=false")
    wait_for(lambda: before.isdisjoint(pod.uid for pod in net.pods().values()))
    net.wait_until_ready(3)
    net.wait_for_height(4, 3)
    assert net.condition("ChainIntact")["status"] == "True"


def test_what_crashes_again_and_again_is_said_with_its_last_words_and_can_be_mended(network: Make):
    net = network(1)
    net.patch(config=["maxmempool=1"])

    def is_said() -> bool:  # in one look: it is started again and again
        node = net.status()["nodes"][0]
        return node["reason"] == "CrashLoopBackOff" and "maxmempool" in node["message"]

    wait_for(is_said)
    net.patch(config=None)
    net.wait_until_ready(1)


def test_an_image_that_does_not_exist_is_said_and_costs_no_block(network: Make):
    net = network(3)
    net.mine(6)
    net.patch(image="btcctl-bitcoind:no-such-tag", imagePullPolicy="Never")
    wait_for(lambda: any(each.get("reason") for each in net.status()["nodes"]))
    assert sum(each["ready"] for each in net.status()["nodes"]) >= 1
    net.patch(image=None, imagePullPolicy=None)
    net.wait_until_ready(3)
    net.wait_for_height(6, 3)


def test_a_deleted_namespace_takes_its_networks_along(network: Make, kubectl: Kubectl, namespace: str):
    network(2)
    kubectl("delete", "namespace", namespace, "--wait=false")
    wait_for(lambda: not kubectl("get", "namespace", namespace, "--ignore-not-found").strip())
    assert kubectl("get", "events", "-A", "-o", "name", "--field-selector", "reason=NamespaceContentRemaining") == ""
