from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.bitcoin.spec.shape import Shape, neighbours
from btcctl.bitcoin.topology import (
    DEFAULT_SPELLING,
    AddedNode,
    Member,
    Peer,
    PeerPlan,
    Roster,
    Spelling,
    canonical,
    is_bare,
    plan_peers,
)


def member(ordinal: int, *, ready: bool = True) -> Member:
    return Member(ordinal, f"10.0.0.{ordinal + 1}", ready)


THREE = [member(0), member(1), member(2)]


def plan(
    added: Iterable[AddedNode] = (),
    members: list[Member] = THREE,
    spelling: Spelling = DEFAULT_SPELLING,
    **rest: object,
) -> PeerPlan:
    roster = Roster(members, Shape(len(members)), spelling)
    return plan_peers(members[0], roster, added=added, **rest)  # type: ignore[arg-type]


def both(*, connected: bool = True) -> list[AddedNode]:
    return [AddedNode("10.0.0.2", connected), AddedNode("10.0.0.3", connected)]


def test_a_node_that_knows_nobody_gets_every_other_ready_node() -> None:
    assert plan() == PeerPlan(add=("10.0.0.2", "10.0.0.3"))


def test_a_node_that_is_connected_to_all_others_is_left_alone() -> None:
    assert not plan(both())


def test_an_entry_that_is_not_connected_is_dialled_but_not_added_again() -> None:
    assert plan(both(connected=False)) == PeerPlan(dial=("10.0.0.2", "10.0.0.3"))


def test_a_pod_that_is_not_ready_is_not_added() -> None:
    assert plan(members=[member(0), member(1, ready=False), member(2)]) == PeerPlan(add=("10.0.0.3",))


def test_the_entry_of_a_pod_that_is_not_ready_is_kept_and_not_dialled() -> None:
    members = [member(0), member(1, ready=False), member(2)]
    added = [AddedNode("10.0.0.2", connected=False), AddedNode("10.0.0.3", connected=True)]
    assert not plan(added, members)


def test_the_entry_of_a_pod_that_is_gone_is_removed_and_its_link_disconnected() -> None:
    added = [*both(), AddedNode("10.0.0.9", connected=True)]
    assert plan(added, peers=[Peer(5, "10.0.0.9")]) == PeerPlan(remove=("10.0.0.9",), disconnect=("10.0.0.9",))


def test_a_link_to_a_former_node_is_disconnected_although_it_is_listed_no_more() -> None:
    assert plan(both(), peers=[Peer(5, "10.0.0.9")], gone=frozenset({"10.0.0.9"})) == PeerPlan(disconnect=("10.0.0.9",))


def test_an_inbound_link_of_a_former_node_is_disconnected_by_number() -> None:
    peers = [Peer(5, "10.0.0.9:40123", inbound=True), Peer(6, "10.0.0.2:40124", inbound=True)]
    assert plan(both(), peers=peers, gone=frozenset({"10.0.0.9"})) == PeerPlan(disconnect_ids=(5,))


def test_an_address_that_was_given_to_a_new_pod_is_not_gone() -> None:
    peers = [Peer(5, "10.0.0.2:40123", inbound=True)]
    assert not plan(both(), peers=peers, gone=frozenset({"10.0.0.2"}))


def test_the_node_itself_is_taken_off_its_list() -> None:
    assert plan([*both(), AddedNode("10.0.0.1")]).remove == ("10.0.0.1",)


@pytest.mark.parametrize("entry", ["10.0.0.9:18444", "node.example.com", "node.example.com:18444", "", "not an ip!!"])
def test_an_entry_with_a_port_or_a_name_is_hand_made_and_stays(entry: str) -> None:
    assert not plan([*both(), AddedNode(entry)], peers=[Peer(5, entry)])


OWN_PORT = Spelling(19444)


def test_on_a_port_of_ones_own_entries_name_it_and_bare_addresses_are_hand_made() -> None:
    added = [AddedNode("10.0.0.2:19444", connected=True), AddedNode("10.0.0.3"), AddedNode("10.0.0.9:19444")]
    assert plan(added, spelling=OWN_PORT) == PeerPlan(remove=("10.0.0.9:19444",), add=("10.0.0.3:19444",))


def test_the_chains_port_counts_for_the_chain_alone() -> None:
    signet = Spelling(38333, 38333)
    added = [AddedNode("10.0.0.2:18444"), AddedNode("10.0.0.3:38333", connected=True)]
    assert plan(added, spelling=signet) == PeerPlan(add=("10.0.0.2",))


def test_an_ipv6_address_with_a_port_stands_in_brackets() -> None:
    assert (OWN_PORT.entry("fd00::1"), OWN_PORT.address("[fd00::1]:19444")) == ("[fd00::1]:19444", "fd00::1")


def test_every_link_across_a_partition_goes_whoever_made_it() -> None:
    parted = Shape(3, groups=(frozenset({0, 1}), frozenset({2})))
    added = [*both(), AddedNode("10.0.0.3:18444")]
    peers = [
        Peer(1, "10.0.0.2"),
        Peer(2, "10.0.0.3"),
        Peer(3, "10.0.0.3:40123", inbound=True),
        Peer(4, "10.0.0.3:18444"),
    ]
    assert plan_peers(THREE[0], Roster(THREE, parted), added=added, peers=peers) == PeerPlan(
        remove=("10.0.0.3", "10.0.0.3:18444"), disconnect=("10.0.0.3",), disconnect_ids=(3, 4)
    )


def test_a_hand_made_entry_for_a_peer_stands_for_it_because_core_lists_no_address_twice() -> None:
    assert plan([AddedNode("10.0.0.2:18444"), AddedNode("10.0.0.3", connected=True)]) == PeerPlan(dial=("10.0.0.2",))


def test_a_hand_made_entry_with_another_port_is_another_node() -> None:
    assert plan([AddedNode("10.0.0.2:9999", connected=True), AddedNode("10.0.0.3", connected=True)]).add == (
        "10.0.0.2",
    )


def test_a_link_to_a_stranger_is_left_alone() -> None:
    assert not plan(both(), peers=[Peer(5, "192.0.2.1"), Peer(6, "192.0.2.1:50000", inbound=True)])


def test_a_pod_above_spec_nodes_is_no_peer_any_more() -> None:
    result = plan_peers(THREE[0], Roster(THREE, Shape(2)), added=both(), peers=[Peer(5, "10.0.0.3")])
    assert result == PeerPlan(remove=("10.0.0.3",), disconnect=("10.0.0.3",))


@pytest.mark.parametrize("entry", ["::ffff:10.0.0.2", "::FFFF:10.0.0.2"])
def test_an_address_spelt_otherwise_is_the_same_address(entry: str) -> None:
    assert not plan([AddedNode(entry, connected=True), AddedNode("10.0.0.3", connected=True)])


def test_ipv6_addresses_with_brackets_and_port_are_understood() -> None:
    members = [Member(0, "fd00::1", True), Member(1, "fd00::2", True)]
    assert not plan([AddedNode("[fd00:0::2]:18444", connected=True)], members)


@given(st.integers(1, 1000))
def test_the_graph_is_connected_symmetric_without_loops_and_of_degree_eight_at_most(nodes: int) -> None:
    graph = {ordinal: neighbours(ordinal, nodes) for ordinal in range(nodes)}
    assert all(ordinal not in peers for ordinal, peers in graph.items())
    assert all(ordinal in graph[peer] for ordinal, peers in graph.items() for peer in peers)
    assert all(len(peers) <= 8 for peers in graph.values())
    assert reach(graph) == set(range(nodes))


@pytest.mark.parametrize("nodes", [1, 2, 3, 9])
def test_up_to_nine_nodes_everybody_is_everybodys_peer(nodes: int) -> None:
    assert all(neighbours(each, nodes) == set(range(nodes)) - {each} for each in range(nodes))


def test_a_thousand_nodes_are_at_most_twelve_steps_apart() -> None:
    graph = {ordinal: neighbours(ordinal, 1000) for ordinal in range(1000)}
    frontier, seen, steps = {0}, {0}, 0
    while len(seen) < 1000:
        frontier = {peer for each in frontier for peer in graph[each]} - seen
        seen |= frontier
        steps += 1
    assert steps <= 12


def test_most_neighbours_stay_when_one_node_joins_a_large_network() -> None:
    kept = sum(len(neighbours(each, 40) & neighbours(each, 41)) for each in range(40))
    assert kept >= 0.75 * 40 * 8


ENTRIES = st.lists(
    st.one_of(
        st.integers(1, 60).map("10.0.0.{}".format),
        st.integers(1, 60).map("10.0.0.{}:18444".format),
        st.sampled_from(["peer.example.com", "peer.example.com:18444", "", "10.0.0.300", "::1"]),
    ),
    max_size=12,
    unique_by=lambda entry: entry.removesuffix(":18444"),
)


@given(nodes=st.integers(1, 30), data=st.data())
def test_whatever_the_lists_hold_plans_converge_to_a_connected_mesh(nodes: int, data: st.DataObject) -> None:
    ready = data.draw(st.sets(st.integers(0, nodes - 1)))
    members = [member(ordinal, ready=ordinal in ready) for ordinal in range(nodes)]
    for node in (members[ordinal] for ordinal in ready):
        before = data.draw(ENTRIES)
        after = apply(
            plan_peers(node, Roster(members, Shape(nodes)), added=map(AddedNode, before)),
            [AddedNode(e) for e in before],
        )
        assert not plan_peers(node, Roster(members, Shape(nodes)), added=after)
        assert [e for e in before if not is_bare(e)] == [e.entry for e in after if not is_bare(e.entry)]
        known = {canonical(e.entry.removesuffix(":18444")) for e in after if is_bare(e.entry.removesuffix(":18444"))}
        assert {members[peer].address for peer in neighbours(node.ordinal, nodes) if peer in ready} <= known


def apply(plan: PeerPlan, entries: list[AddedNode]) -> list[AddedNode]:
    """What the node's list becomes when every dial succeeds."""
    dialled = {*plan.add, *plan.dial}
    kept = [AddedNode(e.entry, e.connected or reached(e.entry, dialled)) for e in entries if e.entry not in plan.remove]
    return kept + [AddedNode(address, connected=True) for address in plan.add]


def reached(entry: str, dialled: set[str]) -> bool:
    host = entry.removesuffix(":18444")
    return is_bare(host) and canonical(host) in dialled


def reach(graph: dict[int, frozenset[int]]) -> set[int]:
    seen, stack = {0}, [0]
    while stack:
        fresh = graph[stack.pop()] - seen
        seen |= fresh
        stack.extend(fresh)
    return seen


def test_who_is_kept_apart_is_so_by_addresses_of_both_families_too() -> None:
    ours, theirs = Member(0, "10.0.0.1", ready=True), Member(1, "10.0.0.2", ready=True, others=("FD00::2",))
    roster = Roster([ours, theirs], Shape(2, groups=(frozenset({0}), frozenset({1}))))
    by_hand = [AddedNode("[fd00:0:0::2]:18444", connected=True)]
    links = [Peer(7, "[fd00:0:0::2]:18444", inbound=False), Peer(8, "[fd00::2]:50000", inbound=True)]
    plan = plan_peers(ours, roster, added=by_hand, peers=links)
    assert plan.remove == ("[fd00:0:0::2]:18444",)
    assert plan.disconnect_ids == (7, 8)
