"""What a Deployment does with its ReplicaSets: which is new, how many pods each has, which are forgotten. Pure.

Behaviour as of kube-controller-manager 1.36. Sizes are those that are asked for (`spec.replicas`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from btcctl.json_values import is_same_json

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OWN = frozenset({REVISION, HISTORY, DESIRED, MAXIMUM, LAST_APPLIED, "deprecated.deployment.rollback.to"})

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rollout:
    """How many pods there may and must be."""

    replicas: int
    is_rolling: bool
    surge: int  #: how many more than `replicas` there may be
    unavailable: int  #: how many fewer than `replicas` may be available

    @classmethod
    def of(cls, deployment: Body) -> Self:
        """Read it; shares are rounded up for the surge, down for what may be missing, and not both to nothing."""
        spec = deployment["spec"]
        replicas, strategy = spec["replicas"], spec.get("strategy") or {}
        is_rolling = strategy.get("type") != "Recreate"
        if not is_rolling or replicas == 0:
            return cls(replicas, is_rolling, 0, 0)
        rolling = strategy.get("rollingUpdate") or {}
        surge = _scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
        unavailable = _scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        return cls(replicas, True, surge, min(replicas, 1 if surge == unavailable == 0 else unavailable))

    @property
    def most(self) -> int:
        return self.replicas + self.surge

    @property
    def least_available(self) -> int:
        return self.replicas - self.unavailable


def _scaled(share: int | str, total: int, *, up: bool) -> int:
    if isinstance(share, int):
        return share
    exact = int(share.rstrip("%")) * total / 100
    return math.ceil(exact) if up else math.floor(exact)


def size(replica_set: Body) -> int:
    return int(replica_set["spec"]["replicas"])


def name(body: Body) -> str:
    return str(body["metadata"]["name"])


def available(replica_set: Body) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))


def by_age(sets: Iterable[Body]) -> list[Body]:
    """Oldest first."""
    return sorted(sets, key=lambda each: (each["metadata"]["creationTimestamp"], name(each)))


def revision_of(body: Body) -> int:
    """0 for one that has none yet, or something that is none."""
    text = (body["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdecimal() else 0


def find_new(deployment: Body, sets: Iterable[Body]) -> Body | None:
    """The oldest ReplicaSet of the template that the Deployment has now."""
    wanted = _template(deployment)
    return next((each for each in by_age(sets) if is_same_json(_template(each), wanted)), None)


def _template(body: Body) -> dict[str, Any]:
    """The pod template without what the controller and servers of old put into it."""
    template = dict(body["spec"]["template"])
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value not in (None, {})}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def build_replica_set(deployment: Body, digest: str, replicas: int, revision: int) -> dict[str, Any]:
    """The ReplicaSet of the Deployment's template, without its owner."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    template = dict(spec["template"])
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    selector = dict(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    annotations = {**_inherited(deployment), REVISION: str(revision), **size_annotations(Rollout.of(deployment))}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "replicas": replicas,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": selector,
            "template": template,
        },
    }


def size_annotations(rollout: Rollout) -> dict[str, str]:
    """By these a later turn tells that the Deployment has another size than when its ReplicaSets got theirs."""
    return {DESIRED: str(rollout.replicas), MAXIMUM: str(rollout.most)}


def _inherited(deployment: Body) -> dict[str, str]:
    found = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in found.items() if key not in _OWN}


def annotations_of_new(deployment: Body, new: Body, old: Sequence[Body]) -> dict[str, str]:
    """The annotations that the newest ReplicaSet should have: its revision is the highest."""
    annotations = {**(new["metadata"].get("annotations") or {}), **_inherited(deployment)}
    revision = max((revision_of(each) for each in old), default=0) + 1
    before = annotations.get(REVISION, "")
    if revision_of(new) < revision:
        if before:
            history = annotations.get(HISTORY, "")
            annotations[HISTORY] = f"{history},{before}" if history else before
        annotations[REVISION] = str(revision)
    return annotations


def is_scaling(deployment: Body, sets: Iterable[Body]) -> bool:
    """Whether the Deployment has another size than when its ReplicaSets got theirs."""
    wanted = str(deployment["spec"]["replicas"])
    return any(
        size(each) > 0 and (each["metadata"].get("annotations") or {}).get(DESIRED, wanted) != wanted for each in sets
    )


def size_of_new(rollout: Rollout, new_size: int, others: int) -> int:
    """How many pods the newest ReplicaSet may have now.

    Args:
        others: How many all other ReplicaSets have.
    """
    if not rollout.is_rolling or new_size >= rollout.replicas:
        return rollout.replicas
    room = rollout.most - others - new_size
    return new_size + min(max(room, 0), rollout.replicas - new_size)


def smaller_old(rollout: Rollout, new: Body, old: Sequence[Body]) -> dict[str, int]:
    """The sizes of old ReplicaSets that may lose pods now, by name: those first that do not work anyway."""
    old = by_age(each for each in old if size(each) > 0)
    room = sum(map(size, old)) + available(new) - rollout.least_available
    sizes = {name(each): size(each) for each in old}
    if room <= 0:
        return {}
    for each in old:
        broken = min(room, max(0, sizes[name(each)] - available(each)))
        sizes[name(each)] -= broken
        room -= broken
    spare = available(new) + sum(map(available, old)) - rollout.least_available
    for each in old:
        gone = min(max(spare, 0), sizes[name(each)])
        sizes[name(each)] -= gone
        spare -= gone
    return {name(each): sizes[name(each)] for each in old if sizes[name(each)] != size(each)}


def scaled_sizes(deployment: Body, new: Body | None, old: Sequence[Body]) -> dict[str, int]:
    """The size each ReplicaSet gets when the Deployment is scaled, or paused, by name; [] of those that stay."""
    rollout = Rollout.of(deployment)
    sets = [*old, *([new] if new is not None else [])]
    active = [each for each in sets if size(each) > 0]
    single = active[0] if len(active) == 1 else None
    if not active and sets:
        single = new if new is not None else by_age(old)[-1]
    if single is not None:
        return {} if size(single) == rollout.replicas else {name(single): rollout.replicas}
    if new is not None and _is_saturated(rollout, new):
        return {name(each): 0 for each in old if size(each) > 0}
    return _in_proportion(deployment, rollout, active) if rollout.is_rolling else {}


def _is_saturated(rollout: Rollout, new: Body) -> bool:
    desired = (new["metadata"].get("annotations") or {}).get(DESIRED, "")
    return size(new) == rollout.replicas == available(new) and desired == str(rollout.replicas)


def _in_proportion(deployment: Body, rollout: Rollout, active: Sequence[Body]) -> dict[str, int]:
    """Each in proportion to its size; what rounding leaves goes to the largest."""
    allowed = rollout.most if rollout.replicas > 0 else 0
    to_add = allowed - sum(map(size, active))
    newest_first = to_add > 0
    ordered = by_age(active)
    ordered = sorted(reversed(ordered) if newest_first else ordered, key=size, reverse=True)
    sizes, added = {}, 0
    for each in ordered:
        share = _share(deployment, rollout, each, to_add - added) if to_add else 0
        sizes[name(each)] = size(each) + share
        added += share
    if ordered and to_add:
        largest = name(ordered[0])
        sizes[largest] = max(0, sizes[largest] + to_add - added)
    return sizes


def _share(deployment: Body, rollout: Rollout, replica_set: Body, left: int) -> int:
    if left == 0:
        return 0
    if rollout.replicas == 0:
        return max(-size(replica_set), left)
    annotated = (replica_set["metadata"].get("annotations") or {}).get(MAXIMUM, "")
    before = int(annotated) if annotated.isdecimal() else (deployment.get("status") or {}).get("replicas", 0)
    exact = size(replica_set) * rollout.most / before if before else size(replica_set)
    share = math.floor(exact + 0.5) - size(replica_set)
    return min(share, left) if left > 0 else max(share, left)


def forgotten(deployment: Body, old: Sequence[Body]) -> list[Body]:
    """The oldest ReplicaSets beyond `spec.revisionHistoryLimit` that have no pods."""
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    living = [each for each in old if not each["metadata"].get("deletionTimestamp")]
    surplus = sorted(living, key=revision_of)[: max(0, len(living) - limit)]
    return [each for each in surplus if _is_empty(each)]


def _is_empty(replica_set: Body) -> bool:
    status = replica_set.get("status") or {}
    seen = status.get("observedGeneration", 0) >= replica_set["metadata"].get("generation", 0)
    return bool(seen and size(replica_set) == 0 == status.get("replicas", 0))
