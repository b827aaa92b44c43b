"""What becomes of a network's chain: the rows of docs/network.md, on a whole sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from btcctl.bitcoin.rpc import RpcClient, RpcConnections
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.objects import ObjectKey
from btcctl.resources import PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS
from btcctl.sandbox.demonstration.commands import RPC_PORT
from btcctl.sandbox.session import CREDENTIALS, KEY, SandboxOptions, Session, network_manifest
from tests.integration.support import eventually

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
HEIGHT = 7


class Chain:
    """A sandbox's network, whose first node has made a few blocks."""

    def __init__(self, session: Session, connections: RpcConnections) -> None:
        client = session.cluster.client()
        self.networks, self.pods = client.resource(BITCOIN_NETWORKS, "default"), client.resource(PODS, "default")
        self.sets = client.resource(STATEFUL_SETS, "default")
        self.claims = client.resource(PERSISTENT_VOLUME_CLAIMS, "default")
        self._session = session
        self._connections = connections

    def node(self, ordinal: int) -> RpcClient:
        address = self._session.cluster.pod_address(ObjectKey("default", f"{KEY.name}-sts-{ordinal}"))
        assert address
        return self._connections.client(address, CREDENTIALS)

    def height(self, ordinal: int) -> int:
        return int(self.node(ordinal).call("getblockcount"))

    def grow(self) -> None:
        self.node(0).call("generatetoaddress", HEIGHT, ADDRESS)

    def wait_ready(self, nodes: int) -> None:
        def is_ready() -> bool:
            status = self.networks.get(KEY).body().get("status") or {}
            return status.get("readyNodes") == nodes == len(self.pods.list()[0])

        eventually(is_ready, 40)

    def delete_pods(self, count: int) -> None:
        before = {each.uid for each in self.pods.list()[0]}
        for ordinal in range(count):
            self.pods.delete(ObjectKey("default", f"{KEY.name}-sts-{ordinal}"))
        eventually(lambda: len({each.uid for each in self.pods.list()[0]} - before) == count, 40)
        self.wait_ready(len(before))


@contextmanager
def chain(nodes: int) -> Iterator[Chain]:
    connections = RpcConnections(RPC_PORT)
    with Session(SandboxOptions(nodes=nodes, simulated=True), say=lambda _: None) as session:
        session.show_progress()
        made = Chain(session, connections)
        made.grow()
        yield made
    connections.close()


@pytest.mark.parametrize("nodes", [1, 2])
def test_with_storage_a_chain_outlives_all_pods_at_once(nodes):
    with chain(nodes) as made:
        made.delete_pods(nodes)
        assert made.height(0) == HEIGHT


def test_with_storage_a_network_of_the_same_name_finds_the_chain_again():
    with chain(1) as made:
        made.networks.delete(KEY)
        eventually(lambda: not made.pods.list()[0] and not made.sets.list()[0])
        made.networks.create(network_manifest(1))
        made.wait_ready(1)
        assert made.height(0) == HEIGHT


def test_with_delete_the_volumes_go_with_the_network():
    with chain(1) as made:
        made.networks.patch(KEY, {"spec": {"storage": {"whenDeleted": "Delete"}}})
        eventually(lambda: all(each.owner_references for each in made.claims.list()[0]))
        made.networks.delete(KEY)
        eventually(lambda: made.claims.list()[0] == [])
