"""Columns of the kinds that stand between workloads and the network, and of scales."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from btcctl import resources
from btcctl.apiserver.machinery.labels import selector_text
from btcctl.apiserver.printers.columns import AGE, NAME, Cell, Column, dig, human_duration
from btcctl.apiserver.storage.collection import Body
from btcctl.resources import ResourceType

SCALES = ResourceType("autoscaling", "v1", "scales", "Scale")
_MOST = 3  # more are counted, not shown


def _shortened(texts: Iterable[str], nothing: str) -> str:
    all_ = list(texts)
    more = f" + {len(all_) - _MOST} more..." if len(all_) > _MOST else ""
    return ",".join(all_[:_MOST]) + more if all_ else nothing


def _endpoints(body: Body) -> str:
    subsets = body.get("subsets") or ()
    return _shortened(
        (
            f"{address['ip']}:{port['port']}"
            for subset in subsets
            for port in subset.get("ports") or ()
            for address in subset.get("addresses") or ()
        ),
        "<none>",
    )


def _slice_ports(body: Body) -> str:
    ports = body.get("ports") or ()
    return _shortened((str(each["port"]) if each.get("port") is not None else "*" for each in ports), "<unset>")


def _slice_addresses(body: Body) -> str:
    found = (address for each in body.get("endpoints") or () for address in each.get("addresses") or ())
    return _shortened(found, "<unset>")


def _job_status(job: Body) -> str:
    held = {each["type"] for each in dig(job, "status", "conditions", default=()) if each.get("status") == "True"}
    for type_ in ("Complete", "Failed"):
        if type_ in held:
            return type_
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for type_, shown in (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget")):
        if type_ in held:
            return shown
    return "SuccessCriteriaMet" if "SuccessCriteriaMet" in held else "Running"


def _completions(job: Body) -> str:
    done, wanted = dig(job, "status", "succeeded", default=0), dig(job, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallelism = dig(job, "spec", "parallelism", default=0)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _job_duration(job: Body, now: datetime) -> str:
    start, end = dig(job, "status", "startTime"), dig(job, "status", "completionTime")
    if not start:
        return ""
    until = datetime.fromisoformat(end) if end else now
    return human_duration((until - datetime.fromisoformat(start)).total_seconds())


def _containers(job: Body, field: str) -> str:
    containers = dig(job, "spec", "template", "spec", "containers", default=())
    return ",".join(each.get(field, "") for each in containers)


def _replicas(part: str) -> Cell:
    return lambda scale, _: dig(scale, part, "replicas", default=0)


MORE_COLUMNS: Mapping[ResourceType, tuple[Column, ...]] = {
    resources.JOBS: (
        NAME,
        Column("Status", lambda job, _: _job_status(job)),
        Column("Completions", lambda job, _: _completions(job)),
        Column("Duration", _job_duration),
        AGE,
        Column("Containers", lambda job, _: _containers(job, "name"), priority=1),
        Column("Images", lambda job, _: _containers(job, "image"), priority=1),
        Column("Selector", lambda job, _: selector_text(dig(job, "spec", "selector")), priority=1),
    ),
    resources.ENDPOINTS: (NAME, Column("Endpoints", lambda body, _: _endpoints(body)), AGE),
    resources.ENDPOINT_SLICES: (
        NAME,
        Column("AddressType", lambda body, _: body.get("addressType", "")),
        Column("Ports", lambda body, _: _slice_ports(body)),
        Column("Endpoints", lambda body, _: _slice_addresses(body)),
        AGE,
    ),
    resources.NETWORK_POLICIES: (
        NAME,
        Column("Pod-Selector", lambda body, _: selector_text(dig(body, "spec", "podSelector")) or "<none>"),
        AGE,
    ),
    SCALES: (
        replace(NAME, format=""),
        Column("Desired", _replicas("spec"), type="integer"),
        Column("Available", _replicas("status"), type="integer"),
        AGE,
    ),
}
