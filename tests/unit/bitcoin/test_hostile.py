"""What others say or make, however odd it is, keeps no status from being written, and no network from its work."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from btcctl.bitcoin.credentials import SecretInvalid, SecretKeyMissing, read_credentials
from btcctl.bitcoin.topology import MAX_HEIGHT, Peer
from btcctl.bitcoin.wording import bounded, one_word
from btcctl.errors import Forbidden, TerminalError
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.testing.fake_client import Action
from tests.unit.bitcoin.builders import network, network_body, pod_body
from tests.unit.bitcoin.world import STATEFUL_SET, World, living

READ = [[], [], {"blocks": 5}, {"subversion": "x"}]  # as a node answers
POD = ObjectKey("default", "net-sts-1")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Unschedulable", "Unschedulable"),
        ("has space and : ü", "HasSpaceAnd"),
        ("9lives", "lives"),
        ("", "Other"),
        ("ü", "Other"),
        ("x" * 5000, "X" + "x" * 63),
        ("Ends:", "Ends"),
    ],
)
def test_a_reason_is_one_word_of_those_that_conditions_take(text: str, word: str) -> None:
    assert one_word(text) == word


def test_a_text_is_bounded() -> None:
    assert bounded("abc", 3) == "abc"
    assert bounded("abcd", 3) == "ab…"


class Rpc:
    def __init__(self, answers: list[Any]) -> None:
        self._answers = answers

    def batch(self, calls: Any) -> list[Any]:
        return copy.deepcopy(self._answers)

    def call(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    "odd",
    [None, "x", 1, float("inf"), 10**30, [None], {"blocks": 10**30}, {"blocks": -5}, {"time": 1e300}, [{"id": 1}]],
)
def test_a_node_may_answer_anything(place: int, odd: Any) -> None:
    world = living(2)
    answers = [*READ]
    answers[place] = odd
    sick, rpc_for = world.address(0), world.mesh.rpc_for
    world.mesh.rpc_for = lambda address, *rest: Rpc(answers) if address == sick else rpc_for(address, *rest)  # type: ignore[method-assign,assignment]
    world.restart_controller()
    for _ in range(4):
        world.reconcile()
        world.clock.advance(31)
    world.forget()
    world.reconcile()
    assert world.writes() == []
    assert world.status.height <= 5


@pytest.mark.parametrize(
    ("address", "height"), [("10.0.0.1", 500), ("10.0.0.1:18444", 500), ("9.9.9.9:1", 7), ("x", 7)]
)
def test_what_a_peer_says_of_its_height_counts_if_it_is_a_node_of_the_network(address: str, height: int) -> None:
    peer = Peer(1, address, startingheight=500, synced_headers=7)
    assert peer.height({"10.0.0.1"}) == height


def test_a_height_that_no_chain_can_have_is_none() -> None:
    assert Peer(1, "10.0.0.1", startingheight=MAX_HEIGHT + 1).height({"10.0.0.1"}) == -1


def test_a_refusal_of_two_megabytes_fits_into_status_and_event() -> None:
    def refuse(action: Action) -> None:
        if action.verb == "create":
            raise Forbidden(403, "Forbidden", "x" * 2_000_000)

    world = World(network_body())
    world.client.reactors.append(refuse)
    with pytest.raises(Forbidden):
        world.reconcile()
    assert world.condition("Ready") == ("False", "Refused")
    assert max(len(each.message) for each in [*world.status.conditions, *world.notices]) <= 1000


@pytest.mark.parametrize("ordinal", ["99999999999999999999", "2147483648", "007", "01"])
def test_a_pod_with_a_name_that_no_stateful_set_gives_is_no_node(ordinal: str) -> None:
    world = living()
    body = pod_body(world.body(STATEFUL_SETS, STATEFUL_SET), 0, "10.9.9.9", ready=True)
    body["metadata"]["name"] = f"net-sts-{ordinal}"
    created = world.client.resource(PODS, "default").create(body)
    world.client.resource(PODS).update_status({**created.body(), "status": body["status"]})
    world.settle()
    world.reconcile()
    assert [node.ordinal for node in world.status.nodes] == [0, 1, 2]
    assert world.condition("Ready") == ("True", "Connected")


def in_phase(phase: str, reason: str) -> Callable[[dict[str, Any]], None]:
    return lambda status: status.update(phase=phase, reason=reason)


def waiting(reason: str) -> Callable[[dict[str, Any]], None]:
    state = {"waiting": {"reason": reason, "message": "z" * 100_000}}
    container = {"name": "bitcoind", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    return lambda status: status.update(conditions=[], containerStatuses=[container])


@pytest.mark.parametrize("change", [in_phase("Failed", "R" * 5000), waiting("X" * 2000), waiting("two words")])
def test_a_kubelet_may_say_anything(change: Callable[[dict[str, Any]], None]) -> None:
    world = living()
    body = world.body(PODS, POD)
    change(body["status"])
    world.client.resource(PODS).update_status(body)
    world.reconcile()
    node = world.status.nodes[1]
    assert not node.ready
    assert node.reason == one_word(node.reason)
    assert len(node.message) <= 300


def secret(data: Any) -> Object:
    return Object.from_body({"metadata": {"name": "s", "namespace": "default", "resourceVersion": "1"}, "data": data})


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"BC_RPC_USER": None, "BC_RPC_PASSWORD": "eA=="}, SecretKeyMissing),
        ({"BC_RPC_USER": 5, "BC_RPC_PASSWORD": "eA=="}, SecretInvalid),
        ([], SecretKeyMissing),
        ([1], SecretInvalid),
        ("x", SecretInvalid),
    ],
)
def test_a_secret_of_odd_types_is_said_to_be_one(data: Any, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        read_credentials(network(secret="s"), lambda key: secret(data))


def test_what_else_stands_in_a_secret_does_not_matter() -> None:
    data = {"BC_RPC_USER": "eA==", "BC_RPC_PASSWORD": "eA==", "other": {"a": None}}
    assert read_credentials(network(secret="s"), lambda key: secret(data)).secret == "s"


@pytest.mark.parametrize("name", ["a/b", "..", "UPPER", "x" * 254, " ", "x\n", "é"])
def test_a_secret_that_cannot_exist_is_a_fault_of_the_spec(name: str) -> None:
    world = World(network_body(secret=name), lenient=True)
    with pytest.raises(TerminalError, match=r"spec\.secret: no Secret can have that name"):
        world.reconcile()
    assert world.condition("Ready") == ("False", "InvalidSpec")


def test_an_address_that_another_networks_pod_has_now_is_let_go() -> None:
    """The pod is gone without a word, and its address belongs to a stranger at once."""
    world = living()
    address = world.delete_pod(2, quietly=True)
    world.mesh.start(address)
    for _ in range(3):
        world.reconcile()
    assert all(address not in (link.source, link.target) for link in world.mesh.links)


def test_two_pods_that_claim_one_address_do_no_harm() -> None:
    world = living()
    body = world.body(PODS, POD)
    body["status"]["podIP"] = world.address(0)
    world.client.resource(PODS).update_status(body)
    world.settle()
    world.reconcile()
    assert (world.writes(), world.mesh.changes) == ([], [])


def test_clocks_that_jump_write_nothing() -> None:
    world = living()
    wall_time = world.clock.wall_time
    for hours in (-48, 48, 0):
        world.clock.wall_time = lambda hours=hours: later(wall_time(), hours)  # type: ignore[method-assign,misc]
        world.reconcile()
    assert world.writes() == []


def later(time: datetime, hours: int) -> datetime:
    return time + timedelta(hours=hours)
