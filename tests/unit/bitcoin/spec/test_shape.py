from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.bitcoin.spec.shape import Shape, Topology, neighbours

TOPOLOGIES: list[Topology] = ["auto", "full", "ring", "star"]


def linked(shape: Shape) -> set[frozenset[int]]:
    """The pairs of which one dials the other."""
    return {frozenset({one, other}) for one in range(shape.nodes) for other in shape.dials(one)}


def reached(shape: Shape, start: int) -> frozenset[int]:
    """All that can be reached over links."""
    found, new = frozenset({start}), {start}
    while new:
        new = {other for pair in linked(shape) for other in pair if pair & new} - found
        found |= new
    return found


@pytest.mark.parametrize(("nodes", "peers"), [(9, 8), (10, 8), (11, 8)])
def test_where_not_everybody_can_be_a_peer_no_node_is_asked_to_dial_more_than_eight(nodes: int, peers: int) -> None:
    assert max(len(neighbours(ordinal, nodes)) for ordinal in range(nodes)) <= peers
    assert min(len(neighbours(ordinal, nodes)) for ordinal in range(nodes)) > 4


def test_a_ring_links_each_node_with_the_next_and_the_last_with_the_first() -> None:
    assert linked(Shape(4, "ring")) == {frozenset(pair) for pair in ((0, 1), (1, 2), (2, 3), (3, 0))}
    assert linked(Shape(2, "ring")) == {frozenset({0, 1})}
    assert linked(Shape(1, "ring")) == set()


def test_a_star_links_the_first_with_all_others_and_a_large_one_does_not_dial() -> None:
    assert Shape(4, "star").dials(0) == {1, 2, 3}
    assert Shape(4, "star").dials(2) == {0}
    assert (Shape(20, "star").dials(0), Shape(20, "star").dials(19)) == (frozenset(), {0})


def test_edges_are_those_that_are_named_among_the_nodes_that_there_are() -> None:
    assert linked(Shape(3, "edges", ((0, 1), (2, 1), (2, 7)))) == {frozenset({0, 1}), frozenset({1, 2})}


@given(st.sampled_from(TOPOLOGIES), st.integers(1, 40), st.data())
def test_every_link_has_one_that_dials_it_and_groups_are_whole_and_apart(
    topology: Topology, nodes: int, data: st.DataObject
) -> None:
    group = frozenset(data.draw(st.sets(st.integers(0, nodes - 1), max_size=nodes)))
    shape = Shape(nodes, topology, groups=(group,) if group else ())
    start = data.draw(st.integers(0, nodes - 1))
    together = shape.group(start)
    assert reached(shape, start) == together
    assert shape.apart(start) == (frozenset(range(nodes)) - together if group else frozenset())
    for other in shape.neighbours(start):
        assert start in shape.neighbours(other)
        assert other in shape.dials(start) or start in shape.dials(other)


@pytest.mark.parametrize("nodes", [1, 9, 10, 100])
def test_where_nothing_is_asked_for_it_is_as_it_always_was(nodes: int) -> None:
    assert all(Shape(nodes).dials(each) == neighbours(each, nodes) for each in range(nodes))


def test_nodes_that_are_in_no_group_are_one() -> None:
    parted = Shape(5, groups=(frozenset({0, 1}),))
    assert (parted.group(4), parted.neighbours(4), parted.apart(4)) == ({2, 3, 4}, {2, 3}, {0, 1})


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        (Shape(3), [{0, 1, 2}]),
        (Shape(3, "star", groups=(frozenset({0, 7}),)), [{0}, {1, 2}]),
        (Shape(2, groups=(frozenset({0, 1}), frozenset({2}))), [{0, 1}]),
        (Shape(5, "edges", edges=((0, 2), (2, 3), (1, 9))), [{0, 2, 3}, {1}, {4}]),
        (Shape(3, "edges", edges=((0, 1), (1, 2)), groups=(frozenset({0}),)), [{0}, {1, 2}]),
        (Shape(0, "edges", edges=((0, 1),)), []),
    ],
)
def test_a_part_is_all_that_have_a_way_to_each_other(shape: Shape, parts: list[set[int]]) -> None:
    assert shape.parts() == parts
