"""A status that is not kept as it is written is not written for ever."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.memory import SHOW_SECONDS
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.world import World


def without(field: str) -> dict[str, Any]:
    """An older definition: it drops a field of the status."""
    definition = copy.deepcopy(load_crd())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    *path, last = field.split(".")
    for name in path:
        schema = schema["properties"][name]["items"]
    del schema["properties"][last]
    return definition


def settled(definition: dict[str, Any]) -> World:
    world = World(network_body(nodes=3), definition=definition)
    world.reconcile()
    world.run_pods()
    world.settle()
    return world


@pytest.mark.parametrize("field", ["tips", "image", "nodes", "nodes.linksIn", "conditions.observedGeneration"])
def test_a_definition_that_drops_what_is_said_causes_no_writes_once_a_network_is_settled(field: str) -> None:
    world = settled(without(field))
    for _ in range(20):
        world.clock.advance(SHOW_SECONDS)
        world.reconcile()
    assert world.writes() == []
    assert world.condition("Ready") == ("True", "Connected")


def test_under_such_a_definition_a_controller_that_starts_anew_writes_once_at_most() -> None:
    world = settled(without("tips"))
    world.restart_controller()
    for _ in range(5):
        world.reconcile()
    assert len(world.writes()) <= 1
    assert world.notices == []


def test_under_such_a_definition_what_changes_is_written_all_the_same() -> None:
    world = settled(without("tips"))
    world.mesh.blocks = dict.fromkeys(world.mesh.listed, 7)
    world.clock.advance(SHOW_SECONDS)
    world.reconcile()
    assert world.status.height == 7


def test_a_status_that_somebody_changes_back_to_what_it_was_is_written_again() -> None:
    world = settled(without("tips"))
    status = {**world.body(BITCOIN_NETWORKS, world.networks.list()[0][0].key)["status"], "height": 99}
    world.networks.update_status({**world.networks.list()[0][0].body(), "status": status})
    world.reconcile()
    world.clock.advance(SHOW_SECONDS)
    world.reconcile()
    assert world.status.height == 0
