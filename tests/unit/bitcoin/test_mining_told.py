"""What a network's status says of the blocks that are mined on a schedule."""

from __future__ import annotations

from typing import Any

from btcctl.bitcoin.types import BITCOIN_NETWORKS
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.world import KEY, World

WORDS = "Error: Invalid address (-5)"


def mining(**spec: Any) -> World:
    world = World(network_body(nodes=2, **spec))
    world.reconcile()
    world.run_pods()
    world.settle()
    return world


def test_a_network_that_mines_says_so_and_one_that_does_not_says_nothing() -> None:
    assert mining(mining={"interval": "10s", "node": 1}).condition("Mining") == ("True", "OnSchedule")
    assert mining().condition("Mining") == ("", "")


def test_a_node_that_refuses_to_mine_is_told_in_its_words_and_the_network_is_as_ready_as_it_was() -> None:
    world = mining(mining={})
    world.refuses_to_mine = WORDS
    world.reconcile()
    assert world.condition("Mining") == ("False", "MiningRefused")
    assert world.message("Mining") == f"node 0 mines nothing: {WORDS}"
    assert world.condition("Ready") == ("True", "Connected")
    assert [each.reason for each in world.notices if each.type == "Warning"] == ["MiningRefused"]
    world.forget()
    world.reconcile()
    assert world.writes() == []


def test_a_node_that_is_to_mine_and_is_not_ready_is_named() -> None:
    world = World(network_body(nodes=1, mining={}))
    world.reconcile()
    assert world.condition("Mining") == ("False", "NodesNotReady")
    assert "node 0" in world.message("Mining")


def test_mining_that_is_taken_away_is_said_to_be_and_is_no_failure() -> None:
    world = mining(mining={})
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"mining": None}})
    world.settle()
    assert world.condition("Mining") == ("False", "NotAskedFor")
    assert world.condition("Ready") == ("True", "Connected")
