"""How many pods a ReplicaSet lacks, which of too many go first, and what its status says. Pure.

Behaviour as of kube-controller-manager 1.36; on a single node it makes no difference how pods are spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from btcctl.clock import rfc3339
from btcctl.objects import Object

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
FAILURE = "ReplicaFailure"

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class PodState:
    """What of a pod decides what happens next."""

    name: str
    uid: str
    phase: str
    is_bound: bool  #: it has a node
    ready_since: datetime | None
    available: bool  #: ready for at least minReadySeconds
    terminating: bool
    created: datetime
    restarts: int = 0
    cost: int = 0
    labels: Mapping[str, str] | None = None

    @property
    def is_active(self) -> bool:
        """It counts as one of the replicas."""
        return not self.terminating and self.phase not in {"Succeeded", "Failed"}

    @property
    def sacrifice(self) -> tuple[Any, ...]:
        """Sorts those first that are missed least."""
        ready = self.ready_since
        return (
            self.is_bound,
            _PHASES.get(self.phase, 1),
            ready is not None,
            self.cost,
            -(ready or _LONG_AGO).timestamp(),
            -self.restarts,
            -self.created.timestamp(),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now."""

    create: int = 0
    delete: tuple[PodState, ...] = ()


def read_pod(pod: Object, *, min_ready_seconds: float, wall_time: datetime) -> PodState:
    """Condense a pod."""
    body = pod.body()
    status = body.get("status") or {}
    since = _ready_since(status)
    cost = (body["metadata"].get("annotations") or {}).get(DELETION_COST, "0")
    return PodState(
        name=pod.name,
        uid=pod.uid,
        phase=status.get("phase") or "Pending",
        is_bound=bool(body["spec"].get("nodeName")),
        ready_since=since,
        available=since is not None and since + timedelta(seconds=min_ready_seconds) <= wall_time,
        terminating=pod.deletion_timestamp is not None,
        created=datetime.fromisoformat(body["metadata"]["creationTimestamp"]),
        restarts=max((each.get("restartCount", 0) for each in status.get("containerStatuses") or ()), default=0),
        cost=int(cost) if cost.removeprefix("-").isdecimal() else 0,
        labels=pod.labels,
    )


def _ready_since(status: Mapping[str, Any]) -> datetime | None:
    for each in status.get("conditions") or ():
        if (each.get("type"), each.get("status")) == ("Ready", "True"):
            return datetime.fromisoformat(each.get("lastTransitionTime") or "1970-01-01T00:00:00Z")
    return None


def plan(wanted: int, pods: Sequence[PodState]) -> Step:
    """
    Args:
        wanted: `spec.replicas`.
        pods: All that belong to the set.
    """
    active = sorted((pod for pod in pods if pod.is_active), key=lambda pod: pod.sacrifice)
    if len(active) < wanted:
        return Step(create=wanted - len(active))
    return Step(delete=tuple(active[: len(active) - wanted]))


def build_pod(replica_set: Mapping[str, Any]) -> dict[str, Any]:
    """One of the set's pods, without its owner."""
    template, metadata = replica_set["spec"]["template"], replica_set["metadata"]
    given = {
        name: value
        for name, value in (template.get("metadata") or {}).items()
        if name in {"labels", "annotations", "finalizers"} and value
    }
    head = {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**head, **given}, "spec": template["spec"]}


def build_status(
    replica_set: Mapping[str, Any], pods: Sequence[PodState], failure: str | None, now: datetime
) -> dict[str, Any]:
    """The status these pods amount to; counters that are zero are left out, but for `replicas`.

    Args:
        failure: Why pods could not be made or deleted just now.
    """
    active = [pod for pod in pods if pod.is_active]
    labels = (replica_set["spec"]["template"].get("metadata") or {}).get("labels") or {}
    counters = {
        "fullyLabeledReplicas": sum(labels.items() <= (pod.labels or {}).items() for pod in active),
        "readyReplicas": sum(pod.ready_since is not None for pod in active),
        "availableReplicas": sum(pod.available for pod in active),
    }
    status: dict[str, Any] = {"replicas": len(active), **{name: count for name, count in counters.items() if count}}
    status["terminatingReplicas"] = sum(pod.terminating for pod in pods)
    status["observedGeneration"] = replica_set["metadata"].get("generation", 0)
    conditions = _conditions(replica_set, failure, now)
    return {**status, "conditions": conditions} if conditions else status


def _conditions(replica_set: Mapping[str, Any], failure: str | None, now: datetime) -> list[dict[str, Any]]:
    known = (replica_set.get("status") or {}).get("conditions") or []
    others = [each for each in known if each["type"] != FAILURE]
    if failure is None:
        return others
    before = next((each for each in known if each["type"] == FAILURE), None)
    condition = {"type": FAILURE, "status": "True", "reason": "FailedCreate", "message": failure}
    return [*others, before or {**condition, "lastTransitionTime": rfc3339(now)}]
