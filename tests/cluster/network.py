"""A network on a cluster, seen with kubectl alone, as its owner would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

_POLL_SECONDS = 0.3
SECONDS = 150.0  # of one step: the machine may be busy, and an image may have to be unpacked
T = TypeVar("T")

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
VERSION = "bitcoincontroller.christianb93.github.com/v1"
SECRET = "bitcoin-default-secret"  # the one that the shipped role may read


def wait_for(probe: Callable[[], T]) -> T:
    """Until it returns something true."""
    return eventually(probe, SECONDS, every=_POLL_SECONDS)


@dataclass(frozen=True)
class Pod:
    """What of a node's pod tells whether it is the same one."""

    uid: str
    ip: str
    restarts: int


@dataclass(frozen=True)
class Network:
    """One BitcoinNetwork in the namespace of `kubectl`."""

    kubectl: Kubectl
    name: str = "net"

    def create(self, nodes: int, **spec: Any) -> None:
        """Do not wait for anything."""
        body = {"apiVersion": VERSION, "kind": "BitcoinNetwork", "metadata": {"name": self.name}}
        self.kubectl("apply", "-f", "-", stdin=json.dumps({**body, "spec": {"nodes": nodes, **spec}}))

    def patch(self, **spec: Any) -> None:
        self.kubectl("patch", "bitcoinnetwork", self.name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def scale(self, nodes: int) -> None:
        self.kubectl("scale", f"bitcoinnetwork/{self.name}", f"--replicas={nodes}")

    def status(self) -> dict[str, Any]:
        body = self.kubectl.json("get", "bitcoinnetwork", self.name)
        return {"generation": body["metadata"]["generation"], **body.get("status", {})}

    def condition(self, kind: str) -> dict[str, str]:
        """With `status` and `reason`, both "" if there is none of that type."""
        found = [each for each in self.status().get("conditions", ()) if each["type"] == kind]
        return found[0] if found else {"status": "", "reason": ""}

    def is_ready(self, nodes: int) -> bool:
        """What the status says is about the present spec, and all is well."""
        status = self.status()
        ready = [each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"]
        is_current = status.get("observedGeneration") == status["generation"]
        return is_current and ready == ["True"] and status.get("readyNodes") == nodes

    def wait_until_ready(self, nodes: int) -> None:
        """And every node knows the others, and nobody else."""
        wait_for(lambda: self.is_ready(nodes) and self.is_meshed(nodes))

    def pod(self, node: int) -> str:
        return f"{self.name}-sts-{node}"

    def pods(self) -> dict[str, Pod]:
        """By name, those that are not on their way out."""
        found = self.kubectl.json("get", "pods")["items"]
        return {each["metadata"]["name"]: pod_of(each) for each in found if is_of(each, f"{self.name}-sts-")}

    def cli(self, node: int, *words: str) -> str:
        """bitcoin-cli in the pod."""
        return self.kubectl("exec", self.pod(node), "-c", "bitcoind", "--", "bitcoin-cli", "-regtest", *words)

    def mine(self, blocks: int, node: int = 0) -> None:
        self.cli(node, "generatetoaddress", str(blocks), ADDRESS)

    def wait_for_height(self, height: int, nodes: int) -> None:
        wait_for(lambda: [int(self.cli(each, "getblockcount")) for each in range(nodes)] == [height] * nodes)

    def is_meshed(self, nodes: int) -> bool:
        """Every node has the others' addresses in its list, all connected, and no other."""
        addresses = {pod.ip for pod in self.pods().values()}
        if len(addresses) != nodes or "" in addresses:
            return False
        added = [json.loads(self.cli(each, "getaddednodeinfo")) for each in range(nodes)]
        mine = [self.pods()[self.pod(each)].ip for each in range(nodes)]
        return all(
            {each["addednode"] for each in of_one if each["connected"]} == addresses - {own}
            and len(of_one) == nodes - 1
            for of_one, own in zip(added, mine, strict=True)
        )


def pod_of(body: dict[str, Any]) -> Pod:
    status = body.get("status", {})
    restarts = sum(each["restartCount"] for each in status.get("containerStatuses", ()))
    return Pod(body["metadata"]["uid"], status.get("podIP", ""), restarts)


def is_of(body: dict[str, Any], prefix: str) -> bool:
    return body["metadata"]["name"].startswith(prefix) and "deletionTimestamp" not in body["metadata"]
