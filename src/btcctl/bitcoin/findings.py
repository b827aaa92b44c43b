"""From what was seen to what is said about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from btcctl.bitcoin.children import name_problem
from btcctl.bitcoin.credentials import CredentialsProblem, KnownCredentials
from btcctl.bitcoin.mesh import MeshReport, describe_failures
from btcctl.bitcoin.rpc import WarmingUp
from btcctl.bitcoin.status import Finding, enumerate_briefly
from btcctl.bitcoin.topology import Member
from btcctl.bitcoin.types import CONFLICT, CREDENTIALS_READY, MESH_READY, READY


def name_finding(name: str) -> Finding | None:
    """That the network cannot be built because of its name, or None."""
    problem = name_problem(name)
    return None if problem is None else Finding(READY, False, "InvalidName", problem, is_failure=True)


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


def mesh_finding(report: MeshReport | None, members: Iterable[Member], suspects: frozenset[str]) -> Finding:
    """
    Args:
        report: None if the nodes could not be asked for want of credentials.
        suspects: Addresses that had failed before already: now it is a failure, no hiccup.
    """
    if report is None:
        return Finding(MESH_READY, False, "NoCredentials", "the nodes cannot be asked for their peers")
    members = list(members)
    if report.failures:
        return _failures_finding(report, members, suspects)
    busy = sorted({*report.plans, *report.handshakes, *report.skipped})
    if busy:
        return Finding(
            MESH_READY, False, "PeersPending", f"connecting {enumerate_briefly([f'node {n}' for n in busy])}"
        )
    if not any(member.ready for member in members):
        return Finding(MESH_READY, False, "NodesNotReady", "no node is ready")
    return Finding(MESH_READY, True, "Connected", "every ready node knows its peers")


def _failures_finding(report: MeshReport, members: list[Member], suspects: frozenset[str]) -> Finding:
    message = enumerate_briefly(describe_failures(report.failures, members))
    if report.unauthorized:
        return Finding(MESH_READY, False, "Unauthorized", message, is_failure=True)
    lasting = {
        member.ordinal
        for member in members
        if member.address in suspects and not isinstance(report.failures.get(member.ordinal), WarmingUp)
    }
    return Finding(MESH_READY, False, "NodesUnreachable", message, is_failure=bool(lasting & report.failures.keys()))
