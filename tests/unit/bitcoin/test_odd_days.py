"""What happens to networks beside what is meant to: deleted and remade, changed twice, restored, refused in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest

from btcctl.bitcoin.children import SECRET_VERSION_ANNOTATION
from btcctl.bitcoin.rpc import Credentials
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import ApiError, Conflict, Forbidden, InternalError, ServiceUnavailable, TooManyRequests
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SECRETS, SERVICES, STATEFUL_SETS
from btcctl.testing.fake_client import Action
from tests.unit.bitcoin.builders import NAMESPACE, network_body, secret_body
from tests.unit.bitcoin.test_reconcile import refusing
from tests.unit.bitcoin.world import KEY, STATEFUL_SET, WRITES, World, living

SECRET = ObjectKey(NAMESPACE, "mine")


def with_secret() -> World:
    """A settled network whose nodes have the Secret's credentials."""
    secret = secret_body("mine", BC_RPC_USER="me", BC_RPC_PASSWORD="first")
    world = World(network_body(secret="mine"), secret)
    world.mesh.credentials = Credentials("me", "first")
    world.reconcile()
    world.run_pods()
    world.settle()
    return world


def set_password(world: World, password: str) -> str:
    """Return the Secret's new version."""
    world.edit(SECRETS, SECRET, {"stringData": {"BC_RPC_PASSWORD": password}})
    return world.client.resource(SECRETS).get(SECRET).resource_version


def replace_pod(world: World, ordinal: int, password: str) -> None:
    """As a StatefulSet does; its node has what the Secret says by then."""
    world.delete_pod(ordinal)
    world.run_pods()
    world.mesh.own[world.address(ordinal)] = Credentials("me", password)


def rotated(world: World) -> str:
    """For which version of the Secret pods are made."""
    return world.template_annotations()[SECRET_VERSION_ANNOTATION]


def test_a_password_that_is_changed_again_while_pods_are_replaced_replaces_those_that_have_the_one_between() -> None:
    world = with_secret()
    between = set_password(world, "second")
    world.reconcile()
    assert rotated(world) == between
    replace_pod(world, 2, "second")
    last = set_password(world, "third")
    world.reconcile()
    assert rotated(world) == last
    for ordinal in (2, 1, 0):
        replace_pod(world, ordinal, "third")
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert rotated(world) == last


def test_a_pod_that_began_with_the_newest_of_two_passwords_is_not_replaced_for_it_again() -> None:
    world = with_secret()
    first = set_password(world, "second")
    world.reconcile()
    set_password(world, "third")
    replace_pod(world, 2, "third")  # made for the second, and started when the third was there
    world.reconcile()
    assert rotated(world) == first
    for ordinal in (1, 0):
        replace_pod(world, ordinal, "third")
    world.settle()
    assert (rotated(world), world.condition("Ready")) == (first, ("True", "Connected"))


def test_a_rotation_that_the_server_refuses_is_not_said_to_be_under_way() -> None:
    world = with_secret()
    set_password(world, "second")
    world.client.reactors.append(refusing("update", "statefulsets", Forbidden(403, "Forbidden", "a freeze")))
    with pytest.raises(Forbidden):
        world.reconcile()
    assert "CredentialsRotating" not in world.reasons()
    assert "a freeze" in world.message("Forbidden")


@pytest.mark.parametrize("password", ["first", "second"])
def test_a_secret_that_is_deleted_and_made_anew_replaces_pods_only_if_it_says_something_else(password: str) -> None:
    world = with_secret()
    world.client.resource(SECRETS).delete(SECRET)
    world.reconcile()
    assert world.condition("CredentialsReady") == ("False", "SecretNotFound")
    assert world.get(STATEFUL_SETS, STATEFUL_SET) is not None
    before = rotated(world)
    world.client.resource(SECRETS).create(secret_body("mine", BC_RPC_USER="me", BC_RPC_PASSWORD=password))
    world.settle()
    assert (rotated(world) == before) == (password == "first")
    assert (world.condition("Ready") == ("True", "Connected")) == (password == "first")


@pytest.mark.parametrize("before", ["mine", None])
def test_another_secret_replaces_the_pods_once_and_says_so(before: str | None) -> None:
    world = with_secret() if before else living()
    world.client.resource(SECRETS).create(secret_body("other", BC_RPC_USER="me", BC_RPC_PASSWORD="second"))
    generation = world.client.resource(STATEFUL_SETS).get(STATEFUL_SET).generation
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"secret": "other"}})
    for _ in range(4):
        world.reconcile()
    assert world.client.resource(STATEFUL_SETS).get(STATEFUL_SET).generation == generation + 1
    assert world.condition("MeshReady") == ("False", "CredentialsRotating")
    assert world.reasons().count("CredentialsRotating") == 1
    for ordinal in (2, 1, 0):
        replace_pod(world, ordinal, "second")
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert world.client.resource(STATEFUL_SETS).get(STATEFUL_SET).generation == generation + 1


@pytest.mark.parametrize("before", ["mine", None])
def test_a_secret_that_is_not_there_yet_takes_no_node_from_a_network_that_runs(before: str | None) -> None:
    world = with_secret() if before else living()
    template = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"secret": "later", "nodes": 4}})
    world.reconcile()
    assert world.condition("CredentialsReady") == ("False", "SecretNotFound")
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"] == template
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 4
    later = world.client.resource(SECRETS).create(secret_body("later", BC_RPC_USER="me", BC_RPC_PASSWORD="x"))
    world.reconcile()
    assert rotated(world) == later.resource_version


def test_what_a_webhook_makes_of_the_reference_to_the_secret_is_no_other_secret() -> None:
    world = with_secret()
    template = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]
    container = {**template["spec"]["containers"][0], "env": [{"name": "BC_RPC_PASSWORD", "value": "vault:mine"}]}
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"spec": {"template": {"spec": {"containers": [container]}}}})
    world.edit(SECRETS, SECRET, {"metadata": {"labels": {"a": "b"}}})
    world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"] == template


def test_a_network_whose_secret_is_taken_away_goes_over_to_the_default_and_back_without_a_warning() -> None:
    world = with_secret()
    for secret, password in ((None, "password"), ("mine", "first")):
        world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"secret": secret}})
        world.reconcile()
        assert world.condition("MeshReady") == ("False", "CredentialsRotating")
        assert [each for each in world.notices if each.type == "Warning"] == []
        for ordinal in (2, 1, 0):
            replace_pod(world, ordinal, password)
            world.mesh.own[world.address(ordinal)] = Credentials("user" if secret is None else "me", password)
        world.settle()
        assert world.condition("Ready") == ("True", "Connected")
    world.restart_controller()
    world.reconcile()
    assert world.writes() == []


def orphan(world: World) -> None:
    """`kubectl delete statefulset --cascade=orphan`: its pods stay, and are nobody's."""
    world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET, propagation_policy="Orphan")


def adopt(world: World) -> None:
    """What the controller of StatefulSets does with pods that its selector finds and nobody has."""
    owner = world.client.resource(STATEFUL_SETS).get(STATEFUL_SET)
    reference: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
    }
    for pod in world.pods.list():
        world.client.resource(PODS).patch(pod.key, {"metadata": {"ownerReferences": [reference]}})


def test_pods_that_a_stateful_set_has_left_behind_go_on_under_the_next_one_and_are_not_replaced() -> None:
    world = with_secret()
    version, links = rotated(world), len(world.mesh.links)
    world.edit(SECRETS, SECRET, {"metadata": {"labels": {"touched": "1"}}})
    orphan(world)
    world.reconcile()
    assert rotated(world) == version
    adopt(world)
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert (len(world.mesh.links), world.lost) == (links, [])


def test_a_stateful_set_that_does_not_go_is_named_with_what_holds_it() -> None:
    world = living(2)
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"metadata": {"finalizers": ["example.com/wait"]}})
    world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET)
    world.reconcile()
    assert world.condition("Ready") == ("False", "PodNotCreated")
    assert 'StatefulSet "net-sts" is on its way out, held by example.com/wait' in world.message("Ready")
    world.edit(STATEFUL_SETS, STATEFUL_SET, {"metadata": {"finalizers": None}})
    world.reconcile()
    assert "on its way out" not in world.message("Ready")
    assert world.get(STATEFUL_SETS, STATEFUL_SET) is not None


def test_a_pod_whose_machine_is_lost_is_said_to_leave_and_the_others_go_on() -> None:
    world = living(3)
    address = world.address(2)
    world.mesh.stop(address, quietly=True)
    pod = world.client.resource(PODS).get(world.pods.pod_key(2))
    world.client.resource(PODS).patch(pod.key, {"metadata": {"finalizers": ["example.com/kubelet-is-gone"]}})
    world.client.resource(PODS).delete(pod.key, grace_period_seconds=0)  # and it stays
    world.settle()
    assert [node.reason for node in world.status.nodes] == ["", "", "Terminating"]
    assert all(address not in (link.source, link.target) for link in world.mesh.links)
    assert world.condition("MeshReady") == ("True", "Connected")
    world.forget()
    world.reconcile()
    assert world.writes() == []


def test_a_parted_network_can_be_made_smaller_and_whole_again() -> None:
    world = living(6, partition=[[0, 1, 2], [3, 4, 5]])
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 3}})
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"partition": None, "nodes": 4}})
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert len(world.mesh.peers_of(world.address(3))) == 3


@pytest.mark.parametrize(
    "spec",
    [
        {"partition": [[0, 1], [2, 3]]},
        {"partition": [[0, 1, 2]], "storage": {"size": "1Gi"}},
        {"topology": "edges", "edges": [[0, 1], [2, 3]]},
    ],
)
def test_a_pod_of_the_part_with_fewer_blocks_is_replaced_while_the_network_is_parted(spec: dict[str, Any]) -> None:
    world = living(4, gated=True, **spec)
    world.mesh.blocks = {world.address(each): 105 if each == 3 else 110 for each in range(4)}
    world.settle()
    world.delete_pod(3)
    world.run_pods()
    world.mesh.blocks[world.address(3)] = 104
    world.mesh.blocks[world.address(2)] = 110 if "storage" in spec else 105
    world.settle()
    assert world.pods.is_ready(3) == ("storage" in spec)
    world.mesh.blocks[world.address(3)] = 105
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")


@pytest.mark.parametrize("height", [-1, 2**31, 2**62])
def test_a_height_that_no_chain_can_have_is_not_believed_whoever_has_written_it(height: int) -> None:
    world = living(2)
    body = world.networks.get(KEY).body()
    world.networks.update_status({**body, "status": {**body["status"], "height": height, "lostHeight": height}})
    world.restart_controller()
    world.settle()
    assert world.condition("ChainIntact") == ("True", "Kept")
    assert (world.status.height, world.status.lost_height, world.lost) == (0, 0, [])


def test_a_status_that_somebody_empties_is_written_again() -> None:
    world = living(2)
    body = world.networks.get(KEY).body()
    world.networks.update_status({**body, "status": {}})
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert world.status.ready_nodes == 2


def test_a_network_that_is_restored_with_its_status_and_another_uid_is_built_and_says_what_it_has_lost() -> None:
    world = living(2)
    world.mesh.blocks = {world.address(each): 100 for each in range(2)}
    world.settle()
    body = world.networks.get(KEY).body()
    world.networks.delete(KEY)
    for pod in world.pods.list():
        world.pods.delete(int(pod.name.rpartition("-")[2]))
    restored = world.networks.create({**body, "metadata": {"name": KEY.name, "namespace": NAMESPACE}})
    world.networks.update_status({**restored.body(), "status": body["status"]})
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert world.condition("ChainIntact") == ("False", "ChainShrank")
    assert world.status.lost_height == 100


def test_a_spec_that_changes_with_every_look_is_followed_and_settles_at_what_it_is_last() -> None:
    world = living(3)
    for nodes in (5, 1, 4, 2, 6):
        world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": nodes, "config": [f"uacomment=n{nodes}"]}})
        world.reconcile()
        if nodes % 2:
            world.run_pods()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    assert world.status.ready_nodes == 6


TROUBLES = (
    TooManyRequests(429, "TooManyRequests", "wait"),
    InternalError(500, "InternalError", "etcdserver: leader changed"),
    Conflict(409, "Conflict", "the object has been modified"),
    ServiceUnavailable(503, "ServiceUnavailable", "starting"),
)


def test_a_server_that_refuses_in_turns_is_got_past_and_nothing_is_made_twice() -> None:
    world = World(network_body())
    turns: Iterator[ApiError | None] = cycle([TROUBLES[0], TROUBLES[1], None, TROUBLES[2], TROUBLES[3], None])

    def in_turns(action: Action) -> None:
        if action.verb in WRITES and (trouble := next(turns)) is not None:
            raise trouble

    world.client.reactors.append(in_turns)
    for _ in range(20):
        with suppress(*map(type, TROUBLES)):
            world.reconcile()
    world.client.reactors.clear()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")
    made = [world.client.resource(type_, NAMESPACE).list()[0] for type_ in (STATEFUL_SETS, SERVICES)]
    assert [len(each) for each in made] == [1, 1]
