from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

import pytest

from btcctl.bitcoin.children import SECRET_VERSION_ANNOTATION
from btcctl.bitcoin.memory import PATIENCE_SECONDS, SHOW_SECONDS
from btcctl.bitcoin.reconcile import CONFLICT_SECONDS
from btcctl.bitcoin.types import ACCEPTED_LOSS, BITCOIN_NETWORKS
from btcctl.controller.reconciling.result import Result
from btcctl.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, ServiceUnavailable, TerminalError
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SECRETS, SERVICES, STATEFUL_SETS
from btcctl.testing import capture_logs
from btcctl.testing.fake_client import Action
from tests.unit.bitcoin.builders import NAMESPACE, network_body, secret_body
from tests.unit.bitcoin.world import KEY, SERVICE, STATEFUL_SET, World, living


def refusing(verb: str, plural: str, error: ApiError) -> Any:
    """A reactor: the API server refuses this verb on this resource."""

    def react(action: Any) -> None:
        if (action.verb, action.type.plural) == (verb, plural):
            raise error

    return react


def test_a_new_network_gets_its_service_and_its_stateful_set_and_says_so() -> None:
    world = World(network_body())
    world.reconcile()
    assert world.get(SERVICES, SERVICE) is not None
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 3
    assert world.reasons()[:3] == ["ServiceCreated", "StatefulSetCreated", "NetworkCreated"]


def test_nothing_is_known_of_a_network_that_no_controller_has_looked_at() -> None:
    assert World(network_body()).condition("Ready") == ("Unknown", "Pending")


def test_nodes_that_are_ready_become_peers_and_the_status_says_so() -> None:
    world = World(network_body())
    world.reconcile()
    world.run_pods()
    world.forget()
    world.reconcile()
    world.reconcile()
    assert world.mesh.peers_of(world.address(0)) == {world.address(1), world.address(2)}
    assert world.status.ready_nodes == 3
    assert [node.ip for node in world.status.nodes] == [world.address(each) for each in range(3)]
    assert world.condition("Ready") == ("True", "Connected")
    assert world.reasons() == ["NodeJoined"] * 3


def test_a_settled_network_costs_no_write_and_no_call_but_is_read_every_time() -> None:
    world = living()
    reads = len(world.mesh.reads)
    for _ in range(3):
        world.reconcile()
    assert world.writes() == []
    assert world.mesh.changes == []
    assert len(world.mesh.reads) == reads + 9


def test_a_controller_that_starts_anew_finds_nothing_to_do_in_a_settled_network() -> None:
    world = living()
    world.restart_controller()
    world.reconcile()
    assert (world.writes(), world.mesh.changes, world.notices) == ([], [], [])


def test_a_settled_network_is_looked_at_less_and_less_often() -> None:
    world = living()
    world.restart_controller()
    assert [world.reconcile().requeue_after for _ in range(6)] == [2, 4, 8, 16, 30, 30]


def test_a_chain_that_grows_all_the_time_is_no_reason_to_look_more_often() -> None:
    world = living(1)
    delays = []
    for height in range(100, 106):
        world.mesh.blocks[world.address(0)] = height
        world.clock.advance(20)
        delays.append(world.reconcile().requeue_after)
    assert delays[-1] == 30


def test_an_address_that_was_a_nodes_long_ago_may_be_somebody_elses() -> None:
    world = living()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 2}})
    world.reconcile()
    old = world.delete_pod(2, quietly=True)
    world.settle()
    world.mesh.start(old)
    world.mesh.connect(old, world.address(0))
    world.reconcile()
    assert world.mesh.peers_of(old) == {world.address(0)}


def test_whatever_moves_makes_it_look_again_soon() -> None:
    world = living()
    world.mesh.restart(world.address(1))
    assert world.reconcile().requeue_after == 2


def test_a_node_that_forgot_its_peers_is_given_them_again_though_kubernetes_saw_nothing() -> None:
    world = living()
    world.mesh.restart(world.address(1))
    world.reconcile()
    assert world.mesh.peers_of(world.address(1)) == {world.address(0), world.address(2)}
    assert world.address(1) in world.mesh.peers_of(world.address(0))


def test_a_stateful_set_scaled_by_hand_is_set_back() -> None:
    world = living()
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"spec": {"replicas": 5}})
    world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 3
    assert [(notice.reason, notice.message) for notice in world.notices] == [
        ("Scaled", 'scaled StatefulSet "net-sts" from 5 to 3')
    ]


def test_a_pod_above_spec_nodes_is_shown_but_never_becomes_a_peer() -> None:
    world = living()
    world.run_pods(5)
    world.reconcile()
    assert not any(world.address(4) in call for call in world.mesh.changes)
    assert len(world.status.nodes) == 5
    assert world.status.condition("Ready").is_true  # type: ignore[union-attr]


def test_scaling_up_brings_the_new_node_in() -> None:
    world = living()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    world.reconcile()
    world.run_pods()
    world.reconcile()
    assert world.mesh.peers_of(world.address(3)) == {world.address(each) for each in range(3)}
    assert world.reasons() == ["Scaled", "NodeJoined"]


def test_scaling_down_removes_and_disconnects_the_gone_node_everywhere() -> None:
    world = living()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 2}})
    world.reconcile()
    gone = world.delete_pod(2, quietly=True)
    world.reconcile()
    assert all(gone not in (link.source, link.target) for link in world.mesh.links)
    assert all(gone not in entries for entries in world.mesh.listed.values())
    assert "NodeLeft" in world.reasons()


def test_links_of_a_node_that_left_while_no_controller_ran_are_cut_too() -> None:
    world = living()
    gone = world.delete_pod(2, quietly=True)
    for address in (world.address(0), world.address(1)):
        world.mesh.listed[address].remove(gone)
    world.restart_controller()
    world.reconcile()
    assert all(gone not in (link.source, link.target) for link in world.mesh.links)


def test_a_pod_that_comes_back_at_a_new_address_takes_its_place_again() -> None:
    world = living()
    old = world.delete_pod(1, quietly=True)
    world.reconcile()
    world.run_pods()
    world.settle()
    new = world.address(1)
    assert new != old
    assert world.mesh.peers_of(new) == {world.address(0), world.address(2)}
    assert old not in {entry for entries in world.mesh.listed.values() for entry in entries}


def test_a_service_that_was_deleted_returns() -> None:
    world = living()
    world.client.resource(SERVICES).delete(SERVICE)
    world.forget()
    world.reconcile()
    assert world.writes() == [("create", "services")]
    assert world.reasons() == ["ServiceCreated"]


def test_a_service_that_was_changed_is_set_back() -> None:
    world = living()
    world.edit(SERVICES, SERVICE, {"spec": {"selector": {"app": "other"}}})
    world.reconcile()
    assert world.reasons() == ["ServiceUpdated"]
    world.forget()
    world.reconcile()
    assert world.writes() == []


@pytest.mark.parametrize("type_", [SERVICES, STATEFUL_SETS])
def test_a_child_of_somebody_else_is_never_touched(type_: Any) -> None:
    world = living()
    key = SERVICE if type_ is SERVICES else STATEFUL_SET
    world.edit(
        type_, key, {"metadata": {"ownerReferences": None}, "spec": {"replicas": 7} if key == STATEFUL_SET else {}}
    )
    before = world.body(type_, key)
    world.reconcile()
    assert world.body(type_, key) == before
    assert world.condition("Conflict") == ("True", "ChildConflict")
    assert world.condition("Ready") == ("False", "ChildConflict")
    assert world.reasons().count("ChildConflict") == 1
    world.forget()
    world.reconcile()
    assert (world.writes(), world.notices) == ([], [])


def test_a_conflict_ends_when_what_stood_in_the_way_is_gone() -> None:
    world = living()
    world.edit(SERVICES, SERVICE, {"metadata": {"ownerReferences": None}})
    world.reconcile()
    world.client.resource(SERVICES).delete(SERVICE)
    world.settle(2)
    assert world.condition("Conflict") == ("False", "NoConflict")
    assert world.condition("Ready") == ("True", "Connected")


def test_a_child_on_its_way_out_is_waited_for() -> None:
    world = living()
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"metadata": {"finalizers": ["example.com/slow"]}, "spec": {"replicas": 1}})
    world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET)
    world.forget()
    world.reconcile()
    assert ("update", "statefulsets.apps") not in world.writes()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 1


def test_what_cannot_be_changed_is_a_conflict_and_is_told() -> None:
    world = living()
    world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET)
    world.reconcile()
    body = world.body(STATEFUL_SETS, STATEFUL_SET)
    world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET)
    body["metadata"].pop("resourceVersion")
    body["spec"]["podManagementPolicy"] = "OrderedReady"
    world.client.resource(STATEFUL_SETS).create(body)
    world.forget()
    world.reconcile()
    assert world.condition("Conflict") == ("True", "ChildConflict")
    assert "podManagementPolicy" in world.notices[-1].message


def test_a_network_that_is_being_deleted_is_left_alone() -> None:
    world = living()
    world.edit(BITCOIN_NETWORKS, KEY, {"metadata": {"finalizers": ["example.com/slow"]}})
    world.networks.delete(KEY)
    world.client.resource(SERVICES).delete(SERVICE)
    world.forget()
    assert world.reconcile().requeue_after is None
    assert (world.writes(), world.mesh.changes) == ([], [])


TERMINATING = {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]}


@pytest.mark.parametrize(
    "refusal",
    [
        Forbidden(403, "Forbidden", "because it is being terminated", details=TERMINATING),
        NotFound(404, "NotFound", "not found", details={"kind": "namespaces", "name": NAMESPACE}),
    ],
)
def test_a_network_in_a_namespace_that_is_being_deleted_is_left_to_that_and_one_line_says_so(refusal: ApiError) -> None:
    def refuse_new_content(action: Action) -> None:
        if action.verb == "create":
            raise refusal

    world = living()
    world.client.reactors.append(refuse_new_content)
    world.client.resource(SERVICES).delete(SERVICE)
    world.client.clear_actions()
    with capture_logs() as logs:
        results = [world.reconcile() for _ in range(3)]
        world.networks.delete(KEY)
        world.reconcile()
    assert results == [Result()] * 3
    assert [each[0] for each in world.writes()] == ["create", "delete"]
    assert world.notices == []
    said = [each["event"] for each in logs if each["log_level"] != "debug"]
    assert said == ["a namespace is being deleted: nothing is done for its networks"]


def test_the_last_network_of_a_namespace_is_missed_in_one_line() -> None:
    world = living()
    world.networks.delete(KEY)
    with capture_logs() as logs:
        for _ in range(2):
            world.reconcile()
    assert [each["event"] for each in logs if each["log_level"] == "info"] == [
        "the last network of a namespace is gone"
    ]


def test_a_network_that_is_gone_is_not_looked_at_again() -> None:
    assert World().reconcile().requeue_after is None


def test_nothing_is_counted_any_more_for_a_network_that_is_gone() -> None:
    world = living(1)
    world.networks.delete(KEY)
    world.reconcile()
    assert world.uncounted == [KEY]


def test_a_secret_that_is_not_there_is_waited_for_and_nothing_else_is_tried() -> None:
    world = World(network_body(secret="mine"))
    world.reconcile()
    assert world.condition("CredentialsReady") == ("False", "SecretNotFound")
    assert world.get(STATEFUL_SETS, STATEFUL_SET) is None
    assert world.mesh.reads == []
    world.reconcile()
    assert world.reasons().count("SecretNotFound") == 1


def test_once_the_secret_is_there_its_credentials_are_used_on_both_sides() -> None:
    world = World(network_body(secret="mine"))
    world.reconcile()
    world.client.resource(SECRETS).create(secret_body("mine", BC_RPC_USER="user", BC_RPC_PASSWORD="password"))
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.condition("CredentialsReady") == ("True", "SecretFound")
    assert world.condition("Ready") == ("True", "Connected")


def test_a_secret_we_may_not_read_does_not_keep_the_pods_from_starting() -> None:
    world = World(network_body(secret="mine"))
    world.client.reactors.append(refusing("get", "secrets", Forbidden(403, "Forbidden", "no")))
    world.reconcile()
    world.run_pods()
    world.reconcile()
    assert world.condition("CredentialsReady") == ("False", "SecretForbidden")
    assert world.status.ready_nodes == 3
    assert world.mesh.reads == []


def with_secret(nodes: int = 2) -> World:
    """A settled network whose credentials are in the Secret `mine`."""
    secret = secret_body("mine", BC_RPC_USER="user", BC_RPC_PASSWORD="password")
    world = World(network_body(nodes=nodes, secret="mine"), secret)
    world.reconcile()
    world.run_pods()
    world.settle()
    return world


def edit_secret(world: World, patch: dict[str, Any]) -> None:
    world.edit(SECRETS, ObjectKey(NAMESPACE, "mine"), patch)


def test_credentials_that_nodes_refuse_replace_the_pods_once() -> None:
    world = with_secret()
    edit_secret(world, {"stringData": {"BC_RPC_PASSWORD": "new"}})
    for _ in range(3):
        world.reconcile()
    version = world.client.resource(SECRETS).get(ObjectKey(NAMESPACE, "mine")).resource_version
    assert world.template_annotations() == {SECRET_VERSION_ANNOTATION: version}
    assert world.reasons().count("CredentialsRotating") == 1
    assert world.condition("MeshReady") == ("False", "CredentialsRotating")


def test_credentials_that_changed_while_no_controller_ran_replace_the_pods_too() -> None:
    world = with_secret()
    edit_secret(world, {"stringData": {"BC_RPC_PASSWORD": "new"}})
    world.restart_controller()
    world.reconcile()
    assert "CredentialsRotating" in world.reasons()


def test_a_secret_whose_metadata_alone_changes_replaces_nothing() -> None:
    world = with_secret()
    edit_secret(world, {"metadata": {"annotations": {"touched": "1"}}})
    for _ in range(3):
        world.reconcile()
    assert world.writes() == []


def test_pods_that_were_replaced_and_refuse_us_still_are_not_replaced_for_ever() -> None:
    world = with_secret()
    edit_secret(world, {"stringData": {"BC_RPC_PASSWORD": "new"}})
    world.reconcile()
    for ordinal in range(2):
        world.delete_pod(ordinal)
    world.run_pods()
    world.settle()
    world.reconcile()
    assert world.writes() == []
    assert world.condition("MeshReady") == ("False", "Unauthorized")


def test_nothing_of_the_password_is_stored_in_the_children() -> None:
    world = with_secret()
    edit_secret(world, {"stringData": {"BC_RPC_PASSWORD": "new"}})
    world.reconcile()
    text = json.dumps(world.body(STATEFUL_SETS, STATEFUL_SET))
    digests = [hashlib.new(each, b"new").hexdigest()[:16] for each in ("md5", "sha1", "sha256", "sha512")]
    assert not any(each in text for each in ('new"', b64encode(b"new").decode(), *digests))


def test_a_secret_that_is_taken_away_changes_nothing_that_runs() -> None:
    secret = secret_body("mine", BC_RPC_USER="user", BC_RPC_PASSWORD="password")
    world = World(network_body(secret="mine"), secret)
    world.reconcile()
    world.client.resource(SECRETS).delete(ObjectKey(NAMESPACE, "mine"))
    world.forget()
    world.reconcile()
    assert world.writes() == [("update", "bitcoinnetworks.bitcoincontroller.christianb93.github.com")]


def test_default_credentials_are_said_in_the_status() -> None:
    assert living().condition("CredentialsReady") == ("True", "DefaultCredentials")


def test_nodes_that_refuse_the_credentials_are_named_and_told_once() -> None:
    world = living()
    world.mesh.credentials = None  # type: ignore[assignment]
    world.reconcile()
    world.reconcile()
    assert world.condition("MeshReady") == ("False", "Unauthorized")
    assert world.reasons() == ["Unauthorized"]


def test_a_silent_node_is_a_failure_the_second_time() -> None:
    world = living()
    world.mesh.silent.add(world.address(1))
    world.reconcile()
    assert world.reasons() == []
    world.reconcile()
    assert world.condition("MeshReady") == ("False", "NodesUnreachable")
    world.reconcile()
    assert world.condition("Ready") == ("False", "NodesUnreachable")


@pytest.mark.parametrize("name", ["x" * 60, "1abc", "a.b"])
def test_a_name_that_children_cannot_bear_is_refused_until_it_changes(name: str) -> None:
    world = World()
    world.networks.create(network_body(name))
    with pytest.raises(TerminalError, match="InvalidName"):
        world.reconciler(ObjectKey(NAMESPACE, name))
    with pytest.raises(TerminalError):
        world.reconciler(ObjectKey(NAMESPACE, name))
    assert world.reasons() == ["InvalidName"]
    status = world.networks.get(ObjectKey(NAMESPACE, name)).body()["status"]
    assert status["conditions"][0]["reason"] == "InvalidName"


@pytest.mark.parametrize("nodes", [-1, 10**9, "three", None, 2.5])
def test_a_number_of_nodes_that_an_old_definition_let_through_is_refused(nodes: Any) -> None:
    world = World(network_body(nodes=nodes), lenient=True)
    with pytest.raises(TerminalError, match="InvalidSpec"):
        world.reconcile()
    assert world.reasons() == ["InvalidSpec"]
    assert world.condition("Ready") == ("False", "InvalidSpec")
    assert world.get(STATEFUL_SETS, STATEFUL_SET) is None


def test_a_refusal_is_told_even_if_the_status_cannot_be_written() -> None:
    world = World(network_body(nodes=-1), lenient=True)
    world.client.reactors.append(refusing("update", "bitcoinnetworks", Invalid(422, "Invalid", "spec.nodes")))
    with pytest.raises(TerminalError):
        world.reconcile()
    assert world.reasons() == ["InvalidSpec"]


def test_a_status_that_makes_no_sense_counts_as_none() -> None:
    world = World(network_body(), lenient=True)
    world.networks.update_status({**world.networks.get(KEY).body(), "status": {"nodes": None}})
    world.reconcile()
    assert len(world.status.nodes) == 3


def test_a_reconcile_that_lost_a_race_comes_again_without_a_word() -> None:
    world = World(network_body())
    world.client.reactors.append(refusing("update", "bitcoinnetworks", Conflict(409, "Conflict", "changed")))
    assert world.reconcile().requeue_after == CONFLICT_SECONDS
    assert "NodeJoined" not in world.reasons()


def test_nothing_is_said_when_the_status_could_not_be_written() -> None:
    world = living()
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 2}})
    world.client.reactors.append(refusing("update", "bitcoinnetworks", ServiceUnavailable(503)))
    world.delete_pod(2)
    with pytest.raises(ServiceUnavailable):
        world.reconcile()
    assert "NodeLeft" not in world.reasons()


def test_a_child_that_cannot_be_created_is_told_and_tried_again() -> None:
    world = World(network_body())
    world.client.reactors.append(refusing("create", "services", Forbidden(403, "Forbidden", "may not create")))
    with pytest.raises(Forbidden):
        world.reconcile()
    warnings = [notice.reason for notice in world.notices if notice.type == "Warning"]
    assert warnings == ["ServiceNotCreated", "Refused"]


def test_a_status_of_the_first_controller_is_replaced() -> None:
    world = World(network_body())
    body = world.networks.get(KEY).body()
    world.networks.update_status({**body, "status": {"nodes": [{"ordinal": 0, "ready": False}]}})
    world.reconcile()
    assert len(world.status.nodes) == 3


def test_a_node_is_let_in_once_it_has_the_networks_chain_and_the_status_says_how_far_it_is() -> None:
    world = living(gated=True)
    world.mesh.blocks = {world.address(each): 100 for each in range(3)}
    world.reconcile()
    world.delete_pod(2)
    world.run_pods()
    world.clock.advance(20)
    world.reconcile()
    assert not world.pods.is_ready(2)
    assert world.status.nodes[2].message == "it has 0 of 100 blocks"
    world.mesh.blocks[world.address(2)] = 100
    world.reconcile()
    assert world.pods.is_ready(2)


def test_blocks_that_all_nodes_have_given_up_keep_no_new_one_out_although_their_greetings_named_them() -> None:
    world = living(gated=True)
    world.mesh.blocks = {world.address(each): 100 for each in range(3)}
    world.settle()
    world.mesh.greeted = dict(world.mesh.blocks)
    world.mesh.blocks = dict.fromkeys(world.mesh.blocks, 49)  # invalidateblock, by hand, on each of them
    world.settle()
    world.delete_pod(2)
    world.run_pods()
    world.mesh.blocks[world.address(2)] = 49
    world.settle()
    assert world.pods.is_ready(2)


def test_what_a_peer_that_does_not_answer_had_when_it_greeted_is_waited_for() -> None:
    world = living(gated=True)
    world.mesh.greeted = {world.address(0): 100}
    world.delete_pod(2)
    world.run_pods()
    world.settle()
    assert world.pods.is_ready(2)
    world.mesh.silent.add(world.address(0))
    world.delete_pod(2)
    world.run_pods()
    world.mesh.connect(world.address(2), world.address(0))
    world.settle()
    assert not world.pods.is_ready(2)


def test_the_nodes_of_a_fresh_network_are_let_in_at_once() -> None:
    world = World(network_body(), gated=True)
    world.reconcile()
    world.run_pods()
    world.reconcile()
    assert [world.pods.is_ready(each) for each in range(3)] == [True] * 3


def test_a_node_is_not_let_in_as_long_as_one_that_may_have_more_does_not_answer() -> None:
    world = living(2, gated=True)
    world.mesh.blocks = {world.address(each): 100 for each in range(2)}
    world.reconcile()
    world.mesh.silent.add(world.address(0))
    world.delete_pod(1)
    world.run_pods()
    world.reconcile()
    assert not world.pods.is_ready(1)
    assert world.lost == []


def test_an_old_pod_that_is_silent_for_long_does_not_keep_new_ones_out_for_ever() -> None:
    """It may be the next one to be replaced, by an image that mends it: it must not be what that waits for."""
    world = living(3, gated=True)
    world.mesh.blocks = {world.address(0): 101, world.address(1): 100, world.address(2): 100}
    world.reconcile()
    world.mesh.stop(world.address(0))
    world.delete_pod(2)
    world.run_pods()
    world.mesh.blocks[world.address(2)] = 100
    world.clock.advance(1)
    world.reconcile()
    assert not world.pods.is_ready(2)
    world.clock.advance(PATIENCE_SECONDS)
    world.reconcile()
    assert world.pods.is_ready(2)
    assert world.lost == []  # that is only known once that pod is gone


@pytest.mark.parametrize("restarted", [True, False])
def test_a_chain_that_shrank_is_said_and_counted_once_and_keeps_nobody_out(restarted: bool) -> None:
    world = living(2, gated=True)
    world.mesh.blocks = {world.address(each): 100 for each in range(2)}
    world.clock.advance(20)
    world.reconcile()
    if restarted:
        world.restart_controller()
    for ordinal in range(2):
        world.delete_pod(ordinal)
    world.run_pods()
    for _ in range(3):
        world.reconcile()
    assert (world.condition("ChainIntact"), world.lost) == (("False", "ChainShrank"), [KEY])
    assert world.reasons().count("ChainShrank") == 1
    assert (world.status.height, world.status.lost_height, world.pods.is_ready(0)) == (0, 100, True)


def test_the_chain_of_an_only_node_is_lost_with_its_pod_and_that_is_said() -> None:
    world = living(1, gated=True)
    world.mesh.blocks = {world.address(0): 100}
    world.settle()
    world.delete_pod(0)
    world.run_pods()
    world.reconcile()
    assert world.condition("ChainIntact") == ("False", "ChainShrank")
    assert world.pods.is_ready(0)


def test_a_chain_that_has_grown_beyond_what_was_lost_is_whole_again() -> None:
    world = World({**network_body(nodes=1), "status": {}})
    world.reconcile()
    world.run_pods()
    for height in (100, 5, 101):
        world.mesh.blocks[world.address(0)] = height
        world.clock.advance(20)
        world.reconcile()
    assert (world.condition("ChainIntact"), world.status.lost_height) == (("True", "Kept"), 0)


def one_node_that_said(*heights: int) -> World:
    world = World({**network_body(nodes=1), "status": {}})
    world.reconcile()
    world.run_pods()
    say_heights(world, *heights)
    return world


def say_heights(world: World, *heights: int) -> None:
    for height in heights:
        world.mesh.blocks[world.address(0)] = height
        world.clock.advance(20)
        world.reconcile()


def test_a_loss_that_somebody_accepts_is_one_no_longer_so_a_height_that_was_a_lie_is_no_trouble_for_ever() -> None:
    lie = 2**31 - 1
    world = one_node_that_said(5, lie, 5)
    assert (world.condition("ChainIntact"), world.status.lost_height) == (("False", "ChainShrank"), lie)
    world.networks.patch(KEY, {"metadata": {"annotations": {ACCEPTED_LOSS: str(lie)}}})
    world.reconcile()
    assert (world.condition("ChainIntact"), world.status.lost_height) == (("True", "Kept"), 0)


@pytest.mark.parametrize("again", [100, 2**31 - 1])
def test_a_loss_after_the_one_that_was_accepted_is_said_again(again: int) -> None:
    world = one_node_that_said(2**31 - 1, 5)
    world.networks.patch(KEY, {"metadata": {"annotations": {ACCEPTED_LOSS: str(2**31 - 1)}}})
    world.reconcile()
    say_heights(world, again, 4)
    assert world.condition("ChainIntact") == ("False", "ChainShrank")
    assert (world.reasons().count("ChainShrank"), len(world.lost)) == (2, 2)


@pytest.mark.parametrize("text", ["", "yes", "-1", "²", "9" * 5000, "101", "99"])
def test_what_names_another_loss_or_none_accepts_nothing(text: str) -> None:
    world = one_node_that_said(100, 5)
    world.networks.patch(KEY, {"metadata": {"annotations": {ACCEPTED_LOSS: text}}})
    world.reconcile()
    assert world.condition("ChainIntact") == ("False", "ChainShrank")


def test_heights_are_written_every_ten_seconds_at_most() -> None:
    world = living(1)
    world.clock.advance(20)
    for height in range(1, 31):
        world.mesh.blocks[world.address(0)] = height
        world.reconcile()
        world.clock.advance(1)
    assert len(world.writes()) == 3


def test_a_node_that_stays_unreachable_is_told_once() -> None:
    world = living()
    world.mesh.silent.add(world.address(1))
    for _ in range(4):
        world.reconcile()
        world.clock.advance(5)
    assert world.reasons() == ["NodesUnreachable"]
    assert world.condition("Ready") == ("False", "NodesUnreachable")


def test_why_pods_are_missing_is_said() -> None:
    world = World(network_body())
    world.why_missing = "exceeded quota: small"
    world.reconcile()
    world.run_pods(1)
    world.reconcile()
    assert (world.status.nodes[2].reason, world.status.nodes[2].message) == ("PodNotCreated", "exceeded quota: small")
    assert world.condition("Ready") == ("False", "PodNotCreated")
    assert "exceeded quota: small" in world.message("Ready")


def test_a_node_that_does_not_answer_its_probe_is_said_with_the_probes_words() -> None:
    world = living()
    unready(world, 1)
    world.probes = {1: "HTTP probe failed with statuscode: 503", 0: "was once"}
    world.settle()
    assert world.message("Ready").endswith("its readiness probe yet: HTTP probe failed with statuscode: 503")
    world.clock.advance(SHOW_SECONDS)
    world.reconcile()
    assert world.writes() == []


def test_a_node_whose_network_is_switched_off_is_named_with_what_to_do_and_not_told_to_dial() -> None:
    world = living()
    world.mesh.off = {world.address(1)}
    world.mesh.links = [each for each in world.mesh.links if world.address(1) not in (each.source, each.target)]
    for _ in range(4):
        world.reconcile()
    assert world.condition("Ready") == world.condition("MeshReady") == ("False", "NetworkOff")
    assert world.message("Ready").startswith("the network of node 1 is switched off: bitcoin-cli setnetworkactive true")
    assert world.reasons() == ["NetworkOff"]
    assert [each for each in world.mesh.changes if each[0] == world.address(1)] == []
    world.mesh.off = set()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")


def unready(world: World, ordinal: int) -> None:
    body = world.body(PODS, world.pods.pod_key(ordinal))
    conditions = [{"type": each, "status": "False"} for each in ("Ready", "ContainersReady")]
    world.client.resource(PODS).update_status({**body, "status": {**body["status"], "conditions": conditions}})


@pytest.mark.parametrize("is_missing", [True, False])
def test_words_of_others_with_a_number_that_differs_each_time_are_no_change(is_missing: bool) -> None:
    world = World(network_body())
    world.reconcile()
    world.run_pods(2 if is_missing else 3)
    if not is_missing:
        unready(world, 1)
    for number in range(20):
        world.why_missing = f"exceeded quota: small, used: memory={900 + number}Mi"
        world.probes = {1: f"the request took {number} ms"}
        world.clock.advance(SHOW_SECONDS)
        world.reconcile()
        if number == 3:
            world.forget()
    assert world.writes() == []
    assert ("exceeded quota" if is_missing else "the request took") in world.message("Ready")


def test_what_is_said_of_a_trouble_a_moment_after_it_began_is_known_soon() -> None:
    world = World(network_body())
    world.reconcile()
    assert world.status.nodes[0].reason == "PodMissing"
    world.why_missing = "exceeded quota: small"
    world.clock.advance(2)
    world.reconcile()
    assert world.status.nodes[0].message == "exceeded quota: small"


def test_what_others_say_of_pods_is_known_though_we_may_not_read_the_secret() -> None:
    world = World(network_body(secret="mine"))
    world.client.reactors.append(refusing("get", "secrets", Forbidden(403, "Forbidden", "no")))
    world.why_missing = "exceeded quota: small"
    for _ in range(2):
        world.reconcile()
        world.clock.advance(2)
    assert {(each.reason, each.message) for each in world.status.nodes} == {("PodNotCreated", "exceeded quota: small")}


def test_a_node_that_answers_every_other_time_is_not_asked_every_two_seconds() -> None:
    world, delays = living(), []
    for number in range(20):
        world.mesh.silent = {world.address(1)} if number % 2 else set()
        world.clock.advance(31)
        delays.append(world.reconcile().requeue_after)
    assert delays[-2:] == [30, 30]


def test_a_repair_that_is_undone_time_and_again_is_not_repeated_and_names_who_and_what() -> None:
    world = living()
    for _ in range(6):
        world.client.resource(STATEFUL_SETS).apply(
            {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "metadata": {"name": "net-sts", "namespace": NAMESPACE},
                "spec": {"replicas": 7},
            },
            force=True,
            field_manager="autoscaler",
        )
        world.reconcile()
    assert world.reasons() == ["Scaled"] * 3 + ["RepairsUndone"]
    assert world.condition("Contested") == ("True", "RepairsUndone")
    assert 'spec.replicas is changed again and again by "autoscaler"' in world.message("Contested")


def test_a_contested_child_is_set_back_once_more_after_five_minutes() -> None:
    world = living()
    for _ in range(4):
        world.edit(STATEFUL_SETS, STATEFUL_SET, {"spec": {"replicas": 7}})
        world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 7
    world.clock.advance(300)
    world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 3


def test_what_a_user_changes_often_is_no_dispute() -> None:
    world = living()
    for nodes in (4, 5, 6, 7, 8):
        world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": nodes}})
        world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 8
    assert world.condition("Contested") == ("False", "Uncontested")


def test_a_node_whose_image_knows_no_other_chain_than_regtest_is_told_in_the_status() -> None:
    world = World(network_body(network="testnet4"))
    world.mesh.chain = "regtest"
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("False", "WrongChain")
    assert "is on the chain regtest, not on testnet4" in world.message("Ready")


def test_what_somebody_wipes_out_of_a_status_is_written_again_and_is_no_news() -> None:
    world = living(2)
    world.networks.patch(KEY, {"status": {"nodes": None, "conditions": None}}, subresource="status")
    world.forget()
    world.reconcile()
    assert [node.ordinal for node in world.status.nodes] == [0, 1]
    assert world.reasons() == []
