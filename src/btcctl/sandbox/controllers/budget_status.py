"""What the status of a PodDisruptionBudget is: pure functions over what is there.

Source: pkg/controller/disruption/disruption.go and component-helpers/apps/poddisruptionbudget of kubernetes 1.36.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from btcctl.clock import rfc3339
from btcctl.objects import OwnerReference

DELETION_SECONDS = 120.0  # DeletionTimeout: an evicted pod that is still there after that counts again
_ALLOWED = "DisruptionAllowed"

#: How many pods a controller wants; raises `UnknownScale`.
ScaleOf = Callable[[OwnerReference], int]


class UnknownScale(LookupError):
    """Nobody can tell how many pods there should be; the message says why."""


@dataclass(frozen=True, slots=True)
class PodHealth:
    """What of a pod a budget counts."""

    name: str
    is_ready: bool
    is_going: bool
    controller: OwnerReference | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget's status, and when it will be another one if nothing happens."""

    status: dict[str, Any]
    recheck_seconds: float | None = None


def judge(budget: Mapping[str, Any], pods: Sequence[PodHealth], scale_of: ScaleOf, now: datetime) -> Verdict:
    """
    Args:
        pods: Those that the budget selects.

    Raises:
        UnknownScale: The budget is a share of a number that nobody knows.
    """
    expected, desired = _wanted(budget["spec"], pods, scale_of)
    disrupted = _still_disrupted(budget, pods, now)
    healthy = sum(pod.is_ready and not pod.is_going and pod.name not in disrupted for pod in pods)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    generation = budget["metadata"].get("generation", 0)
    status: dict[str, Any] = {"observedGeneration": generation} if generation else {}
    if disrupted:
        status["disruptedPods"] = {name: rfc3339(instant) for name, instant in disrupted.items()}
    status |= {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired}
    status["expectedPods"] = expected
    reason = "SufficientPods" if allowed else "InsufficientPods"
    status["conditions"] = _conditions(budget, is_allowed=allowed > 0, reason=reason, message="", now=now)
    waits = [(instant - now).total_seconds() + DELETION_SECONDS for instant in disrupted.values()]
    return Verdict(status, min(waits, default=None))


def closed(budget: Mapping[str, Any], why: str, now: datetime) -> dict[str, Any]:
    """The status of a budget that cannot be worked out: nothing may go."""
    status = dict(budget.get("status") or {})
    conditions = _conditions(budget, is_allowed=False, reason="SyncFailed", message=why, now=now, is_seen=False)
    return {**status, "disruptionsAllowed": 0, "conditions": conditions}


def _wanted(spec: Mapping[str, Any], pods: Sequence[PodHealth], scale_of: ScaleOf) -> tuple[int, int]:
    """How many pods there should be, and how many of them healthy."""
    most_gone, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    if most_gone is not None:
        expected = _total_scale(pods, scale_of)
        return expected, max(0, expected - _scaled(most_gone, expected))
    if isinstance(least, str):
        expected = _total_scale(pods, scale_of)
        return expected, _scaled(least, expected)
    return (0, 0) if least is None else (len(pods), least)


def _total_scale(pods: Sequence[PodHealth], scale_of: ScaleOf) -> int:
    """Of all controllers of these pods; pods without one are not counted."""
    owners = {pod.controller.uid: pod.controller for pod in pods if pod.controller is not None}
    return sum(scale_of(owner) for owner in owners.values())


def _scaled(share: int | str, total: int) -> int:
    """A number, or a share of the total, rounded up."""
    return share if isinstance(share, int) else math.ceil(int(share.rstrip("%")) * total / 100)


def _still_disrupted(budget: Mapping[str, Any], pods: Sequence[PodHealth], now: datetime) -> dict[str, datetime]:
    """The pods that were evicted and are not seen to go yet, since when."""
    known = (budget.get("status") or {}).get("disruptedPods") or {}
    found = {
        pod.name: datetime.fromisoformat(known[pod.name]) for pod in pods if pod.name in known and not pod.is_going
    }
    return {name: instant for name, instant in found.items() if instant + timedelta(seconds=DELETION_SECONDS) > now}


def _conditions(
    budget: Mapping[str, Any], *, is_allowed: bool, reason: str, message: str, now: datetime, is_seen: bool = True
) -> list[dict[str, Any]]:
    """
    Args:
        is_seen: The condition is about this generation; else about the one that was looked at last.
    """
    status = budget.get("status") or {}
    known = [dict(each) for each in status.get("conditions") or ()]
    before = next((each for each in known if each.get("type") == _ALLOWED), {})
    value = str(is_allowed)
    generation = budget["metadata"].get("generation", 0) if is_seen else status.get("observedGeneration", 0)
    condition = {"type": _ALLOWED, "status": value, **({"observedGeneration": generation} if generation else {})}
    condition["lastTransitionTime"] = before["lastTransitionTime"] if before.get("status") == value else rfc3339(now)
    condition |= {"reason": reason, "message": message}
    return [condition if each is before else each for each in known] if before else [*known, condition]
