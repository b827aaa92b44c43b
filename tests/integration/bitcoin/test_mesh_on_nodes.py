"""Mesh against real processes: simulated nodes, and Bitcoin Core where there is one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.bitcoin.mesh import Mesh, MeshGoal, MeshReport
from btcctl.bitcoin.rpc import Credentials, RpcConnections, RpcUnauthorized
from btcctl.bitcoin.spec.shape import Shape
from btcctl.bitcoin.topology import Member
from btcctl.sandbox.demonstration.commands import RPC_PORT
from tests.integration.sandbox.nodes import ENV, Farm, TestNode, farm_of, real_bitcoind
from tests.integration.support import eventually

CREDENTIALS = Credentials(ENV["BC_RPC_USER"], ENV["BC_RPC_PASSWORD"])


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def farm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Farm]:
    bitcoind = real_bitcoind() if request.param == "real" else None
    if request.param == "real" and bitcoind is None:
        pytest.skip("no bitcoind on PATH nor in BTCCTL_TEST_BITCOIND")
    with farm_of(bitcoind, tmp_path) as farm:
        yield farm


@pytest.fixture
def connections() -> Iterator[RpcConnections]:
    connections = RpcConnections(RPC_PORT)
    yield connections
    connections.close()


def sync(connections: RpcConnections, nodes: list[TestNode], gone: frozenset[str] = frozenset()) -> MeshReport:
    members = [Member(ordinal, node.ip, ready=True) for ordinal, node in enumerate(nodes)]
    return Mesh(connections.client).sync(MeshGoal(members, Shape(len(nodes)), CREDENTIALS, gone))


def settle(connections: RpcConnections, nodes: list[TestNode]) -> None:
    eventually(lambda: sync(connections, nodes).settled)


def test_a_pass_connects_fresh_nodes_at_once(farm: Farm, connections: RpcConnections) -> None:
    """By itself a node dials the second of those that it was told to add after a minute."""
    nodes = farm.start(3)
    eventually(lambda: sync(connections, nodes).settled, 30.0)
    for node in nodes:
        assert set(node.outbound()) == {other.ip for other in nodes} - {node.ip}
    best = nodes[0].mine(5)
    eventually(lambda: all(node.best() == best for node in nodes))


def test_new_nodes_that_met_each_other_first_get_the_chain_all_the_same(
    farm: Farm, connections: RpcConnections
) -> None:
    """Each has asked the other for headers, and would wait for 15 minutes."""
    first, one, other = nodes = farm.start(3)
    best = first.mine(3)
    one.call("addnode", other.ip, "add")
    one.call("addnode", other.ip, "onetry")
    eventually(
        lambda: [peer["version"] > 0 for node in (one, other) for peer in node.call("getpeerinfo")] == [True] * 2
    )
    eventually(lambda: sync(connections, nodes).settled and one.best() == other.best() == best, every=0.5)


def test_a_node_killed_and_restarted_at_its_address_is_made_whole(farm: Farm, connections: RpcConnections) -> None:
    nodes = farm.start(3)
    settle(connections, nodes)
    nodes[1].signal(signal.SIGKILL)
    nodes[1].exit_code()
    nodes[1].start().wait_until_ready()
    settle(connections, nodes)
    assert set(nodes[1].added()) == {nodes[0].ip, nodes[2].ip}


def test_a_node_that_left_is_removed_and_disconnected_everywhere(farm: Farm, connections: RpcConnections) -> None:
    nodes = farm.start(3)
    settle(connections, nodes)
    leaving = nodes.pop()
    sync(connections, nodes, frozenset({leaving.ip}))  # it still runs, so nothing disconnects by itself
    for node in nodes:
        assert leaving.ip not in node.added()
        eventually(lambda node=node: leaving.ip not in {p["addr"].split(":")[0] for p in node.call("getpeerinfo")})  # type: ignore[misc]
    assert sync(connections, nodes, frozenset({leaving.ip})).forgotten


def test_wrong_credentials_are_told_and_nothing_else_is_tried(farm: Farm, connections: RpcConnections) -> None:
    (node,) = farm.start(1)
    goal = MeshGoal([Member(0, node.ip, ready=True)], Shape(1), Credentials("user", "password"))
    failures = Mesh(connections.client).sync(goal).failures
    assert any(isinstance(each, RpcUnauthorized) for each in failures.values())
