"""Reads every node's peers, and calls the difference to what they should be.

All calls of one pass are made one after the other: a healthy node answers within milliseconds,
and one that does not is asked last in the next pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec
import structlog

from btcctl.bitcoin.rpc import (
    AlreadyAdded,
    Call,
    Credentials,
    NotAdded,
    NotConnected,
    RpcError,
    RpcFailure,
    RpcUnauthorized,
    RpcUnavailable,
)
from btcctl.bitcoin.topology import AddedNode, Member, Peer, PeerPlan, canonical, is_bare, neighbours, plan_peers
from btcctl.clock import SYSTEM_CLOCK, Clock

logger = structlog.get_logger(__name__)

# One that hangs costs up to 7 s; the others of a network of 1,000 are read in about one.
PASS_SECONDS: Final = 15.0
# A live peer is dialled in milliseconds, one that swallows packets blocks for 5 s (measured).
_SLOW_DIAL_SECONDS = 1.0
_READ: Final[tuple[Call, ...]] = (("getaddednodeinfo", ()), ("getpeerinfo", ()))


class NodeRpc(Protocol):
    """What is needed of a node's RPC client."""

    def call(self, method: str, *params: Any) -> Any: ...

    def batch(self, calls: Sequence[Call]) -> list[Any]: ...


RpcFor = Callable[[str, Credentials], NodeRpc]  #: address and credentials → client


@dataclass(frozen=True, slots=True)
class MeshGoal:
    """The network whose nodes are to know each other."""

    members: Sequence[Member]
    nodes: int  #: `spec.nodes`
    credentials: Credentials
    gone: frozenset[str] = frozenset()  #: addresses that were its nodes and are no longer
    suspects: frozenset[str] = frozenset()  #: addresses to ask last


@dataclass(slots=True)
class MeshReport:
    """What one pass saw and did."""

    failures: dict[int, RpcFailure] = field(default_factory=dict)  #: by ordinal: nodes that did not do as asked
    suspects: set[str] = field(default_factory=set)  #: addresses that were slow or silent
    plans: dict[int, PeerPlan] = field(default_factory=dict)  #: by ordinal: what had to be called
    handshakes: dict[int, int] = field(default_factory=dict)  #: by ordinal: connections without one, if there are any
    skipped: set[int] = field(default_factory=set)  #: ordinals there was no time for
    forgotten: bool = True  #: nobody lists or is connected to a gone address

    @property
    def settled(self) -> bool:
        """Nothing had to be called, and nothing is on its way."""
        return not (self.failures or self.plans or self.handshakes or self.skipped)

    @property
    def moves(self) -> tuple[object, ...]:
        """What a pass that gets nowhere has in common with the one before."""
        return self.plans, self.handshakes, self.skipped

    @property
    def unauthorized(self) -> bool:
        return any(isinstance(error, RpcUnauthorized) for error in self.failures.values())


@dataclass(frozen=True, slots=True)
class _Node:
    """A node that answered."""

    member: Member
    rpc: NodeRpc
    added: list[AddedNode]
    peers: list[Peer]


class Mesh:
    """Makes one pass over a network's nodes. Holds nothing between passes.

    Args:
        rpc_for: Makes a client for a node.
        clock: What the pass' time is measured with.
        pass_seconds: After this long, the remaining nodes have to wait for the next pass.
    """

    def __init__(self, rpc_for: RpcFor, *, clock: Clock = SYSTEM_CLOCK, pass_seconds: float = PASS_SECONDS) -> None:
        self._rpc_for = rpc_for
        self._clock = clock
        self._pass_seconds = pass_seconds

    def sync(self, goal: MeshGoal) -> MeshReport:
        """Read all ready nodes, then call what differs. One node's failure does not hold up another."""
        report = MeshReport()
        deadline = self._clock.now() + self._pass_seconds
        nodes = [node for member in _by_trust(goal) if (node := self._read(member, goal, report, deadline))]
        answering = {canonical(node.member.address) for node in nodes}
        report.forgotten = not report.failures and not report.skipped
        for node in nodes:
            plan = self._plan(node, goal, report)
            if plan:
                self._carry_out(node, plan, answering, report, deadline)
        return report

    def _read(self, member: Member, goal: MeshGoal, report: MeshReport, deadline: float) -> _Node | None:
        if self._clock.now() > deadline:
            report.skipped.add(member.ordinal)
            return None
        try:
            rpc = self._rpc_for(member.address, goal.credentials)
            added, peers = rpc.batch(_READ)
            return _Node(member, rpc, _convert(added, list[AddedNode]), _convert(peers, list[Peer]))
        except RpcFailure as error:
            self._failed(member, error, report)
            return None

    def _plan(self, node: _Node, goal: MeshGoal, report: MeshReport) -> PeerPlan:
        plan = plan_peers(node.member, goal.members, goal.nodes, added=node.added, peers=node.peers, gone=goal.gone)
        if plan:
            report.plans[node.member.ordinal] = plan
        if plan.remove or plan.disconnect or plan.disconnect_ids:
            report.forgotten = False
        unfinished = _unfinished_handshakes(node, goal)
        if unfinished:
            report.handshakes[node.member.ordinal] = unfinished
        return plan

    def _carry_out(self, node: _Node, plan: PeerPlan, answering: set[str], report: MeshReport, deadline: float) -> None:
        try:
            self._part(node, plan)
            self._join(node, plan)
            for peer in (*plan.add, *plan.dial):
                # Whoever does not answer us would only keep this node's RPC busy.
                if canonical(peer) in answering and self._clock.now() <= deadline:
                    self._dial(node, peer, answering)
        except RpcFailure as error:
            self._failed(node.member, error, report)

    def _part(self, node: _Node, plan: PeerPlan) -> None:
        """Remove first: who is only disconnected is dialled again within a minute."""
        for peer in plan.remove:
            _tolerating(NotAdded, node.rpc.call, "addnode", peer, "remove")
            logger.info("addnode remove", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
        for peer in plan.disconnect:
            _tolerating(NotConnected, node.rpc.call, "disconnectnode", peer)
            logger.info("disconnected", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
        for number in plan.disconnect_ids:
            _tolerating(NotConnected, node.rpc.call, "disconnectnode", "", number)
            logger.info("disconnected", node=node.member.address, ordinal=node.member.ordinal, connection=number)

    def _join(self, node: _Node, plan: PeerPlan) -> None:
        for peer in plan.add:
            _tolerating(AlreadyAdded, node.rpc.call, "addnode", peer, "add")
            logger.info("addnode add", node=node.member.address, ordinal=node.member.ordinal, peer=peer)

    def _dial(self, node: _Node, peer: str, answering: set[str]) -> None:
        """Dial at once: the node itself may wait up to 60 s before it looks at its list."""
        began = self._clock.now()
        node.rpc.call("addnode", peer, "onetry")
        logger.debug("addnode onetry", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
        if self._clock.now() - began > _SLOW_DIAL_SECONDS:
            answering.discard(canonical(peer))

    def _failed(self, member: Member, error: RpcFailure, report: MeshReport) -> None:
        report.failures[member.ordinal] = error
        report.suspects.add(member.address)
        logger.warning("node does not do as asked", node=member.address, ordinal=member.ordinal, error=str(error))


def _by_trust(goal: MeshGoal) -> list[Member]:
    """The ready members, those that made trouble last time at the end."""
    ready = (member for member in goal.members if member.ready and member.ordinal < goal.nodes)
    return sorted(ready, key=lambda member: (member.address in goal.suspects, member.ordinal))


def _unfinished_handshakes(node: _Node, goal: MeshGoal) -> int:
    """Connections to wanted peers that stand, but have not been greeted through."""
    ordinals = neighbours(node.member.ordinal, goal.nodes)
    wanted = {canonical(member.address) for member in goal.members if member.ready and member.ordinal in ordinals}
    dialled = (peer for peer in node.peers if not peer.inbound and is_bare(peer.address))
    return sum(peer.version == 0 and canonical(peer.address) in wanted for peer in dialled)


def _tolerating(expected: type[RpcError], call: Callable[..., Any], *args: Any) -> None:
    """Call; that it had been done already is as good."""
    try:
        call(*args)
    except expected:
        logger.debug("nothing to do", call=args)


def _convert(result: Any, type_: Any) -> Any:
    try:
        return msgspec.convert(result, type_)
    except msgspec.ValidationError as error:
        raise RpcUnavailable(f"the node's answer makes no sense: {error}") from error


def describe_failures(failures: dict[int, RpcFailure], members: Iterable[Member]) -> list[str]:
    """One line for each, by ordinal."""
    addresses = {member.ordinal: member.address for member in members}
    return [f"node {each} at {addresses.get(each, '?')}: {failures[each]}" for each in sorted(failures)]
