"""What the status says of chains, links and versions, and how often."""

from __future__ import annotations

import msgspec

from btcctl.bitcoin.memory import SHOW_SECONDS
from btcctl.bitcoin.mesh import MeshGoal
from btcctl.bitcoin.passes import Seen
from btcctl.objects import ObjectKey
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.world import World, living


class Unanswered:
    """Passes that are under way."""

    def look(self, _key: ObjectKey, _goal: MeshGoal) -> Seen:
        return Seen(None, is_new=False)

    def again(self, _key: ObjectKey, _gone: frozenset[str], _suspects: frozenset[str]) -> bool:
        return False

    def forget(self, key: ObjectKey) -> None: ...


def seen(world: World) -> World:
    """After the status was brought up to date."""
    world.clock.advance(SHOW_SECONDS)
    world.reconcile()
    return world


def test_each_node_says_its_height_block_links_and_version() -> None:
    world = living(3)
    world.mesh.blocks = {world.address(n): 7 for n in range(3)}
    node = seen(world).status.nodes[1]
    assert (node.height, node.best_block, node.tip_time) == (7, "7", "2023-11-14T22:13:27Z")
    assert (node.links_in, node.links_out, node.version, node.restarts) == (2, 2, "Satoshi:29.0.0", 0)


def test_a_node_that_does_not_answer_says_nothing_of_its_chain() -> None:
    world = living(2)
    world.mesh.silent.add(world.address(1))
    node = seen(world).status.nodes[1]
    assert (node.height, node.best_block, node.version) == (msgspec.UNSET, "", "")
    assert world.condition("Synced") == ("False", "NodesNotAnswering")


def test_one_chain_is_synced_and_a_block_on_its_way_changes_nothing() -> None:
    world = living(3)
    world.mesh.blocks = {world.address(0): 8, world.address(1): 7, world.address(2): 8}
    status = seen(world).status
    assert (status.tips, status.deepest_fork, status.synced_nodes, status.height) == (1, 0, 3, 8)
    assert world.condition("Synced") == ("True", "OneTip")


def test_a_node_that_is_behind_is_told_apart_from_a_fork() -> None:
    world = living(3)
    world.mesh.blocks = {world.address(0): 9, world.address(1): 9, world.address(2): 3}
    assert (seen(world).status.tips, world.status.synced_nodes) == (1, 2)
    assert world.condition("Synced") == ("False", "NodesBehind")
    assert world.message("Synced") == "1 of 3 nodes are behind: node 2 by 6 blocks"


def test_a_fork_is_counted_and_measured_and_does_not_make_the_network_unready() -> None:
    world = living(4)
    world.mesh.blocks = {world.address(n): 5 + n for n in range(4)}
    world.mesh.branches = {world.address(0): "b", world.address(1): "b"}
    world.mesh.forked_at = 2
    world.mesh.blocks |= {world.address(0): 6, world.address(2): 8}
    status = seen(world).status
    assert (status.tips, status.deepest_fork, status.synced_nodes) == (2, 4, 2)
    assert world.condition("Synced") == ("False", "TipsDiffer")
    assert world.condition("Ready") == ("True", "Connected")


def test_a_block_that_travels_on_the_shorter_branch_makes_no_third_tip() -> None:
    world = living(4)
    world.mesh.blocks = {world.address(n): height for n, height in enumerate((6, 5, 8, 8))}
    world.mesh.branches = {world.address(0): "b", world.address(1): "b"}
    world.mesh.forked_at = 2
    assert (seen(world).status.tips, world.status.deepest_fork) == (2, 4)


def test_who_is_on_a_branch_is_not_synced_however_high_it_is() -> None:
    world = living(2)
    world.mesh.blocks = {world.address(n): 5 for n in range(2)}
    world.mesh.branches = {world.address(0): "b"}
    world.mesh.forked_at = 2
    assert seen(world).status.synced_nodes == 1


def test_versions_that_differ_are_all_named() -> None:
    world = living(2)
    world.mesh.agents[world.address(1)] = "/Satoshi:0.21.0\x1b/"
    assert seen(world).status.version == "Satoshi:0.21.0\ufffd, Satoshi:29.0.0"
    assert world.status.image == "image"


def test_heights_are_written_every_ten_seconds_at_most() -> None:
    world = living(2)
    for block in range(1, 10):
        world.mesh.blocks = {world.address(n): block for n in range(2)}
        world.clock.advance(1)
        world.reconcile()
    assert world.writes() == []
    world.clock.advance(1)
    world.reconcile()
    assert [verb for verb, _ in world.writes()] == ["update"]
    assert world.status.height == 9


def test_a_controller_that_starts_anew_says_what_was_said_until_it_knows_better() -> None:
    world = living(2)
    world.mesh.blocks = {world.address(n): 4 for n in range(2)}
    before = seen(world).status
    world.client.clear_actions()
    world.restart_controller(Unanswered())
    world.reconcile()
    assert (world.writes(), world.status) == ([], before)


def test_a_network_is_progressing_until_it_is_ready_and_stalled_if_something_fails() -> None:
    world = World(network_body(secret="none"))
    world.reconcile()
    assert world.condition("Progressing") == ("False", "Stalled")
    world = living(2)
    assert world.condition("Progressing") == ("False", "Settled")
    world.delete_pod(1)
    world.reconcile()
    assert world.condition("Progressing")[0] == "True"
