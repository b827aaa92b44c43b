"""Which peers each node should have, and what to call to get there. Pure.

Up to `FULL_MESH_LIMIT` nodes everybody is everybody's peer. Bitcoin Core dials at most 8 entries
of its addnode list (net.h, MAX_ADDNODE_CONNECTIONS), so a larger network is a circulant graph:
node i is a peer of i±1 and of i±d for three distances d that grow with the network. It is
connected, symmetric, and far nodes are few steps apart.

Only entries that are a bare IP address are ours. One with a port or a host name was made by hand
and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

import msgspec

FULL_MESH_LIMIT: Final = 9
DEFAULT_P2P_PORT: Final = 18444  # of regtest (Bitcoin Core, chainparams.cpp)
_MAX_DIALLED = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A node of the network as its pod shows it."""

    ordinal: int
    address: str  #: IP
    ready: bool


class AddedNode(msgspec.Struct, frozen=True, gc=False):
    """One entry of `getaddednodeinfo`."""

    entry: str = msgspec.field(name="addednode")  #: exactly as it was given to `addnode`
    connected: bool = False  #: dialled by the node itself, and the TCP connection stands


class Peer(msgspec.Struct, frozen=True, gc=False):
    """One connection of `getpeerinfo`."""

    id: int
    address: str = msgspec.field(name="addr")  #: outbound: exactly as dialled; inbound: "ip:port"
    inbound: bool = False
    version: int = 0  #: 0 until the handshake is done
    startingheight: int = -1  #: the height it named in its greeting
    synced_headers: int = -1  #: the last header that we have in common with it; -1: none yet
    synced_blocks: int = -1  #: the last block that we have in common with it; -1: none yet

    @property
    def height(self) -> int:
        """The height that it has at least; -1 if it has not said."""
        return max(self.startingheight, self.synced_headers, self.synced_blocks)


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """What to call on one node, in this order."""

    remove: tuple[str, ...] = ()  #: `addnode remove`
    disconnect: tuple[str, ...] = ()  #: `disconnectnode` by the string that was dialled
    disconnect_ids: tuple[int, ...] = ()  #: `disconnectnode` by number: inbound connections of gone nodes
    add: tuple[str, ...] = ()  #: `addnode add`, then `addnode onetry`
    dial: tuple[str, ...] = ()  #: `addnode onetry` alone: listed, not connected

    def __bool__(self) -> bool:
        return bool(self.remove or self.disconnect or self.disconnect_ids or self.add or self.dial)


def neighbours(ordinal: int, nodes: int) -> frozenset[int]:
    """The ordinals that node `ordinal` of a network of `nodes` should have as peers."""
    if nodes <= FULL_MESH_LIMIT:
        return frozenset(range(nodes)) - {ordinal}
    steps = {(ordinal + sign * distance) % nodes for distance in _distances(nodes) for sign in (1, -1)}
    return frozenset(steps) - {ordinal}


def _distances(nodes: int) -> tuple[int, ...]:
    """Distances 1 to about nodes^(3/4); they change only when the network doubles."""
    doublings = nodes.bit_length()
    return tuple(round(2 ** (doublings * quarter / 4)) for quarter in range(_MAX_DIALLED // 2))


class Roster:
    """The nodes of a network, their addresses read once, however many nodes are planned for.

    Args:
        members: Every node whose pod exists and is not on its way out.
        nodes: `spec.nodes`.
    """

    def __init__(self, members: Iterable[Member], nodes: int) -> None:
        self._nodes = nodes
        self._by_ordinal = {member.ordinal: (canonical(member.address), member) for member in members}
        self.addresses = frozenset(address for address, _ in self._by_ordinal.values())

    def peers_of(self, node: Member) -> dict[str, Member]:
        """By address, those that are there of the peers that `node` should have."""
        ordinals = neighbours(node.ordinal, self._nodes)
        found = dict(self._by_ordinal[each] for each in sorted(ordinals) if each in self._by_ordinal)
        found.pop(canonical(node.address), None)
        return found


def plan_peers(
    node: Member,
    roster: Roster,
    *,
    added: Iterable[AddedNode],
    peers: Iterable[Peer] = (),
    gone: frozenset[str] = frozenset(),
) -> PeerPlan:
    """Plan the calls that give `node` the peers it should have.

    Entries of pods that exist but are not ready are kept; only ready ones are added.

    Args:
        node: The node whose lists `added` and `peers` are.
        roster: All nodes, `node` included or not.
        gone: Addresses that were nodes of this network and are no longer.
    """
    wanted = roster.peers_of(node)
    added = list(added)
    unwanted = {each.entry: canonical(each.entry) for each in added if is_bare(each.entry)}
    unwanted = {entry: address for entry, address in unwanted.items() if address not in wanted}
    connected = _connected_by_address(added)
    ready = [member.address for member in wanted.values() if member.ready]
    left = gone - roster.addresses
    unlisted = set(unwanted.values())

    def is_stranger(address: str) -> bool:
        return address in left or address in unlisted or (address in roster.addresses and address not in wanted)

    return PeerPlan(
        remove=tuple(sorted(unwanted)),
        disconnect=_outbound_to(is_stranger, peers := list(peers)),
        disconnect_ids=_inbound_from(left, peers),
        add=tuple(sorted(address for address in ready if canonical(address) not in connected)),
        dial=tuple(sorted(address for address in ready if not connected.get(canonical(address), True))),
    )


def _connected_by_address(added: Iterable[AddedNode]) -> dict[str, bool]:
    """Core refuses to list an address twice, so "ip:18444" stands for "ip" as well."""
    found: dict[str, bool] = {}
    for each in added:
        address = _address_of(each.entry)
        if address is not None:
            found[address] = found.get(address, False) or each.connected
    return found


def _outbound_to(is_meant: Callable[[str], bool], peers: Iterable[Peer]) -> tuple[str, ...]:
    dialled = (peer.address for peer in peers if not peer.inbound and is_bare(peer.address))
    return tuple(sorted({address for address in dialled if is_meant(canonical(address))}))


def _inbound_from(addresses: frozenset[str], peers: Iterable[Peer]) -> tuple[int, ...]:
    return tuple(sorted(peer.id for peer in peers if peer.inbound and _host_of(peer.address) in addresses))


def is_bare(text: str) -> bool:
    """Whether this is an IP address and nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def canonical(address: str) -> str:
    """One spelling for each IP address: `::ffff:10.0.0.1` is 10.0.0.1.

    Raises:
        ValueError: Not an IP address.
    """
    parsed = ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def _address_of(entry: str) -> str | None:
    """The address that a bare entry, or one with the default port, is about; None of any other."""
    if is_bare(entry):
        return canonical(entry)
    host, _, port = entry.rpartition(":")
    return _host_of(entry) if host and port == str(DEFAULT_P2P_PORT) else None


def _host_of(address: str) -> str | None:
    """The address in "ip:port" or "[ip]:port", or None if it is no IP address."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    return canonical(host) if is_bare(host) else None
