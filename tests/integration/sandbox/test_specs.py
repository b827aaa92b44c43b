"""Every kind of spec, with nodes that run: simulated and real ones, on the embedded and the real API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.rpc import Credentials, RpcConnections, RpcFailure
from btcctl.bitcoin.types import BITCOIN_NETWORKS, BitcoinNetwork, decode_status
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SERVICES, STATEFUL_SETS
from btcctl.sandbox.demonstration.commands import RPC_PORT
from btcctl.sandbox.session import EMBEDDED, REAL, SandboxOptions, Session
from tests.integration.programs import BITCOIND
from tests.integration.support import eventually
from tests.specs import COMBINATIONS, FIELDS

MINING_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
# These need something else first: a volume with a chain on it (tests of their own, below and in test_utxo_snapshot.py),
# an image that the sandbox knows, a PriorityClass, a machine with that label.
NEEDS_MORE = {
    "priorityClassName",
    "labels without values",
    "snapshot",
    "a UTXO snapshot",
    "image",
    "the first controller's image",
    "everything about pods",
    "a chain from elsewhere on volumes",
}
# A simulated node of another version among them: it speaks with its own kind only.
SIMULATED_ONLY = {"image of one node", "two versions kept apart"}
RUNNABLE = [name for name in {**FIELDS, **COMBINATIONS} if name not in NEEDS_MORE]
PORTIONS = [RUNNABLE[start::4] for start in range(4)]
NODES = [False, pytest.param(True, marks=pytest.mark.real_bitcoind)]
SERVERS = [EMBEDDED, pytest.param(REAL, marks=pytest.mark.real_server)]


class Networks:
    """Networks of one sandbox. What is asked is asked of the one that `key` names."""

    def __init__(self, session: Session) -> None:
        self._client = session.cluster.client()
        self._connections = RpcConnections(RPC_PORT)
        self.networks = self._client.resource(BITCOIN_NETWORKS, "default")
        self.key = ObjectKey("default", "tried")

    def make(self, spec: dict[str, Any]) -> None:
        kind = {"apiVersion": BITCOIN_NETWORKS.api_version, "kind": BITCOIN_NETWORKS.kind}
        self.networks.create({**kind, "metadata": {"name": self.key.name}, "spec": spec})

    @property
    def network(self) -> BitcoinNetwork:
        return BitcoinNetwork.from_object(self.networks.get(self.key))

    def is_as_it_should_be(self) -> bool:
        ready = decode_status(self.networks.get(self.key)).condition("Ready")
        return ready is not None and (ready.is_true or ready.reason in {"Suspended", "NoNodes"})

    def rpc(self, ordinal: int) -> Any:
        network = self.network
        addresses = {node.ordinal: node.ip for node in network.status.nodes}
        assert ordinal in addresses, f"{self.key} does not know its node {ordinal} yet: {addresses}"
        credentials = ("user", "password") if network.spec.secret is None else ("bc-user", "bc-password")
        port = ChildOptions("").ports(network.spec).rpc
        return self._connections.client(addresses[ordinal], Credentials(*credentials), port)

    def links(self) -> set[frozenset[int | str]]:
        """Pairs of nodes that have greeted each other; a peer that the status does not name is there by its address."""
        nodes = {node.ip: node.ordinal for node in self.network.status.nodes}
        return {
            frozenset({ordinal, nodes.get(address := peer["addr"].rpartition(":")[0] or peer["addr"], address)})
            for ordinal in nodes.values()
            for peer in self.rpc(ordinal).call("getpeerinfo")
            if not peer["inbound"] and peer["version"]
        }

    def wanted_links(self) -> set[frozenset[int | str]]:
        shape = self.network.spec.shape
        return {frozenset({one, other}) for one in range(shape.nodes) for other in shape.neighbours(one)}

    def is_exposed(self) -> bool:
        """Whether there is a Service that leads to nodes, from wherever it can be reached."""
        return f"{self.key.name}-rpc" in {each.name for each in self._client.resource(SERVICES, "default").list()[0]}

    def left(self) -> list[str]:
        found = (self._client.resource(type_, "default").list()[0] for type_ in (PODS, SERVICES, STATEFUL_SETS))
        return [each.name for objects in found for each in objects if each.name.startswith(self.key.name)]

    def close(self) -> None:
        self._connections.close()
        self._client.close()


def sandbox(bitcoind: Path | None, server: str = EMBEDDED) -> Iterator[Networks]:
    options = SandboxOptions(nodes=0, simulated=bitcoind is None, bitcoind=bitcoind, control_plane=server)
    with Session(options, say=lambda _: None) as session:
        networks = Networks(session)
        yield networks
        networks.close()


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def networks(request: pytest.FixtureRequest) -> Iterator[Networks]:
    yield from sandbox(None if request.param == "simulated" else BITCOIND)


def check(networks: Networks, name: str) -> None:
    eventually(networks.is_as_it_should_be, 60)
    eventually(lambda: networks.links() == networks.wanted_links())
    for ordinal in range(networks.network.spec.running_nodes):
        assert networks.rpc(ordinal).call("getblockchaininfo")["chain"] == networks.network.spec.network, name
    assert networks.is_exposed() == (networks.network.spec.expose is not None), name


def check_together(networks: Networks, names: list[str]) -> None:
    """All at once, because most of it is waiting."""
    specs = {ObjectKey("default", f"tried{number}"): name for number, name in enumerate(names)}
    for networks.key, name in specs.items():
        networks.make({**FIELDS, **COMBINATIONS}[name])
    for networks.key, name in specs.items():
        check(networks, name)
    for networks.key in specs:
        networks.networks.delete(networks.key)
    for networks.key in specs:
        eventually(lambda: not networks.left())


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("are_real", NODES, ids=["simulated", "core"])
@pytest.mark.parametrize("names", PORTIONS, ids=range(len(PORTIONS)))
def test_nodes_do_what_is_asked_for(names: list[str], are_real: bool, server: str) -> None:
    for networks in sandbox(BITCOIND if are_real else None, server):
        check_together(networks, [each for each in names if not (are_real and each in SIMULATED_ONLY)])


def heights(networks: Networks, nodes: int) -> list[int]:
    return [networks.rpc(ordinal).call("getblockcount") for ordinal in range(nodes)]


def test_a_parted_network_forks_and_heals_to_the_longer_chain(networks: Networks) -> None:
    networks.make({"nodes": 4, "partition": [[0, 1], [2, 3]]})
    eventually(networks.is_as_it_should_be, 60)
    networks.rpc(0).call("generatetoaddress", 3, MINING_ADDRESS)
    networks.rpc(3).call("generatetoaddress", 5, MINING_ADDRESS)
    eventually(lambda: heights(networks, 4) == [3, 3, 5, 5])
    networks.networks.patch(networks.key, {"spec": {"partition": None}})
    eventually(lambda: heights(networks, 4) == [5, 5, 5, 5])
    networks.networks.patch(networks.key, {"spec": {"partition": [[0], [1, 2, 3]]}})
    eventually(lambda: networks.links() == networks.wanted_links())
    networks.rpc(0).call("generatetoaddress", 1, MINING_ADDRESS)
    eventually(lambda: heights(networks, 4) == [6, 5, 5, 5])


def test_blocks_are_mined_on_a_schedule_by_the_node_that_is_named(networks: Networks) -> None:
    networks.make({"nodes": 2, "mining": {"interval": "1s", "node": 1}})
    eventually(lambda: networks.is_as_it_should_be() and min(heights(networks, 2)) >= 3, 60)
    networks.networks.patch(networks.key, {"spec": {"mining": None}})
    eventually(lambda: len({tuple(heights(networks, 2)) for _ in range(25)}) == 1)


def test_one_node_has_lines_of_its_own(networks: Networks) -> None:
    networks.make({"nodes": 2, "nodeOverrides": [{"ordinal": 1, "config": ["uacomment=the-other"]}]})
    eventually(networks.is_as_it_should_be, 60)
    named = ["the-other" in networks.rpc(n).call("getnetworkinfo")["subversion"] for n in range(2)]
    assert named == [False, True]


def test_one_node_is_swapped_for_another_version_in_place_and_keeps_its_blocks() -> None:
    for networks in sandbox(None):
        networks.make({"nodes": 2})
        eventually(networks.is_as_it_should_be, 60)
        networks.rpc(0).call("generatetoaddress", 5, MINING_ADDRESS)
        eventually(lambda networks=networks: heights(networks, 2) == [5, 5])
        overrides = [{"ordinal": 1, "image": "btcctl-simnode:0.20"}]
        networks.networks.patch(networks.key, {"spec": {"nodeOverrides": overrides}})
        eventually(lambda networks=networks: versions(networks) == ["0.1.0", "0.20"], 60)
        assert heights(networks, 2) == [5, 5]
        eventually(lambda networks=networks: networks.links() == networks.wanted_links())
        networks.networks.patch(networks.key, {"spec": {"nodeOverrides": None}})
        eventually(lambda networks=networks: versions(networks) == ["0.1.0", "0.1.0"], 60)


def versions(networks: Networks) -> list[str]:
    try:
        agents = [networks.rpc(ordinal).call("getnetworkinfo")["subversion"] for ordinal in range(2)]
    except RpcFailure:
        return []  # one is being started again
    return [agent.strip("/").partition(":")[2] for agent in agents]


def test_a_network_begins_with_the_chain_of_another_ones_volume(networks: Networks) -> None:
    networks.make({"nodes": 1, "storage": {"size": "1Gi"}})
    eventually(networks.is_as_it_should_be, 60)
    networks.rpc(0).call("generatetoaddress", 7, MINING_ADDRESS)
    best = networks.rpc(0).call("getbestblockhash")
    networks.networks.patch(networks.key, {"spec": {"suspend": True}})
    eventually(lambda: networks.network.status.condition("Ready").reason == "Suspended")
    eventually(lambda: not networks.network.status.nodes)
    networks.key = ObjectKey("default", "second")
    networks.make({"nodes": 2, "snapshot": {"claimName": "data-tried-sts-0", "path": "regtest"}})
    eventually(networks.is_as_it_should_be, 60)
    assert [networks.rpc(ordinal).call("getbestblockhash") for ordinal in range(2)] == [best, best]


def test_lines_of_the_configuration_reach_the_node(networks: Networks) -> None:
    networks.make({"nodes": 1, "config": ["uacomment=of-mine"]})
    eventually(networks.is_as_it_should_be, 60)
    assert "of-mine" in networks.rpc(0).call("getnetworkinfo")["subversion"]
