"""PodDisruptionBudgets, and evictions that ask them.

A real cluster's disruption controller keeps the budgets' status; a case writes just what that one
works out, so it is the same on a server without.
"""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_tables import table_of
from tests.integration.conformance.harness import Answer, Body, Talk, case
from tests.integration.conformance.manifests import PODS, pod, versioned

BUDGETS = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
_DRY = {"dryRun": "All"}
_SELECTOR = {"matchLabels": {"app": "a"}}
_COUNTS = ("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed")


def budget(name: str = "a", **spec: Any) -> Body:
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}}
    return {**head, "spec": {"selector": _SELECTOR, **spec}}


def evict(talk: Talk, name: str = "a", *, query: Body | None = None, **more: Any) -> Answer:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "{ns}"}, **more}
    return talk.post(f"{PODS}/{name}/eviction", body, query=query)


def running(talk: Talk, *names: str, ready: bool = True, phase: str = "Running") -> None:
    """Pods on a node that there is not."""
    talk.service_account()
    state = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2020-01-02T03:04:05Z"}
    with talk.hush():
        for name in names:
            body = pod(name, metadata={"labels": {"app": "a"}}, nodeName="n")
            assert talk.post(PODS, body).status == 201
            answer = talk.patch(f"{PODS}/{name}/status", {"status": {"phase": phase, "conditions": [state]}})
            assert answer.status == 200, answer.body


def counted(talk: Talk, *counts: int, name: str = "a", disrupted: Body | None = None) -> None:
    """Have a budget's status say `counts`: expected, healthy, desired, allowed."""

    def write() -> bool:
        found = talk.get(f"{BUDGETS}/{name}").body
        is_enough = counts[3] > 0
        condition = {
            "type": "DisruptionAllowed",
            "status": "True" if is_enough else "False",
            "reason": "SufficientPods" if is_enough else "InsufficientPods",
            "message": "",
            "lastTransitionTime": "2020-01-02T03:04:05Z",
            "observedGeneration": found["metadata"]["generation"],
        }
        before = [each for each in found["status"].get("conditions", []) if each["status"] == condition["status"]]
        status = {
            **dict(zip(_COUNTS, counts, strict=True)),
            "observedGeneration": found["metadata"]["generation"],
            "conditions": before or [condition],
            **({"disruptedPods": disrupted} if disrupted else {}),
        }
        if found["status"] == status:
            return True
        talk.put(f"{BUDGETS}/{name}/status", {**found, "status": status})
        return False

    talk.eventually(lambda: write() and (talk.pause(0.2) or write()))


def note_counts(talk: Talk, name: str = "a") -> None:
    with talk.hush():
        status = talk.get(f"{BUDGETS}/{name}").body["status"]
    talk.note("allowed", [status["disruptionsAllowed"], list(status.get("disruptedPods", {}))])


@case("disruption", error=True)
def a_budget_is_checked(talk: Talk) -> None:
    for spec in (
        {}, {"minAvailable": 1, "maxUnavailable": 1}, {"minAvailable": -1}, {"minAvailable": "50%"},
        {"maxUnavailable": "101%"}, {"maxUnavailable": "x"}, {"maxUnavailable": "-1%"}, {"maxUnavailable": 1.5},
        {"minAvailable": "101%", "maxUnavailable": -2}, {"unhealthyPodEvictionPolicy": "Never"},
        {"minAvailable": "0%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}, {"unhealthyPodEvictionPolicy": ""},
        {"selector": {"matchLabels": {"-": "a"}}}, {"selector": {}}, {"selector": None},
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["a b"]}]}},
        {"selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
    ):  # fmt: skip
        talk.post(BUDGETS, budget(**spec), query=_DRY)
    talk.post(BUDGETS, {"metadata": {"name": "a"}}, query=_DRY)
    talk.post(BUDGETS, budget("Bad_Name"), query=_DRY)
    talk.post(BUDGETS, budget(bogus=1), query={**_DRY, "fieldValidation": "Strict"})


@case("disruption", error=True)
def a_budget_is_replaced_by_who_knows_its_version(talk: Talk) -> None:
    with talk.hush():
        created = talk.post(BUDGETS, budget(maxUnavailable=1)).body
        counted(talk, 0, 0, 0, 0)
    talk.put(f"{BUDGETS}/a", budget(maxUnavailable=2))
    talk.put(f"{BUDGETS}/a", versioned(budget(maxUnavailable=2), created))
    talk.put(f"{BUDGETS}/new", budget("new", minAvailable=1), query=_DRY)
    with talk.hush():
        other = {"spec": {"selector": {"matchLabels": {"app": "b"}, "matchExpressions": []}}}
        found = [
            talk.patch(f"{BUDGETS}/a", change, content_type=how).body
            for change, how in (
                ({"metadata": {"labels": {"x": "y"}}}, "merge"),
                ({"spec": {"maxUnavailable": 3}}, "strategic"),
                (other, "strategic"),
                ({"status": {"disruptionsAllowed": 7}}, "merge"),
                ({"spec": {"maxUnavailable": None, "minAvailable": "10%"}}, "merge"),
            )
        ]
    talk.note("generations", [[each["metadata"]["generation"], each["spec"]] for each in found])


@case("disruption", error=True)
def the_status_of_a_budget_is_checked(talk: Talk) -> None:
    with talk.hush():
        talk.post(BUDGETS, budget(maxUnavailable=1))
        counted(talk, 0, 0, 0, 0)
    for status in (
        {"disruptionsAllowed": -1, "currentHealthy": -1, "desiredHealthy": -1, "expectedPods": -1},
        {"conditions": [{"type": "A", "status": "Yes", "reason": "R", "lastTransitionTime": "2020-01-02T03:04:05Z"}]},
        {"conditions": [{"type": "A", "status": "True"}]},
        {"conditions": [{"type": "A", "status": "True", "reason": "-", "lastTransitionTime": "2020-01-02T03:04:05Z"}]},
    ):  # fmt: skip
        talk.patch(f"{BUDGETS}/a/status", {"status": status}, query=_DRY)


@case("disruption")
def budgets_are_printed_and_found(talk: Talk) -> None:
    with talk.hush():
        talk.post(BUDGETS, budget("b", minAvailable="50%"))
        talk.post(BUDGETS, budget("c"))
    table_of(talk, BUDGETS, budget(maxUnavailable=1), api_version="policy/v1")
    for name in "bc":
        query = {"fieldSelector": f"metadata.name={name}", "includeObject": "None"}
        talk.get(BUDGETS, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}, query=query)
    with talk.hush():
        talk.delete(f"{BUDGETS}/b")
        left = talk.delete(BUDGETS).status, [each["metadata"]["name"] for each in talk.get(BUDGETS).body["items"]]
    talk.note("left", left)


@case("disruption")
def an_apply_owns_what_it_says_of_a_budget(talk: Talk) -> None:
    apply, query = "application/apply-patch+yaml", {"fieldManager": "me"}
    with talk.hush():
        for spec in ({"maxUnavailable": 1}, {"minAvailable": "25%"}):
            answer = talk.patch(f"{BUDGETS}/a", budget(**spec), content_type=apply, query=query)
            entries = [each for each in answer.body["metadata"]["managedFields"] if each["manager"] == "me"]
    talk.note("applied", [answer.body["spec"], [each["fieldsV1"] for each in entries]])


@case("evictions", error=True)
def an_eviction_that_a_budget_forbids_says_so(talk: Talk) -> None:
    running(talk, "a")
    with talk.hush():
        talk.post(BUDGETS, budget(minAvailable=1))
        counted(talk, 1, 1, 1, 0)
    evict(talk)
    evict(talk, query=_DRY)
    evict(talk, deleteOptions={"dryRun": ["All"], "gracePeriodSeconds": 0})
    note_counts(talk)


@case("evictions", error=True)
def one_pod_goes_and_the_next_stays(talk: Talk) -> None:
    running(talk, "a", "b")
    with talk.hush():
        talk.post(BUDGETS, budget(minAvailable=1))
        counted(talk, 2, 2, 1, 1)
    evict(talk, query=_DRY)
    note_counts(talk)
    evict(talk)
    with talk.hush():
        found = talk.get(f"{PODS}/a").body
        counted(talk, 2, 1, 1, 0)
    talk.note("conditions", found["status"]["conditions"])
    talk.note("grace", found["metadata"]["deletionGracePeriodSeconds"])
    evict(talk, "b")
    evict(talk)


@case("evictions", error=True)
def several_budgets_are_one_too_many(talk: Talk) -> None:
    running(talk, "a")
    with talk.hush():
        talk.post(BUDGETS, budget(maxUnavailable=1))
        talk.post(BUDGETS, budget("b", maxUnavailable=1))
    evict(talk)


@case("evictions")
def a_budget_that_selects_nothing_holds_nothing(talk: Talk) -> None:
    running(talk, "a", "b")
    with talk.hush():
        talk.post(BUDGETS, budget(minAvailable=9, selector={"matchLabels": {"app": "other"}}))
        talk.post(BUDGETS, budget("none", minAvailable=9, selector=None))
    evict(talk)
    evict(talk, "b", deleteOptions={"gracePeriodSeconds": 0})
    talk.get(f"{PODS}/b")


@case("evictions", error=True)
def a_budget_with_an_empty_selector_is_about_every_pod(talk: Talk) -> None:
    running(talk, "a")
    with talk.hush():
        talk.post(BUDGETS, budget(minAvailable=1, selector={}))
        counted(talk, 1, 1, 1, 0)
    evict(talk)


@case("evictions", error=True)
def a_pod_that_is_not_ready_goes_while_enough_are(talk: Talk) -> None:
    running(talk, "a")
    running(talk, "b", "c", ready=False)
    with talk.hush():
        talk.post(BUDGETS, budget(minAvailable=1))
        counted(talk, 3, 1, 1, 0)
    evict(talk, "b")
    with talk.hush():
        talk.patch(f"{BUDGETS}/a", {"spec": {"minAvailable": 2}})
        counted(talk, 3, 1, 2, 0)
    evict(talk, "c")
    with talk.hush():
        talk.patch(f"{BUDGETS}/a", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}})
        counted(talk, 3, 1, 2, 0)
    evict(talk, "c")
    evict(talk, "a")
    note_counts(talk)


@case("evictions")
def what_does_not_run_may_always_go(talk: Talk) -> None:
    for name, phase in (("a", "Pending"), ("b", "Succeeded"), ("c", "Failed")):
        running(talk, name, phase=phase)
    with talk.hush():
        talk.post(BUDGETS, budget(minAvailable=9))
    for name in "abc":
        evict(talk, name)
    with talk.hush():
        found = talk.get(f"{PODS}/a").body
    talk.note("conditions", [each["type"] for each in found["status"]["conditions"]])


@case("evictions", error=True)
def an_eviction_is_about_the_pod_of_its_path(talk: Talk) -> None:
    running(talk, "a")
    body = {"apiVersion": "policy/v1", "kind": "Eviction"}
    for metadata in ({}, {"name": "b"}, {"name": "a", "namespace": "other"}):
        talk.post(f"{PODS}/a/eviction", {**body, "metadata": metadata}, query=_DRY)
    evict(talk, "missing")
    for preconditions in ({"uid": "other"}, {"resourceVersion": "1"}):
        evict(talk, deleteOptions={"preconditions": preconditions})
    with talk.hush():
        version = talk.get(f"{PODS}/a").version
        found = evict(talk, deleteOptions={"preconditions": {"resourceVersion": version}})
    talk.note("with its version", found.status)
