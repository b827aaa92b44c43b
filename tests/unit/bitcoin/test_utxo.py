"""Nodes that begin with a UTXO snapshot, and what is said of those that do not get that far."""

from __future__ import annotations

import pytest

from btcctl.bitcoin.rpc import InvalidParameter, MethodNotFound, NodeFailed, RpcFailure, RpcForbidden, RpcTimedOut
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.bitcoin.utxo import REFUSED_SECONDS, Loading, Progress, load
from btcctl.resources import STATEFUL_SETS
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.fake_mesh import CREDENTIALS, FakeMesh
from tests.unit.bitcoin.world import KEY, STATEFUL_SET, World

A = "10.0.0.1"
SNAPSHOT = {"claimName": "snapshots", "path": "2026/utxo.dat", "format": "utxo"}
FAILED = "Unable to load UTXO snapshot: "
NO_HEADERS = NodeFailed(-32603, FAILED + "The base block header (5e93) must appear in the headers chain. Make sure …")
WRONG = NodeFailed(-32603, FAILED + "Population failed: Bad snapshot content hash: expected 4f34, got 7e3b.")


@pytest.fixture
def node() -> FakeMesh:
    mesh = FakeMesh()
    mesh.start(A)
    return mesh


def asked(node: FakeMesh) -> Loading:
    return load(node.rpc_for(A, CREDENTIALS))


def times_told(node: FakeMesh) -> int:
    return sum(change[1] == "loadtxoutset" for change in node.changes)


def test_a_node_loads_its_snapshot_once(node: FakeMesh) -> None:
    assert [asked(node).progress for _ in range(3)] == [Progress.LOADED] * 3
    assert times_told(node) == 1


def test_a_node_that_is_at_it_is_not_told_again(node: FakeMesh) -> None:
    node.loading.add(A)
    assert asked(node).progress is Progress.LOADING
    assert times_told(node) == 0


@pytest.mark.parametrize(
    ("answer", "progress"),
    [
        (NO_HEADERS, Progress.NO_HEADERS),
        (WRONG, Progress.REFUSED),
        (InvalidParameter(-8, "Couldn't open file utxo-snapshot for reading."), Progress.REFUSED),
        (MethodNotFound(-32601, "Method not found"), Progress.REFUSED),
        (NodeFailed(-32603, FAILED + "Population failed: Work does not exceed active chainstate."), Progress.LOADED),
        (NodeFailed(-32603, FAILED + "Can't activate a snapshot-based chainstate more than once."), Progress.LOADED),
        (RpcTimedOut("a large one takes its time"), Progress.LOADING),
        (RpcForbidden("this user may not", 403), Progress.REFUSED),
    ],
)
def test_what_a_node_answers_is_told_apart(node: FakeMesh, answer: RpcFailure, progress: Progress) -> None:
    node.refusals[A] = answer
    assert asked(node).progress is progress


def beginning(*refusals: RpcFailure) -> World:
    """A network of two nodes that have no chain."""
    world = World(network_body(nodes=2, snapshot=SNAPSHOT))
    world.reconcile()
    world.run_pods()
    world.mesh.behind = {world.address(0), world.address(1)}
    world.mesh.refusals = {world.address(ordinal): each for ordinal, each in enumerate(refusals)}
    world.settle()
    return world


def test_a_network_is_ready_when_all_nodes_have_their_snapshot() -> None:
    world = beginning()
    assert world.condition("SnapshotLoaded") == ("True", "Loaded")
    assert (world.condition("Ready"), world.status.height) == (("True", "Connected"), 200)
    world.forget()
    world.reconcile()
    assert (world.writes(), world.mesh.changes) == ([], [])


def test_a_network_whose_nodes_are_at_it_is_on_its_way() -> None:
    world = beginning(RpcTimedOut("a large one takes its time"))
    assert world.condition("Ready") == ("False", "SnapshotLoading")


def test_nodes_that_nobody_has_told_the_headers_of_are_named_and_tried_until_somebody_has() -> None:
    world = beginning(NO_HEADERS)
    assert world.condition("Ready") == ("False", "HeadersMissing")
    assert "node 0" in world.message("SnapshotLoaded")
    assert world.condition("Progressing") == ("True", "HeadersMissing")
    world.mesh.refusals.clear()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")


def test_a_snapshot_that_a_node_does_not_take_is_said_in_its_words_and_not_tried_all_the_time() -> None:
    world = beginning(WRONG)
    assert world.condition("Ready") == ("False", "SnapshotRefused")
    assert "node 0: Unable to load UTXO snapshot: Population failed: Bad snapshot content" in world.message("Ready")
    world.reconcile()
    assert times_told(world.mesh) == 0
    world.clock.advance(REFUSED_SECONDS)
    world.reconcile()
    assert times_told(world.mesh) == 1


def test_a_node_that_has_a_chain_is_asked_nothing() -> None:
    world = beginning(WRONG, WRONG)
    world.mesh.behind.clear()
    world.settle()
    assert world.condition("SnapshotLoaded") == ("True", "Loaded")


def test_once_no_snapshot_is_asked_for_the_condition_says_so_and_the_pods_have_none() -> None:
    world = beginning(WRONG)
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"snapshot": None}})
    world.settle()
    assert world.condition("SnapshotLoaded") == ("True", "NotAskedFor")
    container = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]["spec"]["containers"][0]
    assert not [each for each in container["env"] if "SNAPSHOT" in each["name"]]


def test_the_pods_know_where_the_snapshot_is_and_take_it_for_no_chain() -> None:
    container = beginning().body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]["spec"]["containers"][0]
    found = {each["name"]: each.get("value") for each in container["env"] if "SNAPSHOT" in each["name"]}
    assert found == {"BC_UTXO_SNAPSHOT": "/snapshot/2026/utxo.dat"}
