"""What a Job needs next, and what its status says. Pure.

Behaviour as of kube-controller-manager 1.36, but for policies of failures and success, and limits per index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import rfc3339
from btcctl.sandbox.controllers.jobs.indexes import format_indexes, free_indexes, index_of, is_indexed, parse_indexes

TRACKING = "batch.kubernetes.io/job-tracking"  # a pod with this finalizer is not counted yet
BACKOFF = ExponentialBackoff(base=10.0, cap=600.0)  # between pods that fail

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do now.

    Attributes:
        status: To write first.
        create: How many pods are to be made.
        indexes: Those that pods of an Indexed Job have to be made for, instead.
        delete: Those that are to go, by name.
        release: Those that are counted and lose their finalizer, by name.
        recheck_seconds: When to look again although nothing changes.
        is_over: Nothing is left to do but to forget it.
    """

    status: dict[str, Any]
    create: int = 0
    indexes: tuple[int, ...] = ()
    delete: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    recheck_seconds: float | None = None
    is_over: bool = False


def is_active(pod: Body) -> bool:
    return phase_of(pod) not in {"Succeeded", "Failed"} and not pod["metadata"].get("deletionTimestamp")


def phase_of(pod: Body) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_tracked(pod: Body) -> bool:
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def finished(job: Body) -> Body | None:
    """The condition that says that it is over, or None."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next(
        (each for each in conditions if each["type"] in {"Complete", "Failed"} and each["status"] == "True"), None
    )


def judge(job: Body, pods: Sequence[Body], now: datetime) -> Verdict:
    """
    Args:
        pods: All that belong to the Job.
    """
    over = finished(job)
    if over is not None:
        return _ended(job, over, pods, now)
    status = _counted(job, pods)
    status.setdefault("startTime", rfc3339(now))
    why = _failure(job, status, pods, now)
    if why is not None:
        return _stopped(job, status, pods, now, ("FailureTarget", "Failed"), why)
    if _is_done(job, status, pods):
        reason = ("CompletionsReached", "Reached expected number of succeeded pods")
        return _stopped(job, status, pods, now, ("SuccessCriteriaMet", "Complete"), reason)
    return _worked(job, status, pods, now)


def _counted(job: Body, pods: Sequence[Body]) -> dict[str, Any]:
    """The status, with the pods that have ended: named while they have the finalizer, then only counted."""
    before = job.get("status") or {}
    status: dict[str, Any] = {key: value for key, value in before.items() if key not in {"active", "ready"}}
    named = before.get("uncountedTerminatedPods") or {}
    tracked = {pod["metadata"]["uid"]: pod for pod in pods if is_tracked(pod)}
    uncounted = {}
    if is_indexed(job):  # an index is not counted twice: no need to name the pods that have succeeded
        done = _done_indexes(job, status, pods)
        if done:
            status |= {"completedIndexes": format_indexes(done), "succeeded": len(done)}
    for outcome in ("failed",) if is_indexed(job) else ("succeeded", "failed"):
        known = named.get(outcome) or []
        settled = [uid for uid in known if uid not in tracked]
        if settled:
            status[outcome] = status.get(outcome, 0) + len(settled)
        fresh = [uid for uid, pod in tracked.items() if _outcome(pod) == outcome and uid not in known]
        uncounted[outcome] = [*(uid for uid in known if uid in tracked), *fresh]
    status["uncountedTerminatedPods"] = {outcome: uids for outcome, uids in uncounted.items() if uids}
    active = [pod for pod in pods if is_active(pod)]
    if active:
        status["active"] = len(active)
    status["ready"] = sum(map(_is_ready, active))
    status["terminating"] = sum(
        bool(pod["metadata"].get("deletionTimestamp")) and phase_of(pod) not in {"Succeeded", "Failed"} for pod in pods
    )
    return status


def _done_indexes(job: Body, status: Body, pods: Iterable[Body]) -> set[int]:
    ended = {index_of(pod) for pod in pods if phase_of(pod) == "Succeeded"}
    found = parse_indexes(status.get("completedIndexes") or "") | {each for each in ended if each is not None}
    return {each for each in found if each < job["spec"]["completions"]}


def _outcome(pod: Body) -> str | None:
    phase = phase_of(pod)
    if phase == "Succeeded":
        return "succeeded"
    return "failed" if phase == "Failed" or pod["metadata"].get("deletionTimestamp") else None


def total(status: Body, outcome: str) -> int:
    named = (status.get("uncountedTerminatedPods") or {}).get(outcome) or ()
    return int(status.get(outcome, 0)) + len(named)


def _failure(job: Body, status: Body, pods: Iterable[Body], now: datetime) -> tuple[str, str] | None:
    spec = job["spec"]
    limit = spec.get("backoffLimit", 6)
    restarts = _restarts(pods) if spec["template"]["spec"].get("restartPolicy") == "OnFailure" else 0
    if total(status, "failed") > limit or (restarts and restarts >= limit):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    deadline = spec.get("activeDeadlineSeconds")
    started = datetime.fromisoformat(status["startTime"])
    if deadline is not None and not spec.get("suspend") and started + timedelta(seconds=deadline) <= now:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _restarts(pods: Iterable[Body]) -> int:
    """How often containers of pods that go on have been started again."""
    found = [pod.get("status") or {} for pod in pods if phase_of(pod) in {"Pending", "Running"}]
    kinds = ("initContainerStatuses", "containerStatuses")
    return sum(each.get("restartCount", 0) for status in found for kind in kinds for each in status.get(kind) or ())


def _is_done(job: Body, status: Body, pods: Iterable[Body]) -> bool:
    completions, succeeded = job["spec"].get("completions"), total(status, "succeeded")
    if completions is not None:
        return bool(succeeded >= completions)
    return succeeded > 0 and not any(map(is_active, pods))


def _stopped(
    job: Body,
    status: dict[str, Any],
    pods: Sequence[Body],
    now: datetime,
    types: tuple[str, str],
    why: tuple[str, str],
) -> Verdict:
    """What runs is ended; the Job is over once everything is counted."""
    put(status, types[0], "True", why, now)
    active = tuple(str(pod["metadata"]["name"]) for pod in pods if is_active(pod))
    if not active and not status["uncountedTerminatedPods"] and not status["terminating"]:
        put(status, types[1], "True", why, now)
        if types[1] == "Complete":
            status["completionTime"] = rfc3339(now)
    return Verdict(status, delete=active, release=_released(job, status, pods))


def _worked(job: Body, status: dict[str, Any], pods: Sequence[Body], now: datetime) -> Verdict:
    spec = job["spec"]
    active = [str(pod["metadata"]["name"]) for pod in pods if is_active(pod)]
    if spec.get("suspend"):
        put(status, "Suspended", "True", ("JobSuspended", "Job suspended"), now)
        status.pop("startTime", None)
        return Verdict(status, delete=tuple(active), release=_released(job, status, pods))
    if any(each["type"] == "Suspended" and each["status"] == "True" for each in status.get("conditions") or ()):
        put(status, "Suspended", "False", ("JobResumed", "Job resumed"), now)
        status["startTime"] = rfc3339(now)
    wanted = spec.get("parallelism", 1)
    if spec.get("completions") is not None:
        wanted = min(wanted, spec["completions"] - total(status, "succeeded"))
    elif total(status, "succeeded"):
        wanted = len(active)  # one success is enough: the others may finish
    wait = _backoff_seconds(status, pods, now)
    surplus = tuple(active[wanted:])
    create = max(0, wanted - len(active)) if wait <= 0 else 0
    waits = [wait] if wait > 0 else []
    if spec.get("activeDeadlineSeconds") is not None:
        end = datetime.fromisoformat(status["startTime"]) + timedelta(seconds=spec["activeDeadlineSeconds"])
        waits.append(max(0.0, (end - now).total_seconds()))
    indexes: tuple[int, ...] = ()
    if is_indexed(job):
        taken = parse_indexes(status.get("completedIndexes") or "") | {
            index for pod in pods if is_active(pod) and (index := index_of(pod)) is not None
        }
        indexes, create = tuple(islice(free_indexes(job, taken), create)), 0
    return Verdict(status, create, indexes, surplus, _released(job, status, pods), min(waits, default=None))


def _ended(job: Body, over: Body, pods: Sequence[Body], now: datetime) -> Verdict:
    status, ttl = dict(job["status"]), job["spec"].get("ttlSecondsAfterFinished")
    release = tuple(str(pod["metadata"]["name"]) for pod in pods if is_tracked(pod))
    if ttl is None:
        return Verdict(status, release=release)
    left = (datetime.fromisoformat(over["lastTransitionTime"]) + timedelta(seconds=ttl) - now).total_seconds()
    return Verdict(status, release=release, recheck_seconds=left if left > 0 else None, is_over=left <= 0)


def _released(job: Body, status: Body, pods: Iterable[Body]) -> tuple[str, ...]:
    named = {uid for uids in status["uncountedTerminatedPods"].values() for uid in uids}
    if is_indexed(job):
        named |= {pod["metadata"]["uid"] for pod in pods if is_tracked(pod) and phase_of(pod) == "Succeeded"}
    return tuple(str(pod["metadata"]["name"]) for pod in pods if pod["metadata"]["uid"] in named)


def _backoff_seconds(status: Body, pods: Iterable[Body], now: datetime) -> float:
    """How long no pod is made after one has failed."""
    failures = total(status, "failed")
    ended = [instant for pod in pods if phase_of(pod) == "Failed" and (instant := _ended_at(pod)) is not None]
    if not failures or not ended:
        return 0.0
    delay = BACKOFF.delay(failures)
    return (max(ended) + timedelta(seconds=delay) - now).total_seconds()


def _ended_at(pod: Body) -> datetime | None:
    ends = [
        each["state"]["terminated"].get("finishedAt")
        for each in (pod.get("status") or {}).get("containerStatuses") or ()
        if (each.get("state") or {}).get("terminated")
    ]
    return max((datetime.fromisoformat(end) for end in ends if end), default=None)


def _is_ready(pod: Body) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any((each.get("type"), each.get("status")) == ("Ready", "True") for each in conditions)


def put(status: dict[str, Any], type_: str, value: str, why: tuple[str, str], now: datetime) -> None:
    """Say it in the status, unless it is said already."""
    known = list(status.get("conditions") or ())
    if any((each["type"], each["status"]) == (type_, value) for each in known):
        return
    instant = rfc3339(now)
    condition = {"type": type_, "status": value, "lastProbeTime": instant, "lastTransitionTime": instant}
    kept = [each for each in known if each["type"] != type_]
    status["conditions"] = [*kept, {**condition, "reason": why[0], "message": why[1]}]
