"""What is left of a pod whose node was switched off: its processes are gone, and nobody saw how they ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from btcctl.sandbox.kubelet.pods.status import ContainerState, PodFacts, build_status, is_over, waiting_reason

# As containerd says it of a container whose end it has not seen: internal/cri/server of containerd 2.0.
UNKNOWN_EXIT_CODE, UNKNOWN_REASON = 255, "Unknown"


def after_outage(pod: Mapping[str, Any], now: str) -> dict[str, Any] | None:
    """The status of a pod that was on a node which has come back; None: it stays as it is.

    What ran has ended, with an address that is nobody's now; what is to run again waits for its start. Init containers
    all do.

    Args:
        pod: Its body.
        now: RFC 3339.
    """
    status = pod.get("status") or {}
    if is_over(pod) or not status.get("containerStatuses"):
        return None
    policy = pod["spec"].get("restartPolicy", "Always")
    waiting = {"waiting": {"reason": waiting_reason(pod["spec"])}}
    states = [_after_outage(each, waiting, policy, now) for each in status["containerStatuses"]]
    init = [_init_after_outage(each, waiting, now) for each in status.get("initContainerStatuses") or ()]
    before = {key: value for key, value in status.items() if key not in {"podIP", "podIPs"}}
    has_ended = all(each.exit_code is not None for each in states)
    facts = PodFacts("", states, now, init, is_initialized=not init or has_ended)
    return build_status({**pod, "status": before}, facts)


def _init_after_outage(status: Mapping[str, Any], waiting: Mapping[str, Any], now: str) -> ContainerState:
    found = _after_outage(status, waiting, "Always", now)
    return found if found.exit_code is None else replace(found, state=waiting, last_state=found.state)


def _after_outage(status: Mapping[str, Any], waiting: Mapping[str, Any], policy: str, now: str) -> ContainerState:
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if "running" in state:
        ended = {
            "exitCode": UNKNOWN_EXIT_CODE,
            "reason": UNKNOWN_REASON,
            "startedAt": state["running"].get("startedAt"),
            "finishedAt": now,
            "containerID": status.get("containerID", ""),
        }
        restarts = policy != "Never"
        state = waiting if restarts else {"terminated": ended}
        last = {"terminated": ended} if restarts else last
    return ContainerState(
        name=status["name"],
        image=status.get("image", ""),
        state=state,
        last_state=last,
        restarts=status.get("restartCount", 0),
        container_id=status.get("containerID", ""),
    )
