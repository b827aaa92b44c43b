"""What a network looks like right now, asked of every node: heights, tips, links, versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.bitcoin.client.networks import Node
from btcctl.bitcoin.client.node_answers import Chain, Mempool, Network, Peer
from btcctl.bitcoin.forks import MAX_TIPS
from btcctl.bitcoin.mesh import RunAll, one_after_the_other
from btcctl.bitcoin.rpc import RpcClient, RpcError, RpcFailure, RpcUnavailable
from btcctl.bitcoin.topology import canonical, is_bare
from btcctl.bitcoin.wording import in_log, printable
from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import limited_to
from btcctl.errors import DeadlineExceeded

#: For one node that does not answer.
ASK_SECONDS = 5.0
_MOST_VERSION_CHARACTERS = 256  # as Core bounds it (net.h, MAX_SUBVERSION_LENGTH)
#: The last may be refused: a node without it is shown all the same.
_METHODS = ("getblockchaininfo", "getnetworkinfo", "getpeerinfo", "getmempoolinfo")


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node.

    Attributes:
        height: -1 if it does not answer.
        best: Hash of its tip; "" if it does not answer.
        version: As it names itself.
        dialled: Ordinals of the nodes that it has a connection to, which it has begun itself and greeted through.
        connections: All of them, both ways, others than nodes of the network included.
        problem: Why it does not answer; "" if it does.
        mempool: Transactions that wait; -1 if it does not say.
        restarts: How often its containers were started again, as its pod says.
    """

    ordinal: int
    pod: str
    address: str
    is_ready: bool
    height: int = -1
    best: str = ""
    tip_time: int = 0
    version: str = ""
    dialled: frozenset[int] = frozenset()
    connections: int = 0
    problem: str = ""
    mempool: int = -1
    restarts: int = 0

    @property
    def answers(self) -> bool:
        return self.height >= 0


@dataclass(frozen=True, slots=True)
class Tip:
    """What several nodes take for the end of the chain."""

    best: str
    height: int
    ordinals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NetworkView:
    """A network, by ordinal.

    Attributes:
        fork_heights: By the hash of each tip but the highest: of the last block that it has in common with the highest.
            Its own height if its nodes are merely behind. Empty, too, if a node failed meanwhile.
        behind: Hashes of tips on a branch that other nodes know more of, whichever branch that is.
    """

    nodes: Sequence[NodeView]
    fork_heights: Mapping[str, int] = field(default_factory=dict)
    behind: frozenset[str] = frozenset()

    @property
    def fork_height(self) -> int | None:
        """Of the last block that all tips have in common; None while there is but one tip."""
        return min(self.fork_heights.values(), default=None)

    @property
    def branches(self) -> list[Tip]:
        """The tips whose nodes are on a branch of their own, the highest first: others are merely behind."""
        return [tip for tip in self.tips if not self.is_behind(tip)]

    def is_behind(self, tip: Tip) -> bool:
        """Whether other nodes have it and more."""
        return tip.best in self.behind or self.fork_heights.get(tip.best, -1) >= tip.height

    @property
    def tips(self) -> list[Tip]:
        """The highest first."""
        return tips_of(self.nodes)

    @property
    def is_synced(self) -> bool:
        """All nodes answer, and have the same tip."""
        return bool(self.nodes) and all(node.answers for node in self.nodes) and len(self.tips) == 1

    @property
    def height(self) -> int:
        """The greatest; -1 if no node answers."""
        return max((node.height for node in self.nodes), default=-1)

    def to_json(self) -> dict[str, Any]:
        return {
            "height": self.height,
            "synced": self.is_synced,
            "forkHeight": self.fork_height,
            "tips": [self._tip_json(tip) for tip in self.tips],
            "nodes": [_node_json(node) for node in self.nodes],
        }

    def _tip_json(self, tip: Tip) -> dict[str, Any]:
        parts_at = self.fork_heights.get(tip.best)
        return {"best": tip.best, "height": tip.height, "nodes": list(tip.ordinals), "partsAt": parts_at}


def look(nodes: Sequence[Node], run_all: RunAll = one_after_the_other) -> NetworkView:
    """Ask all nodes.

    Args:
        run_all: Runs what concerns one node each.
    """
    ordinals = {
        canonical(address): node.ordinal for node in nodes for address in (node.address, *node.others) if address
    }
    found: dict[int, NodeView] = {}
    run_all([partial(_look_at, node, ordinals, found) for node in nodes])
    views = [found[node.ordinal] for node in nodes]
    clients = {node.ordinal: node.rpc for node in nodes if node.rpc is not None}
    tips = tips_of(views)
    return NetworkView(views, _fork_heights(tips, clients), _behind(tips, clients))


def tips_of(nodes: Sequence[NodeView]) -> list[Tip]:
    """Which nodes have which tip, the highest first."""
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for node in nodes:
        if node.answers:
            groups[node.height, node.best].append(node.ordinal)
    return [Tip(best, height, tuple(groups[height, best])) for height, best in sorted(groups, reverse=True)]


def fork_height(one: RpcClient, other: RpcClient, highest: int) -> int:
    """The height of the last block that two nodes have in common, by halving.

    Args:
        highest: The lower one's height.
    """
    low, high = 0, highest
    while low < high:
        middle = (low + high + 1) // 2
        if one.call("getblockhash", middle) == other.call("getblockhash", middle):
            low = middle
        else:
            high = middle - 1
    return low


def _look_at(node: Node, ordinals: Mapping[str, int], found: dict[int, NodeView]) -> None:
    known = NodeView(node.ordinal, node.pod.name, node.address, node.is_ready, restarts=node.restarts)
    if node.rpc is None:
        found[node.ordinal] = replace(known, problem="has no address yet")
        return
    try:
        with limited_to(ASK_SECONDS, SYSTEM_CLOCK):
            found[node.ordinal] = _asked(known, node.rpc, ordinals)
    except (RpcFailure, DeadlineExceeded) as error:
        found[node.ordinal] = replace(known, problem=in_log(error))


def _asked(known: NodeView, rpc: RpcClient, ordinals: Mapping[str, int]) -> NodeView:
    answers = rpc.outcomes([(method, ()) for method in _METHODS])
    refused = next((each for each in answers[:3] if isinstance(each, RpcError)), None)
    if refused is not None:
        raise refused
    try:
        chain: Chain = codecs.convert(answers[0], Chain)
        network: Network = codecs.convert(answers[1], Network)
        peers: list[Peer] = codecs.convert(answers[2], list[Peer])
        mempool = Mempool() if isinstance(answers[3], RpcError) else codecs.convert(answers[3], Mempool)
    except msgspec.ValidationError as error:
        raise RpcUnavailable(f"its answer makes no sense: {error}") from error
    greeted = [ordinals.get(_host_of(peer.addr)) for peer in peers if not peer.inbound and peer.version > 0]
    return replace(
        known,
        height=chain.blocks,
        best=printable(chain.bestblockhash),
        tip_time=chain.time,
        version=printable(network.subversion[:_MOST_VERSION_CHARACTERS]),
        dialled=frozenset(each for each in greeted if each is not None),
        connections=len(peers),
        mempool=mempool.size,
    )


def _host_of(address: str) -> str:
    """The IP address of a peer, whether it was dialled with a port or without; "" of a host name."""
    host = address if is_bare(address) else address.rpartition(":")[0].strip("[]")
    return canonical(host) if is_bare(host) else ""


def _fork_heights(tips: Sequence[Tip], clients: Mapping[int, RpcClient]) -> dict[str, int]:
    """What each tip has in common with the first. Empty, too, if a node fails meanwhile."""
    if len(tips) < 2:
        return {}
    first = clients[tips[0].ordinals[0]]
    try:
        with limited_to(ASK_SECONDS, SYSTEM_CLOCK):
            return {tip.best: fork_height(first, clients[tip.ordinals[0]], tip.height) for tip in tips[1:]}
    except (RpcFailure, DeadlineExceeded):
        return {}


def _behind(tips: Sequence[Tip], clients: Mapping[int, RpcClient]) -> frozenset[str]:
    """The tips that are a block of a higher one's chain. Fewer of them if a node fails meanwhile."""
    ends: list[Tip] = []
    behind = set()
    with suppress(RpcFailure, DeadlineExceeded), limited_to(ASK_SECONDS, SYSTEM_CLOCK):
        for tip in tips:
            higher = (clients[end.ordinals[0]] for end in ends[:MAX_TIPS] if end.height > tip.height)
            if any(rpc.call("getblockhash", tip.height) == tip.best for rpc in higher):
                behind.add(tip.best)
            else:
                ends.append(tip)
    return frozenset(behind)


def _node_json(node: NodeView) -> dict[str, Any]:
    body = {
        "ordinal": node.ordinal,
        "pod": node.pod,
        "ip": node.address,
        "ready": node.is_ready,
        "answers": node.answers,
        "restarts": node.restarts,
    }
    if not node.answers:
        return {**body, "problem": node.problem}
    return {
        **body,
        "height": node.height,
        "best": node.best,
        "tipTime": node.tip_time,
        "version": node.version,
        "dialled": sorted(node.dialled),
        "connections": node.connections,
        "mempool": node.mempool,
    }
