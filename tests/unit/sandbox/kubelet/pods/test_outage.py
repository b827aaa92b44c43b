"""What is left of pods whose node was switched off."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.sandbox.kubelet.pods.outage import after_outage

NOW, BEFORE = "2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"
RUNNING = {"running": {"startedAt": BEFORE}}
ENDED = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def pod(*states: dict[str, Any], policy: str = "Always", phase: str = "Running") -> dict[str, Any]:
    statuses = [
        {
            "name": f"c{number}",
            "image": "x",
            "state": state,
            "ready": True,
            "started": True,
            "restartCount": 2,
            "containerID": f"process://u/c{number}/2",
        }
        for number, state in enumerate(states)
    ]
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": BEFORE}]
    address = {"podIP": "127.9.0.2", "podIPs": [{"ip": "127.9.0.2"}]}
    return {
        "spec": {"restartPolicy": policy, "containers": [{"name": f"c{n}"} for n in range(len(states))]},
        "status": {"phase": phase, "containerStatuses": statuses, "conditions": conditions, **address},
    }


def test_what_ran_waits_for_its_next_run_and_nobody_saw_its_end():
    status = after_outage(pod(RUNNING), NOW)
    (container,) = status["containerStatuses"]
    assert container["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert container["lastState"]["terminated"] == {
        "exitCode": 255,
        "reason": "Unknown",
        "startedAt": BEFORE,
        "finishedAt": NOW,
        "containerID": "process://u/c0/2",
    }
    assert (container["ready"], container["restartCount"], status["phase"]) == (False, 2, "Running")


def test_its_address_is_nobody_s_and_it_is_not_ready():
    status = after_outage(pod(RUNNING), NOW)
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["lastTransitionTime"]) == ("False", NOW)
    assert not {"podIP", "podIPs"} & status.keys()


def test_what_may_run_once_only_has_failed():
    status = after_outage(pod(RUNNING, policy="Never"), NOW)
    assert status["phase"] == "Failed"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 255


def test_what_had_ended_well_has_still():
    status = after_outage(pod(ENDED, RUNNING, policy="OnFailure"), NOW)
    assert status["containerStatuses"][0]["state"] == ENDED
    assert status["phase"] == "Running"


def test_what_runs_before_the_others_runs_again():
    body = pod(RUNNING)
    init = {"name": "i", "image": "x", "state": ENDED, "restartCount": 0, "containerID": "process://u/i/0"}
    body["spec"]["initContainers"], body["status"]["initContainerStatuses"] = [{"name": "i"}], [init]
    status = after_outage(body, NOW)
    (found,) = status["initContainerStatuses"]
    assert (found["state"], found["lastState"]) == ({"waiting": {"reason": "PodInitializing"}}, ENDED)
    assert status["phase"] == "Pending"


@pytest.mark.parametrize("body", [pod(ENDED, policy="Never", phase="Succeeded"), {"spec": {}, "status": {}}])
def test_what_is_over_or_has_not_begun_stays_as_it_is(body):
    assert after_outage(body, NOW) is None
