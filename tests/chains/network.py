"""A network of real processes on a sandbox cluster, without volumes, and its operator, which can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.operator import OperatorOptions, build_operator
from btcctl.bitcoin.rpc import Credentials, RpcConnections, RpcFailure
from btcctl.bitcoin.types import BITCOIN_NETWORKS, NetworkStatus, decode_status
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.controller.manager import Manager
from btcctl.errors import ApiError, BtcctlError
from btcctl.metrics import Metrics
from btcctl.objects import Object, ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import PODS, SECRETS, STATEFUL_SETS
from btcctl.sandbox.cluster.cluster import Cluster
from btcctl.sandbox.demonstration.commands import RPC_PORT, node_command
from btcctl.sandbox.demonstration.manifests import Applier

KEY = ObjectKey("default", "chain")
STATEFUL_SET = ObjectKey("default", "chain-sts")
SECRET = ObjectKey("default", "chain")
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
PORTION = 100  # blocks mined by one call
LIMIT_SECONDS = 300.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Shape:
    """How large a network is, and of which nodes."""

    nodes: int
    blocks: int
    bitcoind: Path | None = None


class Network:
    """Made by `running`."""

    def __init__(self, cluster: Cluster, shape: Shape, connections: RpcConnections) -> None:
        self.client = cluster.client()
        self.pods = self.client.resource(PODS, KEY.namespace)
        self.networks = self.client.resource(BITCOIN_NETWORKS, KEY.namespace)
        self.sets = self.client.resource(STATEFUL_SETS, KEY.namespace)
        self.shape = shape
        self.image = "nodes:1"
        self._cluster = cluster
        self._connections = connections
        self._credentials = Credentials("user", "first")
        self._operator: Manager | None = None
        self._tip = ""
        self._metrics = Metrics()

    def install(self) -> None:
        applier = Applier(self.client)
        applier.apply(load_crd())
        self._apply_secret(applier)
        # On regtest Bitcoin Core looks through its whole index after each block: the time grows with their square.
        config = ["checkblockindex=0"] if self.shape.bitcoind else []
        spec = {"nodes": self.shape.nodes, "secret": SECRET.name, "config": config}
        meta = {"name": KEY.name, "namespace": KEY.namespace}
        kind = {"apiVersion": BITCOIN_NETWORKS.api_version, "kind": BITCOIN_NETWORKS.kind}
        applier.apply({**kind, "metadata": meta, "spec": spec})

    def change_credentials(self) -> None:
        self._credentials = Credentials("user", self._credentials.password + "-and-next")
        self._apply_secret(Applier(self.client))

    def delete_secret(self) -> None:
        self.client.resource(SECRETS).delete(SECRET)

    def make_secret(self) -> None:
        """As it was."""
        self._apply_secret(Applier(self.client))

    def _apply_secret(self, applier: Applier) -> None:
        data = {"BC_RPC_USER": self._credentials.user, "BC_RPC_PASSWORD": self._credentials.password}
        meta = {"name": SECRET.name, "namespace": SECRET.namespace}
        applier.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data})

    def start_operator(self) -> None:
        options = OperatorOptions(node_image=self.image, poll_min_seconds=0.5, poll_max_seconds=2.0)
        self._metrics = Metrics()
        self._operator = build_operator(self._cluster.client(), options, metrics=self._metrics)
        self._operator.start()

    def stop_operator(self) -> None:
        if self._operator is not None:
            self._operator.stop(5.0)
        self._operator = None

    def metric(self, name: str) -> float | None:
        """Of this network, as the operator that runs counts it."""
        return self._metrics.registry.get_sample_value(name, {"network_namespace": KEY.namespace, "network": KEY.name})

    def scale(self, nodes: int) -> None:
        self.networks.patch(KEY, {"spec": {"nodes": nodes}})

    def restart_quietly(self, ordinal: int) -> None:
        """Kill the pod's processes; its kubelet starts them again at the same address."""
        self._cluster.restart_quietly(ObjectKey(KEY.namespace, self.pod_name(ordinal)))

    def mine(self) -> None:
        """The chain that must not be lost; every node has it in the end."""
        left = self.shape.blocks
        while left > 0:
            self._tip = str(self._call(0, "generatetoaddress", min(PORTION, left), ADDRESS)[-1])
            left -= PORTION
        self.wait_until(lambda: not self.losses(), "all nodes to have the chain")
        self.wait_until(lambda: self.status.height >= self.shape.blocks, "the status to say its height")

    def losses(self) -> list[str]:
        """The nodes that do not have the chain, and what they have."""
        found = []
        for ordinal in range(self.shape.nodes):
            try:
                height = int(self._call(ordinal, "getblockcount"))
                block = str(self._call(ordinal, "getblockhash", self.shape.blocks)) if height else ""
            except RpcFailure as error:
                found.append(f"node {ordinal}: {error}")
                continue
            if block != self._tip:
                found.append(f"node {ordinal} has {height} blocks")
        return found

    @property
    def status(self) -> NetworkStatus:
        return decode_status(self.networks.get(KEY))

    def is_ready(self) -> bool:
        """And the operator has seen the latest spec: what the status says of the one before tells nothing."""
        network = self.networks.get(KEY)
        status = decode_status(network)
        if status.observed_generation < network.generation:
            return False
        ready = status.condition("Ready")
        has_all = status.ready_nodes == self.shape.nodes == len(self.pods.list()[0])
        return has_all and ready is not None and ready.is_true

    def is_intact(self) -> bool:
        intact = self.status.condition("ChainIntact")
        return intact is not None and intact.is_true

    def uids(self) -> set[str]:
        return {pod.uid for pod in self.pods.list()[0]}

    def pod(self, ordinal: int) -> Object | None:
        name = self.pod_name(ordinal)
        return next((pod for pod in self.pods.list()[0] if pod.name == name), None)

    @staticmethod
    def pod_name(ordinal: int) -> str:
        return f"{STATEFUL_SET.name}-{ordinal}"

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        end = SYSTEM_CLOCK.now() + LIMIT_SECONDS
        while True:
            with suppress(ApiError, RpcFailure, NoAddress):
                if condition():
                    return
            if SYSTEM_CLOCK.now() > end:
                raise TimeoutError(f"waited {LIMIT_SECONDS:.0f} s for {what}: {self._sight()}")
            sleep(POLL_SECONDS)

    def _sight(self) -> str:
        return "; ".join(f"{each.type} {each.status} {each.reason}: {each.message}" for each in self.status.conditions)

    def _call(self, ordinal: int, method: str, *params: Any) -> Any:
        address = self._cluster.pod_address(ObjectKey(KEY.namespace, self.pod_name(ordinal)))
        if address is None:
            raise NoAddress(f"node {ordinal} has no address")
        return self._connections.client(address, self._credentials).call(method, *params)


class NoAddress(BtcctlError):
    """The pod does not run."""


@contextmanager
def running(shape: Shape) -> Iterator[Network]:
    """A network that is ready, with its chain."""
    with ExitStack() as parts:
        directory = new_run_directory()

        def command_for(pod: Any, container: Any, env: dict[str, str], ip: str, data_dir: Path) -> Any:
            return node_command(env, ip, data_dir, shape.bitcoind)

        cluster = parts.enter_context(Cluster(directory, command_for))
        connections = RpcConnections(RPC_PORT, read_seconds=60.0)
        parts.callback(connections.close)
        network = Network(cluster, shape, connections)
        network.install()
        parts.callback(network.stop_operator)
        network.start_operator()
        network.wait_until(network.is_ready, "the network to come up")
        network.mine()
        yield network
