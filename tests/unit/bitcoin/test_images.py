"""One node with another image: changed in place, and put back."""

from __future__ import annotations

from typing import Any

from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.resources import PODS
from btcctl.testing.fake_client import Action
from tests.unit.bitcoin.world import KEY, World, living


def images(world: World) -> list[str]:
    pods = (world.body(PODS, world.pods.pod_key(each)) for each in range(2))
    return [pod["spec"]["containers"][0]["image"] for pod in pods]


def ask_for(world: World, overrides: list[dict[str, Any]] | None) -> None:
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodeOverrides": overrides}})
    world.reconcile()


def test_a_node_gets_its_image_in_place_and_the_others_keep_theirs() -> None:
    world = living(2)
    before = world.body(PODS, world.pods.pod_key(1))["metadata"]["uid"]
    ask_for(world, [{"ordinal": 1, "image": "old-core:0.21"}])
    assert images(world) == ["bitcoind", "old-core:0.21"]
    assert world.body(PODS, world.pods.pod_key(1))["metadata"]["uid"] == before
    assert "ImageChanged" in world.reasons()


def test_a_pod_that_was_made_anew_gets_it_again() -> None:
    world = living(2)
    ask_for(world, [{"ordinal": 1, "image": "old-core:0.21"}])
    world.delete_pod(1)
    world.run_pods()
    world.reconcile()
    assert images(world) == ["bitcoind", "old-core:0.21"]


def test_another_image_and_none_bring_back_what_the_pod_was_made_with() -> None:
    world = living(2)
    ask_for(world, [{"ordinal": 1, "image": "old-core:0.21"}])
    ask_for(world, [{"ordinal": 1, "image": "older-core:0.20"}])
    assert images(world) == ["bitcoind", "older-core:0.20"]
    ask_for(world, None)
    assert images(world) == ["bitcoind", "bitcoind"]
    assert not world.body(PODS, world.pods.pod_key(1))["metadata"].get("annotations")


def test_an_image_that_is_changed_back_as_it_is_written_is_written_three_times_and_that_is_said() -> None:
    world = living(2)

    def put_back(action: Action) -> dict[str, Any] | None:
        is_swap = (action.verb, action.type, action.subresource) == ("patch", PODS, "")
        return world.body(PODS, action.key) if is_swap else None

    world.client.reactors.append(put_back)
    ask_for(world, [{"ordinal": 1, "image": "old-core:0.21"}])
    for _ in range(5):
        world.reconcile()
    assert world.writes().count(("patch", "pods")) == 3
    assert "ImageChanged" not in world.reasons()
    assert world.condition("Contested") == ("True", "RepairsUndone")
    assert "by an admission webhook or policy" in world.message("Contested")


def test_a_pod_that_is_made_anew_time_and_again_gets_its_image_each_time() -> None:
    world = living(2)
    ask_for(world, [{"ordinal": 1, "image": "old-core:0.21"}])
    for _ in range(5):
        world.delete_pod(1)
        world.run_pods()
        world.reconcile()
        assert images(world) == ["bitcoind", "old-core:0.21"]
    assert world.condition("Contested")[0] == "False"


def test_once_it_is_so_nothing_is_written() -> None:
    world = living(2)
    ask_for(world, [{"ordinal": 1, "image": "old-core:0.21"}])
    world.settle()
    world.restart_controller()
    world.reconcile()
    assert world.writes() == []
