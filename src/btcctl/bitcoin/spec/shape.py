"""Which nodes of a network are to be linked, and which of two dials the other. Pure.

`auto`: up to `FULL_MESH_LIMIT` nodes everybody is everybody's peer. Bitcoin Core dials at most 8 entries of its addnode
list (net.h, MAX_ADDNODE_CONNECTIONS), so a larger network is a circulant graph: node i is a peer of i±1 and of i±d for
three distances d that grow with the network. It is connected, symmetric, and far nodes are few steps apart.

Groups are kept apart, and each is a network of its own with the same topology, among its own nodes: a ring of six that
is parted in two is two rings of three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

FULL_MESH_LIMIT: Final = 9
_MAX_DIALLED = 8

Topology = Literal["auto", "full", "ring", "star", "edges"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How the nodes of a network are linked.

    Attributes:
        nodes: How many there are; ordinals beyond count for nothing.
        edges: Pairs of ordinals; only of topology `edges`.
        groups: Ordinals that are kept apart from all others; those in no group are one more.
    """

    nodes: int
    topology: Topology = "auto"
    edges: tuple[tuple[int, int], ...] = ()
    groups: tuple[frozenset[int], ...] = ()

    def neighbours(self, ordinal: int) -> frozenset[int]:
        """The ordinals that this node is to be linked with."""
        return _neighbours(self, ordinal)

    def dials(self, ordinal: int) -> frozenset[int]:
        """Those of them that it is to have on its list: all, as long as those are no more than a node dials.

        Of two nodes of which one has more neighbours than it can dial, the one with fewer dials; of two that have as
        many, the later one.
        """
        mine = self.neighbours(ordinal)
        if self.topology == "auto":
            return mine
        return frozenset(other for other in mine if self._is_dialled(ordinal, other))

    def apart(self, ordinal: int) -> frozenset[int]:
        """The ordinals that it must not be linked with in any way."""
        return frozenset(range(self.nodes)) - self.group(ordinal) if self.groups else frozenset()

    def group(self, ordinal: int) -> frozenset[int]:
        """The ordinals that it is not kept apart from, its own among them."""
        everybody = frozenset(range(self.nodes))
        found = next((group for group in self.groups if ordinal in group), None)
        return (everybody - frozenset().union(*self.groups)) if found is None else found & everybody

    def parts(self) -> list[frozenset[int]]:
        """The nodes that have a way to each other along links: everybody, if nothing is parted."""
        if self.topology != "edges":
            return [part for part in self._sides() if part]
        left, found = set(range(self.nodes)), []
        while left:
            part, edge = set[int](), {min(left)}
            while edge:
                part |= edge
                edge = {other for each in edge for other in self.neighbours(each)} - part
            left -= part
            found.append(frozenset(part))
        return found

    def _sides(self) -> list[frozenset[int]]:
        everybody = frozenset(range(self.nodes))
        return [*(group & everybody for group in self.groups), everybody.difference(*self.groups)]

    def _is_dialled(self, ordinal: int, other: int) -> bool:
        ours, theirs = len(self.neighbours(ordinal)), len(self.neighbours(other))
        if max(ours, theirs) <= _MAX_DIALLED:
            return True
        return (ours, -ordinal) < (theirs, -other)


@lru_cache(maxsize=20_000)
def _neighbours(shape: Shape, ordinal: int) -> frozenset[int]:
    members = sorted(shape.group(ordinal)) if shape.groups else range(shape.nodes)
    if ordinal not in members:
        return frozenset()
    if shape.topology == "edges":
        return frozenset(_edges_of(shape.edges, ordinal) & set(members))
    places = _places(shape.topology, members.index(ordinal), len(members))
    return frozenset(members[place] for place in places)


def _edges_of(edges: Sequence[tuple[int, int]], ordinal: int) -> set[int]:
    return {other for pair in edges for one, other in (pair, pair[::-1]) if one == ordinal} - {ordinal}


def _places(topology: Topology, place: int, members: int) -> frozenset[int]:
    if topology == "ring":
        return frozenset({(place - 1) % members, (place + 1) % members}) - {place}
    if topology == "star":
        return frozenset(range(1, members)) if place == 0 else frozenset({0})
    if topology == "full":
        return frozenset(range(members)) - {place}
    return neighbours(place, members)


def neighbours(ordinal: int, nodes: int) -> frozenset[int]:
    """The ordinals that node `ordinal` of a network of `nodes` has as peers where nothing else is asked for."""
    if nodes <= FULL_MESH_LIMIT:
        return frozenset(range(nodes)) - {ordinal}
    steps = {(ordinal + sign * distance) % nodes for distance in _distances(nodes) for sign in (1, -1)}
    return frozenset(steps) - {ordinal}


def _distances(nodes: int) -> tuple[int, ...]:
    """Distances 1 to about nodes^(3/4); they change only when the network doubles."""
    doublings = nodes.bit_length()
    return tuple(round(2 ** (doublings * quarter / 4)) for quarter in range(_MAX_DIALLED // 2))
