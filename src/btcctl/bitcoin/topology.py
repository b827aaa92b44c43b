"""What to call on a node so that it has the peers that it should have. Pure.

Only entries that are spelled as the operator spells them are ours: a bare IP address where nodes listen on the chain's
own port, which Bitcoin Core adds to one, else the address and the port. Any other one was made by hand and is left
alone, unless it leads to a node that this one is kept apart from.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

import msgspec

from btcctl.bitcoin.spec.shape import Shape

DEFAULT_P2P_PORT: Final = 18444  # of regtest (Bitcoin Core, chainparams.cpp)
MAX_HEIGHT: Final = 2**31 - 1  # an int of Bitcoin Core's
_ADDRESSES: Final = 10_000  # the spellings of some thousand nodes', which are read in every pass


@dataclass(frozen=True, slots=True)
class Member:
    """A node of the network as its pod shows it."""

    ordinal: int
    address: str  #: IP; of two families the one that the cluster prefers, by which nodes are called and dialled
    ready: bool
    others: tuple[str, ...] = ()  #: its IPs beside: by them others may have dialled it, by hand
    rpc_port: int | None = None  #: where its pod listens; None: where the network's do


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
    def host(self) -> str | None:
        """Its IP address; None if it was dialled by a name."""
        return address_in(self.address)

    def height(self, nodes: Container[str]) -> int:
        """The height that it has at least; -1 if that is not known.

        What it named in its greeting nobody has checked, and a stranger may name anything.

        Args:
            nodes: The addresses of those that are believed: the network's own.
        """
        checked = max(self.synced_headers, self.synced_blocks)
        told = max(checked, self.startingheight) if self.host in nodes else checked
        return told if told <= MAX_HEIGHT else -1


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


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a node is told of another one.

    Attributes:
        port: Where the network's nodes take each other's connections.
        chain_port: What Bitcoin Core adds to an address without a port.
    """

    port: int = DEFAULT_P2P_PORT
    chain_port: int = DEFAULT_P2P_PORT

    def entry(self, address: str) -> str:
        """What to say for the node at this IP address."""
        if self.port == self.chain_port:
            return address
        return f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    def address(self, entry: str) -> str | None:
        """The address in an entry that is spelled like this; None of any other."""
        if self.port == self.chain_port:
            return canonical(entry) if is_bare(entry) else None
        host = _host_of(entry)
        return host if host is not None and entry.rpartition(":")[2] == str(self.port) else None

    def stands_for(self, entry: str) -> str | None:
        """The address that Bitcoin Core would not list a second time beside this entry; None of a name."""
        if is_bare(entry):
            return canonical(entry) if self.port == self.chain_port else None
        return _host_of(entry) if entry.rpartition(":")[2] == str(self.port) else None


DEFAULT_SPELLING: Final = Spelling()


class Roster:
    """The nodes of a network, their addresses read once, however many nodes are planned for.

    Args:
        members: Every node whose pod exists and is not on its way out.
        shape: How they are to be linked.
    """

    def __init__(self, members: Iterable[Member], shape: Shape, spelling: Spelling = DEFAULT_SPELLING) -> None:
        self._shape = shape
        self._by_ordinal = {member.ordinal: (canonical(member.address), member) for member in members}
        self.spelling = spelling
        self.addresses = frozenset(address for address, _ in self._by_ordinal.values())

    def peers_of(self, node: Member) -> dict[str, Member]:
        """By address, those that are there of the peers that `node` should list."""
        found = dict(self._with(self._shape.dials(node.ordinal)))
        found.pop(canonical(node.address), None)
        return found

    def apart_from(self, node: Member) -> frozenset[str]:
        """The addresses of those that are there of the nodes that `node` must not be linked with."""
        found = list(self._with(self._shape.apart(node.ordinal)))
        others = (canonical(each) for _, member in found for each in member.others)
        return frozenset([*(address for address, _ in found), *others])

    def _with(self, ordinals: Iterable[int]) -> Iterator[tuple[str, Member]]:
        return (self._by_ordinal[each] for each in sorted(ordinals) if each in self._by_ordinal)


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
    wanted, apart, spelling = roster.peers_of(node), roster.apart_from(node), roster.spelling
    added, peers = list(added), list(peers)
    unwanted = {entry: address for entry, address in _addresses(added, spelling).items() if address not in wanted}
    by_hand = {each.entry for each in added if apart and address_in(each.entry) in apart}
    connected = _connected_by_address(added, spelling)
    ready = [member.address for member in wanted.values() if member.ready]
    left = gone - roster.addresses
    unlisted = set(unwanted.values())

    def is_stranger(address: str) -> bool:
        return address in left or address in unlisted or (address in roster.addresses and address not in wanted)

    outbound = _outbound_to(is_stranger, peers, spelling)
    return PeerPlan(
        remove=tuple(sorted({*unwanted, *by_hand})),
        disconnect=outbound,
        disconnect_ids=_links_by_id(left, apart, peers, but=outbound),
        add=tuple(sorted(spelling.entry(address) for address in ready if canonical(address) not in connected)),
        dial=tuple(sorted(spelling.entry(each) for each in ready if not connected.get(canonical(each), True))),
    )


def put_off(plan: PeerPlan, lacking: frozenset[str], peers: Iterable[Peer]) -> PeerPlan:
    """The plan of a node that lacks blocks without links to others that lack them, too; those that there are end.

    A node that fetches a chain asks one peer alone for headers, the first that it has, and waits 15 minutes for it
    (Bitcoin Core, net_processing.cpp, nSyncStarted; seen with Knots 29.4): two that have nothing ask each other.

    Args:
        lacking: Their addresses.
        peers: The node's.
    """
    outbound = {each.address for each in peers if not each.inbound and address_in(each.address) in lacking}
    return replace(
        plan,
        disconnect=tuple(sorted({*plan.disconnect, *outbound})),
        add=tuple(each for each in plan.add if address_in(each) not in lacking),
        dial=tuple(each for each in plan.dial if address_in(each) not in lacking),
    )


def _addresses(added: Iterable[AddedNode], spelling: Spelling) -> dict[str, str]:
    """By entry that is ours, its address."""
    return {each.entry: address for each in added if (address := spelling.address(each.entry)) is not None}


def _connected_by_address(added: Iterable[AddedNode], spelling: Spelling) -> dict[str, bool]:
    """Core refuses to list an address twice, so "ip:18444" stands for "ip" as well."""
    found: dict[str, bool] = {}
    for each in added:
        address = spelling.stands_for(each.entry)
        if address is not None:
            found[address] = found.get(address, False) or each.connected
    return found


def _outbound_to(is_meant: Callable[[str], bool], peers: Iterable[Peer], spelling: Spelling) -> tuple[str, ...]:
    dialled = {peer.address: spelling.address(peer.address) for peer in peers if not peer.inbound}
    return tuple(sorted(entry for entry, address in dialled.items() if address is not None and is_meant(address)))


def _links_by_id(
    gone: frozenset[str], apart: frozenset[str], peers: Iterable[Peer], *, but: Container[str]
) -> tuple[int, ...]:
    """Inbound links of nodes that are gone, and every link of nodes that are kept apart.

    Args:
        but: What outbound links are disconnected by, anyway.
    """
    if not gone and not apart:
        return ()
    found = (
        peer.id
        for peer in peers
        if (peer.inbound and address_in(peer.address) in gone)
        or (address_in(peer.address) in apart and (peer.inbound or peer.address not in but))
    )
    return tuple(sorted(found))


def address_in(entry: str) -> str | None:
    """The address in an entry of any spelling; None of a name."""
    return canonical(entry) if is_bare(entry) else _host_of(entry)


@lru_cache(_ADDRESSES)
def is_bare(text: str) -> bool:
    """Whether this is an IP address and nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(_ADDRESSES)
def canonical(address: str) -> str:
    """One spelling for each IP address: `::ffff:10.0.0.1` is 10.0.0.1.

    Raises:
        ValueError: Not an IP address.
    """
    parsed = ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def _host_of(address: str) -> str | None:
    """The address in "ip:port" or "[ip]:port", or None if it is no IP address."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    return canonical(host) if is_bare(host) else None


def groups_of(partition: list[list[int]], nodes: int) -> list[list[int]]:
    """Every ordinal in one group: those named nowhere are one more; [] if nothing is parted."""
    if not partition:
        return []
    named = {each for group in partition for each in group}
    rest = [each for each in range(nodes) if each not in named]
    groups = [sorted(each for each in group if each < nodes) for group in partition]
    return [each for each in [*groups, rest] if each]
