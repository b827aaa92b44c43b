"""The status of a pod, from what its containers do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from btcctl.sandbox.kubelet.pods.status import ContainerState, PodFacts, build_status, pod_phase

RUNNING = ContainerState("c", "img", {"running": {"startedAt": "t0"}}, {}, started=True, ready=True, container_id="id")
CREATING = ContainerState("c", "img", {"waiting": {"reason": "ContainerCreating"}}, {})
CRASHED = replace(
    CREATING, state={"waiting": {"reason": "CrashLoopBackOff"}}, last_state={"terminated": {"exitCode": 1}}
)


def ended(code: int) -> ContainerState:
    return ContainerState("c", "img", {"terminated": {"exitCode": code}}, {})


def pod(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": spec, "status": status or {}}


def status_of(
    body: dict[str, Any], *containers: ContainerState, now: str = "t1", ip: str = "127.1.0.2"
) -> dict[str, Any]:
    return build_status(body, PodFacts(ip, containers, now))


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["lastTransitionTime"]) for each in status["conditions"]}


@pytest.mark.parametrize(
    ("containers", "policy", "phase"),
    [
        ([CREATING], "Always", "Pending"),
        ([RUNNING], "Always", "Running"),
        ([RUNNING, CREATING], "Always", "Pending"),
        ([CRASHED], "Always", "Running"),
        ([ended(0)], "Always", "Running"),
        ([ended(0)], "Never", "Succeeded"),
        ([ended(1), ended(0)], "Never", "Failed"),
        ([ended(1)], "OnFailure", "Running"),
        ([ended(0)], "OnFailure", "Succeeded"),
        ([ended(1), RUNNING], "Never", "Running"),
    ],
)
def test_phases(containers, policy, phase):
    assert pod_phase(PodFacts("", containers, "t"), policy) == phase


@pytest.mark.parametrize(
    ("init", "phase"),
    [([CREATING], "Pending"), ([RUNNING], "Pending"), ([ended(0), CREATING], "Pending"), ([ended(1)], "Failed")],
)
def test_a_pod_is_pending_until_what_runs_before_has_ended_well(init, phase):
    assert pod_phase(PodFacts("", [CREATING], "t", init, is_initialized=False), "Never") == phase


def test_what_runs_before_is_named_while_it_is_waited_for():
    done = replace(ended(0), name="first", lets_others_start=True)
    facts = PodFacts("", [CREATING], "t1", [done, replace(RUNNING, name="second")], is_initialized=False)
    status = build_status(pod(), facts)
    initialized = status["conditions"][0]
    assert (initialized["status"], initialized["reason"]) == ("False", "ContainersNotInitialized")
    assert initialized["message"] == "containers with incomplete status: [second]"
    assert [(each["name"], each["ready"]) for each in status["initContainerStatuses"]] == [
        ("first", True),
        ("second", True),
    ]


def test_a_running_pod_is_ready_and_has_an_address():
    status = status_of(pod(), RUNNING)
    assert set(conditions(status).values()) == {("True", "t1")}
    assert (status["podIP"], status["podIPs"]) == ("127.1.0.2", [{"ip": "127.1.0.2"}])
    assert (status["hostIP"], status["startTime"], status["phase"]) == ("127.0.0.1", "t1", "Running")
    assert status["containerStatuses"][0]["state"] == {"running": {"startedAt": "t0"}}


def test_reporting_the_same_again_changes_nothing():
    before = status_of(pod(), RUNNING)
    assert status_of(pod(before), RUNNING, now="t9") == before


def test_only_conditions_that_change_get_a_new_time():
    before = status_of(pod(), RUNNING, now="t1")
    after = status_of(pod(before), replace(RUNNING, ready=False), now="t2")
    assert conditions(after) == {
        "Initialized": ("True", "t1"),
        "Ready": ("False", "t2"),
        "ContainersReady": ("False", "t2"),
        "PodScheduled": ("True", "t1"),
    }
    ready = next(each for each in after["conditions"] if each["type"] == "Ready")
    assert (ready["reason"], ready["message"]) == ("ContainersNotReady", "containers with unready status: [c]")


def test_conditions_of_others_are_kept_and_gates_hold_back_readiness():
    gate = {"type": "example.com/gate", "status": "False"}
    gated = pod({"conditions": [gate]}, readinessGates=[{"conditionType": "example.com/gate"}])
    status = status_of(gated, RUNNING)
    assert gate in status["conditions"]
    assert conditions({"conditions": status["conditions"][:3]})["Ready"][0] == "False"
    opened = pod({"conditions": [{**gate, "status": "True"}]}, readinessGates=[{"conditionType": "example.com/gate"}])
    assert conditions({"conditions": status_of(opened, RUNNING)["conditions"][:3]})["Ready"][0] == "True"


def test_a_pod_without_an_address_says_none():
    assert "podIP" not in status_of(pod(), CREATING, ip="")


def test_a_container_that_is_added_to_debug_ends_at_once_and_says_why():
    body = pod(ephemeralContainers=[{"name": "d", "image": "i"}])
    status = status_of(body, RUNNING)
    (debugger,) = status["ephemeralContainerStatuses"]
    assert "kubectl exec" in debugger["state"]["terminated"]["message"]
    assert status_of({**body, "status": status}, RUNNING, now="t2") == status
