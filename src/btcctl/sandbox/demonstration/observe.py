"""What a network looks like right now, asked of the API server and of every node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from btcctl.bitcoin.rpc_errors import RpcFailure
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient


class NodeRpc(Protocol):
    """What is needed of a node's RPC client."""

    def call(self, method: str, *params: object) -> Any:
        """Call a method and return its result."""


RpcFor = Callable[[str], NodeRpc]  #: address → client


@dataclass(frozen=True, slots=True)
class NodeView:
    """One pod, and what its node answers."""

    ordinal: int
    uid: str
    address: str
    ready: bool
    height: int = -1  #: -1 while the node does not answer
    best: str = ""
    listed: frozenset[str] = frozenset()  #: addresses in getaddednodeinfo
    outbound: Mapping[str, int] | None = None  #: address → peer's protocol version, 0 before the handshake
    connections: int = 0

    @property
    def name(self) -> str:
        return f"node-{self.ordinal}"

    @property
    def answers(self) -> bool:
        return self.height >= 0

    def shaken(self) -> frozenset[str]:
        """Addresses this node dialled and whose handshake is done."""
        return frozenset(address for address, version in (self.outbound or {}).items() if version > 0)

    def summary(self) -> str:
        """`node-1 height 101 best 7f3a… peers 2`."""
        if not self.answers:
            return f"{self.name} {'ready but silent' if self.ready else 'not ready'} at {self.address or 'no address'}"
        return f"{self.name} height {self.height} best {self.best[-8:]} peers {len(self.shaken())}"


class Observer:
    """Looks at one network from outside, without the operator's help.

    Args:
        client: The cluster.
        key: The network.
        rpc_for: Makes an RPC client for an address.
    """

    def __init__(self, client: ApiClient, key: ObjectKey, rpc_for: RpcFor) -> None:
        self._pods = client.resource(PODS, key.namespace)
        self._prefix = f"{key.name}-sts-"
        self.rpc_for = rpc_for

    def nodes(self) -> list[NodeView]:
        """Every pod of the network that is not on its way out, by ordinal."""
        pods, _ = self._pods.list()
        mine = [pod for pod in pods if pod.name.startswith(self._prefix) and pod.deletion_timestamp is None]
        return sorted((self._view(pod) for pod in mine), key=lambda node: node.ordinal)

    def node(self, ordinal: int) -> NodeView | None:
        """One of them, or None."""
        return next((node for node in self.nodes() if node.ordinal == ordinal), None)

    def pod_key(self, ordinal: int) -> ObjectKey:
        return ObjectKey(self._pods.namespace, f"{self._prefix}{ordinal}")

    def _view(self, pod: Object) -> NodeView:
        status = pod.body().get("status") or {}
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or [])
        address = status.get("podIP") or ""
        seen = self._ask(address) if ready and address else {}
        return NodeView(int(pod.name.removeprefix(self._prefix)), pod.uid, address, ready, **seen)

    def _ask(self, address: str) -> dict[str, Any]:
        rpc = self.rpc_for(address)
        try:
            chain = rpc.call("getblockchaininfo")
            added = rpc.call("getaddednodeinfo")
            peers = rpc.call("getpeerinfo")
        except RpcFailure:
            return {}
        return {
            "height": chain["blocks"],
            "best": chain["bestblockhash"],
            "listed": frozenset(entry["addednode"] for entry in added),
            "outbound": {peer["addr"]: peer["version"] for peer in peers if not peer["inbound"]},
            "connections": len(peers),
        }
