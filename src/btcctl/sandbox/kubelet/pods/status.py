"""The status of a pod, from what its containers do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HOST_IP = "127.0.0.1"
NO_DEBUGGERS = "the sandbox runs no ephemeral containers; kubectl exec runs a process beside the pod's"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What is known of one container."""

    name: str
    image: str
    state: Mapping[str, Any]  #: one of {"waiting": …}, {"running": …}, {"terminated": …}
    last_state: Mapping[str, Any]  #: {"terminated": …} of the run before, or {}
    restarts: int = 0
    started: bool = False
    ready: bool = False
    container_id: str = ""  #: of the last run, "" before the first
    lets_others_start: bool = False  #: of an init container: it has ended well, or goes on beside the others

    @property
    def exit_code(self) -> int | None:
        """Of a container that has ended for good, or None."""
        terminated = self.state.get("terminated")
        return None if terminated is None else int(terminated["exitCode"])


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What a pod's status is made of."""

    ip: str  #: "" before one was given
    containers: Sequence[ContainerState]
    now: str  #: RFC 3339, for conditions that change
    init: Sequence[ContainerState] = ()  #: containers that run before the others
    is_initialized: bool = True  #: those let the others start


def build_status(pod: Mapping[str, Any], facts: PodFacts) -> dict[str, Any]:
    """The status to report; equal to the pod's own if nothing has changed.

    Args:
        pod: The pod's body, whose status is the last one reported.
        facts: What is so now.
    """
    before = pod.get("status") or {}
    after = {key: value for key, value in before.items() if key not in {"message", "reason"}}
    after["phase"] = pod_phase(facts, pod["spec"].get("restartPolicy", "Always"))
    after["conditions"] = _conditions(pod, facts)
    after |= {"hostIP": HOST_IP, "hostIPs": [{"ip": HOST_IP}]}
    if facts.ip:
        after |= {"podIP": facts.ip, "podIPs": [{"ip": facts.ip}]}
    after.setdefault("startTime", facts.now)
    after["containerStatuses"] = [_container_status(each) for each in facts.containers]
    if facts.init:
        after["initContainerStatuses"] = [_init_container_status(each) for each in facts.init]
    debuggers = pod["spec"].get("ephemeralContainers")
    if debuggers:
        known = {each["name"]: each for each in before.get("ephemeralContainerStatuses") or ()}
        after["ephemeralContainerStatuses"] = [
            known.get(each["name"]) or _not_run(each, facts.now) for each in debuggers
        ]
    after.setdefault("qosClass", "BestEffort")
    return after


def _not_run(debugger: Mapping[str, Any], now: str) -> dict[str, Any]:
    """What becomes of a container that is added later: whoever waits for it is told."""
    ended = {"exitCode": 1, "reason": "NotRun", "message": NO_DEBUGGERS, "startedAt": now, "finishedAt": now}
    state = ContainerState(debugger["name"], debugger.get("image", ""), {"terminated": ended}, {})
    return _container_status(state)


def is_over(pod: Mapping[str, Any]) -> bool:
    """Whether all of a pod has ended for good."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def waiting_reason(spec: Mapping[str, Any]) -> str:
    """Why a container of a pod has not run yet."""
    return "PodInitializing" if spec.get("initContainers") else "ContainerCreating"


def pod_phase(facts: PodFacts, restart_policy: str) -> str:
    """Pending until each container has run once; then Running until all have ended for good."""
    containers = facts.containers
    if not facts.is_initialized:
        return "Failed" if any(each.exit_code for each in facts.init) else "Pending"
    if any("waiting" in each.state and not each.last_state for each in containers):
        return "Pending"
    codes = [each.exit_code for each in containers]
    restarted = restart_policy == "Always" or (restart_policy == "OnFailure" and any(codes))
    if None in codes or restarted:
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def _conditions(pod: Mapping[str, Any], facts: PodFacts) -> list[dict[str, Any]]:
    """One per type, those of others included; the time moves only if the status does."""
    before = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or []}
    beside = [each for each in facts.init if "running" in each.state]  # init containers that go on
    unready = [each.name for each in (*facts.containers, *beside) if not each.ready]
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates") or []]
    closed = [gate for gate in gates if before.get(gate, {}).get("status") != "True"]
    containers_why = _why("ContainersNotReady", "containers with unready status: ", unready)
    gates_why = _why("ReadinessGatesNotReady", "the status of pod readiness gates is not True: ", closed)
    waited_for = [] if facts.is_initialized else [each.name for each in facts.init if not each.lets_others_start]
    init_why = _why("ContainersNotInitialized", "containers with incomplete status: ", waited_for)
    wanted = {
        "Initialized": init_why or {"status": "True"},
        "Ready": containers_why or gates_why or {"status": "True"},
        "ContainersReady": containers_why or {"status": "True"},
        "PodScheduled": {"status": "True"},
    }
    ours = [_condition(type_, values, before.get(type_), facts.now) for type_, values in wanted.items()]
    return ours + [each for type_, each in before.items() if type_ not in wanted]


def _why(reason: str, message: str, names: Sequence[str]) -> dict[str, str]:
    return {"status": "False", "reason": reason, "message": f"{message}[{' '.join(names)}]"} if names else {}


def _condition(type_: str, values: Mapping[str, str], before: Mapping[str, Any] | None, now: str) -> dict[str, Any]:
    unchanged = before is not None and before.get("status") == values["status"]
    since = before["lastTransitionTime"] if before and unchanged and before.get("lastTransitionTime") else now
    return {"type": type_, "lastProbeTime": None, "lastTransitionTime": since, **values}


def _container_status(container: ContainerState) -> dict[str, Any]:
    status: dict[str, Any] = {
        "name": container.name,
        "state": dict(container.state),
        "lastState": dict(container.last_state),
        "ready": container.ready,
        "restartCount": container.restarts,
        "image": container.image,
        "imageID": "",
        "started": container.started,
    }
    if container.container_id:
        status["containerID"] = container.container_id
    return status


def _init_container_status(container: ContainerState) -> dict[str, Any]:
    status = _container_status(container)
    return {**status, "ready": container.ready or container.exit_code == 0}
