"""Ways to the nodes: by name, by kubectl, through the API server, and none at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from tests.cluster.machine import Machine
from tests.cluster.network import SECONDS, Network, wait_for
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.timeout(1200)

Make = Callable[..., Network]
RPC_PORT = 18443


def test_names_of_nodes_and_of_their_service_resolve_in_pods(network: Make, kubectl: Kubectl, namespace: str):
    net = network(2)
    addresses = {name: pod.ip for name, pod in net.pods().items()}

    def asked(name: str) -> set[str]:
        done = kubectl.run("exec", "net-sts-0", "--", "getent", "ahosts", f"{name}.{namespace}.svc.cluster.local")
        return {line.split()[0] for line in done.stdout.splitlines()}

    wait_for(lambda: asked("net-sts-1.net-svc") == {addresses["net-sts-1"]})
    wait_for(lambda: asked("net-svc") == set(addresses.values()))


def test_kubectl_reads_logs_and_forwards_ports(network: Make, kubectl: Kubectl, secret: str):
    network(1, secret=secret)
    assert "init message: Done loading" in kubectl("logs", "net-sts-0", "-c", "bitcoind")
    with kubectl.started("port-forward", "pod/net-sts-0", f":{RPC_PORT}") as forwarding:
        assert forwarding.stdout
        port = re.search(r":(\d+) ->", forwarding.stdout.readline())
        assert port
        with urllib3.PoolManager(headers=urllib3.make_headers(basic_auth="ada:first-password")) as pool:
            call = {"method": "getblockcount", "params": [], "id": 1}
            answer = pool.request("POST", f"http://127.0.0.1:{port[1]}/", json=call, timeout=SECONDS)
    assert json.loads(answer.data)["result"] == 0


def test_btcctl_mines_from_outside_of_the_cluster(network: Make, kubectl: Kubectl):
    net = network(2)
    btcctl(kubectl.kubeconfig, "mine", "net", "3", "--rpc-via", "port-forward")
    net.wait_for_height(3, 2)
    wait_for(lambda: net.status().get("height") == 3)


def test_a_node_whose_packets_vanish_is_said_and_found_again(network: Make, machine: Machine):
    net = network(3)
    with machine.black_hole(net.pods()["net-sts-1"].ip, RPC_PORT):
        wait_for(lambda: net.condition("MeshReady")["reason"] == "NodesUnreachable")
        assert net.condition("Ready")["status"] == "False"
    net.wait_until_ready(3)


def btcctl(kubeconfig: Path, *words: str) -> str:
    command = [sys.executable, "-m", "btcctl", *words, "--kubeconfig", str(kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
