"""Reads every node's peers and chain, and calls the difference to what the peers should be.

The nodes of a pass are asked at once, as far as there are threads, each within a deadline of its own; one that
keeps us waiting for nothing is left alone for a while, which doubles each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain as chain_of
from typing import Any, Final, Protocol

import msgspec

from btcctl import codecs
from btcctl.bitcoin.chain import ChainInfo, NetworkInfo, NodeChain, NodeFacts
from btcctl.bitcoin.forks import NO_FORKS, Forks, ForkView
from btcctl.bitcoin.quotes import Quotes
from btcctl.bitcoin.rpc import (
    AlreadyAdded,
    Call,
    Credentials,
    NotAdded,
    NotConnected,
    RpcError,
    RpcFailure,
    RpcUnavailable,
)
from btcctl.bitcoin.silences import Silences
from btcctl.bitcoin.spec.chains import REGTEST
from btcctl.bitcoin.spec.shape import Shape
from btcctl.bitcoin.topology import (
    DEFAULT_SPELLING,
    AddedNode,
    Member,
    Peer,
    PeerPlan,
    Roster,
    Spelling,
    address_in,
    canonical,
    plan_peers,
    put_off,
)
from btcctl.bitcoin.utxo import Loading, Loads
from btcctl.bitcoin.wording import in_log, printable
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import limited_to
from btcctl.errors import DeadlineExceeded
from btcctl.logging import get_logger

logger = get_logger(__name__)

# The nodes of a network of 1,000 are read in about one.
PASS_SECONDS: Final = 15.0
# A healthy node answers within milliseconds.
ASK_SECONDS: Final = 3.0
# A live peer is dialled in milliseconds, one that swallows packets blocks for 5 s (measured).
_SLOW_DIAL_SECONDS = 1.0
# A failure that comes sooner costs too little to be avoided.
_SLOW_ANSWER_SECONDS = 0.5
_MESSAGE_CHARACTERS = 100
_READ: Final[tuple[Call, ...]] = (
    ("getaddednodeinfo", ()),
    ("getpeerinfo", ()),
    ("getblockchaininfo", ()),
    ("getnetworkinfo", ()),
)


class NodeRpc(Protocol):
    """What is needed of a node's RPC client."""

    def call(self, method: str, *params: Any, retry: bool = True) -> Any: ...

    def batch(self, calls: Sequence[Call]) -> list[Any]: ...


class RpcFor(Protocol):
    """Makes a client of the node at an address."""

    def __call__(self, address: str, credentials: Credentials, port: int | None = None, /) -> NodeRpc: ...


RunAll = Callable[[Sequence[Callable[[], None]]], None]  #: returns when all have run, at once or one after the other


def one_after_the_other(tasks: Sequence[Callable[[], None]]) -> None:
    """A RunAll without threads."""
    for task in tasks:
        task()


class WrongChain(RpcFailure):
    """A node runs another chain than it is asked to: it is left alone, and nothing that it says counts."""

    def __init__(self, chain: str, wanted: str) -> None:
        super().__init__(f"is on the chain {printable(chain)}, not on {wanted}")


@dataclass(frozen=True, slots=True)
class MeshGoal:
    """The network whose nodes are to know each other."""

    members: Sequence[Member]
    shape: Shape
    credentials: Credentials
    gone: frozenset[str] = frozenset()  #: addresses that were its nodes and are no longer
    suspects: frozenset[str] = frozenset()  #: addresses to ask last
    rpc_port: int | None = None  #: of those that do not say; None: that of all networks
    spelling: Spelling = DEFAULT_SPELLING
    chain: str = REGTEST  #: that all nodes are to be on
    has_utxo_snapshot: bool = False  #: that nodes without a chain are to load


@dataclass(slots=True)
class MeshReport:
    """What one pass saw and did."""

    failures: dict[int, RpcFailure] = field(default_factory=dict)  #: by ordinal: nodes that did not do as asked
    suspects: set[str] = field(default_factory=set)  #: addresses that were slow or silent
    hiccups: set[int] = field(default_factory=set)  #: ordinals that failed once before, and were not asked since
    plans: dict[int, PeerPlan] = field(default_factory=dict)  #: by ordinal: what had to be called
    handshakes: dict[int, int] = field(default_factory=dict)  #: by ordinal: connections without one, if there are any
    skipped: set[int] = field(default_factory=set)  #: ordinals there was no time for
    off: set[int] = field(default_factory=set)  #: ordinals whose node has its network switched off
    chains: dict[int, NodeChain] = field(default_factory=dict)  #: by ordinal: of the nodes that answered
    facts: dict[int, NodeFacts] = field(default_factory=dict)  #: by ordinal: of the nodes that answered
    forks: ForkView = NO_FORKS
    snapshots: dict[int, Loading] = field(default_factory=dict)  #: by ordinal: of nodes that are to load one
    forgotten: bool = True  #: nobody lists or is connected to a gone address

    @property
    def settled(self) -> bool:
        """Nothing had to be called, and nothing is on its way."""
        return not (self.failures or self.plans or self.handshakes or self.skipped)

    @property
    def moves(self) -> tuple[object, ...]:
        """What a pass that gets nowhere has in common with the one before."""
        return self.plans, self.handshakes, self.skipped, self.snapshots


@dataclass(frozen=True, slots=True)
class _Node:
    """A node that answered."""

    member: Member
    rpc: NodeRpc
    added: list[AddedNode]
    peers: list[Peer]
    chain: NodeChain | None  #: None: it does not say
    version: str
    is_behind: bool  #: it is still fetching a chain, as far as it knows
    is_off: bool  #: it talks to no other node (`setnetworkactive`)

    @property
    def facts(self) -> NodeFacts:
        greeted = [peer for peer in self.peers if peer.version]
        inbound = sum(peer.inbound for peer in greeted)
        return NodeFacts(self.version, inbound, len(greeted) - inbound)


class Mesh:
    """Makes one pass over a network's nodes. Of the passes before it knows only who did not answer.

    Args:
        rpc_for: Makes a client for a node.
        clock: What the pass' time is measured with.
        pass_seconds: After this long, the remaining nodes have to wait for the next pass.
        run_all: Runs what concerns one node each.
    """

    def __init__(
        self,
        rpc_for: RpcFor,
        *,
        clock: Clock = SYSTEM_CLOCK,
        pass_seconds: float = PASS_SECONDS,
        run_all: RunAll = one_after_the_other,
    ) -> None:
        self._rpc_for = rpc_for
        self._clock = clock
        self._pass_seconds = pass_seconds
        self._run_all = run_all
        self._silences = Silences(clock)
        self._quotes = Quotes()
        self._forks = Forks()
        self._loads = Loads(clock)

    def sync(self, goal: MeshGoal) -> MeshReport:
        """Read all nodes that answer probes, then call what differs. One node's failure does not hold up another."""
        report = MeshReport()
        deadline = self._clock.now() + self._pass_seconds
        found: dict[int, _Node] = {}
        asked, roster = _by_trust(goal), Roster(goal.members, goal.shape, goal.spelling)
        self._run_all([partial(self._read, each, goal, report, deadline, found) for each in asked])
        nodes = [found[each.ordinal] for each in asked if each.ordinal in found]
        report.chains = _chains(nodes, roster)
        report.facts = {node.member.ordinal: node.facts for node in nodes}
        report.off = {node.member.ordinal for node in nodes if node.is_off}
        silent = _silent(asked, report)
        report.forgotten = not report.failures and not report.skipped
        lacking = _lacking(nodes, goal.shape) if any(node.is_behind for node in nodes) else frozenset()
        plans = [(node, plan) for node in nodes if (plan := self._plan(node, roster, goal.gone, lacking, report))]
        self._run_all([partial(self._carry_out, node, plan, silent, report, deadline) for node, plan in plans])
        if goal.has_utxo_snapshot:
            self._run_all([partial(self._load, node, report) for node in nodes if node.is_behind])
        with limited_to(max(0.0, deadline - self._clock.now()), self._clock):
            report.forks = self._forks.view(report.chains, lambda ordinal: found[ordinal].rpc.batch)
        self._quotes.forget(node.member.address for node in nodes if node.member.ordinal not in report.failures)
        return report

    def _read(
        self, member: Member, goal: MeshGoal, report: MeshReport, deadline: float, found: dict[int, _Node]
    ) -> None:
        left = deadline - self._clock.now()
        if left <= 0:
            report.skipped.add(member.ordinal)
            return
        who = (member.address, goal.credentials)
        known = self._silences.failure_of(who)
        if known is not None:
            report.failures[member.ordinal] = known
            report.suspects.add(member.address)
            if not self._silences.has_failed_again(who):
                report.hiccups.add(member.ordinal)
            return
        began = self._clock.now()
        try:
            with limited_to(min(ASK_SECONDS, left), self._clock):
                found[member.ordinal] = self._ask(member, goal)
        except (RpcFailure, DeadlineExceeded) as error:
            failure = _failure_of(error)
            self._failed(member, failure, report)
            if self._clock.now() - began >= _SLOW_ANSWER_SECONDS:
                self._silences.note(who, report.failures[member.ordinal])
        else:
            self._silences.forget(who)

    def _ask(self, member: Member, goal: MeshGoal) -> _Node:
        rpc = self._rpc_for(member.address, goal.credentials, member.rpc_port or goal.rpc_port)
        added, answered_peers, info, network = rpc.batch(_READ)
        peers = _convert(answered_peers, list[Peer])
        chain = None if info is None else _convert(info, ChainInfo).chain_of_node
        if chain is not None and chain.chain not in {"", goal.chain}:
            raise WrongChain(chain.chain, goal.chain)
        said = _convert(network or {}, NetworkInfo)
        version = printable(said.subversion.strip("/")[:_MESSAGE_CHARACTERS])
        is_behind = info is not None and _convert(info, ChainInfo).initialblockdownload
        added = _convert(added, list[AddedNode])
        return _Node(member, rpc, added, peers, chain, version, is_behind, not said.networkactive)

    def _load(self, node: _Node, report: MeshReport) -> None:
        with limited_to(ASK_SECONDS, self._clock):
            report.snapshots[node.member.ordinal] = self._loads.load(node.member.address, node.rpc)

    def _plan(
        self, node: _Node, roster: Roster, gone: frozenset[str], lacking: frozenset[str], report: MeshReport
    ) -> PeerPlan:
        """What is to be called now; what is put off counts as outstanding."""
        whole = plan_peers(node.member, roster, added=node.added, peers=node.peers, gone=gone)
        plan = put_off(whole, lacking, node.peers) if canonical(node.member.address) in lacking else whole
        if whole or plan:
            report.plans[node.member.ordinal] = whole or plan
        if plan.remove or plan.disconnect or plan.disconnect_ids:
            report.forgotten = False
        unfinished = _unfinished_handshakes(node, roster)
        if unfinished:
            report.handshakes[node.member.ordinal] = unfinished
        return plan

    def _carry_out(self, node: _Node, plan: PeerPlan, silent: set[str], report: MeshReport, deadline: float) -> None:
        """As far as there is time: what is left is found, and called, by the next pass."""
        steps = chain_of(self._part(node, plan), self._join(node, plan), self._dial(node, plan, silent))
        try:
            with limited_to(max(0.0, deadline - self._clock.now()), self._clock):
                for _ in steps:
                    if self._clock.now() >= deadline:
                        return
        except RpcFailure as error:
            self._failed(node.member, error, report)
        except DeadlineExceeded:
            logger.debug("no time was left for a node", node=node.member.address, ordinal=node.member.ordinal)

    def _part(self, node: _Node, plan: PeerPlan) -> Iterator[None]:
        """Remove first: who is only disconnected is dialled again within a minute."""
        for peer in plan.remove:
            _tolerating(NotAdded, node.rpc.call, "addnode", peer, "remove")
            logger.info("addnode remove", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
            yield
        for peer in plan.disconnect:
            _tolerating(NotConnected, node.rpc.call, "disconnectnode", peer)
            logger.info("disconnected", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
            yield
        for number in plan.disconnect_ids:
            _tolerating(NotConnected, node.rpc.call, "disconnectnode", "", number)
            logger.info("disconnected", node=node.member.address, ordinal=node.member.ordinal, connection=number)
            yield

    def _join(self, node: _Node, plan: PeerPlan) -> Iterator[None]:
        for peer in plan.add:
            _tolerating(AlreadyAdded, node.rpc.call, "addnode", peer, "add")
            logger.info("addnode add", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
            yield

    def _dial(self, node: _Node, plan: PeerPlan, silent: set[str]) -> Iterator[None]:
        """Dial at once: the node itself may wait up to 60 s before it looks at its list."""
        for peer in () if node.is_off else (*plan.add, *plan.dial):
            # Who does not answer at all would only keep this node's RPC busy. Who refuses us may be a fine peer.
            if address_in(peer) in silent:
                continue
            began = self._clock.now()
            node.rpc.call("addnode", peer, "onetry")
            logger.debug("addnode onetry", node=node.member.address, ordinal=node.member.ordinal, peer=peer)
            if self._clock.now() - began > _SLOW_DIAL_SECONDS:
                silent.add(address_in(peer) or peer)
            yield

    def _failed(self, member: Member, error: RpcFailure, report: MeshReport) -> None:
        report.failures[member.ordinal] = self._quotes.of_node(member.address, error)
        report.suspects.add(member.address)
        logger.warning("node does not do as asked", node=member.address, ordinal=member.ordinal, error=in_log(error))


def _failure_of(error: RpcFailure | DeadlineExceeded) -> RpcFailure:
    """A node's failure; that there was no time left for a call is one, too."""
    return error if isinstance(error, RpcFailure) else RpcUnavailable("it does not answer in time")


def _chains(nodes: Sequence[_Node], roster: Roster) -> dict[int, NodeChain]:
    """By ordinal, what the nodes say of their chains, and of those of peers who do not say it themselves.

    What is known of a peer is what it had once: blocks that it has given up since are nowhere to be had.
    """
    answered = {canonical(each) for node in nodes if node.chain for each in (node.member.address, *node.member.others)}

    def heard_by(node: _Node) -> int:
        heights = (peer.height(roster.addresses) for peer in node.peers if peer.host not in answered)
        return max(heights, default=-1)

    return {node.member.ordinal: replace(node.chain, heard=heard_by(node)) for node in nodes if node.chain is not None}


def _silent(members: Iterable[Member], report: MeshReport) -> set[str]:
    """The addresses of those that do not even refuse."""
    return {
        canonical(member.address)
        for member in members
        if member.ordinal in report.skipped or isinstance(report.failures.get(member.ordinal), RpcUnavailable)
    }


def _by_trust(goal: MeshGoal) -> list[Member]:
    """The ready members, those that made trouble last time at the end."""
    ready = (member for member in goal.members if member.ready and member.ordinal < goal.shape.nodes)
    return sorted(ready, key=lambda member: (member.address in goal.suspects, member.ordinal))


def _lacking(nodes: Iterable[_Node], shape: Shape) -> frozenset[str]:
    """The addresses of those that are still fetching a chain of which others, that they have a way to, have more."""
    found: set[str] = set()
    known = {node.member.ordinal: (node, node.chain.blocks) for node in nodes if node.chain is not None}
    for part in shape.parts():
        members = [known[each] for each in part if each in known]
        most = max((blocks for _, blocks in members), default=0)
        found |= {canonical(node.member.address) for node, blocks in members if node.is_behind and blocks < most}
    return frozenset(found)


def _unfinished_handshakes(node: _Node, roster: Roster) -> int:
    """Connections to wanted peers that stand, but have not been greeted through."""
    wanted = roster.peers_of(node.member)
    silent = (peer.address for peer in node.peers if peer.version == 0 and not peer.inbound)
    found = (wanted.get(roster.spelling.address(address) or "") for address in silent)
    return sum(each is not None and each.ready for each in found)


def _tolerating(expected: type[RpcError], call: Callable[..., Any], *args: Any) -> None:
    """Call; that it had been done already is as good."""
    try:
        call(*args)
    except expected:
        logger.debug("nothing to do", call=args)


def _convert(result: Any, type_: Any) -> Any:
    try:
        return codecs.convert(result, type_)
    except msgspec.ValidationError as error:
        raise RpcUnavailable(f"the node's answer makes no sense: {error}") from error
