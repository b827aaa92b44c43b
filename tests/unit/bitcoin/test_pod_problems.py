from __future__ import annotations

from typing import Any

import msgspec
import pytest

from btcctl.bitcoin.pod_problems import MAX_REASON_CHARACTERS, PodStatus, problem_of, stable

SHUT_DOWN = """\
Error: -maxmempool must be at least 5 MB
2026-11-29T23:36:37Z Shutdown: In progress...
2026-11-29T23:36:37Z Shutdown: done
"""


def problem(**status: Any) -> tuple[str, str]:
    return problem_of(msgspec.convert(status, PodStatus))


def waiting(reason: str, message: str = "", restarts: int = 0, last: dict[str, Any] | None = None) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    last_state = {"terminated": last} if last else {}
    return {"image": "i:1", "ready": False, "restartCount": restarts, "state": state, "lastState": last_state}


def false(type_: str, reason: str, message: str = "") -> dict[str, str]:
    return {"type": type_, "status": "False", "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ({}, "Starting", "being started"),
        ({"podIP": "10.0.0.1"}, "NotAnswering", "readiness probe"),
        (
            {"conditions": [false("PodScheduled", "Unschedulable", "0/5 nodes: 5 Insufficient memory")]},
            "Unschedulable",
            "Insufficient memory",
        ),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "Evicted", "low on memory"),
        ({"containerStatuses": [waiting("ErrImagePull", "rpc error …")]}, "ImagePullBackOff", "i:1 cannot be pulled"),
        ({"containerStatuses": [waiting("CreateContainerConfigError", "no secret s")]}, None, "no secret s"),
        ({"containerStatuses": [waiting("ContainerCreating")]}, "Starting", "being started"),
        (
            {"containerStatuses": [waiting("CrashLoopBackOff", last={"exitCode": 1, "reason": "OOMKilled"})]},
            "OOMKilled",
            "more memory than its limit",
        ),
        (
            {"containerStatuses": [waiting("CrashLoopBackOff", "back-off 40s", 5, {"exitCode": 7, "message": "a\nb"})]},
            "CrashLoopBackOff",
            "exit code 7; it said: b",
        ),
        (
            {"containerStatuses": [waiting("CrashLoopBackOff", last={"exitCode": 1, "message": SHUT_DOWN})]},
            "Restarted",
            "it said: Error: -maxmempool must be at least 5 MB",
        ),
        (
            {
                "conditions": [
                    false("Ready", "ReadinessGatesNotReady", "gate"),
                    {"type": "ContainersReady", "status": "True"},
                ]
            },
            "ReadinessGatesNotReady",
            "gate",
        ),
        (
            {"conditions": [{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]},
            "NotReady",
            "its machine",
        ),
        (
            {
                "initContainerStatuses": [waiting("ErrImagePull")],
                "containerStatuses": [waiting("PodInitializing")],
            },
            "ImagePullBackOff",
            "i:1 cannot be pulled",
        ),
        (
            {
                "initContainerStatuses": [
                    {"name": "mesh-init", **waiting("CrashLoopBackOff", "", 5, {"exitCode": 1, "message": "denied"})}
                ],
                "containerStatuses": [{"name": "bitcoind", **waiting("PodInitializing")}],
            },
            "CrashLoopBackOff",
            "container mesh-init: ends again and again (CrashLoopBackOff), at last with exit code 1; it said: denied",
        ),
        (
            {
                "containerStatuses": [{"name": "bitcoind", "ready": True}, {"name": "proxy", "ready": False}],
                "conditions": [false("ContainersReady", "ContainersNotReady", "unready status: [proxy]")],
            },
            "ContainersNotReady",
            "[proxy]",
        ),
    ],
)
def test_why_a_pod_is_not_ready_is_said_in_a_word_and_a_sentence(
    status: dict[str, Any], reason: str | None, words: str
) -> None:
    said, message = problem(**status)
    assert reason in (None, said)
    assert words in message


def test_a_crash_loop_says_the_same_whatever_state_it_is_in_and_however_often_it_went_round() -> None:
    ended = {"exitCode": 1, "reason": "Error", "message": "2026-11-29T10:00:00Z Error: disk is full"}
    running = {"ready": False, "restartCount": 4, "state": {"running": {}}, "lastState": {"terminated": ended}}
    dead = {"ready": False, "restartCount": 5, "state": {"terminated": ended}}
    said = {
        problem(podIP="10.0.0.1", containerStatuses=[each])
        for each in (running, dead, waiting("CrashLoopBackOff", "back-off 80s", 6, ended))
    }
    assert len(said) == 1
    assert "disk is full" in said.pop()[1]


def test_the_two_words_of_a_failing_pull_are_one() -> None:
    said = [problem(containerStatuses=[waiting(each)]) for each in ("ErrImagePull", "ImagePullBackOff")]
    assert said[0] == said[1]


def test_however_long_a_message_is_what_is_said_is_short() -> None:
    _, message = problem(phase="Failed", message="x" * 100_000)
    assert len(message) == MAX_REASON_CHARACTERS


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("object at 0x7f00deadbeef failed", "object at … failed"),
        ("dial tcp 10.0.0.1:53211 refused", "dial tcp 10.0.0.1… refused"),
        ("at 2026-11-29T10:00:00.123Z it\nended", "at … it ended"),
        ("exceeded quota: q, used: pods=3", "exceeded quota: q, used: pods=3"),
    ],
)
def test_what_differs_each_time_is_taken_out(text: str, same: str) -> None:
    assert stable(text) == same


@pytest.mark.parametrize(
    ("status", "is_lost"),
    [
        ({"reason": "NodeLost", "message": "Node a which was running pod b is unresponsive"}, True),
        ({"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]}, True),
        ({"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]}, False),
        ({}, False),
    ],
)
def test_of_a_pod_whose_machine_is_lost_it_is_said_what_to_do(status: dict[str, Any], is_lost: bool) -> None:
    reason, message = problem_of(msgspec.convert(status, PodStatus), terminating=True)
    assert reason == "Terminating"
    assert ("kubectl delete pod --force" in message) == is_lost
    assert len(message) <= MAX_REASON_CHARACTERS
