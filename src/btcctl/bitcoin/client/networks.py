"""Finds networks by name, and makes RPC clients of their nodes.

Rules:
* nothing is remembered of a network from call to call but the addresses of its pods, which port-forwards go by;
* what the controller would set back is written as desired state, into `spec`; nodes are called for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.credentials import read_credentials
from btcctl.bitcoin.pods import ordinal_of
from btcctl.bitcoin.reach import FORWARDED_CONNECT_SECONDS, Forward, Reach, Via, addresses_of
from btcctl.bitcoin.rpc import DEFAULT_PORT, Credentials, RpcClient, RpcConnections
from btcctl.bitcoin.types import BITCOIN_NETWORKS, BitcoinNetwork
from btcctl.errors import BtcctlError, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import EVENTS, PODS, SECRETS
from btcctl.rest.client import ApiClient

#: Mining a hundred blocks takes 0.1 s, a hundred thousand minutes.
READ_SECONDS = 60.0


class NetworkUnknown(BtcctlError):
    """There is no such network, or not such a node in it; says which there are."""


class _Port(msgspec.Struct, gc=False, rename="camel"):
    container_port: int
    name: str = ""


class _Container(msgspec.Struct, gc=False):
    ports: list[_Port] | None = None


class _Condition(msgspec.Struct, gc=False):
    type: str
    status: str = ""


class _ContainerStatus(msgspec.Struct, gc=False, rename="camel"):
    restart_count: int = 0


class _PodSpec(msgspec.Struct, gc=False):
    containers: list[_Container] = []


class _PodStatus(msgspec.Struct, gc=False, rename="camel"):
    phase: str = ""
    conditions: list[_Condition] | None = None
    container_statuses: list[_ContainerStatus] | None = None


class _Pod(msgspec.Struct, gc=False):
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


@dataclass(frozen=True, slots=True)
class Node:
    """A pod of a network.

    Attributes:
        address: "" while it has none, and once it has ended.
        rpc: None while it has no address, and of one that is not to be called.
        restarts: Of its containers, all together.
        others: Its addresses beside, of the other IP family.
    """

    ordinal: int
    pod: ObjectKey
    address: str
    is_ready: bool
    rpc: RpcClient | None
    restarts: int = 0
    others: tuple[str, ...] = ()

    def client(self) -> RpcClient:
        """Its RPC.

        Raises:
            NetworkUnknown: It has no address yet.
        """
        if self.rpc is None:
            raise NetworkUnknown(f"node {self.ordinal} does not run yet: its pod {self.pod} has no address")
        return self.rpc


class Networks:
    """The networks of one cluster. A context manager: closes its connections to nodes.

    Args:
        client: The cluster; it stays the caller's.
        via: How nodes are reached.
        forward: Connects to pods through the API server; None where that is never needed.
    """

    def __init__(self, client: ApiClient, via: Via = "direct", forward: Forward | None = None) -> None:
        self._client = client
        self._pods: dict[str, ObjectKey] = {}
        dial = None if forward is None else Reach(via, forward, self._pods.get).dial
        self._connections = RpcConnections(
            read_seconds=READ_SECONDS, connect_seconds=FORWARDED_CONNECT_SECONDS, dial=dial
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._connections.close()

    def all(self, namespace: str = "") -> list[Object]:
        """Every network of a namespace, or with "" of all, by name."""
        found, _ = self._client.resource(BITCOIN_NETWORKS, namespace).list()
        return sorted(found, key=lambda each: each.key)

    def object(self, key: ObjectKey) -> Object:
        """One network as the API server has it.

        Raises:
            NetworkUnknown: There is none of that name.
        """
        try:
            return self._client.resource(BITCOIN_NETWORKS, key.namespace).get(key)
        except NotFound as error:
            names = ", ".join(each.name for each in self.all(key.namespace)) or "none at all"
            raise NetworkUnknown(
                f"there is no network {key.name} in namespace {key.namespace}; there is: {names}"
            ) from error

    def get(self, key: ObjectKey) -> BitcoinNetwork:
        """One network, decoded. Raises as `object` does."""
        return BitcoinNetwork.from_object(self.object(key))

    def patch_spec(self, key: ObjectKey, spec: Mapping[str, Any]) -> Object:
        """Change what is asked for; None takes a field out."""
        self.object(key)  # for its words, if there is none
        return self._client.resource(BITCOIN_NETWORKS, key.namespace).patch(key, {"spec": dict(spec)})

    def nodes(self, network: BitcoinNetwork, *, to_call: bool = True) -> list[Node]:
        """Its pods that are not on their way out, by ordinal.

        Args:
            to_call: Whether they are to have an RPC, which takes the network's Secret.

        Raises:
            CredentialsProblem: The nodes cannot be called.
        """
        get_secret = self._client.resource(SECRETS).get
        credentials = read_credentials(network, get_secret).credentials if to_call else None
        pods = [pod for pod in self._pods_of(network) if pod.deletion_timestamp is None]
        found = {ordinal: pod for pod in pods if (ordinal := ordinal_of(pod.name, network.name)) is not None}
        return [self._node(ordinal, pod, credentials) for ordinal, pod in sorted(found.items())]

    def node(self, network: BitcoinNetwork, ordinal: int, *, to_call: bool = True) -> Node:
        """One of them; see `nodes`.

        Raises:
            NetworkUnknown: It has no such node.
        """
        nodes = self.nodes(network, to_call=to_call)
        found = next((node for node in nodes if node.ordinal == ordinal), None)
        if found is None:
            there = ", ".join(str(node.ordinal) for node in nodes) or "none"
            raise NetworkUnknown(f"network {network.name} has no node {ordinal}; there is: {there}")
        return found

    def events(self, network: BitcoinNetwork) -> list[dict[str, Any]]:
        """What happened to it, the latest last, as bodies of core/v1 Events."""
        about = f"involvedObject.name={network.name},involvedObject.kind={BITCOIN_NETWORKS.kind}"
        found, _ = self._client.resource(EVENTS, network.namespace).list(field_selector=about)
        bodies = [each.body() for each in found]
        mine = [each for each in bodies if each["involvedObject"].get("uid") == network.metadata.uid]
        return sorted(mine, key=event_time)

    def log(self, node: Node, *, follow: bool = False, tail_lines: int | None = None) -> Any:
        """The lines that a node has printed: a context manager and an iterator, see `Resource.logs`."""
        return self._client.resource(PODS).logs(node.pod, follow=follow, tail_lines=tail_lines)

    def _pods_of(self, network: BitcoinNetwork) -> Iterable[Object]:
        selector = f"{NETWORK_LABEL}={network.name}"
        found, _ = self._client.resource(PODS, network.namespace).list(label_selector=selector)
        return found

    def _node(self, ordinal: int, pod: Object, credentials: Credentials | None) -> Node:
        seen, (address, *others) = pod.decode(_Pod), addresses_of(pod) or [""]
        if address:
            self._pods[address] = pod.key
        conditions = seen.status.conditions or []
        rpc = self._connections.client(address, credentials, _rpc_port(seen)) if address and credentials else None
        is_ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
        restarts = sum(each.restart_count for each in seen.status.container_statuses or [])
        return Node(ordinal, pod.key, address, is_ready, rpc, restarts, tuple(others))


def event_time(event: Mapping[str, Any]) -> str:
    """When it happened last, as RFC 3339; "" if it does not say."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(each) for each in times if each), "")


def _rpc_port(pod: _Pod) -> int:
    ports = [port for container in pod.spec.containers for port in container.ports or []]
    return next((port.container_port for port in ports if port.name == "rpc"), DEFAULT_PORT)
