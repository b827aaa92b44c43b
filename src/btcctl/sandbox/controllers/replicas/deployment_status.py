"""The status of a Deployment, from its ReplicaSets. Pure.

Reasons and rules as of kube-controller-manager 1.36: `kubectl rollout status` and `kubectl wait` read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from btcctl.clock import rfc3339
from btcctl.sandbox.controllers.replicas.deployment_plan import Rollout, available, name, size

Body = Mapping[str, Any]

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
COMPLETE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
NO_DEADLINE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Sets:
    """A Deployment's ReplicaSets."""

    new: Body | None
    old: Sequence[Body]

    @property
    def all(self) -> list[Body]:
        return [*self.old, *([self.new] if self.new is not None else [])]


def counted(deployment: Body, sets: Sets, now: datetime) -> dict[str, Any]:
    """The status as far as it can be counted: all but the progress."""
    before = deployment.get("status") or {}
    ready = sum((each.get("status") or {}).get("readyReplicas", 0) for each in sets.all)
    there = sum(map(available, sets.all))
    counters = {
        "replicas": _actual(*sets.all),
        "updatedReplicas": _actual(sets.new) if sets.new is not None else 0,
        "readyReplicas": ready,
        "availableReplicas": there,
        "unavailableReplicas": max(0, sum(map(size, sets.all)) - there),
    }
    status: dict[str, Any] = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    status |= {key: count for key, count in counters.items() if count}
    status["terminatingReplicas"] = sum((each.get("status") or {}).get("terminatingReplicas", 0) for each in sets.all)
    if before.get("collisionCount") is not None:
        status["collisionCount"] = before["collisionCount"]
    status["conditions"] = list(before.get("conditions") or [])
    is_available = there >= Rollout.of(deployment).least_available
    word = "has" if is_available else "does not have"
    reason = f"MinimumReplicas{'Available' if is_available else 'Unavailable'}"
    put(status, AVAILABLE, str(is_available), reason, f"Deployment {word} minimum availability.", now)
    return status


def judged(deployment: Body, sets: Sets, now: datetime) -> dict[str, Any]:
    """The whole status in the course of a rollout."""
    status = counted(deployment, sets, now)
    if not has_deadline(deployment):
        drop(status, PROGRESSING)
    elif not _was_complete(status):
        _judge_progress(deployment, sets, status, now)
    failure = next(filter(None, (_failure(each) for each in reversed(sets.all))), None)
    if failure is None:
        drop(status, FAILURE)
    else:
        put(status, FAILURE, failure["status"], failure.get("reason", ""), failure.get("message", ""), now)
    return status


def _judge_progress(deployment: Body, sets: Sets, status: dict[str, Any], now: datetime) -> None:
    subject = f'ReplicaSet "{name(sets.new)}"' if sets.new is not None else f'Deployment "{name(deployment)}"'
    before = condition(status, PROGRESSING)
    if is_complete(deployment, status):
        put(status, PROGRESSING, "True", COMPLETE, f"{subject} has successfully progressed.", now)
    elif _has_progressed(deployment.get("status") or {}, status):
        since = before["lastTransitionTime"] if before is not None and before["status"] == "True" else None
        drop(status, PROGRESSING)  # so that the time of the last progress is written, whatever the reason before
        put(status, PROGRESSING, "True", "ReplicaSetUpdated", f"{subject} is progressing.", now, since=since)
    elif has_timed_out(deployment, before, now):
        put(status, PROGRESSING, "False", TIMED_OUT, f"{subject} has timed out progressing.", now)


def is_complete(deployment: Body, status: Body) -> bool:
    wanted = deployment["spec"]["replicas"]
    counts = (status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas"))
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return seen and all(count == wanted for count in counts)


def has_deadline(deployment: Body) -> bool:
    return bool(deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE)


def has_timed_out(deployment: Body, progressing: Body | None, now: datetime) -> bool:
    """Whether there was no progress for longer than the Deployment allows."""
    if progressing is None or progressing["reason"] == COMPLETE:
        return False
    if progressing["reason"] == TIMED_OUT:
        return True
    deadline = timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])
    return datetime.fromisoformat(progressing["lastUpdateTime"]) + deadline < now


def paused_change(deployment: Body) -> tuple[str, str] | None:
    """Reason and message of the progress when a pause begins or ends; None where neither does."""
    before = condition(deployment.get("status") or {}, PROGRESSING)
    if not has_deadline(deployment) or (before is not None and before["reason"] == TIMED_OUT):
        return None
    is_said = before is not None and before["reason"] == PAUSED
    if deployment["spec"].get("paused") and not is_said:
        return PAUSED, "Deployment is paused"
    if is_said and not deployment["spec"].get("paused"):
        return RESUMED, "Deployment is resumed"
    return None


def condition(status: Body, type_: str) -> Body | None:
    return next((each for each in status.get("conditions") or () if each["type"] == type_), None)


def put(
    status: dict[str, Any],
    type_: str,
    value: str,
    reason: str,
    message: str,
    now: datetime,
    *,
    since: str | None = None,
) -> None:
    """Say it in the status, at the end of the conditions, unless it is said with the same reason already.

    Args:
        since: When it became so, if not now, and not known from the condition before.
    """
    before = condition(status, type_)
    if before is not None and (before["status"], before.get("reason")) == (value, reason):
        return
    if before is not None and before["status"] == value:
        since = before["lastTransitionTime"]
    instant = rfc3339(now)
    said = {"type": type_, "status": value, "lastUpdateTime": instant, "lastTransitionTime": since or instant}
    drop(status, type_)
    status["conditions"].append({**said, "reason": reason, "message": message})


def drop(status: dict[str, Any], type_: str) -> None:
    status["conditions"] = [each for each in status.get("conditions") or () if each["type"] != type_]


def _was_complete(status: Body) -> bool:
    before = condition(status, PROGRESSING)
    is_updated = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    return is_updated and before is not None and before["reason"] == COMPLETE


def _has_progressed(before: Body, after: Body) -> bool:
    def old(status: Body) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(after) < old(before) or any(after.get(key, 0) > before.get(key, 0) for key in grown)


def _failure(replica_set: Body) -> Body | None:
    return condition(replica_set.get("status") or {}, FAILURE)


def _actual(*sets: Body) -> int:
    """How many pods there are."""
    return sum((each.get("status") or {}).get("replicas", 0) for each in sets)
