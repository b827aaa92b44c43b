"""What the status says, and which Events a change of it is worth. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from btcctl.bitcoin.children import selector
from btcctl.bitcoin.rollouts import UP_TO_DATE, Rollout
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.topology import MAX_HEIGHT
from btcctl.bitcoin.types import (
    CHAIN_INTACT,
    CONFLICT,
    CONTESTED,
    FORBIDDEN,
    MINING,
    READY,
    BitcoinNetwork,
    NetworkStatus,
    NodeStatus,
)
from btcctl.bitcoin.wording import bounded, one_word
from btcctl.controller.writing.conditions import FALSE, TRUE, Condition, merge_conditions

NORMAL: Final = "Normal"
WARNING: Final = "Warning"
NAMED: Final = 3  #: how many nodes a message names before it only counts
# Conditions that are good when false.
_BAD_NEWS = frozenset({CONFLICT, CONTESTED, FORBIDDEN})
# Failures with which a network is as ready as it ever was.
_BEARABLE = frozenset({CHAIN_INTACT, CONTESTED, MINING})
# Why a node is not ready that is merely on its way.
_UNDER_WAY = frozenset({"PodMissing", "Starting", "NotAnswering", "Terminating", "Restarted", "Syncing"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition before it is known since when it holds."""

    type: str
    holds: bool
    reason: str
    message: str
    is_failure: bool = False  #: worth a Warning when it comes up, or its message changes

    @property
    def condition(self) -> Condition:
        status = TRUE if self.holds else FALSE
        return Condition(self.type, status, one_word(self.reason), bounded(self.message))


@dataclass(frozen=True, slots=True)
class Notice:
    """An Event to record."""

    type: str  #: NORMAL or WARNING
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Heights:
    """What the status says of the chain."""

    highest: int = 0  #: the highest block that a node has
    lost: int = 0  #: the highest block that was lost with nodes and is not made up for yet; 0 if none

    @classmethod
    def said_by(cls, status: NetworkStatus) -> Self:
        """What a status says, which anybody may have written: what no chain can have counts for nothing."""
        return cls(*(each if 0 <= each <= MAX_HEIGHT else 0 for each in (status.height, status.lost_height)))


def build_status(
    network: BitcoinNetwork, nodes: Sequence[NodeStatus], heights: Heights, findings: Iterable[Finding], now: str
) -> NetworkStatus:
    """The status to write.

    Args:
        nodes: By ordinal.
        heights: What is shown of the chain.
        now: RFC 3339; becomes the transition time of the conditions whose status changed.
    """
    return NetworkStatus(
        observed_generation=network.metadata.generation,
        ready_nodes=sum(node.ready for node in nodes),
        selector=",".join(f"{key}={value}" for key, value in sorted(selector(network).items())),
        height=heights.highest,
        lost_height=heights.lost,
        controller=network.status.controller,
        nodes=list(nodes),
        conditions=conditions_of(network.status.conditions, findings, network.metadata.generation, now),
    )


def conditions_of(old: Sequence[Condition], findings: Iterable[Finding], generation: int, now: str) -> list[Condition]:
    """The conditions to write, each with the time since which it holds."""
    return merge_conditions(old, [each.condition for each in findings], now=now, generation=generation)


def ready_finding(
    nodes: Sequence[NodeStatus], spec: NetworkSpec, others: Iterable[Finding], rollout: Rollout = UP_TO_DATE
) -> Finding:
    """Sum up: the first failure among `others`, else missing nodes, else the first that does not hold.

    A network without nodes is not ready: nothing of it can be used, however well it is as it should be. One whose nodes
    are well, and still to be replaced, is not what its spec asks for.

    Args:
        nodes: The nodes by ordinal.
        others: The other conditions, the most telling first.
        rollout: How far what is asked for now has come.
    """
    others, wanted = list(others), spec.running_nodes
    ready = sum(node.ready for node in nodes if node.ordinal < wanted)
    for finding in others:
        if finding.is_failure and finding.type not in _BEARABLE:
            return Finding(READY, False, finding.reason, finding.message)
    if wanted == 0:
        return Finding(READY, False, *_resting(nodes, spec))
    if ready < wanted:
        return Finding(READY, False, *_not_ready(nodes, ready, wanted))
    for finding in others:
        if finding.type not in _BAD_NEWS | _BEARABLE and not finding.holds:
            return Finding(READY, False, finding.reason, finding.message)
    if not rollout.is_begun:
        return Finding(READY, False, "Updating", "the StatefulSet's controller has not seen the latest change yet")
    if outdated := [number for number in rollout.outdated if number < wanted]:
        named = enumerate_briefly([f"node {number}" for number in outdated])
        return Finding(READY, False, "Updating", f"to be replaced by what is asked for now: {named}")
    return Finding(READY, True, "Connected", f"{wanted} of {wanted} nodes are ready and connected")


def _resting(nodes: Sequence[NodeStatus], spec: NetworkSpec) -> tuple[str, str]:
    left = f"; {len(nodes)} are still on their way out" if nodes else ""
    if spec.suspend:
        return "Suspended", f"spec.suspend is true: none of {spec.nodes} nodes runs{left}"
    return "NoNodes", f"spec.nodes is 0{left}"


def _not_ready(nodes: Sequence[NodeStatus], ready: int, wanted: int) -> tuple[str, str]:
    """A reason and a message that name the first few nodes and what is wrong with each."""
    missing = [node for node in nodes if node.ordinal < wanted and not node.ready]
    told = enumerate_briefly([f"node {node.ordinal}: {node.reason}: {node.message}" for node in missing])
    troubles = {node.reason for node in missing} - _UNDER_WAY
    reason = troubles.pop() if len(troubles) == 1 else "NodesNotReady"
    return reason, f"{ready} of {wanted} nodes are ready; {told}" if told else f"{ready} of {wanted} nodes are ready"


def node_notices(old: Sequence[NodeStatus], new: Sequence[NodeStatus]) -> list[Notice]:
    """Who joined and who left. A node is its ordinal at an address: a new address is a new node."""
    was_there, is_there = ({(node.ordinal, node.ip) for node in nodes if node.ip} for nodes in (old, new))
    was_ready, is_ready = ({(node.ordinal, node.ip) for node in nodes if node.ready} for nodes in (old, new))
    left = [Notice(NORMAL, "NodeLeft", f"node {o} at {ip} left") for o, ip in sorted(was_there - is_there)]
    joined = [Notice(NORMAL, "NodeJoined", f"node {o} at {ip} joined") for o, ip in sorted(is_ready - was_ready)]
    return left + joined


def failure_notices(old: Sequence[Condition], findings: Iterable[Finding]) -> list[Notice]:
    """A Warning for each failure that is new, or says something new."""
    said = {(each.type, each.reason, each.message) for each in old}
    failures = (each.condition for each in findings if each.is_failure and each.type != READY)
    return [
        Notice(WARNING, each.reason, each.message)
        for each in failures
        if (each.type, each.reason, each.message) not in said
    ]


def enumerate_briefly(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(items) - NAMED
    return "; ".join(items[:NAMED]) + (f"; and {more} more" if more > 0 else "")
