"""Evictions, and the budgets that hold them back; the conformance cases compare the words with a real server's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.calls import PODS, pod

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
LABELS = {"app": "a"}


def budget(name: str = "b", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": LABELS}, **spec}}


def run(server, name: str = "p", *, ready: bool = True, phase: str = "Running") -> None:
    server.created(PODS, {**pod(nodeName="n"), "metadata": {"name": name, "labels": LABELS}})
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]}
    assert server.patch(f"{PODS}/{name}/status", {"status": status}).status == 200


def count(server, **status: Any) -> None:
    generation = server.get(f"{BUDGETS}/b").body["metadata"]["generation"]
    change = {"status": {"observedGeneration": generation, **status}}
    assert server.patch(f"{BUDGETS}/b/status", change).status == 200


def evict(server, name: str = "p", **query: Any) -> Any:
    return server.post(f"{PODS}/{name}/eviction", {"metadata": {"name": name}}, **query)


def is_going(server, name: str = "p") -> bool:
    return "deletionTimestamp" in server.get(f"{PODS}/{name}").body["metadata"]


@pytest.fixture
def guarded(server):
    """A ready pod under a budget that nobody has looked at yet."""
    run(server)
    server.created(BUDGETS, budget(minAvailable=1))
    return server


def test_a_budget_nobody_has_looked_at_yet_lets_nothing_go_for_now(guarded):
    answer = evict(guarded)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    assert "still being processed" in answer.body["details"]["causes"][0]["message"]
    assert not is_going(guarded)


def test_a_spec_that_changed_makes_a_budget_unseen_again(guarded):
    count(guarded, disruptionsAllowed=1)
    guarded.patch(f"{BUDGETS}/b", {"spec": {"minAvailable": 2}})
    assert evict(guarded).status == 429


def test_an_eviction_uses_up_what_a_budget_allows(guarded):
    run(guarded, "q")
    count(guarded, disruptionsAllowed=1, currentHealthy=2, desiredHealthy=1, expectedPods=2)
    assert evict(guarded).status == 201
    status = guarded.get(f"{BUDGETS}/b").body["status"]
    assert (status["disruptionsAllowed"], [*status["disruptedPods"]]) == (0, ["p"])
    assert status["conditions"][0]["reason"] == "InsufficientPods"
    assert (evict(guarded, "q").status, is_going(guarded), is_going(guarded, "q")) == (429, True, False)


def test_what_is_left_after_an_eviction_leaves_the_condition_alone(guarded):
    count(guarded, disruptionsAllowed=2)
    evict(guarded)
    assert "conditions" not in guarded.get(f"{BUDGETS}/b").body["status"]


def test_a_dry_run_asks_the_budget_and_uses_nothing_up(guarded):
    count(guarded, disruptionsAllowed=1)
    assert [evict(guarded, dryRun="All").status for _ in range(2)] == [201, 201]
    assert guarded.get(f"{BUDGETS}/b").body["status"]["disruptionsAllowed"] == 1
    count(guarded, disruptionsAllowed=0)
    assert evict(guarded, dryRun="All").status == 429


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_what_does_not_run_is_under_no_budget(server, phase):
    run(server, phase=phase)
    server.created(BUDGETS, budget(minAvailable=1))
    assert evict(server).status == 201


@pytest.mark.parametrize(
    ("policy", "healthy", "status"),
    [(None, 1, 429), (None, 2, 201), ("IfHealthyBudget", 1, 429), ("AlwaysAllow", 1, 201), ("AlwaysAllow", 0, 201)],
)
def test_a_pod_that_is_not_ready_goes_if_the_policy_says_so(server, policy, healthy, status):
    run(server, ready=False)
    server.created(BUDGETS, budget(minAvailable=2, **({"unhealthyPodEvictionPolicy": policy} if policy else {})))
    count(server, currentHealthy=healthy, desiredHealthy=2)
    assert evict(server).status == status


def test_of_two_budgets_none_is_asked(guarded):
    guarded.created(BUDGETS, budget("other", minAvailable=1))
    assert (evict(guarded).status, is_going(guarded)) == (500, False)


@pytest.mark.parametrize(("selector", "status"), [(None, 201), ({}, 429), ({"matchLabels": {"app": "other"}}, 201)])
def test_a_budget_is_about_the_pods_it_selects(server, selector, status):
    run(server)
    server.created(BUDGETS, {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": selector}})
    assert evict(server).status == status


def test_a_budget_that_makes_no_sense_lets_nothing_go(guarded):
    gone = {f"p{number}": "2026-01-01T00:00:00Z" for number in range(2001)}
    count(guarded, disruptionsAllowed=1, disruptedPods=gone)
    answer = evict(guarded)
    assert (answer.status, "map too big" in answer.message) == (403, True)


def test_an_evicted_pod_says_why_it_goes(server):
    run(server)
    evict(server)
    conditions = server.get(f"{PODS}/p").body["status"]["conditions"]
    assert (conditions[-1]["type"], conditions[-1]["reason"]) == ("DisruptionTarget", "EvictionByEvictionAPI")


def test_an_eviction_may_name_the_version_the_pod_has(server):
    run(server)
    version = server.get(f"{PODS}/p").version
    body = {"metadata": {"name": "p"}, "deleteOptions": {"preconditions": {"resourceVersion": version}}}
    stale = {"metadata": {"name": "p"}, "deleteOptions": {"preconditions": {"resourceVersion": "1"}}}
    assert [server.post(f"{PODS}/p/eviction", each).status for each in (stale, body)] == [409, 201]


def test_an_eviction_is_about_the_pod_of_its_path(server):
    run(server)
    assert server.post(f"{PODS}/p/eviction", {"metadata": {"name": "q"}}).status == 400
    assert server.post(f"{PODS}/p/eviction", {"metadata": {"name": "p", "namespace": "other"}}).status == 400


class TestBudgets:
    @pytest.mark.parametrize(
        "spec",
        [
            {"minAvailable": 1, "maxUnavailable": 1},
            {"minAvailable": "101%"},
            {"maxUnavailable": -1},
            {"maxUnavailable": "x"},
            {"unhealthyPodEvictionPolicy": "Never"},
            {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["a b"]}]}},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, server, spec):
        assert server.post(BUDGETS, budget(**spec)).status == 422

    def test_a_new_one_has_the_status_that_lets_nothing_go(self, server):
        body = server.created(BUDGETS, {**budget(maxUnavailable=1), "status": {"disruptionsAllowed": 9}})
        assert (body["status"]["disruptionsAllowed"], body["metadata"]["generation"]) == (0, 1)

    @pytest.mark.parametrize(
        "status",
        [{"disruptionsAllowed": -1}, {"conditions": [{"type": "A", "status": "True"}]}],
    )
    def test_a_status_that_makes_no_sense_is_refused(self, server, status):
        server.created(BUDGETS, budget())
        assert server.patch(f"{BUDGETS}/b/status", {"status": status}).status == 422
