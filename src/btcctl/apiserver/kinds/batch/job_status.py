"""The rules of what is told of a Job. Source: ValidateJobStatusUpdate of kubernetes 1.36.

Lists of indexes (`completedIndexes`, `failedIndexes`) are stored unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, not_negative, required
from btcctl.apiserver.storage.collection import Body

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_LASTING = ("Failed", "Complete", "FailureTarget", "SuccessCriteriaMet")


def check_job_status(new: Body, old: Body) -> list[Cause]:
    now, before = new.get("status") or {}, old.get("status") or {}
    causes = [cause for name in _COUNTS for cause in not_negative(f"status.{name}", now.get(name))]
    causes += _of_conditions(now, before)
    causes += _of_times(now, before, is_suspended=bool(new["spec"].get("suspend")))
    if now.get("ready") is not None and now["ready"] > (now.get("active") or 0):
        causes.append(invalid("status.ready", now["ready"], "cannot set more ready pods than active"))
    if _is_finished(now):
        for name in ("active", "terminating"):
            if (now.get(name) or 0) > 0:
                causes.append(invalid(f"status.{name}", now[name], f"{name}>0 is invalid for finished job"))
    for name in ("failed", "succeeded"):
        if (now.get(name) or 0) < (before.get(name) or 0):
            causes.append(invalid(f"status.{name}", now.get(name) or 0, f"cannot decrease the {name} counter"))
    return causes


def _of_conditions(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Cause]:
    are, were = _true(now), _true(before)
    why = []
    if {"Complete", "Failed"} <= are:
        why.append("cannot set Complete=True and Failed=true conditions")
    if {"Complete", "FailureTarget"} <= are:
        why.append("cannot set Complete=True and FailureTarget=true conditions")
    if "Failed" in are and "FailureTarget" not in are:
        why.append("cannot set Failed=True condition without the FailureTarget=true condition")
    if "Complete" in are and "SuccessCriteriaMet" not in are:
        why.append("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")
    if {"SuccessCriteriaMet", "Failed"} <= are:
        why.append("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if {"SuccessCriteriaMet", "FailureTarget"} <= are:
        why.append("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    for name in _LASTING:
        if name in were and name not in are:
            terminal = "" if name == "SuccessCriteriaMet" else "terminal "
            why.append(f"cannot disable the {terminal}{name}=True condition")
    for each in why:
        yield Cause("FieldValueInvalid", f"Invalid value: {each}", "status.conditions")


def _of_times(now: Mapping[str, Any], before: Mapping[str, Any], *, is_suspended: bool) -> Iterator[Cause]:
    started, ended = now.get("startTime"), now.get("completionTime")
    is_complete = "Complete" in _true(now)
    if ended is not None and not is_complete:
        why = "cannot set completionTime when there is no Complete=True condition"
        yield invalid("status.completionTime", ended, why)
    if ended is None and is_complete:
        yield required("status.completionTime", "completionTime is required for Complete jobs")
    if started is not None and ended is not None and ended < started:
        yield invalid("status.completionTime", ended, "completionTime cannot be set before startTime")
    if started is None and _is_finished(now):
        yield required("status.startTime", "startTime is required for finished job")
    if ended is not None and before.get("completionTime") not in {None, ended}:
        yield invalid("status.completionTime", ended, "completionTime cannot be mutated")
    if before.get("startTime") not in {None, started} and not is_suspended:
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")


def _true(status: Mapping[str, Any]) -> set[Any]:
    return {each.get("type") for each in status.get("conditions") or () if each.get("status") == "True"}


def _is_finished(status: Mapping[str, Any]) -> bool:
    return bool(_true(status) & {"Complete", "Failed"})
