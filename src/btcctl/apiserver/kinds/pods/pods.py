"""The rules of pods, and of the specs in pod templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from btcctl.apiserver.kinds.pods.containers import check_containers
from btcctl.apiserver.kinds.pods.scheduling import check_scheduling
from btcctl.apiserver.kinds.pods.security import check_identity
from btcctl.apiserver.kinds.pods.volumes import check_volumes
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid, one_of
from btcctl.apiserver.machinery.names import label_name, qualified_name, subdomain_name, validate_labels
from btcctl.apiserver.machinery.quantities import parse_quantity
from btcctl.apiserver.storage.collection import Body
from btcctl.resources import PODS

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_TOLERATION_SECONDS = 300  # DefaultTolerationSeconds admission plugin
#: The classes that every cluster has, and what a pod without one gets.
_PRIORITIES = {"": 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_COUNTED = ("cpu", "memory")


def prepare_pod(body: dict[str, Any]) -> None:
    """The state a new pod begins in, and its account: an update that leaves it out would take it away."""
    if not body["spec"].get("serviceAccountName"):
        body["spec"]["serviceAccountName"] = body["spec"]["serviceAccount"] = "default"
    body["status"] = {"phase": "Pending", "qosClass": quality_of(body["spec"])}
    created = body["metadata"]["creationTimestamp"]
    if body["spec"].get("schedulingGates"):
        why = "Scheduling is blocked due to non-empty scheduling gates"
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": why}
        scheduled["lastTransitionTime"] = created
        body["status"]["conditions"] = [scheduled]


def check_classes(body: Body) -> None:
    """
    Raises:
        StatusError: 403, its class of priority or of runtimes is unknown.
    """
    if body["spec"].get("runtimeClassName") == "":
        raise errors.internal("resource name may not be empty")
    refusal = _refusal(body["spec"])
    if refusal:
        raise errors.forbidden(PODS, body["metadata"].get("name", ""), refusal)


def _refusal(spec: Mapping[str, Any]) -> str:
    """Why admission refuses a new pod; "" if it does not. There are no RuntimeClasses here."""
    name = spec.get("priorityClassName", "")
    if name not in _PRIORITIES:
        return f"no PriorityClass with name {name} was found"
    if spec.get("runtimeClassName") is not None:
        return f'pod rejected: RuntimeClass "{spec["runtimeClassName"]}" not found'
    if spec.get("overhead"):
        return "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
    return ""


def admit_pod(body: dict[str, Any]) -> None:
    """What admission fills in."""
    spec = body["spec"]
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(each, key) for each in tolerations):
            effect = {"key": key, "operator": "Exists", "effect": "NoExecute"}
            tolerations.append({**effect, "tolerationSeconds": _TOLERATION_SECONDS})
    spec.setdefault("priority", _PRIORITIES.get(spec.get("priorityClassName", ""), 0))
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")


def finish_pod(body: dict[str, Any]) -> None:
    forget_signals(body["spec"])


def forget_signals(spec: dict[str, Any]) -> None:
    """By which signal a container stops is a feature that is switched off."""
    for name in ("containers", "initContainers"):
        for container in spec.get(name) or ():
            lifecycle = container.get("lifecycle")
            if lifecycle and "stopSignal" in lifecycle:
                kept = {key: each for key, each in lifecycle.items() if key != "stopSignal"}
                container.pop("lifecycle")
                container.update({"lifecycle": kept} if kept else {})


def quality_of(spec: Mapping[str, Any]) -> str:
    """The class that decides which pods go first when a node runs short."""
    whole = spec.get("resources")
    parts = (
        [whole]
        if whole
        else [each.get("resources") or {} for name in ("containers", "initContainers") for each in spec.get(name) or ()]
    )
    requests, limits = (_total(each.get(what) or {} for each in parts) for what in ("requests", "limits"))
    if not requests and not limits:
        return "BestEffort"
    is_limited = all(_positive(each.get("limits") or {}).keys() >= set(_COUNTED) for each in parts)
    return "Guaranteed" if is_limited and requests == limits else "Burstable"


def check_pod(body: Body) -> list[Cause]:
    return check_pod_spec(body["spec"], "spec")


def check_pod_spec(spec: Mapping[str, Any], field: str) -> list[Cause]:
    """What is wrong with a pod's spec, or with a template's at `field`."""
    causes, volumes = check_volumes(spec.get("volumes") or [], f"{field}.volumes")
    causes += check_containers(spec, field, volumes)
    causes += one_of(f"{field}.restartPolicy", spec["restartPolicy"], _RESTART_POLICIES)
    causes += one_of(f"{field}.dnsPolicy", spec["dnsPolicy"], _DNS_POLICIES)
    causes += validate_labels(f"{field}.nodeSelector", spec.get("nodeSelector") or {})
    for name in ("serviceAccountName", "nodeName", "priorityClassName"):
        causes += _names(f"{field}.{name}", spec.get(name), subdomain_name)
    for name in ("hostname", "subdomain"):
        causes += _names(f"{field}.{name}", spec.get(name), label_name)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 2**31:
        why = f"must be between 1 and {2**31 - 1}, inclusive"
        causes.append(invalid(f"{field}.activeDeadlineSeconds", deadline, why))
    return causes + check_scheduling(spec, field) + check_identity(spec, field)


def check_pod_status(new: Body, old: Body) -> list[Cause]:
    status, before = new.get("status") or {}, old.get("status") or {}
    causes = []
    if status.get("observedGeneration", 0) < 0:
        why = "must be a non-negative integer"
        causes.append(invalid("status.observedGeneration", status["observedGeneration"], why))
    if status.get("qosClass", "") != before.get("qosClass", ""):
        causes.append(invalid("status.qosClass", status.get("qosClass", ""), "field is immutable"))
    if new["spec"]["restartPolicy"] != "Always":
        causes += _check_ends(status, before)
    for index, condition in enumerate(status.get("conditions") or ()):
        causes += qualified_name(f"status.conditions[{index}].Type", condition.get("type") or "")
    addresses = [each.get("ip", "") for each in status.get("podIPs") or ()]
    if len(addresses) > 1 and len({":" in each for each in addresses}) < len(addresses):
        why = "may specify no more than one IP for each IP family"
        causes.append(invalid("status.podIPs", [{"IP": each} for each in addresses], why))
    return causes


def _check_ends(status: Mapping[str, Any], before: Mapping[str, Any]) -> list[Cause]:
    """What has ended in a pod that is not started again stays so."""
    ended = {
        each.get("name")
        for each in before.get("containerStatuses") or ()
        if (each.get("state") or {}).get("terminated") is not None
    }
    return [
        forbidden(f"status.containerStatuses[{index}].state", "may not be transitioned to non-terminated state")
        for index, each in enumerate(status.get("containerStatuses") or ())
        if each.get("name") in ended and (each.get("state") or {}).get("terminated") is None
    ]


def keep_pod_status(new: dict[str, Any], old: Body) -> None:
    """The class is the server's: a status without it keeps it."""
    known = (old.get("status") or {}).get("qosClass")
    if known:
        new.setdefault("status", {}).setdefault("qosClass", known)


def _names(field: str, name: str | None, rule: Any) -> list[Cause]:
    return [invalid(field, name, each) for each in rule(name)] if name else []


def _tolerates(toleration: Mapping[str, Any], key: str) -> bool:
    return toleration.get("key") in {key, None, ""} and toleration.get("effect") in {"NoExecute", None, ""}


def _positive(amounts: Mapping[str, str]) -> dict[str, Decimal]:
    found = {name: parse_quantity(amounts[name]).amount for name in _COUNTED if name in amounts}
    return {name: amount for name, amount in found.items() if amount > 0}


def _total(lists: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for amounts in lists:
        for name, amount in _positive(amounts).items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total
