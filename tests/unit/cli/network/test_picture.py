from __future__ import annotations

from dataclasses import replace

import pytest

from btcctl.bitcoin.client.view import NetworkView, NodeView
from btcctl.cli.network import picture
from btcctl.cli.network.get import age
from btcctl.cli.network.waiting import not_there

BEST = "a" * 56 + "0123abcd"
OTHER = "b" * 56 + "9999ffff"
THIRD = "c" * 56 + "7777eeee"
LOW = "d" * 56 + "5555dddd"


def node(ordinal: int, *dialled: int, height: int = 5, best: str = BEST) -> NodeView:
    return NodeView(ordinal, f"net-sts-{ordinal}", "10.0.0.1", True, height, best, dialled=frozenset(dialled))


def silent(ordinal: int) -> NodeView:
    return NodeView(ordinal, f"net-sts-{ordinal}", "10.0.0.1", False, problem="cannot be reached")


def test_links_are_a_square_of_who_dialled_whom() -> None:
    heading, rows = picture.links([node(0, 1), node(1, 0, 2), node(2)])
    assert [*heading, *rows] == ["      0  1  2", "   0  ·  ↔   ", "   1  ↔  ·  →", "   2     ←  ·"]


def test_links_of_many_nodes_are_lists() -> None:
    heading, rows = picture.links([node(each, (each + 1) % 30) for each in range(30)])
    assert (len(heading), len(rows)) == (0, 30)
    assert rows[29] == "  29 → 0"


def test_one_tip_is_one_line() -> None:
    assert list(picture.chains(NetworkView([node(0), node(1), silent(2)]))) == ["●─ 5 …0123abcd  nodes 0 1"]


def test_tips_part_where_their_chains_do() -> None:
    view = NetworkView([node(0, height=7), node(1, height=7), node(2, height=6, best=OTHER)], fork_heights={OTHER: 4})
    assert list(picture.chains(view)) == [
        "●─ 4 ─┬─ 7 …0123abcd  nodes 0 1  (+3)",
        "      └─ 6 …9999ffff  node 2  (+2)",
    ]


def test_a_branch_that_parts_later_says_where_and_who_is_merely_behind_is_on_none() -> None:
    nodes = [
        node(0, height=7),
        node(1, height=6, best=OTHER),
        node(2, height=6, best=THIRD),
        node(3, height=2, best=LOW),
    ]
    view = NetworkView(nodes, fork_heights={OTHER: 3, THIRD: 5, LOW: 2})
    assert [line.partition("─ ")[2].rpartition("node")[2] for line in picture.chains(view)][1:] == [
        " 2  (+1, parts at 5)",
        " 1  (+3, parts at 3)",
        " 3  (behind)",
    ]
    assert len(view.branches) == 3


def test_who_is_behind_on_a_branch_is_said_to_be_and_is_on_none_of_its_own() -> None:
    nodes = [node(0, height=7), node(1, height=6, best=OTHER), node(2, height=5, best=THIRD)]
    view = NetworkView(nodes, fork_heights={OTHER: 3, THIRD: 3}, behind=frozenset({THIRD}))
    assert list(picture.chains(view))[2].endswith("node 2  (behind)")
    assert len(view.branches) == 2


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (node(0), "synced"),
        (node(0, height=4), "synced"),
        (node(0, height=3), "behind"),
        (replace(node(0), is_ready=False), "synced, not ready"),
        (silent(0), "unreachable"),
        (replace(silent(0), address=""), "restarting"),
    ],
)
def test_what_a_node_does_is_a_word(seen: NodeView, word: str) -> None:
    assert picture.state_of(seen, highest=5) == word


def test_a_network_that_does_not_answer_has_no_tips() -> None:
    view = NetworkView([silent(0)])
    assert list(picture.chains(view)) == []
    assert (view.height, view.is_synced) == (-1, False)


def test_what_is_still_missing_is_said() -> None:
    apart = NetworkView([node(0), node(1, height=3, best=OTHER)])
    assert not_there(apart, 2, "synced") == "2 tips"
    assert not_there(apart, 2, "height=4") == "the lowest node has height 3"
    assert not_there(apart, 2, "height=3") == ""
    assert not_there(NetworkView([node(0), silent(1)]), 2, "synced") == "1 of 2 nodes answer"
    assert not_there(NetworkView([node(0), node(1)]), 2, "synced") == ""


@pytest.mark.parametrize("goal", ["synced", "height=0", "height=5"])
def test_a_network_at_rest_is_not_waited_for_with_a_fault(goal: str) -> None:
    assert not_there(NetworkView([]), 0, goal) == "no node runs"


def test_an_age_that_is_none_is_a_question_mark() -> None:
    assert age("") == "?"
    assert age("2001-01-01T00:00:00Z")[-1] in "dh"  # no hours are said in the first of a day
