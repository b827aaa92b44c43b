"""A network that is made smaller while those that stay have no blocks yet."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.memory import PATIENCE_SECONDS
from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.scaling import replicas_for_now
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.resources import STATEFUL_SETS
from tests.unit.bitcoin.world import KEY, STATEFUL_SET, World, living


def pods(*ready: bool) -> list[NodePod]:
    facts: dict[str, Any] = {"kube_node": "machine", "answers": True, "terminating": False}
    return [NodePod(f"net-sts-{n}", "uid", n, f"10.0.0.{n + 1}", ready=each, **facts) for n, each in enumerate(ready)]


@pytest.mark.parametrize(
    ("ready", "replicas"),
    [
        ((True, True, True), 1),
        ((False, True, True), 2),
        ((False, False, True), 3),
        ((False, False, False), 1),  # nobody has anything that could be kept
        ((), 1),
    ],
)
def test_one_pod_with_the_chain_stays_until_one_of_those_that_are_asked_for_has_it(
    ready: tuple[bool, ...], replicas: int
) -> None:
    assert replicas_for_now(1, pods(*ready)) == replicas


def shrinking(**spec: Any) -> World:
    """One node is left of three, and was replaced a moment ago."""
    world = living(3, gated=True, **spec)
    world.mesh.blocks = {world.address(each): 100 for each in range(3)}
    world.settle()
    world.delete_pod(0)
    world.run_pods()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 1}})
    world.reconcile()
    return world


def replicas(world: World) -> int:
    asked: int = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"]
    return asked


def test_a_network_is_made_smaller_once_the_chain_is_where_it_stays() -> None:
    world = shrinking()
    assert replicas(world) == 2
    world.run_pods()
    world.settle()
    assert world.mesh.peers_of(world.address(0)) == {world.address(1)}
    assert world.writes() == []
    world.mesh.blocks[world.address(0)] = 100
    world.settle()
    world.run_pods()
    world.settle()
    assert (replicas(world), world.condition("Ready")) == (1, ("True", "Connected"))
    assert world.lost == []


def test_who_is_kept_is_not_kept_for_ever() -> None:
    world = shrinking()
    world.mesh.silent.add(world.address(0))
    world.clock.advance(PATIENCE_SECONDS - 1)
    world.reconcile()
    assert replicas(world) == 2
    world.clock.advance(1)
    world.reconcile()
    assert replicas(world) == 1


def test_with_volumes_nothing_has_to_be_kept() -> None:
    assert replicas(shrinking(storage={"size": "1Gi"})) == 1


def test_suspending_ends_all() -> None:
    world = shrinking()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"suspend": True}})
    world.reconcile()
    assert replicas(world) == 0
