"""Two installations on one cluster: one works, both say so."""

from __future__ import annotations

import pytest

from btcctl.bitcoin.claims import UNSERVED_SECONDS, Claim, Verdict
from btcctl.bitcoin.memory import SHOW_SECONDS
from btcctl.bitcoin.reconcile import NetworkReconciler
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.resources import STATEFUL_SETS
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.world import KEY, STATEFUL_SET, World

OLD, NEW = "team-a/btcctl", "team-b/btcctl"


def settle(world: World, *installations: NetworkReconciler) -> None:
    for _ in range(6):
        for each in installations:
            each(KEY)


@pytest.fixture
def world() -> World:
    """A settled network of the older installation."""
    made = World(network_body())
    older = made.installed_as(OLD)
    older(KEY)
    made.run_pods()
    settle(made, older)
    made.clock.advance(SHOW_SECONDS)
    settle(made, older)
    made.reconciler = older
    made.forget()
    return made


def test_whose_a_network_is_stands_in_its_status(world):
    assert world.status.controller == OLD


def test_a_successor_of_the_same_name_writes_nothing(world):
    settle(world, world.installed_as(OLD))
    assert (world.writes(), world.notices) == ([], [])


def test_a_second_installation_takes_over_and_the_first_leaves_it_the_network_and_says_so(world):
    newer = world.installed_as(NEW)
    settle(world, newer, world.reconciler)
    assert world.status.controller == NEW
    assert world.reasons() == ["TakenOver", "AnotherController"]
    assert world.notices[1].message == f"{NEW} has taken this network over from {OLD}: let one of the two look after it"
    assert world.rivalries == [KEY]
    assert len(world.writes()) == 1


def test_what_differs_between_two_installations_is_not_written_in_turn(world):
    settle(world, world.installed_as(NEW, image="another"), world.reconciler)
    assert [each for each in world.writes() if each[1] == str(STATEFUL_SETS)] == [("update", str(STATEFUL_SETS))]


def test_the_first_comes_back_once_the_second_does_not_do_its_work(world):
    settle(world, world.installed_as(NEW), world.reconciler)
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    world.reconcile()
    world.clock.advance(UNSERVED_SECONDS)
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 3
    world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 4
    assert world.status.controller == OLD


def test_a_status_that_lags_behind_the_pods_is_no_work_either(world):
    settle(world, world.installed_as(NEW), world.reconciler)
    world.delete_pod(1)
    world.reconcile()
    world.clock.advance(UNSERVED_SECONDS)
    world.reconcile()
    assert world.status.controller == OLD


def test_a_status_that_somebody_has_spoilt_is_no_work_of_another_either(world):
    body = world.networks.get(KEY).body()
    body["status"] |= {"controller": "nobody/there", "readyNodes": 77}
    world.networks.update_status(body)
    for _ in range(2):
        world.reconcile()
    world.clock.advance(UNSERVED_SECONDS)
    world.reconcile()
    assert (world.status.controller, world.status.ready_nodes) == (OLD, 3)


def test_a_controller_without_a_lease_heeds_nobody_and_keeps_the_name(world):
    nameless = world.installed_as("")
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    settle(world, nameless)
    assert (world.status.controller, world.status.observed_generation) == (OLD, 2)


def test_a_status_without_a_name_is_not_written_for_its_sake(world):
    world.networks.update_status({**world.networks.get(KEY).body(), "status": status_without_name(world)})
    world.forget()
    settle(world, world.installed_as(NEW))
    assert world.writes() == []
    world.delete_pod(1)
    settle(world, world.reconciler)
    assert world.status.controller == OLD


def status_without_name(world: World) -> dict[str, object]:
    status: dict[str, object] = world.networks.get(KEY).body()["status"]
    return {name: value for name, value in status.items() if name != "controller"}


def test_a_hiccup_of_the_other_is_forgiven():
    claim = Claim(OLD)
    seen = [(OLD, 0, True), (NEW, 1, True), (NEW, 2, False), (NEW, 40, True), (NEW, 63, False), (NEW, 100, False)]
    verdicts = [claim.judge(holder, now, is_served=is_served) for holder, now, is_served in seen]
    assert verdicts == [Verdict.OURS, Verdict.LOST, *[Verdict.THEIRS] * 4]
    assert claim.judge(NEW, 123, is_served=False) is Verdict.TAKEN_OVER
