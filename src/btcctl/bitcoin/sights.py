"""What the status says of each node's chain, links and version. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

import msgspec

from btcctl.bitcoin.chain import NodeChain, NodeFacts
from btcctl.bitcoin.forks import ForkView
from btcctl.bitcoin.mesh import MeshReport
from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.types import SYNCED, NetworkStatus, NodeStatus
from btcctl.clock import rfc3339

#: Fields of a node's status that change all the time.
SEEN: Final = ("restarts", "height", "best_block", "tip_time", "links_in", "links_out", "version")
_MAX_VERSION_CHARACTERS = 200
#: A block is on its way to the others for a moment, and that is no trouble.
BLOCKS_ON_THE_WAY: Final = 1


@dataclass(frozen=True, slots=True)
class Sight:
    """What a node said of itself; None: it has not."""

    chain: NodeChain | None = None
    facts: NodeFacts | None = None
    restarts: int = 0


def sights_of(report: MeshReport, pods: Iterable[NodePod]) -> dict[int, Sight]:
    """By ordinal, of those of which there is anything to say."""
    chains, facts = report.chains, report.facts
    return {
        pod.ordinal: Sight(chains.get(pod.ordinal), facts.get(pod.ordinal), pod.restarts) for pod in pods if pod.address
    }


def with_sights(nodes: Sequence[NodeStatus], sights: Mapping[int, Sight]) -> list[NodeStatus]:
    """The nodes, with what they said; of one without a pod nothing is said."""
    return [_with(node, sights[node.ordinal]) if node.ip and node.ordinal in sights else node for node in nodes]


def as_before(nodes: Sequence[NodeStatus], before: Sequence[NodeStatus]) -> list[NodeStatus]:
    """The nodes, with what an earlier controller saw of those that are still at their addresses."""
    seen = {(node.ordinal, node.ip): node for node in before if node.ip}
    return [_like(node, seen[node.ordinal, node.ip]) if (node.ordinal, node.ip) in seen else node for node in nodes]


def _with(node: NodeStatus, sight: Sight) -> NodeStatus:
    chain, facts = sight.chain, sight.facts
    changes: dict[str, Any] = {"restarts": sight.restarts}
    if chain is not None:
        time = rfc3339(datetime.fromtimestamp(chain.tip_time, UTC)) if chain.tip_time else ""
        changes |= {"height": chain.blocks, "best_block": chain.best_block, "tip_time": time}
    if facts is not None:
        changes |= {"links_in": facts.links_in, "links_out": facts.links_out, "version": facts.version}
    return msgspec.structs.replace(node, **changes)


def _like(node: NodeStatus, before: NodeStatus) -> NodeStatus:
    return msgspec.structs.replace(node, **{name: getattr(before, name) for name in SEEN})


@dataclass(frozen=True, slots=True)
class Overview:
    """What the status says of all nodes' chains together. See `NetworkStatus`."""

    tips: int = 0
    deepest_fork: int = 0
    synced_nodes: int = 0
    version: str = ""

    @classmethod
    def of(cls, nodes: Sequence[NodeStatus], forks: ForkView) -> Self:
        return cls(forks.tips, forks.deepest, len(synced(nodes, forks.forked)), versions(nodes))

    @classmethod
    def before(cls, status: NetworkStatus) -> Self:
        """What an earlier controller said."""
        return cls(status.tips, status.deepest_fork, status.synced_nodes, status.version)


def synced(nodes: Sequence[NodeStatus], forked: frozenset[int]) -> frozenset[int]:
    """The ordinals of those that have the highest block, or all but the newest of its chain."""
    heights = {node.ordinal: node.height for node in nodes if isinstance(node.height, int)}
    highest = max(heights.values(), default=0)
    return frozenset(
        ordinal
        for ordinal, height in heights.items()
        if height >= highest - BLOCKS_ON_THE_WAY and ordinal not in forked
    )


def versions(nodes: Sequence[NodeStatus]) -> str:
    """What the nodes say they are: one name, or several."""
    return ", ".join(sorted({node.version for node in nodes if node.version}))[:_MAX_VERSION_CHARACTERS]


def without_sights(status: NetworkStatus) -> NetworkStatus:
    """What of a status moves only if something happens, and not with each block."""
    blank = NodeStatus(0, ready=False)
    return msgspec.structs.replace(
        status,
        height=0,
        lost_height=0,
        tips=0,
        deepest_fork=0,
        synced_nodes=0,
        version="",
        nodes=[_like(node, blank) for node in status.nodes],
        conditions=[
            msgspec.structs.replace(each, last_transition_time="") for each in status.conditions if each.type != SYNCED
        ],
    )
