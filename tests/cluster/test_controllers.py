"""What happens to the controllers and to the machine: each of these scenes disturbs all networks of a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.machine import Machine
from tests.cluster.network import Network, wait_for
from tests.integration.kubectl import Kubectl

pytestmark = [pytest.mark.timeout(1200), pytest.mark.alone]

Make = Callable[..., Network]
FEW = os.environ.get("BTCCTL_TEST_FEW_ADDRESSES", "")
_ROUNDS = 12  # of three addresses each, out of fifteen
SYSTEM = ("-n", "bitcoin-controller")
DEPLOYMENT = "deployment/bitcoin-controller"


def holder(kubectl: Kubectl) -> str:
    """The pod that holds the Lease, or ""."""
    identity = kubectl.json(*SYSTEM, "get", "lease", "bitcoin-controller")["spec"].get("holderIdentity") or ""
    return next((pod for pod in controllers(kubectl) if pod in identity), "")


def controllers(kubectl: Kubectl) -> list[str]:
    return [row[0] for row in kubectl.rows("pods", *SYSTEM, "-l", "app=bitcoin-controller")]


def wait_for_controllers(kubectl: Kubectl) -> None:
    kubectl(*SYSTEM, "rollout", "status", DEPLOYMENT, "--timeout=280s")


def evict(kubectl: Kubectl, pod: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": SYSTEM[1]}}
    path = f"/api/v1/namespaces/{SYSTEM[1]}/pods/{pod}/eviction"
    kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def test_another_leads_once_the_leader_is_evicted(network: Make, kubectl: Kubectl):
    net = network(2)
    leader = wait_for(lambda: holder(kubectl))
    evict(kubectl, leader)
    wait_for(lambda: holder(kubectl) not in {"", leader})
    net.scale(3)
    net.wait_until_ready(3)
    wait_for_controllers(kubectl)


def test_another_leads_once_the_leader_is_gone_without_a_word(network: Make, kubectl: Kubectl, machine: Machine):
    net = network(2)
    leader = wait_for(lambda: holder(kubectl))
    machine.kill_container(SYSTEM[1], leader)
    net.scale(1)
    net.wait_until_ready(1)
    wait_for_controllers(kubectl)


def test_an_api_server_that_stood_still_costs_the_lease_and_nothing_else(
    network: Make, kubectl: Kubectl, machine: Machine
):
    net = network(2)
    net.mine(5)
    before = {pod.uid for pod in net.pods().values()}
    leader = wait_for(lambda: holder(kubectl))
    with machine.frozen("kube-apiserver"):
        wait_for(lambda: ended_with_1(machine, leader))
    wait_for(lambda: holder(kubectl))
    assert {pod.uid for pod in net.pods().values()} == before
    net.scale(3)
    net.wait_until_ready(3)
    net.wait_for_height(5, 3)
    wait_for_controllers(kubectl)


def ended_with_1(machine: Machine, leader: str) -> bool:
    """By containerd, since the API server is not to be asked."""
    wanted = f'labels."io.kubernetes.pod.name"=={leader},labels."io.cri-containerd.kind"==container'
    ids = machine.run("ctr", "-n", "k8s.io", "containers", "ls", "-q", wanted).split()
    return len(ids) > 1


def test_nodes_of_a_machine_whose_kubelet_stands_still_count_as_not_ready_until_it_goes_on(
    network: Make, machine: Machine
):
    net = network(2)
    before = {pod.uid for pod in net.pods().values()}
    with machine.frozen("kubelet"):
        wait_for(lambda: net.status()["readyNodes"] == 0)
        assert net.condition("Ready")["status"] == "False"
    net.wait_until_ready(2)
    assert {pod.uid for pod in net.pods().values()} == before


def test_a_drain_takes_one_node_and_waits_and_all_come_back(network: Make, kubectl: Kubectl):
    net = network(3)
    net.mine(6)
    before = {pod.uid for pod in net.pods().values()}
    machine_name = kubectl.rows("nodes")[0][0]
    drain = ("drain", machine_name, "--ignore-daemonsets", "--delete-emptydir-data", "--pod-selector")
    mine = "bitcoincontroller.christianb93.github.com/network=net"
    try:
        done = kubectl.run(*drain, mine, "--timeout=8s")
        assert "disruption budget" in done.stderr
        assert len(before & {pod.uid for pod in net.pods().values()}) == 2
        wait_for(lambda: len([each for each in net.status()["nodes"] if each["ready"]]) == 2)
    finally:
        kubectl("uncordon", machine_name)
    net.wait_until_ready(3)
    net.wait_for_height(6, 3)


@pytest.mark.skipif(not FEW, reason="BTCCTL_TEST_FEW_ADDRESSES: pods' addresses do not come again soon")
def test_an_address_that_another_node_had_a_moment_ago_leads_to_nobody_else(network: Make, kubectl: Kubectl):
    net = network(3, storage={"size": "1Gi", "whenDeleted": "Delete"})
    net.mine(5)
    owners: dict[str, set[str]] = {}
    for _ in range(_ROUNDS):
        before = net.pods()
        for name, pod in before.items():
            owners.setdefault(pod.ip, set()).add(name)
        if any(len(names) > 1 for names in owners.values()):
            break
        kubectl("delete", "pods", "--all", "--wait=false")
        uids = {pod.uid for pod in before.values()}
        wait_for(lambda uids=uids: uids.isdisjoint(pod.uid for pod in net.pods().values()))
        net.wait_until_ready(3)
    assert any(len(names) > 1 for names in owners.values()), owners
    net.wait_for_height(5, 3)


def test_an_operator_outside_of_the_cluster_reaches_nodes_through_the_api_server(
    network: Make, kubectl: Kubectl, tmp_path: Path
):
    net = network(2)
    kubectl(*SYSTEM, "scale", DEPLOYMENT, "--replicas=0")
    wait_for(lambda: not controllers(kubectl))
    try:
        with operator(kubectl.kubeconfig, tmp_path / "log"):
            net.scale(3)
            net.wait_until_ready(3)
            net.mine(2)
            wait_for(lambda: net.status().get("height") == 2)
    finally:
        kubectl(*SYSTEM, "scale", DEPLOYMENT, "--replicas=2")
        wait_for_controllers(kubectl)


@contextmanager
def operator(kubeconfig: Path, log: Path) -> Iterator[None]:
    """`btcctl run` as a person would start it beside a cluster."""
    image = f"--node-image={os.environ.get('BTCCTL_TEST_NODE_IMAGE', 'btcctl-bitcoind:0.1.0')}"
    command = [sys.executable, "-m", "btcctl", "run", "--kubeconfig", str(kubeconfig), image, "--rpc-via=port-forward"]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield
        finally:
            process.terminate()
            code = process.wait(60)
    assert code == 0, log.read_text()
