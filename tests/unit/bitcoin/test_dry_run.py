from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from btcctl.bitcoin.dry_run import read_only
from btcctl.bitcoin.memory import SHOW_SECONDS
from btcctl.bitcoin.mesh import Mesh
from btcctl.bitcoin.passes import InlinePasses
from btcctl.bitcoin.rpc import Call, Credentials
from tests.unit.bitcoin.world import World, living

CREDENTIALS = Credentials("u", "p")


class Node:
    """Notes what it is really asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def call(self, method: str, *params: Any) -> str:
        self.asked.append(method)
        return "answer"

    def batch(self, calls: Sequence[Call]) -> list[str]:
        return [self.call(method) for method, _ in calls]


class Everything:
    """Notes what all nodes are asked for while a network is looked at."""

    def __init__(self, world: World) -> None:
        self.changes: list[str] = []
        rpc_for = read_only(world.mesh.rpc_for, lambda _address, method, _params: self.changes.append(method))
        world.restart_controller(InlinePasses(Mesh(rpc_for, clock=world.clock)))
        world.clock.advance(SHOW_SECONDS)
        world.client.clear_actions()
        world.reconcile()
        self.writes = world.writes()


def test_of_a_network_that_is_split_and_settled_nothing_is_told() -> None:
    world = living(4, partition=[[0, 1], [2, 3]])
    world.mesh.blocks = {world.address(n): height for n, height in enumerate((6, 6, 8, 8))}
    world.mesh.branches = {world.address(0): "b", world.address(1): "b"}
    world.mesh.forked_at = 2
    world.settle()
    seen = Everything(world)
    assert (seen.changes, seen.writes, world.status.tips) == ([], [], 2)


def test_of_a_network_whose_nodes_have_their_utxo_snapshot_nothing_is_told() -> None:
    world = living(2, snapshot={"claimName": "chain", "path": "utxo.dat", "format": "utxo"})
    world.mesh.behind = world.mesh.loaded = {world.address(n) for n in range(2)}
    world.settle()
    seen = Everything(world)
    assert (seen.changes, seen.writes) == ([], [])
    assert world.condition("SnapshotLoaded") == ("True", "Loaded")


def test_what_reads_is_called_and_of_the_rest_is_told() -> None:
    node = Node()
    told: list[tuple[str, str, Sequence[Any]]] = []
    rpc = read_only(lambda _address, _credentials, _port=None: node, lambda *call: told.append(call))(
        "10.0.0.1", CREDENTIALS
    )
    assert rpc.batch([("getaddednodeinfo", ()), ("getpeerinfo", ())]) == ["answer", "answer"]
    assert rpc.call("getpeerinfo") == "answer"
    assert rpc.call("addnode", "10.0.0.2", "add") is None
    assert rpc.batch([("getpeerinfo", ()), ("stop", ())]) == ["answer", None]
    assert node.asked == ["getaddednodeinfo", "getpeerinfo", "getpeerinfo", "getpeerinfo"]
    assert told == [("10.0.0.1", "addnode", ("10.0.0.2", "add")), ("10.0.0.1", "stop", ())]
