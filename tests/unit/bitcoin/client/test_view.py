from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from btcctl.bitcoin.client.networks import Node
from btcctl.bitcoin.client.view import fork_height, look
from btcctl.bitcoin.rpc import Call, RpcError, RpcUnavailable, WarmingUp
from btcctl.objects import ObjectKey


class FakeNode:
    """A node with a chain, the hashes of its blocks by height."""

    def __init__(self, chain: str, *peers: dict[str, Any]) -> None:
        self.chain = chain
        self.peers = list(peers)
        self.calls = 0
        self.mempool: Any = {"size": 2}

    def call(self, method: str, *params: Any) -> Any:
        assert method == "getblockhash"
        self.calls += 1
        return self.chain[: params[0] + 1]

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        told = {
            "getblockchaininfo": {"blocks": len(self.chain) - 1, "bestblockhash": self.chain, "time": 7},
            "getnetworkinfo": {"subversion": "/Satoshi:29.0.0/"},
            "getpeerinfo": self.peers,
            "getmempoolinfo": self.mempool,
        }
        return [told[method] for method, _ in calls]


class Failing:
    """A node that answers otherwise."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        if isinstance(self.outcome, RpcUnavailable):
            raise self.outcome
        return [self.outcome] * len(calls)


def node(ordinal: int, rpc: Any) -> Node:
    return Node(ordinal, ObjectKey("default", f"net-sts-{ordinal}"), f"10.0.0.{ordinal + 1}", True, rpc)


def dialled(address: str, *, inbound: bool = False, version: int = 70016) -> dict[str, Any]:
    return {"addr": address, "inbound": inbound, "version": version}


def test_a_node_is_linked_to_the_nodes_that_it_has_dialled_and_greeted() -> None:
    peers = [dialled("10.0.0.2"), dialled("10.0.0.3:18444"), dialled("10.0.0.2:5555", inbound=True)]
    peers += [dialled("10.0.0.4", version=0), dialled("seed.example.com")]
    first = FakeNode("gab", *peers)
    view = look([node(0, first), node(1, FakeNode("gab")), node(2, FakeNode("gab")), node(3, FakeNode("gab"))])
    assert view.nodes[0].dialled == {1, 2}
    assert view.nodes[0].connections == 5
    assert view.is_synced


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (RpcUnavailable("http://10.0.0.2 cannot be reached"), "cannot be reached"),
        (WarmingUp(-28, "Loading…"), "Loading"),
        ("nonsense", "makes no sense"),
    ],
)
def test_a_node_that_fails_says_why_and_holds_up_no_other(outcome: Any, problem: str) -> None:
    view = look([node(0, FakeNode("gab")), node(1, Failing(outcome)), node(2, None)])
    assert [each.answers for each in view.nodes] == [True, False, False]
    assert problem in view.nodes[1].problem
    assert view.nodes[2].problem == "has no address yet"
    assert not view.is_synced


def test_a_node_gives_a_terminal_no_orders() -> None:
    answers = [{"blocks": 1, "bestblockhash": "\x1b[2J"}, {"subversion": "\x1b]0;x\x07" + "v" * 999}, [], {"size": 1}]

    class Rude(Failing):
        def outcomes(self, calls: Sequence[Call]) -> list[Any]:
            return answers

    rude, angry = look([node(0, Rude("")), node(1, Failing(RpcUnavailable("\x1b[5mno")))]).nodes
    assert (rude.best, angry.problem) == ("\ufffd[2J", "\ufffd[5mno")
    assert rude.version.startswith("\ufffd]0;x\ufffdv")
    assert len(rude.version) == 256


def test_what_a_node_says_of_its_failure_is_shown_as_far_as_there_is_room() -> None:
    (loud,) = look([node(0, Failing(RpcError(-1, "no" * 5_000_000)))]).nodes
    assert len(loud.problem) <= 1000
    assert loud.problem.startswith("nono")


def test_tips_are_the_highest_first_with_their_fork() -> None:
    view = look([node(0, FakeNode("gabX")), node(1, FakeNode("gabYZ")), node(2, FakeNode("gabX"))])
    assert [(tip.height, tip.ordinals) for tip in view.tips] == [(4, (1,)), (3, (0, 2))]
    assert view.fork_height == 2
    assert view.to_json()["tips"][1] == {"best": "gabX", "height": 3, "nodes": [0, 2], "partsAt": 2}


def test_who_is_merely_behind_is_on_no_branch_of_its_own() -> None:
    view = look([node(0, FakeNode("gabX")), node(1, FakeNode("gab"))])
    assert (len(view.tips), [tip.best for tip in view.branches]) == (2, ["gabX"])


def test_a_block_that_travels_on_the_shorter_branch_makes_no_third_tip() -> None:
    chains = ("gabXYZ", "gabcd", "gabc", "gabXY")
    view = look([node(number, FakeNode(chain)) for number, chain in enumerate(chains)])
    assert [tip.best for tip in view.branches] == ["gabXYZ", "gabcd"]
    assert [tip.ordinals for tip in view.tips if view.is_behind(tip)] == [(3,), (2,)]


def test_in_a_cluster_of_two_ip_families_a_node_is_known_by_each_of_its_addresses() -> None:
    both = [
        replace(node(1, FakeNode("gab")), others=("fd00::2",)),
        node(0, FakeNode("gab", dialled("[fd00::2]:18444"))),
    ]
    assert [sorted(each.dialled) for each in look(both).nodes] == [[], [1]]


def test_a_node_without_a_mempool_is_shown_without_one() -> None:
    one, other = FakeNode("gab"), FakeNode("gab")
    other.mempool = RpcError(-32601, "Method not found")
    assert [each.mempool for each in look([node(0, one), node(1, other)]).nodes] == [2, -1]


@pytest.mark.parametrize("common", [0, 1, 2, 63, 64, 100])
def test_a_fork_is_found_by_halving(common: int) -> None:
    stem = "g" * (common + 1)
    one, other = FakeNode(stem + "a" * (101 - len(stem))), FakeNode(stem + "b" * (101 - len(stem)))
    assert fork_height(one, other, 100) == common  # type: ignore[arg-type]
    assert one.calls <= 7
