"""A network says what the API server does not allow the controller."""

from __future__ import annotations

import pytest

from btcctl.bitcoin.refusals import Right
from btcctl.errors import Forbidden
from btcctl.resources import SERVICES, STATEFUL_SETS
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.test_reconcile import refusing
from tests.unit.bitcoin.world import SERVICE, STATEFUL_SET, World, living

REFUSING = refusing("create", "services", Forbidden(403, "Forbidden", "no"))
MISSING = Right("create", "", "services", "default")


def test_a_network_for_which_nothing_was_refused_says_nothing_of_it() -> None:
    assert living().condition("Forbidden") == ("", "")


def test_a_child_that_may_not_be_made_is_said_in_the_status() -> None:
    world = World(network_body())
    world.client.reactors.append(REFUSING)
    world.refused = [MISSING]
    for _ in range(2):
        with pytest.raises(Forbidden):
            world.reconcile()
    assert world.condition("Forbidden") == ("True", "MissingRights")
    assert world.message("Forbidden") == "may not create services in namespace default"
    assert world.condition("Ready") == ("False", "MissingRights")


def test_a_quota_is_said_in_the_words_of_the_server() -> None:
    world = World(network_body())
    world.client.reactors.append(refusing("create", "services", Forbidden(403, "Forbidden", "exceeded quota")))
    with pytest.raises(Forbidden):
        world.reconcile()
    assert world.condition("Forbidden") == ("True", "Refused")
    assert "exceeded quota" in world.message("Ready")


def test_once_it_is_allowed_the_network_is_built_and_the_condition_says_so() -> None:
    world = World(network_body())
    world.client.reactors.append(REFUSING)
    world.refused = [MISSING]
    with pytest.raises(Forbidden):
        world.reconcile()
    world.refused = []
    world.client.reactors.clear()
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.get(SERVICES, SERVICE) is not None
    assert world.condition("Forbidden") == ("False", "Allowed")
    assert world.condition("Ready") == ("True", "Connected")


def test_a_right_that_is_missed_elsewhere_than_in_the_reconcile_is_said_too() -> None:
    world = living()
    world.refused = [Right("patch", "", "pods/status", "default")]
    world.reconcile()
    assert world.condition("Forbidden") == ("True", "MissingRights")
    assert world.condition("Ready") == ("False", "MissingRights")


def test_what_the_status_said_of_other_things_stays() -> None:
    world = living()
    before = {each.type for each in world.status.conditions}
    world.client.reactors.append(refusing("update", "statefulsets", Forbidden(403, "Forbidden", "no")))
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"spec": {"replicas": 5}})
    with pytest.raises(Forbidden):
        world.reconcile()
    types = [each.type for each in world.status.conditions]
    assert sorted(types) == sorted(before | {"Forbidden"})
