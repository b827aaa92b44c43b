"""A network says what the API server does not allow the controller."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from btcctl.bitcoin.refusals import Right
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import ApiError, Forbidden, InternalError, Invalid, ServiceUnavailable
from btcctl.objects import ObjectKey
from btcctl.resources import SERVICES, STATEFUL_SETS
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.test_reconcile import refusing
from tests.unit.bitcoin.world import KEY, SERVICE, STATEFUL_SET, World, living

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


def test_what_is_refused_time_and_again_is_told_once_and_again_once_it_was_allowed_in_between() -> None:
    world = World(network_body())
    refusal = refusing("create", "statefulsets", Forbidden(403, "Forbidden", "exceeded quota: small"))
    for _ in range(2):
        world.client.reactors.append(refusal)
        for _ in range(3):
            with suppress(Forbidden):
                world.reconcile()
        assert world.reasons().count("StatefulSetNotCreated") == 1
        world.client.reactors.clear()
        world.reconcile()
        world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET)
        world.forget()


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


INVALID = Invalid(422, "Invalid", "StatefulSet.apps is invalid: spec.template.spec.priorityClassName: no")


def refused_for_good(world: World, error: type[ApiError]) -> list[tuple[str, str]]:
    """What is written once the status has said it."""
    for _ in range(2):
        with pytest.raises(error):
            world.reconcile()
    world.client.clear_actions()
    with pytest.raises(error):
        world.reconcile()
    return [each for each in world.writes() if each[1].startswith("bitcoinnetworks")]


def test_a_child_that_the_server_takes_for_invalid_is_said_in_its_words_and_holds_up_no_other() -> None:
    world = World(network_body())
    world.client.reactors.append(refusing("create", "statefulsets", INVALID))
    assert refused_for_good(world, Invalid) == []
    assert world.condition("Forbidden") == ("True", "Invalid")
    assert "spec.template.spec.priorityClassName: no" in world.message("Ready")
    assert world.get(SERVICES, SERVICE) is not None


def test_a_service_for_which_there_is_no_quota_keeps_no_node_from_its_peers() -> None:
    world = World(network_body(expose={"type": "NodePort"}))
    quota = Forbidden(403, "Forbidden", "exceeded quota: services.nodeports=1")

    def no_more_node_ports(action: Any) -> None:
        if action.verb == "create" and action.key == ObjectKey(KEY.namespace, "net-rpc"):
            raise quota

    world.client.reactors.append(no_more_node_ports)
    with pytest.raises(Forbidden):
        world.reconcile()
    world.run_pods()
    assert refused_for_good(world, Forbidden) == []
    assert world.condition("MeshReady") == ("True", "Connected")
    assert world.condition("Ready") == ("False", "Refused")
    assert world.status.ready_nodes == 3


def grown_while(world: World, refused: dict[str, Any], verb: str, plural: str, error: ApiError) -> None:
    """Ask for what is refused, and for one more node."""
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4, **refused}})
    world.client.reactors.append(refusing(verb, plural, error))
    with pytest.raises(type(error)):
        world.reconcile()
    world.run_pods()
    assert refused_for_good(world, type(error)) == []


def test_an_image_that_a_policy_refuses_is_said_for_good_and_all_else_is_done() -> None:
    world = living()
    refused = {"nodeOverrides": [{"ordinal": 1, "image": "strange"}]}
    grown_while(world, refused, "patch", "pods", Invalid(422, "Invalid", "no image of strangers"))
    assert "no image of strangers" in world.message("Forbidden")
    assert (world.status.ready_nodes, world.condition("MeshReady")) == (4, ("True", "Connected"))


def test_a_service_that_may_not_be_deleted_is_said_and_all_else_is_done() -> None:
    world = living(expose={"type": "ClusterIP"})
    grown_while(world, {"expose": None}, "delete", "services", Forbidden(403, "Forbidden", "you may not"))
    assert "you may not" in world.message("Forbidden")
    assert (world.status.ready_nodes, world.condition("MeshReady")) == (4, ("True", "Connected"))


def test_a_stateful_set_that_may_not_be_changed_still_has_its_nodes() -> None:
    world = living()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    world.client.reactors.append(refusing("update", "statefulsets", Forbidden(403, "Forbidden", "you may not")))
    assert refused_for_good(world, Forbidden) == []
    assert [node.ready for node in world.status.nodes] == [True, True, True, False]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InternalError(500, "InternalError", 'failed calling webhook "a.b": connect to 10.0.0.1:4431: no'), "Refused"),
        (InternalError(500, "InternalError", "etcdserver: leader changed"), "Pending"),
        (ServiceUnavailable(503, "ServiceUnavailable", "try again"), "Pending"),
    ],
)
def test_what_goes_by_itself_is_not_said_and_what_needs_somebody_is(error: ApiError, reason: str) -> None:
    world = World(network_body())
    world.client.reactors.append(refusing("create", "statefulsets", error))
    with pytest.raises(type(error)):
        world.reconcile()
    assert world.condition("Ready")[1] == reason
    assert ":4431" not in world.message("Ready")
