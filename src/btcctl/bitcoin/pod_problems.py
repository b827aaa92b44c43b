"""Why a pod is not ready, in words that stay the same as long as the cause does. Pure.

A kubelet's own words change with every attempt: it says ErrImagePull and ImagePullBackOff in turn, names
back-off times, and a crash loop is "waiting", "running" and "terminated" within seconds. A status that repeated
them would be written for ever.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from btcctl.bitcoin.wording import bounded, printable

MAX_REASON_CHARACTERS: Final = 300
_MAX_READ_CHARACTERS = 10_000
_LOG_CHARACTERS = 160
_PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
CONTAINER: Final = "bitcoind"  #: the node's
NOT_ANSWERING: Final = "NotAnswering"
STARTING: Final = "Starting"
UNSCHEDULABLE: Final = "Unschedulable"
#: Why pods are not ready whose causes stand in Events, and in no status: a probe's failures, a volume or a network
#: that cannot be had, a claim that nobody fulfils.
TOLD_IN_EVENTS: Final = frozenset({NOT_ANSWERING, STARTING, UNSCHEDULABLE})
_ERROR = "Error: "  # so begins what ends bitcoind (Bitcoin Core, noui.cpp)
#: Phases of pods that run no more; their addresses may be other pods' by then.
ENDED: Final = frozenset({"Failed", "Succeeded"})
# Said while nothing is wrong yet.
_STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
_LOST_MACHINE = (
    "its pod is on its way out, because its machine does not answer, or was tainted. If that machine is gone for good, "
    "kubectl delete pod --force lets another pod take the node's place"
)
# What differs each time, and means nothing to whoever reads it.
_VOLATILE = re.compile(
    r"0x[0-9a-f]+|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?|(?<=\d):\d{4,5}\b|\b[0-9a-f]{12,64}\b"
)


class PodCondition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None


class _Waiting(msgspec.Struct, gc=False):
    reason: str | None = None
    message: str | None = None


class _Terminated(msgspec.Struct, gc=False, rename="camel"):
    exit_code: int = 0
    reason: str | None = None
    message: str | None = None


class _State(msgspec.Struct, gc=False):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class ContainerStatus(msgspec.Struct, gc=False, rename="camel"):
    """What a kubelet says of a container."""

    name: str = ""
    image: str | None = None
    ready: bool = False
    restart_count: int = 0
    state: _State | None = None
    last_state: _State | None = None


class _PodIp(msgspec.Struct, gc=False):
    ip: str | None = None


class PodStatus(msgspec.Struct, gc=False, rename="camel"):
    """What of a pod's status is read."""

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: list[_PodIp] | None = msgspec.field(name="podIPs", default=None)
    conditions: list[PodCondition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None  # an admission webhook's; we have none
    container_statuses: list[ContainerStatus] | None = None

    def condition(self, type_: str) -> PodCondition | None:
        return next((each for each in self.conditions or () if each.type == type_), None)

    def is_true(self, type_: str) -> bool:
        found = self.condition(type_)
        return found is not None and found.status == "True"


Problem = tuple[str, str]  #: a reason in one word, and a message


def problem_of(status: PodStatus, *, terminating: bool = False) -> Problem:
    """Why a pod with this status is not ready."""
    if terminating:
        return "Terminating", _LOST_MACHINE if _machine_is_lost(status) else "its pod is on its way out"
    if status.phase in ENDED:
        return status.reason or "PodEnded", _brief(status.message or "its pod has ended and will be replaced")
    scheduled = status.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return scheduled.reason or UNSCHEDULABLE, _brief(scheduled.message or "it cannot be scheduled")
    for container in (*(status.init_container_statuses or ()), *(status.container_statuses or ())):
        problem = _container_problem(container)
        if problem is not None:
            return _of_container(container.name, problem)
    return _readiness_problem(status)


def _machine_is_lost(status: PodStatus) -> bool:
    """Whether it goes because its machine does not answer: then nobody says when it is gone, and all wait."""
    cause = status.condition("DisruptionTarget")
    by_taint = cause is not None and cause.status == "True" and cause.reason == "DeletionByTaintManager"
    return by_taint or status.reason == "NodeLost"


def _of_container(name: str, problem: Problem) -> Problem:
    """Says which one it is, if not the node's: an admission webhook's."""
    reason, message = problem
    return problem if name in {"", CONTAINER} else (reason, _brief(f"container {name}: {message}"))


def _container_problem(container: ContainerStatus) -> Problem | None:
    waiting = (container.state and container.state.waiting) or _Waiting()
    if waiting.reason in _PULLING:
        return "ImagePullBackOff", _brief(f"the image {container.image} cannot be pulled")
    ended = _ended(container)
    if not container.ready and ended is not None and (container.restart_count > 0 or ended.exit_code):
        return _crash_problem(container, ended)
    if waiting.reason == "CrashLoopBackOff":
        return "CrashLoopBackOff", "it ends again and again"
    if (waiting.reason or "") in _STARTING:
        return None
    return str(waiting.reason), _brief(waiting.message or "its container does not start")


def _ended(container: ContainerStatus) -> _Terminated | None:
    for state in (container.state, container.last_state):
        if state is not None and state.terminated is not None:
            return state.terminated
    return None


def _crash_problem(container: ContainerStatus, ended: _Terminated) -> Problem:
    """The number of restarts is not in it: it would differ each time."""
    said = " ".join(_last_line(ended.message or "").split())
    words = f"; it said: {said}" if said else ""
    if ended.reason == "OOMKilled":
        return "OOMKilled", _brief(f"killed for using more memory than its limit (CrashLoopBackOff){words}")
    loops = "ends again and again (CrashLoopBackOff), at last" if container.restart_count > 1 else "ended"
    return "CrashLoopBackOff" if container.restart_count > 1 else "Restarted", _brief(
        f"{loops} with exit code {ended.exit_code}{words}"
    )


def _readiness_problem(status: PodStatus) -> Problem:
    containers, ready = status.condition("ContainersReady"), status.condition("Ready")
    if containers is not None and containers.status == "True" and ready is not None and ready.reason:
        return ready.reason, _brief(ready.message or "")
    if containers is not None and containers.status == "True" and ready is not None:
        # As Kubernetes marks the pods of a machine that it has not heard of for long (pkg/util/node, MarkPodsNotReady).
        return "NotReady", "its containers were ready when its machine was heard of last: that does not answer"
    if containers is not None and containers.message and _node_is_ready(status):
        return containers.reason or "ContainersNotReady", _brief(containers.message)
    if any(each.restart_count for each in status.container_statuses or ()):
        return "Restarted", "its container was restarted and does not answer yet"
    if status.pod_ip:
        return NOT_ANSWERING, "its container runs, and the node does not answer its readiness probe yet"
    return STARTING, "its containers are being started"


def _node_is_ready(status: PodStatus) -> bool:
    """Whether it is another container that is not: an admission webhook's."""
    return any(each.ready and each.name == CONTAINER for each in status.container_statuses or ())


def _last_line(text: str) -> str:
    """What it said last; or, as bitcoind goes on to say how it shuts down, the last error before that."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line[line.index(_ERROR) :][:_LOG_CHARACTERS] for line in lines if _ERROR in line]
    if errors:
        return errors[-1]
    return lines[-1][-_LOG_CHARACTERS:] if lines else ""


def _brief(text: str) -> str:
    return bounded(stable(text), MAX_REASON_CHARACTERS)


def stable(text: str) -> str:
    """On one line, without the parts that differ each time the same thing happens: times, ports, addresses.

    Of what is very long only the beginning is read: that of a node may have megabytes.
    """
    return printable(" ".join(_VOLATILE.sub("…", bounded(text, _MAX_READ_CHARACTERS)).split()))
