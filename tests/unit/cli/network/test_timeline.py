from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from btcctl.bitcoin.client.view import NetworkView, NodeView
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.types import BitcoinNetwork, NetworkMeta, NetworkStatus
from btcctl.cli.network.timeline import MOST, Timeline, changes, condition_changes
from btcctl.controller.writing.conditions import Condition

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
BEST, OTHER = "a" * 64, "b" * 64


def node(ordinal: int, height: int = 5, best: str = BEST, *dialled: int) -> NodeView:
    return NodeView(ordinal, f"net-sts-{ordinal}", "10.0.0.1", True, height, best, dialled=frozenset(dialled))


def network(**statuses: str) -> BitcoinNetwork:
    conditions = [Condition(name, status, "Why", "because") for name, status in statuses.items()]
    return BitcoinNetwork(NetworkMeta("net", "default", "u"), NetworkSpec(1), NetworkStatus(conditions=conditions))


def event(uid: str, reason: str, minute: int, count: int = 1) -> dict[str, object]:
    at = (NOON + timedelta(minutes=minute)).isoformat()
    return {"metadata": {"uid": uid}, "reason": reason, "message": "it did", "lastTimestamp": at, "count": count}


def words(before: NetworkView, after: NetworkView) -> list[str]:
    return list(changes(before, after))


def test_nodes_to_which_the_same_happened_are_named_together() -> None:
    before = NetworkView([node(0), node(1), node(2)])
    after = NetworkView([node(0, 6, OTHER), node(1, 6, OTHER), node(2)], {BEST: 5})
    assert words(before, after) == ["nodes 0 1: height 5 → 6"]


def test_a_node_that_comes_goes_or_falls_silent_is_told() -> None:
    silent = replace(node(1), height=-1, best="", problem="timed out")
    before, after = NetworkView([node(0), node(1)]), NetworkView([silent, node(2)])
    assert words(before, after) == ["node 0: gone", "node 1: unreachable: timed out", "node 2: new, synced"]


def test_a_container_that_was_started_again_is_told() -> None:
    assert words(NetworkView([node(0)]), NetworkView([replace(node(0), restarts=1)])) == [
        "node 0: its container was started again"
    ]


def test_a_chain_that_parts_and_is_one_again_is_told() -> None:
    one = NetworkView([node(0), node(1)])
    two = NetworkView([node(0), node(1, 5, OTHER)], {OTHER: 3})
    assert words(one, two)[-1] == "2 tips, there was 1"
    assert words(two, one)[-1] == "one tip again, there were 2"


def test_links_that_come_and_go_are_counted() -> None:
    before, after = NetworkView([node(0, 5, BEST, 1), node(1, 5, BEST, 0)]), NetworkView([node(0), node(1)])
    assert words(before, after) == ["0 links, there were 2"]


def test_what_is_as_it_was_is_not_told() -> None:
    view = NetworkView([node(0), node(1)])
    assert words(view, view) == []


def test_a_condition_is_told_when_its_status_changes() -> None:
    found = condition_changes(network(Ready="True", Conflict="False"), network(Ready="False", Conflict="False"))
    assert list(found) == [("Ready is False: Why: because", False)]


def test_events_and_changes_are_one_line_of_time() -> None:
    timeline = Timeline()
    timeline.look(NOON, network(), NetworkView([node(0)]), [event("a", "Later", 2), event("b", "Sooner", -1)])
    timeline.look(NOON + timedelta(minutes=1), network(), NetworkView([node(0, 6, OTHER)]), [])
    assert [entry.what for entry in timeline.latest(9)] == ["Sooner: it did", "node 0: height 5 → 6", "Later: it did"]


def test_an_event_is_told_again_only_when_it_was_counted_again() -> None:
    timeline = Timeline()
    for count in (1, 1, 2):
        timeline.look(NOON, network(), NetworkView([]), [event("a", "Again", count, count)])
    assert len(timeline.latest(9)) == 2


def test_an_event_that_does_not_say_when_has_no_place() -> None:
    timeline = Timeline()
    timeline.look(NOON, network(), NetworkView([]), [{"reason": "Odd"}])
    assert list(timeline.latest(9)) == []


def test_what_is_long_past_is_forgotten() -> None:
    timeline = Timeline()
    timeline.look(NOON, network(), NetworkView([]), [event(str(each), "R", each) for each in range(MOST + 50)])
    assert len(timeline.latest(10_000)) == MOST


def test_a_status_without_conditions_tells_nothing() -> None:
    assert list(condition_changes(network(Ready="True"), network())) == []
