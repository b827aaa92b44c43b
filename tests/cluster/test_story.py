"""The seeds' files, applied unchanged: a network comes up, mines, loses a pod, grows, and goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.network import wait_for
from tests.integration.kubectl import Kubectl

SEEDS = Path(__file__).parents[1] / "integration/data/seeds"
NETWORK = "bitcoinnetwork/my-network"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.mark.timeout(1200)
def test_the_story_of_a_network(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", str(SEEDS / "secret.yaml"), "-f", str(SEEDS / "testNetwork.yaml"))
    wait_for(lambda: is_ready(kubectl, 3))

    cli(kubectl, 0, "generatetoaddress", "101", ADDRESS)
    wait_for(lambda: [height(kubectl, node) for node in range(3)] == [101] * 3)

    kubectl("delete", "pod", "my-network-sts-1", "--wait=false")
    wait_for(lambda: is_ready(kubectl, 3) and height(kubectl, 1) == 101)

    kubectl("scale", NETWORK, "--replicas=4")
    wait_for(lambda: is_ready(kubectl, 4))
    assert len(cli(kubectl, 3, "getaddednodeinfo").split("addednode")) >= 4

    kubectl("delete", NETWORK)
    wait_for(lambda: not kubectl("get", "statefulsets,services,pods", "-o", "name").strip())


def is_ready(kubectl: Kubectl, nodes: int) -> bool:
    status = kubectl.json("get", NETWORK).get("status", {})
    ready = [each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"]
    return ready == ["True"] and status.get("readyNodes") == nodes


def cli(kubectl: Kubectl, node: int, *words: str) -> str:
    """As the seeds call it, in the pod."""
    program = ("/usr/local/bin/bitcoin-cli", "-regtest", "-conf=/bitcoin.conf")
    return kubectl("exec", f"my-network-sts-{node}", "--", *program, *words)


def height(kubectl: Kubectl, node: int) -> int:
    done = kubectl.run("exec", f"my-network-sts-{node}", "--", "bitcoin-cli", "-regtest", "getblockcount")
    return int(done.stdout) if done.returncode == 0 else -1
