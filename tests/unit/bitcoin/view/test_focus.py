from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.view.looking.focus import MAX_EVENTS, Focus
from btcctl.bitcoin.view.looking.nodes import Answer
from btcctl.bitcoin.view.looking.summaries import summary_of
from btcctl.bitcoin.view.model import Block, Happened, Tip, Tree
from btcctl.objects import ObjectKey
from tests.unit.bitcoin.view.objects import facts, network_object


class Told:
    """A network in focus, and what was told of it since the last look."""

    def __init__(self, nodes: int = 3, **spec: Any) -> None:
        self.messages: list[tuple[str, Any]] = []
        self.focus = Focus(ObjectKey("default", "net"), lambda event, data, _: self.messages.append((event, data)))
        self.network(nodes, **spec)
        for ordinal in range(nodes):
            self.focus.set_pod(ordinal, facts(ordinal))
        self.messages.clear()

    def network(self, nodes: int = 3, **spec: Any) -> None:
        obj = network_object(nodes=nodes, **spec)
        self.focus.set_network(obj, summary_of(obj))

    def events(self) -> list[str]:
        found = [event for event, _ in self.messages]
        self.messages.clear()
        return found

    def nodes(self) -> list[int]:
        return sorted(node.ordinal for event, data in self.messages if event == "nodes" for node in data.nodes)


@pytest.fixture
def told() -> Told:
    return Told()


def answer(height: int = 1, best: str = "b1", **more: Any) -> Answer:
    return Answer("u", 1.0, height, best, **more)


def tree(*tips: Tip) -> Tree:
    return Tree([Block(tip.hash, tip.height) for tip in tips], list(tips))


def test_the_picture_has_every_node_that_is_wanted_whether_there_is_a_pod_or_not():
    told = Told(0)
    told.network(2)
    picture = told.focus.picture()
    assert picture is not None
    assert [(node.ordinal, node.pod, node.state) for node in picture.nodes] == [
        (0, "net-sts-0", "restarting"),
        (1, "net-sts-1", "restarting"),
    ]


def test_an_answer_is_news_of_one_node(told):
    assert told.focus.set_answer(1, answer())
    assert told.nodes() == [1]


def test_a_node_that_has_two_connections_to_another_one_may_answer_again(told):
    twice = (("10.0.0.1", False), ("10.0.0.1", True))
    told.focus.set_answer(1, answer(dialled=twice))
    told.focus.set_answer(1, answer(height=2, dialled=twice))
    told.focus.set_answer(1, answer(height=3))
    assert told.nodes() == [1, 1, 1]


def test_the_same_answer_again_is_no_news(told):
    told.focus.set_answer(1, answer(peers=2))
    told.messages.clear()
    assert not told.focus.set_answer(1, Answer("u", 99.0, 1, "b1", peers=2))
    assert told.messages == []


def test_a_new_top_is_news_of_the_nodes_that_are_measured_by_it(told):
    told.focus.set_answer(0, answer(5, "five"))
    told.focus.set_answer(1, answer(1, "one"))
    told.messages.clear()
    told.focus.set_tree(tree(Tip("five", 5, [0]), Tip("one", 1, [1], 1)))
    assert [event for event, _ in told.messages] == ["tree", "nodes"]
    assert told.nodes() == [1]
    told.messages.clear()
    told.focus.set_tree(tree(Tip("five", 5, [0]), Tip("one", 1, [1], 1)))
    assert told.messages == []


def test_links_are_told_with_the_node_that_they_start_at(told):
    told.focus.set_answer(0, answer(dialled=(("10.0.0.2", True),)))
    ((_, data),) = told.messages
    assert [(link.source, link.target) for link in data.links] == [(0, 1)]


def test_a_pod_at_another_address_takes_its_links_along(told):
    told.focus.set_answer(0, answer(dialled=(("10.0.0.2", True),)))
    told.messages.clear()
    told.focus.set_pod(1, facts(1, address="10.0.0.99", uid="new"))
    assert told.nodes() == [0, 1]
    picture = told.focus.picture()
    assert picture is not None
    assert picture.links == []


def test_a_node_that_is_not_wanted_any_more_goes_with_its_pod(told):
    told.network(2)
    told.messages.clear()
    told.focus.set_pod(2, None)
    ((_, data),) = told.messages
    assert data.gone == [2]
    told.focus.set_pod(1, None)
    picture = told.focus.picture()
    assert picture is not None
    assert [node.state for node in picture.nodes] == ["ready", "restarting"]


def test_a_node_that_does_not_answer_keeps_what_it_had(told):
    told.focus.set_answer(0, answer(5, "five", peers=2))
    told.focus.set_answer(0, answer(-1, "", problem="timed out"))
    picture = told.focus.picture()
    assert picture is not None
    node = picture.nodes[0]
    assert (node.state, node.height, node.peers) == ("unreachable", 5, 2)
    assert told.focus.tips == {}


def test_a_partition_gives_every_node_its_group(told):
    told.network(3, partition=[[0]])
    picture = told.focus.picture()
    assert picture is not None
    assert [node.group for node in picture.nodes] == [0, 1, 1]


def test_a_node_hangs_until_its_pod_is_another(told):
    told.focus.set_hung({0: "u"})
    picture = told.focus.picture()
    assert picture is not None
    assert picture.nodes[0].is_hung
    told.focus.set_pod(0, facts(0, uid="new"))
    picture = told.focus.picture()
    assert picture is not None
    assert not picture.nodes[0].is_hung


def test_events_are_kept_the_latest_last_and_not_for_ever(told):
    told.focus.add_events([Happened("a", 2.0, "Normal", "Late", ""), Happened("b", 1.0, "Normal", "Early", "")])
    told.focus.add_events([Happened("a", 2.0, "Normal", "Late", "")])
    assert told.events() == ["happened"]
    told.focus.add_events([Happened(f"x{n}", 10.0 + n, "Normal", "More", "") for n in range(MAX_EVENTS)])
    picture = told.focus.picture()
    assert picture is not None
    assert len(picture.events) == MAX_EVENTS
    assert picture.events[-1].uid == f"x{MAX_EVENTS - 1}"


def test_why_nodes_cannot_be_asked_is_told_once(told):
    told.focus.set_rpc_problem("no Secret")
    told.focus.set_rpc_problem("no Secret")
    assert told.events() == ["about"]


def test_a_change_of_a_thousand_nodes_costs_as_much_as_what_it_changes(mocker):
    told = Told(1000)
    drawn = mocker.spy(told.focus, "_drawn")
    told.focus.set_answer(7, answer())
    told.focus.set_pod(8, facts(8, restarts=1))
    assert drawn.call_count == 2
