"""A network is as its spec asks for once its pods are, and nobody keeps them from it."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.resources import PODS, STATEFUL_SETS
from tests.unit.bitcoin.world import KEY, STATEFUL_SET, World, living


def roll(world: World, revision: str, *ordinals: int) -> None:
    """What the StatefulSet's controller does: it has seen the latest template, and these pods are made by it."""
    for ordinal in ordinals:
        labels = {"metadata": {"labels": {"controller-revision-hash": revision}}}
        world.client.resource(PODS).patch(world.pods.pod_key(ordinal), labels)
    body = world.body(STATEFUL_SETS, STATEFUL_SET)
    status = {"observedGeneration": body["metadata"]["generation"], "updateRevision": revision, "replicas": 3}
    world.client.resource(STATEFUL_SETS).update_status({**body, "status": status})
    world.client.clear_actions()


def rolled() -> World:
    """A settled network, as a StatefulSet's controller leaves it, whose spec has just got another image."""
    world = living(3)
    roll(world, "net-sts-1", 0, 1, 2)
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert world.writes() == []
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"image": "bitcoind:30"}})
    world.reconcile()
    return world


def test_a_change_that_no_pod_has_yet_is_not_taken_for_done() -> None:
    world = rolled()
    assert world.status.observed_generation == 2
    assert world.condition("Ready") == ("False", "Updating")
    assert world.condition("Progressing") == ("True", "Updating")
    assert "has not seen the latest change yet" in world.message("Ready")


def test_nodes_that_are_still_to_be_replaced_are_named_until_none_is() -> None:
    world = rolled()
    roll(world, "net-sts-2", 2)
    world.reconcile()
    assert world.condition("Ready") == ("False", "Updating")
    assert world.message("Ready") == "to be replaced by what is asked for now: node 0; node 1"
    assert world.status.ready_nodes == 3
    roll(world, "net-sts-2", 0, 1)
    world.reconcile()
    assert world.condition("Ready") == ("True", "Connected")
    assert world.condition("Progressing") == ("False", "Settled")
    assert [each for each in world.notices if each.type == "Warning"] == []


def test_what_is_wrong_with_a_node_is_said_first() -> None:
    world = rolled()
    roll(world, "net-sts-2", 2)
    world.delete_pod(1)
    world.reconcile()
    assert world.condition("Ready") == ("False", "NodesNotReady")


@pytest.mark.parametrize(
    "strategy",
    [
        {"type": "OnDelete", "rollingUpdate": None},
        {"rollingUpdate": {"partition": 3}},
        {"rollingUpdate": {"maxUnavailable": "100%"}},
    ],
)
def test_what_keeps_pods_from_being_replaced_one_after_the_other_is_set_back(strategy: dict[str, Any]) -> None:
    world = living(3)
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"spec": {"updateStrategy": strategy}})
    world.reconcile()
    found = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["updateStrategy"]
    rolling = found.get("rollingUpdate", {})
    assert (found["type"], rolling.get("partition", 0), rolling.get("maxUnavailable", 1)) == ("RollingUpdate", 0, 1)
    world.forget()
    world.reconcile()
    assert world.writes() == []


def test_pods_are_numbered_as_nodes_are() -> None:
    world = living(2)
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"spec": {"ordinals": {"start": 5}}})
    world.reconcile()
    assert (world.body(STATEFUL_SETS, STATEFUL_SET)["spec"].get("ordinals") or {}).get("start", 0) == 0
    world.forget()
    world.reconcile()
    assert world.writes() == []
