"""What a StatefulSet needs next: pure functions over what is there.

Behaviour as of kube-controller-manager 1.36, with one exception: when several pods beyond the
wanted number are not ready, the highest still goes first (upstream waits for it to get ready).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import msgspec

from btcctl.objects import Object
from btcctl.resources import PODS

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"
REVISION_LABEL = "controller-revision-hash"

_ORDINAL = re.compile(r"(.*)-(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class SetSpec:
    """What of a StatefulSet decides about its pods."""

    replicas: int
    current_revision: str
    update_revision: str
    start: int = 0
    ordered: bool = True  #: OrderedReady; otherwise Parallel
    rolling: bool = True  #: RollingUpdate; otherwise OnDelete
    partition: int = 0  #: how many of the lowest ordinals keep the current revision

    @classmethod
    def of(cls, stateful_set: Mapping[str, Any], *, current_revision: str, update_revision: str) -> Self:
        """Read it from a StatefulSet's body."""
        spec = stateful_set["spec"]
        strategy = spec.get("updateStrategy") or {}
        return cls(
            replicas=spec.get("replicas", 1),
            current_revision=current_revision,
            update_revision=update_revision,
            start=(spec.get("ordinals") or {}).get("start", 0),
            ordered=spec.get("podManagementPolicy") != "Parallel",
            rolling=strategy.get("type") != "OnDelete",
            partition=(strategy.get("rollingUpdate") or {}).get("partition", 0),
        )

    @property
    def ordinals(self) -> range:
        """The ordinals that shall exist."""
        return range(self.start, self.start + self.replicas)

    def revision_for(self, ordinal: int) -> str:
        """The revision a new pod of that ordinal is made from."""
        kept_back = self.rolling and ordinal < self.start + self.partition
        return self.current_revision if kept_back else self.update_revision


@dataclass(frozen=True, slots=True)
class PodState:
    """What of a pod decides what happens next."""

    name: str
    uid: str
    ordinal: int
    revision: str
    phase: str = "Pending"
    ready: bool = False
    available: bool = False  #: ready for at least minReadySeconds
    terminating: bool = False

    @property
    def finished(self) -> bool:
        return self.phase in {"Failed", "Succeeded"}

    @property
    def settled(self) -> bool:
        """Others may follow."""
        return self.available and not self.terminating


@dataclass(frozen=True, slots=True)
class CreatePod:
    ordinal: int
    revision: str


@dataclass(frozen=True, slots=True)
class DeletePod:
    name: str
    uid: str


Action = CreatePod | DeletePod


def plan(spec: SetSpec, pods: Sequence[PodState]) -> list[Action]:
    """The actions that may be taken now; [] means wait, or done.

    Args:
        pods: The pods that belong to the set, each with an ordinal of its own.
    """
    kept = {pod.ordinal: pod for pod in pods if pod.ordinal in spec.ordinals}
    condemned = sorted((pod for pod in pods if pod.ordinal not in spec.ordinals), key=lambda pod: -pod.ordinal)
    if spec.ordered:
        return _plan_ordered(spec, kept, condemned)
    return _plan_parallel(spec, kept, condemned)


def _plan_ordered(spec: SetSpec, kept: Mapping[int, PodState], condemned: Sequence[PodState]) -> list[Action]:
    for ordinal in spec.ordinals:
        pod = kept.get(ordinal)
        if pod is None:
            return [CreatePod(ordinal, spec.revision_for(ordinal))]
        if pod.finished:
            return _delete([pod])
        if not pod.settled:
            return []
    if condemned:
        return _delete(condemned[:1])
    return _plan_update(spec, kept)


def _plan_parallel(spec: SetSpec, kept: Mapping[int, PodState], condemned: Sequence[PodState]) -> list[Action]:
    creations = [CreatePod(each, spec.revision_for(each)) for each in spec.ordinals if each not in kept]
    finished = [pod for pod in kept.values() if pod.finished]
    return [*creations, *_delete([*finished, *condemned]), *_plan_update(spec, kept)]


def _plan_update(spec: SetSpec, kept: Mapping[int, PodState]) -> list[Action]:
    """Replace the highest outdated pod, once every pod above it is well."""
    if not spec.rolling:
        return []
    for ordinal in reversed(spec.ordinals[spec.partition :]):
        pod = kept.get(ordinal)
        if pod is None or pod.finished:
            return []
        if pod.revision != spec.update_revision:
            return _delete([pod])
        if not pod.settled:
            return []
    return []


def _delete(pods: Iterable[PodState]) -> list[Action]:
    return [DeletePod(pod.name, pod.uid) for pod in pods if not pod.terminating]


def build_status(spec: SetSpec, pods: Sequence[PodState], generation: int) -> dict[str, Any]:
    """The status these pods amount to.

    Counters that are zero are left out, but for `replicas` and `availableReplicas`, as the real
    controller leaves them out.
    """
    living = [pod for pod in pods if not pod.terminating]
    ready = sum(pod.ready for pod in pods)
    updated = sum(pod.revision == spec.update_revision for pod in living)
    current_revision, current = spec.current_revision, sum(pod.revision == spec.current_revision for pod in living)
    if spec.rolling and updated == ready == len(pods) == spec.replicas:
        current_revision, current = spec.update_revision, updated
    counters = {"readyReplicas": ready, "currentReplicas": current, "updatedReplicas": updated}
    return {
        "observedGeneration": generation,
        "replicas": len(pods),
        **{name: count for name, count in counters.items() if count},
        "currentRevision": current_revision,
        "updateRevision": spec.update_revision,
        "collisionCount": 0,
        "availableReplicas": sum(pod.available for pod in pods),
    }


class _Condition(msgspec.Struct, gc=False, rename="camel"):
    type: str
    status: str
    last_transition_time: str | None = None


class _PodStatus(msgspec.Struct, gc=False):
    phase: str = "Pending"
    conditions: list[_Condition] | None = None


class _Pod(msgspec.Struct, gc=False):
    """The little that is decoded of each pod in each turn."""

    status: _PodStatus | None = None


def read_pod(pod: Object, *, min_ready_seconds: float = 0.0, wall_time: datetime) -> PodState:
    """Condense a pod, whose name must end in an ordinal."""
    status = pod.decode(_Pod).status or _PodStatus()
    ready_since = _ready_since(status)
    return PodState(
        name=pod.name,
        uid=pod.uid,
        ordinal=int(pod.name.rpartition("-")[2]),
        revision=pod.labels.get(REVISION_LABEL, ""),
        phase=status.phase,
        ready=ready_since is not None,
        available=ready_since is not None and ready_since + timedelta(seconds=min_ready_seconds) <= wall_time,
        terminating=pod.deletion_timestamp is not None,
    )


def _ready_since(status: _PodStatus) -> datetime | None:
    """When the running pod turned Ready, or None: it is not."""
    if status.phase != "Running":
        return None
    for condition in status.conditions or []:
        if (condition.type, condition.status) == ("Ready", "True"):
            return datetime.fromisoformat(condition.last_transition_time or "1970-01-01T00:00:00Z")
    return None


def ordinal_of(set_name: str, pod_name: str) -> int | None:
    """Which of the set's pods has that name, or None: no pod of the set would."""
    match = _ORDINAL.fullmatch(pod_name)
    return int(match[2]) if match and match[1] == set_name else None


def build_pod(
    stateful_set: Mapping[str, Any], template: Mapping[str, Any], ordinal: int, revision: str
) -> dict[str, Any]:
    """The pod of that ordinal, from a template that may be older than the set's own; without its owner."""
    metadata = template.get("metadata") or {}
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    labels = {**(metadata.get("labels") or {}), **identity_labels(name, ordinal), REVISION_LABEL: revision}
    pod_metadata: dict[str, Any] = {
        "name": name,
        "generateName": f"{stateful_set['metadata']['name']}-",
        "namespace": stateful_set["metadata"]["namespace"],
        "labels": labels,
    }
    if metadata.get("annotations"):
        pod_metadata["annotations"] = metadata["annotations"]
    spec = {**template["spec"], "hostname": name, "subdomain": stateful_set["spec"].get("serviceName", "")}
    volumes = [_claim_volume(stateful_set, each, ordinal) for each in claim_templates(stateful_set)]
    if volumes:
        names = {each["name"] for each in volumes}
        spec["volumes"] = [*volumes, *(each for each in spec.get("volumes") or [] if each["name"] not in names)]
    return {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": pod_metadata, "spec": spec}


def claim_templates(stateful_set: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What each pod has a claim of its own for."""
    return stateful_set["spec"].get("volumeClaimTemplates") or []


def claim_name(stateful_set: Mapping[str, Any], template: Mapping[str, Any], ordinal: int) -> str:
    """Of the claim that a template becomes for one pod."""
    return f"{template['metadata']['name']}-{stateful_set['metadata']['name']}-{ordinal}"


def _claim_volume(stateful_set: Mapping[str, Any], template: Mapping[str, Any], ordinal: int) -> dict[str, Any]:
    source = {"claimName": claim_name(stateful_set, template, ordinal)}
    return {"name": template["metadata"]["name"], "persistentVolumeClaim": source}


def identity_labels(name: str, ordinal: int) -> dict[str, str]:
    """The labels by which a pod of a StatefulSet can be told from the others."""
    return {POD_NAME_LABEL: name, POD_INDEX_LABEL: str(ordinal)}
