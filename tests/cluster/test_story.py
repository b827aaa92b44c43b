"""The seeds' files, applied unchanged: a network comes up, mines, loses a pod, grows, and goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

SEEDS = Path(__file__).parents[1] / "integration/data/seeds"
NETWORK = "bitcoinnetwork/my-network"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
SECONDS = 240.0  # images may have to be unpacked


@pytest.mark.timeout(900)
def test_the_story_of_a_network(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", str(SEEDS / "secret.yaml"), "-f", str(SEEDS / "testNetwork.yaml"))
    eventually(lambda: is_ready(kubectl, 3), SECONDS)

    cli(kubectl, 0, "generatetoaddress", "101", ADDRESS)
    eventually(lambda: [height(kubectl, node) for node in range(3)] == [101] * 3, SECONDS)

    kubectl("delete", "pod", "my-network-sts-1", "--wait=false")
    eventually(lambda: is_ready(kubectl, 3) and height(kubectl, 1) == 101, SECONDS)

    kubectl("scale", NETWORK, "--replicas=4")
    eventually(lambda: is_ready(kubectl, 4), SECONDS)
    assert len(cli(kubectl, 3, "getaddednodeinfo").split("addednode")) >= 4

    kubectl("delete", NETWORK)
    eventually(lambda: not kubectl("get", "statefulsets,services,pods", "-o", "name").strip(), SECONDS)


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
