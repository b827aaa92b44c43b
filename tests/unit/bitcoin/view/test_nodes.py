import pytest

from btcctl.bitcoin.types import NodeStatus
from btcctl.bitcoin.view.looking.nodes import Answer, Tops, links_of, node_of, pod_facts
from tests.unit.bitcoin.view.objects import facts, pod_object

TOPS = Tops(10, "best", {"fork": 7})


def state(pod, answer, status=None, tops=TOPS):
    node = node_of(0, "net-sts-0", pod, answer, status, tops)
    return node.state, node.reason


def said(height: int = 10, best: str = "best", **more) -> Answer:
    return Answer("u", 5.0, height, best, **more)


def test_a_pod_is_read_with_what_is_drawn_of_it():
    pod = pod_facts(pod_object(1, ip="10.0.0.2"))
    assert (pod.name, pod.address, pod.is_ready, pod.is_running) == ("net-sts-1", "10.0.0.2", True, True)
    assert (pod.image, pod.restarts, pod.rpc_port) == ("core:29", 2, 18443)
    assert pod.started_at > 0
    waiting = pod_facts(pod_object(1, running=False))
    assert (waiting.is_running, waiting.is_ready) == (False, False)
    leaving = pod_facts(pod_object(1, ip="10.0.0.2", deletionTimestamp="2026-11-23T15:27:18Z"))
    assert (leaving.is_running, leaving.reason) == (False, "Terminating")


@pytest.mark.parametrize(
    ("pod", "answer", "expected"),
    [
        (None, None, ("restarting", "PodMissing")),
        (facts(0, is_running=False, is_ready=False, reason="Pulling"), None, ("restarting", "Pulling")),
        (facts(0), None, ("ready", "")),
        (facts(0, is_ready=False, reason="Starting"), None, ("restarting", "Starting")),
        (facts(0), said(), ("synced", "")),
        (facts(0), said(9, "before"), ("synced", "")),
        (facts(0), said(11, "newer"), ("synced", "")),
        (facts(0), said(8, "older"), ("behind", "Behind")),
        (facts(0), said(10, "fork"), ("behind", "OtherBranch")),
        (facts(0), said(problem="timed out"), ("unreachable", "NotAnswering")),
        (facts(0), said(problem="401", is_refused=True), ("unreachable", "Unauthorized")),
        (facts(0), said(problem="loading", is_starting=True), ("restarting", "WarmingUp")),
        (facts(0, is_ready=False), Answer("u", 0.0, problem="refused"), ("restarting", "Starting")),
        (facts(0, uid="another"), said(), ("ready", "")),
    ],
)
def test_a_node_has_the_state_that_its_pod_and_its_answer_give(pod, answer, expected):
    assert state(pod, answer) == expected


def test_what_is_not_asked_is_taken_from_the_status_of_the_same_pod():
    status = NodeStatus(0, True, "10.0.0.1", height=6, best_block="six", version="/S:29/")
    node = node_of(0, "net-sts-0", facts(0), None, status, Tops())
    assert (node.height, node.best, node.version, node.peers) == (6, "six", "/S:29/", -1)
    moved = node_of(0, "net-sts-0", facts(0, address="10.9.9.9"), None, status, Tops())
    assert moved.height == -1


def test_a_link_goes_from_who_dialled_and_says_whether_it_is_greeted():
    dialled = (("10.0.0.2", True), ("10.0.0.3", False), ("10.0.0.3", True), ("10.0.0.4", False), ("8.8.8.8", True))
    ordinals = {"10.0.0.1": 0, "10.0.0.2": 1, "10.0.0.3": 2, "10.0.0.4": 3}
    found = links_of(0, said(dialled=dialled), ordinals)
    assert [(each.source, each.target, each.is_greeted) for each in found] == [
        (0, 1, True),
        (0, 2, True),
        (0, 3, False),
    ]
    assert links_of(0, None, ordinals) == []


def test_a_node_that_lies_about_itself_at_length_is_cut_short():
    node = node_of(0, "net-sts-0", facts(0), said(version="x" * 100_000, problem=""), None, TOPS)
    assert len(node.version) == 300
