"""The rules of StatefulSets, Deployments and ControllerRevisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.collection import Body
from btcctl.apiserver.pods import check_pod_spec, default_pod_spec
from btcctl.apiserver.schema import shown
from btcctl.apiserver.selectors import matches_selector
from btcctl.apiserver.statuses import Cause

_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_LISTED = ", ".join(f"'{each}'" for each in _MUTABLE[:-1]) + f" and '{_MUTABLE[-1]}'"


def default_stateful_set(body: dict[str, Any]) -> None:
    spec = _default_workload(body)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")


def default_deployment(body: dict[str, Any]) -> None:
    spec = _default_workload(body)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def check_stateful_set(body: Body) -> list[Cause]:
    spec = body["spec"]
    causes = _check_workload(spec, "statefulset")
    policy = spec.get("podManagementPolicy")
    if policy not in {"OrderedReady", "Parallel"}:
        message = f"Invalid value: {shown(policy)}: must be 'OrderedReady' or 'Parallel'"
        causes.append(Cause("FieldValueInvalid", message, "spec.podManagementPolicy"))
    strategy = spec["updateStrategy"].get("type")
    if strategy not in {"RollingUpdate", "OnDelete"}:
        message = f"Invalid value: {shown(strategy)}: must be 'RollingUpdate' or 'OnDelete'"
        causes.append(Cause("FieldValueInvalid", message, "spec.updateStrategy"))
    return causes


def check_stateful_set_update(new: Body, old: Body) -> list[Cause]:
    if _fixed(new["spec"]) == _fixed(old["spec"]):
        return []
    message = f"Forbidden: updates to statefulset spec for fields other than {_LISTED} are forbidden"
    return [Cause("FieldValueForbidden", message, "spec")]


def check_deployment(body: Body) -> list[Cause]:
    return _check_workload(body["spec"], "deployment")


def check_deployment_update(new: Body, old: Body) -> list[Cause]:
    selector = new["spec"].get("selector")
    if selector == old["spec"].get("selector"):
        return []
    return [Cause("FieldValueInvalid", f"Invalid value: {shown(selector)}: field is immutable", "spec.selector")]


def check_revision_update(new: Body, old: Body) -> list[Cause]:
    if new.get("data") == old.get("data"):
        return []
    return [Cause("FieldValueInvalid", f"Invalid value: {shown(new.get('data'))}: field is immutable", "data")]


def _default_workload(body: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = dict(body.get("spec") or {})
    body["spec"] = spec
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    template = spec["template"] = dict(spec.get("template") or {})
    template["spec"] = dict(template.get("spec") or {})
    default_pod_spec(template["spec"])
    for name in ("updateStrategy", "strategy", "persistentVolumeClaimRetentionPolicy"):
        if spec.get(name) is None:
            spec.pop(name, None)
    return spec


def _unmatched(labels: Mapping[str, str]) -> Cause:
    message = f"Invalid value: {shown(labels or None)}: `selector` does not match template `labels`"
    return Cause("FieldValueInvalid", message, "spec.template.metadata.labels")


def _check_workload(spec: Mapping[str, Any], kind: str) -> list[Cause]:
    causes = []
    if spec["replicas"] < 0:
        message = f"Invalid value: {spec['replicas']}: must be greater than or equal to 0"
        causes.append(Cause("FieldValueInvalid", message, "spec.replicas"))
    selector = spec.get("selector")
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if selector is None:
        causes.append(Cause("FieldValueRequired", "Required value", "spec.selector"))
        causes.append(_unmatched(labels))
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        message = f"Invalid value: {shown(selector)}: empty selector is invalid for {kind}"
        causes.append(Cause("FieldValueInvalid", message, "spec.selector"))
    elif not matches_selector(selector, labels):
        causes.append(_unmatched(labels))
    causes += check_pod_spec(spec["template"]["spec"], "spec.template.spec")
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy != "Always":
        message = f'Unsupported value: {shown(policy)}: supported values: "Always"'
        causes.append(Cause("FieldValueNotSupported", message, "spec.template.spec.restartPolicy"))
    return causes


def _fixed(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in _MUTABLE}
