from __future__ import annotations

import re

import pytest

from btcctl.bitcoin.credentials import KnownCredentials, SecretNotFound
from btcctl.bitcoin.findings import (
    conflict_finding,
    credentials_finding,
    describe_failures,
    mesh_finding,
    name_finding,
    no_credentials_finding,
    pending_mesh_finding,
)
from btcctl.bitcoin.mesh import MeshReport, WrongChain
from btcctl.bitcoin.rpc import Credentials, RpcError, RpcFailure, RpcUnauthorized, RpcUnavailable, WarmingUp
from btcctl.bitcoin.topology import Member, PeerPlan
from btcctl.controller.writing.conditions import Condition

MEMBERS = [Member(0, "10.0.0.1", ready=True), Member(1, "10.0.0.2", ready=True)]
NOBODY: frozenset[str] = frozenset()


def test_a_settled_mesh_is_ready() -> None:
    assert mesh_finding(MeshReport(), MEMBERS, NOBODY).holds


def test_where_no_node_is_ready_there_is_no_mesh() -> None:
    finding = mesh_finding(MeshReport(), [Member(0, "10.0.0.1", ready=False)], NOBODY)
    assert (finding.holds, finding.reason) == (False, "NodesNotReady")


def test_a_mesh_that_still_moves_names_who() -> None:
    finding = mesh_finding(MeshReport(plans={1: PeerPlan(add=("x",))}, handshakes={0: 1}), MEMBERS, NOBODY)
    assert (finding.holds, finding.reason, finding.is_failure) == (False, "PeersPending", False)
    assert finding.message == "connecting node 0; node 1"


def test_a_node_that_fails_once_is_no_failure_yet() -> None:
    finding = mesh_finding(MeshReport(failures={1: RpcUnavailable("refused")}), MEMBERS, NOBODY)
    assert (finding.reason, finding.is_failure) == ("NodesNotAnswering", False)
    assert finding.message == "node 1 at 10.0.0.2 cannot be reached, or gives no usable answer"


def test_a_node_that_fails_twice_is_one() -> None:
    report = MeshReport(failures={1: RpcUnavailable("refused")})
    assert mesh_finding(report, MEMBERS, frozenset({"10.0.0.2"})).is_failure
    assert not mesh_finding(report, MEMBERS, frozenset({"10.0.0.1"})).is_failure


def test_a_node_that_failed_once_and_was_not_asked_since_has_not_failed_again() -> None:
    report = MeshReport(failures={1: RpcUnavailable("refused")}, hiccups={1})
    assert not mesh_finding(report, MEMBERS, frozenset({"10.0.0.2"})).is_failure


def test_a_node_on_another_chain_is_a_failure_at_once_and_named() -> None:
    finding = mesh_finding(MeshReport(failures={1: WrongChain("regtest", "testnet4")}), MEMBERS, NOBODY)
    assert (finding.reason, finding.is_failure) == ("WrongChain", True)
    assert finding.message == "node 1 at 10.0.0.2 is on the chain regtest, not on testnet4"


def test_a_node_that_warms_up_for_long_is_no_failure() -> None:
    report = MeshReport(failures={1: WarmingUp(-28, "Loading block index…")})
    assert not mesh_finding(report, MEMBERS, frozenset({"10.0.0.2"})).is_failure


def test_wrong_credentials_are_a_failure_at_once() -> None:
    finding = mesh_finding(MeshReport(failures={1: RpcUnauthorized("no")}), MEMBERS, NOBODY)
    assert (finding.reason, finding.is_failure) == ("Unauthorized", True)


def test_without_credentials_nothing_is_known_of_the_mesh() -> None:
    assert no_credentials_finding().reason == "NoCredentials"


def test_nodes_that_were_not_asked_yet_are_pending_or_as_they_were() -> None:
    assert (pending_mesh_finding(None).holds, pending_mesh_finding(None).reason) == (False, "PeersPending")
    before = Condition("MeshReady", "True", "Connected", "every ready node knows its peers")
    assert pending_mesh_finding(before).condition == before


def test_nodes_that_are_about_to_be_replaced_may_refuse_us() -> None:
    finding = mesh_finding(MeshReport(failures={1: RpcUnauthorized("no")}), MEMBERS, NOBODY, frozenset({1}))
    assert (finding.reason, finding.is_failure) == ("CredentialsRotating", False)


def test_a_node_that_cannot_be_reached_is_what_is_said_while_others_are_about_to_be_replaced() -> None:
    failures: dict[int, RpcFailure] = {0: RpcUnavailable("gone"), 1: RpcUnauthorized("no")}
    finding = mesh_finding(MeshReport(failures=failures), MEMBERS, frozenset({"10.0.0.1"}), frozenset({1}))
    assert finding.reason == "NodesUnreachable"
    assert "node 1" not in finding.message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RpcUnavailable("<urllib3.HTTPConnection object at 0x7f12> port 51234"), "cannot be reached"),
        (RpcUnauthorized("http://10.0.0.2:18443/ does not accept"), "does not accept our credentials"),
        (WarmingUp(-28, "Verifying blocks…"), "is still starting"),
        (RpcError(-1, "at 2026-11-29T10:00:00Z 0xdeadbeef " + "x" * 40_000), "answers with error -1: at …"),
        (RpcError(-1, "\x1b[31m" * 3_000_000), "answers with error -1: "),
        (WrongChain("\x1b[2Jmain\n", "regtest"), "is on the chain "),
    ],
)
def test_what_a_failure_says_is_short_and_the_same_each_time(error: RpcFailure, words: str) -> None:
    (line,) = describe_failures({1: error}, MEMBERS)
    assert words in line
    assert len(line) < 250
    assert line.isprintable()
    assert not re.search(r"0x|51234|2026", line)


def test_default_credentials_are_said() -> None:
    finding = credentials_finding(KnownCredentials(Credentials("user", "password")))
    assert (finding.holds, finding.reason) == (True, "DefaultCredentials")


def test_a_problem_with_the_secret_keeps_its_reason() -> None:
    finding = credentials_finding(SecretNotFound("there is no such Secret"))
    assert (finding.holds, finding.reason, finding.is_failure) == (False, "SecretNotFound", True)


def test_a_conflict_holds_while_something_stands_in_the_way() -> None:
    assert conflict_finding(["", "in the way"]).holds
    assert not conflict_finding(["", ""]).holds


def test_a_name_that_is_good_is_not_worth_a_word() -> None:
    assert name_finding("net") is None
    assert name_finding("x" * 60) is not None
