from __future__ import annotations

from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.status import (
    Finding,
    Heights,
    Notice,
    build_status,
    conditions_of,
    enumerate_briefly,
    failure_notices,
    node_notices,
    ready_finding,
)
from btcctl.bitcoin.types import NetworkStatus, NodeStatus
from btcctl.controller.writing.conditions import Condition
from tests.unit.bitcoin.builders import network

NOW, EARLIER = "2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
READY_NODES = [NodeStatus(0, True, "10.0.0.1"), NodeStatus(1, True, "10.0.0.2")]
GOOD = Finding("MeshReady", True, "Connected", "all is well")
BAD = Finding("CredentialsReady", False, "SecretNotFound", "there is no Secret", is_failure=True)
CALM = Finding("Conflict", False, "NoConflict", "")


def condition(status: str = "True", **fields: str) -> Condition:
    return Condition("MeshReady", status, "Connected", "all is well", EARLIER, **fields)  # type: ignore[arg-type]


def test_a_condition_that_still_holds_keeps_its_transition_time() -> None:
    assert conditions_of([condition()], [GOOD], 2, NOW) == [
        Condition("MeshReady", "True", "Connected", "all is well", EARLIER, 2)
    ]


def test_a_condition_that_turned_has_a_new_transition_time() -> None:
    assert conditions_of([condition("False")], [GOOD], 2, NOW)[0].last_transition_time == NOW


def test_conditions_of_others_are_left_where_they_are() -> None:
    other = Condition("Audited", "True", "Yes", "", EARLIER)
    assert conditions_of([other], [GOOD], 1, NOW)[-1] == other


def test_the_same_sight_gives_the_same_status_whatever_the_time() -> None:
    first = build_status(network(), READY_NODES, Heights(), [GOOD, BAD], EARLIER)
    again = build_status(
        network(conditions=first.conditions, nodes=first.nodes), READY_NODES, Heights(), [GOOD, BAD], NOW
    )
    assert again == first


def test_the_status_counts_ready_nodes_and_names_a_selector() -> None:
    status = build_status(network(), [*READY_NODES, NodeStatus(2, False)], Heights(), [], NOW)
    assert status.ready_nodes == 2
    assert status.selector == "bitcoincontroller.christianb93.github.com/network=net"
    assert status.observed_generation == 1


def test_a_network_is_ready_when_all_nodes_are_and_nothing_else_is_wrong() -> None:
    assert ready_finding(READY_NODES, NetworkSpec(2), [CALM, GOOD]).holds


def test_a_network_that_lost_blocks_is_as_ready_as_it_ever_was() -> None:
    lost = Finding("ChainIntact", False, "ChainShrank", "blocks were lost", is_failure=True)
    contested = Finding("Contested", True, "RepairsUndone", "somebody", is_failure=True)
    assert ready_finding(READY_NODES, NetworkSpec(2), [CALM, GOOD, lost, contested]).holds


def test_a_failure_says_more_than_missing_nodes() -> None:
    finding = ready_finding([], NetworkSpec(2), [CALM, BAD, GOOD])
    assert (finding.holds, finding.reason) == (False, "SecretNotFound")


def test_missing_nodes_are_counted() -> None:
    finding = ready_finding(READY_NODES, NetworkSpec(3), [CALM, GOOD])
    assert (finding.reason, finding.message) == ("NodesNotReady", "2 of 3 nodes are ready")


def test_nodes_above_spec_nodes_do_not_make_a_network_ready() -> None:
    assert not ready_finding([NodeStatus(0, False), NodeStatus(1, True, "10.0.0.2")], NetworkSpec(1), [GOOD]).holds


def test_a_mesh_that_is_not_finished_keeps_the_network_from_being_ready() -> None:
    pending = Finding("MeshReady", False, "PeersPending", "connecting node 0")
    assert ready_finding(READY_NODES, NetworkSpec(2), [CALM, pending]).reason == "PeersPending"


def test_a_node_that_became_ready_joined() -> None:
    old = [NodeStatus(0, True, "10.0.0.1"), NodeStatus(1, False, "10.0.0.2")]
    assert node_notices(old, READY_NODES) == [Notice("Normal", "NodeJoined", "node 1 at 10.0.0.2 joined")]


def test_a_node_that_came_back_at_a_new_address_left_and_joined() -> None:
    new = [NodeStatus(0, True, "10.0.0.1"), NodeStatus(1, True, "10.0.0.9")]
    assert [notice.reason for notice in node_notices(READY_NODES, new)] == ["NodeLeft", "NodeJoined"]


def test_a_node_that_is_only_not_ready_has_not_left() -> None:
    assert node_notices(READY_NODES, [READY_NODES[0], NodeStatus(1, False, "10.0.0.2")]) == []


def test_a_node_that_was_on_its_way_out_and_is_gone_has_left() -> None:
    old = [READY_NODES[0], NodeStatus(1, False, "10.0.0.2")]
    assert [notice.reason for notice in node_notices(old, READY_NODES[:1])] == ["NodeLeft"]


def test_a_failure_is_told_once_and_again_when_it_says_something_new() -> None:
    assert [each.reason for each in failure_notices([], [BAD, GOOD])] == ["SecretNotFound"]
    known = [Condition(BAD.type, "False", BAD.reason, BAD.message)]
    assert failure_notices(known, [BAD]) == []
    assert failure_notices([Condition(BAD.type, "False", BAD.reason, "something else")], [BAD])


def test_long_lists_are_cut_short() -> None:
    assert enumerate_briefly(["a", "b", "c"]) == "a; b; c"
    assert enumerate_briefly(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"


def test_an_empty_status_differs_from_one_with_nodes() -> None:
    assert build_status(network(), READY_NODES, Heights(), [], NOW) != NetworkStatus()


def test_a_failure_that_says_more_than_a_condition_holds_is_told_once_too() -> None:
    long = Finding("Contested", True, "two words", "x" * 5000, is_failure=True)
    (notice,) = failure_notices([], [long])
    assert (notice.reason, len(notice.message)) == ("TwoWords", 1000)
    assert failure_notices([long.condition], [long]) == []
