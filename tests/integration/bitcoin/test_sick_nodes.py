"""Nobody waits for the sick: nodes that swallow, hang, drip and babble are in the way of no other network."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.operator import OperatorOptions, build_operator
from btcctl.bitcoin.rpc import Credentials, RpcConnections, RpcTimedOut
from btcctl.bitcoin.types import BITCOIN_NETWORKS, decode_status
from btcctl.clock import SYSTEM_CLOCK
from btcctl.objects import ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from tests.integration.bitcoin.sick_nodes import SickNodes, healthy, with_many_entries, with_megabytes
from tests.integration.support import eventually
from tests.unit.bitcoin.builders import network_body, pod_body

NAMESPACE = "default"
#: Beside sick networks, and this many times as long as without them on a machine that has other work.
NEW_SECONDS, SCALED_SECONDS, TIMES = 2.0, 3.0, 5.0
ROUNDS = 10


class Cluster:
    """Networks whose pods the test makes."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.networks, self.sets, self.pods = (
            client.resource(each, NAMESPACE) for each in (BITCOIN_NETWORKS, STATEFUL_SETS, PODS)
        )

    def add(self, name: str, addresses: list[str]) -> None:
        """A network that has these nodes, all of them ready as far as Kubernetes knows."""
        self.networks.create(network_body(name, nodes=len(addresses)))
        eventually(lambda: self.has_set(name))
        stateful_set = self.sets.get(ObjectKey(NAMESPACE, f"{name}-sts")).body()
        for ordinal, address in enumerate(addresses):
            body = pod_body(stateful_set, ordinal, address, ready=True)
            self.pods.update_status({**self.pods.create(body).body(), "status": body["status"]})

    def has_set(self, name: str, replicas: int | None = None) -> bool:
        found = {each.name: each.body()["spec"]["replicas"] for each in self.sets.list()[0]}
        return f"{name}-sts" in found and replicas in {None, found[f"{name}-sts"]}

    def message(self, name: str) -> str:
        condition = decode_status(self.networks.get(ObjectKey(NAMESPACE, name))).condition("MeshReady")
        return condition.message if condition else ""


@pytest.fixture
def nodes() -> Iterator[SickNodes]:
    with SickNodes() as nodes:
        yield nodes


@pytest.fixture
def cluster(nodes: SickNodes) -> Iterator[Cluster]:
    """With an operator of two workers, which is as it is by default but for the port."""
    server = EmbeddedServer(Api())
    with server, ApiClient.from_config(ClientConfig(server.url)) as admin:
        admin.resource(CUSTOM_RESOURCE_DEFINITIONS).create(load_crd())
        with ApiClient.from_config(ClientConfig(server.url), field_manager="btcctl") as client:
            manager = build_operator(client, OperatorOptions(rpc_port=nodes.port))
            manager.start()
            yield Cluster(admin)
            manager.stop()


def test_a_node_that_swallows_lets_nobody_connect(nodes: SickNodes) -> None:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        with pytest.raises(TimeoutError):
            probe.connect((nodes.swallowing(), nodes.port))


@pytest.mark.parametrize("kind", ["hung", "dripping"])
def test_a_node_that_hangs_or_drips_answers_nothing(nodes: SickNodes, kind: str) -> None:
    connections = RpcConnections(nodes.port, read_seconds=0.5)
    address = nodes.hung() if kind == "hung" else nodes.dripping()
    with pytest.raises(RpcTimedOut):
        connections.client(address, Credentials("user", "password")).call("getblockcount")


def test_networks_of_sick_nodes_hold_up_no_other(cluster: Cluster, nodes: SickNodes) -> None:
    alone = max(seconds_to_make(cluster, f"first-{number}") for number in range(ROUNDS))
    for number in range(10):
        cluster.add(f"swallowing-{number}", [nodes.swallowing() for _ in range(9)])
    cluster.add("hung", [nodes.hung() for _ in range(6)])
    cluster.add("dripping", [nodes.dripping() for _ in range(2)])
    cluster.add("babbling", [nodes.answering(with_many_entries()), nodes.answering(with_megabytes())])
    cluster.add("well", [nodes.answering(healthy()) for _ in range(2)])
    eventually(lambda: "cannot be reached" in cluster.message("swallowing-9"), 60)

    waits = {"new": [seconds_to_make(cluster, f"new-{number}") for number in range(ROUNDS)]}
    waits["scaled"] = [seconds_to_scale(cluster, "well", 3 + number % 2) for number in range(ROUNDS)]
    assert max(waits["new"]) <= max(NEW_SECONDS, TIMES * alone), (alone, waits)
    assert max(waits["scaled"]) <= max(SCALED_SECONDS, TIMES * alone), (alone, waits)


def seconds_to_make(cluster: Cluster, name: str) -> float:
    began = SYSTEM_CLOCK.now()
    cluster.networks.create(network_body(name, nodes=1))
    eventually(lambda: cluster.has_set(name))
    return SYSTEM_CLOCK.now() - began


def seconds_to_scale(cluster: Cluster, name: str, nodes: int) -> float:
    began = SYSTEM_CLOCK.now()
    cluster.networks.patch(ObjectKey(NAMESPACE, name), {"spec": {"nodes": nodes}})
    eventually(lambda: cluster.has_set(name, nodes))
    return SYSTEM_CLOCK.now() - began
