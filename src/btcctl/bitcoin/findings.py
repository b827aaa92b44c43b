"""From what was seen to what is said about it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from btcctl.bitcoin.children import name_problem
from btcctl.bitcoin.credentials import CredentialsProblem, KnownCredentials
from btcctl.bitcoin.mesh import MeshReport, WrongChain
from btcctl.bitcoin.mining import MiningOrder
from btcctl.bitcoin.pod_problems import stable
from btcctl.bitcoin.quotes import Quotes, gist
from btcctl.bitcoin.rpc import RpcError, RpcFailure, RpcUnauthorized, WarmingUp
from btcctl.bitcoin.sights import BLOCKS_ON_THE_WAY, Overview
from btcctl.bitcoin.spec.model import Mining
from btcctl.bitcoin.status import Finding, Heights, enumerate_briefly
from btcctl.bitcoin.topology import Member
from btcctl.bitcoin.types import (
    ACCEPTED_LOSS,
    CHAIN_INTACT,
    CONFLICT,
    CONTESTED,
    CREDENTIALS_READY,
    FORBIDDEN,
    MESH_READY,
    MINING,
    PROGRESSING,
    READY,
    SNAPSHOT_LOADED,
    SYNCED,
    BitcoinNetwork,
    NetworkStatus,
    NodeStatus,
)
from btcctl.bitcoin.utxo import Progress
from btcctl.bitcoin.wording import bounded
from btcctl.controller.writing.conditions import Condition
from btcctl.errors import ApiError, Invalid

#: Reasons of `Ready`: the controller does nothing until somebody changes the network.
REFUSED_AS_IT_IS: Final = frozenset({"InvalidName", "InvalidSpec"})
_RESTING: Final = frozenset({"Suspended", "NoNodes"})
_MOST_CHARACTERS: Final = 100  # of a node's own words


def name_finding(name: str) -> Finding | None:
    """That the network cannot be built because of its name, or None."""
    problem = name_problem(name)
    return None if problem is None else Finding(READY, False, "InvalidName", problem, is_failure=True)


def invalid_spec_finding(why: str) -> Finding:
    return Finding(READY, False, "InvalidSpec", bounded(why), is_failure=True)


def credentials_finding(credentials: KnownCredentials | CredentialsProblem) -> Finding:
    if isinstance(credentials, CredentialsProblem):
        return Finding(CREDENTIALS_READY, False, credentials.reason, str(credentials), is_failure=True)
    if credentials.secret is None:
        return Finding(
            CREDENTIALS_READY,
            True,
            "DefaultCredentials",
            "spec.secret is not set: the nodes accept the well-known default credentials",
        )
    return Finding(CREDENTIALS_READY, True, "SecretFound", f'using Secret "{credentials.secret}"')


def conflict_finding(problems: Iterable[str]) -> Finding:
    """Args:
    problems: What stands in the way; empty strings do not count.
    """
    found = [problem for problem in problems if problem]
    if found:
        return Finding(CONFLICT, True, "ChildConflict", enumerate_briefly(found), is_failure=True)
    return Finding(CONFLICT, False, "NoConflict", "the Service and the StatefulSet are this network's own")


def contest_finding(disputes: Iterable[str]) -> Finding:
    """Args:
    disputes: What somebody else keeps changing; empty strings do not count.
    """
    found = [dispute for dispute in disputes if dispute]
    if found:
        return Finding(CONTESTED, True, "RepairsUndone", enumerate_briefly(found), is_failure=True)
    return Finding(CONTESTED, False, "Uncontested", "nobody else changes what the controller sets")


def chain_finding(heights: Heights) -> Finding:
    """Whether blocks were lost with the nodes that held them, and are not made up for yet."""
    if heights.lost:
        message = (
            f"blocks were lost: the chain had {heights.lost}, and went on from fewer; if it need not have them "
            f"again, say so by the annotation {ACCEPTED_LOSS}={heights.lost}"
        )
        return Finding(CHAIN_INTACT, False, "ChainShrank", message, is_failure=True)
    return Finding(CHAIN_INTACT, True, "Kept", "no block was lost")


def forbidden_finding(missing: Iterable[str]) -> Finding:
    """Args:
    missing: The rights that the controller turned out not to have.
    """
    found = list(missing)
    if found:
        return Finding(FORBIDDEN, True, "MissingRights", f"may not {enumerate_briefly(found)}", is_failure=True)
    return Finding(FORBIDDEN, False, "Allowed", "the API server refuses nothing")


def refused_finding(error: ApiError, quotes: Quotes) -> Finding:
    """Args:
    error: What the API server said: a quota, a policy, a value that it does not take.
    quotes: What was refused before.
    """
    reason = "Invalid" if isinstance(error, Invalid) else "Refused"
    words = stable(str(error))
    return Finding(FORBIDDEN, True, reason, bounded(quotes.of(gist(words), words)), is_failure=True)


def snapshot_findings(network: BitcoinNetwork, report: MeshReport | None) -> list[Finding]:
    """Nothing of a network that was never to begin with a UTXO snapshot."""
    before = network.status.condition(SNAPSHOT_LOADED)
    if network.spec.has_utxo_snapshot:
        return [snapshot_finding(report, before)]
    return [no_snapshot_finding()] if before is not None else []


def snapshot_finding(report: MeshReport | None, before: Condition | None) -> Finding:
    """Whether all nodes have the UTXO snapshot that they begin with, or more.

    Args:
        report: None: the nodes have not been asked yet.
        before: What the status says.
    """
    if report is None:
        holds = before is not None and before.is_true
        reason, message = (before.reason, before.message) if before else ("SnapshotLoading", "no node was asked yet")
        return Finding(SNAPSHOT_LOADED, holds, reason, message)
    found = {
        progress: [number for number, each in sorted(report.snapshots.items()) if each.progress is progress]
        for progress in Progress
    }
    if refused := found[Progress.REFUSED]:
        message = enumerate_briefly([f"node {number}: {report.snapshots[number].words}" for number in refused])
        return Finding(SNAPSHOT_LOADED, False, "SnapshotRefused", message, is_failure=True)
    if lacking := found[Progress.NO_HEADERS]:
        message = f"nobody has told {_nodes(lacking)} of the snapshot's block: they need a peer that has its header"
        return Finding(SNAPSHOT_LOADED, False, "HeadersMissing", message)
    if loading := found[Progress.LOADING]:
        return Finding(SNAPSHOT_LOADED, False, "SnapshotLoading", f"{_nodes(loading)}: on its way")
    return Finding(SNAPSHOT_LOADED, True, "Loaded", "all nodes have it, or more")


def mining_findings(network: BitcoinNetwork, order: MiningOrder | None, refusal: str) -> list[Finding]:
    """Nothing of a network that was never to mine on a schedule."""
    mining = network.spec.mining
    is_said = mining is not None or network.status.condition(MINING) is not None
    return [mining_finding(mining, order, refusal)] if is_said else []


def mining_finding(mining: Mining | None, order: MiningOrder | None, refusal: str) -> Finding:
    """Whether blocks are mined on a schedule.

    Args:
        order: What the node is asked for; None: it cannot be asked.
        refusal: Why it refuses, in its words; "" if it does not.
    """
    if mining is None:
        return Finding(MINING, False, "NotAskedFor", "no blocks are asked for on a schedule")
    if order is None:
        return Finding(MINING, False, "NodesNotReady", f"node {mining.node}, which is to mine, cannot be asked")
    if refusal:
        message = f"node {mining.node} mines nothing: {refusal}"
        return Finding(MINING, False, "MiningRefused", message, is_failure=True)
    message = f"node {mining.node} mines a block when the newest one is {mining.interval} old"
    return Finding(MINING, True, "OnSchedule", message)


def no_snapshot_finding() -> Finding:
    return Finding(SNAPSHOT_LOADED, True, "NotAskedFor", "no UTXO snapshot is asked for")


def _nodes(ordinals: Iterable[int]) -> str:
    return enumerate_briefly([f"node {number}" for number in ordinals])


def progressing_finding(ready: Finding, others: Iterable[Finding]) -> Finding:
    """Whether the network is on its way to what is asked for, without a failure in its way."""
    if ready.holds or ready.reason in _RESTING:
        return Finding(PROGRESSING, False, "Settled", "everything is as it is asked for")
    failure = next((each for each in others if each.is_failure and each.reason == ready.reason), None)
    if failure is not None or ready.is_failure:
        return Finding(PROGRESSING, False, "Stalled", ready.message)
    return Finding(PROGRESSING, True, ready.reason, ready.message)


def synced_finding(nodes: Sequence[NodeStatus], overview: Overview) -> Finding:
    """Whether all nodes have the network's one chain, but for a block that is on its way."""
    silent = [node.ordinal for node in nodes if node.ready and not isinstance(node.height, int)]
    answered = sum(isinstance(node.height, int) for node in nodes)
    if silent or not answered:
        which = enumerate_briefly([f"node {number}" for number in silent]) or "no node"
        return Finding(SYNCED, False, "NodesNotAnswering", f"not known of {which}" if silent else "no node answers")
    if overview.deepest_fork:
        message = f"the nodes are on {overview.tips} chains; the deepest fork is {overview.deepest_fork} blocks deep"
        return Finding(SYNCED, False, "TipsDiffer", message)
    if overview.synced_nodes < answered:
        return Finding(SYNCED, False, "NodesBehind", _behind(nodes, answered, overview))
    return Finding(SYNCED, True, "OneTip", f"{answered} nodes have the same chain")


def _behind(nodes: Sequence[NodeStatus], answered: int, overview: Overview) -> str:
    heights = {node.ordinal: node.height for node in nodes if isinstance(node.height, int)}
    missing = {ordinal: max(heights.values()) - height for ordinal, height in heights.items()}
    behind = [f"node {ordinal} by {blocks}" for ordinal, blocks in missing.items() if blocks > BLOCKS_ON_THE_WAY]
    count = answered - overview.synced_nodes
    return f"{count} of {answered} nodes are behind: {enumerate_briefly(behind)} blocks"


def unknown_synced_finding(status: NetworkStatus) -> Finding:
    """As it was, as long as nothing new is known."""
    before = status.condition(SYNCED)
    if before is None:
        return Finding(SYNCED, False, "NodesNotAnswering", "no node has been asked yet")
    return Finding(SYNCED, before.is_true, before.reason, before.message)


def mesh_finding(
    report: MeshReport,
    members: Iterable[Member],
    suspects: frozenset[str],
    outdated: frozenset[int] = frozenset(),
) -> Finding:
    """
    Args:
        suspects: Addresses that had failed before already: now it is a failure, no hiccup.
        outdated: Ordinals that refuse us because they are to be replaced.
    """
    members = list(members)
    failures = {ordinal: error for ordinal, error in report.failures.items() if ordinal not in outdated}
    if failures:
        return _failures_finding(failures, report.hiccups, members, suspects)
    if report.failures:
        nodes = enumerate_briefly([f"node {number}" for number in sorted(report.failures)])
        message = f"the Secret's credentials are new; still to be replaced: {nodes}"
        return Finding(MESH_READY, False, "CredentialsRotating", message)
    if report.off:
        which = enumerate_briefly([f"node {number}" for number in sorted(report.off)])
        message = f"the network of {which} is switched off: bitcoin-cli setnetworkactive true switches it on"
        return Finding(MESH_READY, False, "NetworkOff", message, is_failure=True)
    busy = sorted({*report.plans, *report.handshakes, *report.skipped})
    if busy:
        return Finding(
            MESH_READY, False, "PeersPending", f"connecting {enumerate_briefly([f'node {n}' for n in busy])}"
        )
    if not any(member.ready for member in members):
        return Finding(MESH_READY, False, "NodesNotReady", "no node is ready")
    return Finding(MESH_READY, True, "Connected", "every ready node knows its peers")


def pending_mesh_finding(before: Condition | None) -> Finding:
    """As long as the nodes have not answered it is as it was: nothing is known that would contradict.

    Args:
        before: What the status says; None if it says nothing yet.
    """
    if before is None:
        return Finding(MESH_READY, False, "PeersPending", "the nodes are being asked for their peers")
    return Finding(MESH_READY, before.is_true, before.reason, before.message)


def no_credentials_finding() -> Finding:
    return Finding(MESH_READY, False, "NoCredentials", "the nodes cannot be asked for their peers")


def _failures_finding(
    failures: dict[int, RpcFailure], hiccups: Collection[int], members: list[Member], suspects: frozenset[str]
) -> Finding:
    message = enumerate_briefly(describe_failures(failures, members))
    for kind, reason in ((RpcUnauthorized, "Unauthorized"), (WrongChain, "WrongChain")):
        if any(isinstance(error, kind) for error in failures.values()):
            return Finding(MESH_READY, False, reason, message, is_failure=True)
    lasting = {
        member.ordinal
        for member in members
        if member.address in suspects and not isinstance(failures.get(member.ordinal), WarmingUp)
    }
    if lasting.difference(hiccups) & failures.keys():
        return Finding(MESH_READY, False, "NodesUnreachable", message, is_failure=True)
    return Finding(MESH_READY, False, "NodesNotAnswering", message)


def describe_failures(failures: dict[int, RpcFailure], members: Iterable[Member]) -> list[str]:
    """One line for each, by ordinal; the same as long as the cause is the same."""
    addresses = {member.ordinal: member.address for member in members}
    return [
        f"node {each} at {addresses.get(each, '?')} {describe_failure(failures[each])}" for each in sorted(failures)
    ]


def describe_failure(error: RpcFailure) -> str:
    """What a node did instead of what was asked. The error's own words, which the log has, may differ each time."""
    match error:
        case WarmingUp():
            return "is still starting"
        case RpcUnauthorized():
            return "does not accept our credentials, or calls from our address"
        case WrongChain():
            return str(error)
        case RpcError():
            return f"answers with error {error.code}: {stable(error.message)[:_MOST_CHARACTERS]}"
        case _:
            return "cannot be reached, or gives no usable answer"
