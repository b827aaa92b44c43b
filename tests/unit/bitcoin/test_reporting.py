"""A status that is not kept as it is written is not written for ever."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.memory import SHOW_SECONDS, Memories
from btcctl.bitcoin.reporting import Reporter
from btcctl.bitcoin.types import BITCOIN_NETWORKS, NetworkStatus, NodeStatus, decode_status
from btcctl.controller.writing.contention import SAME_DISPUTE_SECONDS, TRUCE_SECONDS
from btcctl.testing import FakeClient
from btcctl.testing.clock import FakeClock
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.world import KEY, World, living


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


def statuses_of_three_networks(definition: dict[str, Any]) -> tuple[FakeClient, Reporter]:
    bodies = [network_body(name=name) for name in ("one", "two", "three")]
    client = FakeClient(*bodies, types=[definition])
    networks: Any = SimpleNamespace(networks=client.resource(BITCOIN_NETWORKS), tell=lambda network, notice: None)
    report_all(client, Reporter(networks, Memories(2, 30), FakeClock()))
    client.clear_actions()
    return client, Reporter(networks, Memories(2, 30), FakeClock())


def report_all(client: FakeClient, reporter: Reporter, **changes: Any) -> None:
    node = NodeStatus(0, True, links_in=1, **changes)
    new = NetworkStatus(ready_nodes=1, tips=1, image="image", nodes=[node])
    for obj in client.resource(BITCOIN_NETWORKS).list()[0]:
        reporter.write(obj, decode_status(obj), new, [])


@pytest.mark.parametrize("field", ["tips", "nodes", "nodes.linksIn"])
def test_under_such_a_definition_a_controller_that_starts_anew_learns_it_of_one_network(field: str) -> None:
    client, reporter = statuses_of_three_networks(without(field))
    report_all(client, reporter)
    assert [each.verb for each in client.actions].count("update") == 1


@pytest.mark.parametrize("field", ["tips", "nodes.linksIn"])
def test_what_such_a_definition_keeps_is_written_for_each_network(field: str) -> None:
    client, reporter = statuses_of_three_networks(without(field))
    report_all(client, reporter, version="Satoshi:31.0.0")
    assert {decode_status(each).nodes[0].version for each in client.resource(BITCOIN_NETWORKS).list()[0]} == {
        "Satoshi:31.0.0"
    }


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


def as_the_first_controller_writes_it(world: World) -> None:
    body = world.networks.get(KEY).body()
    nodes = [{name: node[name] for name in ("ordinal", "ready", "ip")} for node in body["status"]["nodes"]]
    world.networks.update_status({**body, "status": {"nodes": nodes}})
    world.client.clear_actions()


def without_a_condition(world: World) -> None:
    body = world.networks.get(KEY).body()
    kept = [each for each in body["status"]["conditions"] if each["type"] != "Ready"]
    world.networks.update_status({**body, "status": {**body["status"], "conditions": kept, "readyNodes": 0}})
    world.client.clear_actions()


@pytest.mark.parametrize("undo", [as_the_first_controller_writes_it, without_a_condition])
def test_a_status_that_another_controller_writes_in_turn_is_left_to_it_for_a_while_and_that_is_told_once(
    undo: Callable[[World], None],
) -> None:
    world = living(3)
    writes = 0
    for _ in range(100):
        undo(world)
        world.reconcile()
        writes += len(world.writes())
        world.clock.advance(0.01)
    assert writes <= 6
    assert world.reasons() == ["RepairsUndone"]
    assert "status.readyNodes" in world.notices[0].message


def test_once_the_other_controller_is_gone_the_status_is_as_it_was() -> None:
    world = living(3)
    for _ in range(10):
        without_a_condition(world)
        world.reconcile()
    world.clock.advance(TRUCE_SECONDS)
    world.reconcile()
    assert world.condition("Contested") == ("True", "RepairsUndone")
    world.clock.advance(TRUCE_SECONDS + SAME_DISPUTE_SECONDS)
    for _ in range(2):
        world.reconcile()
    assert (world.condition("Ready"), world.condition("Contested")[0]) == (("True", "Connected"), "False")
