"""The rules of StatefulSets, Deployments, ReplicaSets and ControllerRevisions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.kinds.claims import check_claim_spec
from btcctl.apiserver.kinds.pods.debugging import check_template
from btcctl.apiserver.kinds.pods.pods import check_pod_spec, forget_signals
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid, not_negative, one_of, required, unsupported
from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.machinery.names import label_name, validate_labels
from btcctl.apiserver.machinery.selector_checks import check_label_selector
from btcctl.apiserver.storage.collection import Body

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
_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
_COUNTS = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")


def complete_stateful_set(body: dict[str, Any]) -> None:
    """How many may be missing at once is a feature that is switched off: it is forgotten."""
    rolling = body["spec"]["updateStrategy"].get("rollingUpdate") or {}
    rolling.pop("maxUnavailable", None)


def finish_workload(body: dict[str, Any]) -> None:
    forget_signals(body["spec"]["template"]["spec"])


def check_stateful_set(body: Body) -> list[Cause]:
    spec = body["spec"]
    policy, strategy = spec["podManagementPolicy"], spec["updateStrategy"]
    causes = []
    if policy not in {"OrderedReady", "Parallel"}:
        causes.append(invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    causes += _check_update_strategy(strategy)
    for name in ("whenDeleted", "whenScaled"):
        retention = spec["persistentVolumeClaimRetentionPolicy"][name]
        if retention not in {"Retain", "Delete"}:
            field = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
            causes.append(unsupported(field, retention, ("Retain", "Delete")))
    causes += not_negative("spec.replicas", spec["replicas"])
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes += not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    service = spec.get("serviceName")
    causes += [invalid("spec.serviceName", service, each) for each in label_name(service)] if service else []
    template, wrong = spec["template"], _check_selector(spec)
    if wrong:
        return causes + wrong + [invalid("spec.selector", spec["selector"], "")]
    causes += _check_match(spec, "statefulset") + _check_template({**template, "spec": _own_pod(spec)})
    return causes + _check_restarts(template["spec"], "StatefulSet")


def check_new_stateful_set(body: Body) -> list[Cause]:
    """What is wrong with its claims, which never change."""
    causes: list[Cause] = []
    for index, claim in enumerate(body["spec"].get("volumeClaimTemplates") or ()):
        causes += check_claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
    return causes


def _own_pod(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The template's pod as the controller will make it: a claim's volume takes the place of one of that name."""
    pod = {name: value for name, value in spec["template"]["spec"].items() if name not in {"hostname", "subdomain"}}
    claims = spec.get("volumeClaimTemplates") or ()
    names = dict.fromkeys((claim.get("metadata") or {}).get("name") or "" for claim in claims)
    if names:
        volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
        pod["volumes"] = [*volumes, *(each for each in pod.get("volumes") or () if each.get("name") not in names)]
    return pod


def check_stateful_set_update(new: Body, old: Body) -> list[Cause]:
    if _fixed(new["spec"]) == _fixed(old["spec"]):
        return []
    return [forbidden("spec", f"updates to statefulset spec for fields other than {_LISTED} are forbidden")]


def check_deployment(body: Body) -> list[Cause]:
    spec = body["spec"]
    causes, wrong = not_negative("spec.replicas", spec["replicas"]), _check_selector(spec)
    if wrong:
        causes += [*wrong, invalid("spec.selector", spec["selector"], "invalid label selector")]
    else:
        causes += _check_match(spec, "deployment") + _check_template(spec["template"])
        causes += _check_restarts(spec["template"]["spec"], "ReplicaSet")
    causes += _check_strategy(spec["strategy"])
    for name in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        causes += not_negative(f"spec.{name}", spec.get(name))
    deadline = spec["progressDeadlineSeconds"]
    if deadline <= spec.get("minReadySeconds", 0):
        causes.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def check_deployment_update(new: Body, old: Body) -> list[Cause]:
    selector = new["spec"].get("selector")
    return [] if selector == old["spec"].get("selector") else [invalid("spec.selector", selector, "field is immutable")]


def check_replica_set(body: Body) -> list[Cause]:
    spec = body["spec"]
    causes = not_negative("spec.replicas", spec["replicas"])
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    wrong = _check_selector(spec)
    if wrong:
        return causes + wrong + [invalid("spec.selector", spec["selector"], "invalid label selector")]
    causes += _check_match(spec, "deployment") + _check_template(spec["template"])
    return causes + _check_restarts(spec["template"]["spec"], "ReplicaSet")


def check_status(new: Body, _: Body) -> list[Cause]:
    """What is wrong with the counts that a controller writes."""
    status = new.get("status") or {}
    limited = [name for name in _COUNTS if new["kind"] == "StatefulSet" or name != "currentReplicas"]
    names = ("replicas", *limited, "unavailableReplicas", "observedGeneration", "collisionCount")
    counts = {name: status.get(name) or 0 for name in names}
    causes = [cause for name, count in counts.items() for cause in not_negative(f"status.{name}", count)]
    over = [name for name in limited if counts[name] > counts["replicas"]]
    causes += [invalid(f"status.{name}", counts[name], "cannot be greater than status.replicas") for name in over]
    if counts["availableReplicas"] > counts["readyReplicas"]:
        field = "status.readyReplicas" if new["kind"] == "StatefulSet" else "readyReplicas"
        why = f"cannot be greater than {field}"
        causes.append(invalid("status.availableReplicas", counts["availableReplicas"], why))
    return causes


def check_revision(body: Body) -> list[Cause]:
    return not_negative("revision", body.get("revision"))


def check_new_revision(body: Body) -> list[Cause]:
    data = body.get("data")
    if data is None:
        return [required("data", "data is mandatory")]
    return [] if isinstance(data, dict) else [required("data", "data must be a valid JSON object")]


def check_revision_update(new: Body, old: Body) -> list[Cause]:
    return [] if new.get("data") == old.get("data") else [invalid("data", new.get("data"), "field is immutable")]


def _check_update_strategy(strategy: Mapping[str, Any]) -> list[Cause]:
    kind, rolling, field = strategy["type"], strategy.get("rollingUpdate"), "spec.updateStrategy"
    if kind not in {"RollingUpdate", "OnDelete"}:
        shown = {"Type": kind, "RollingUpdate": _shown_rolling(rolling)}
        return [invalid(field, shown, "must be 'RollingUpdate' or 'OnDelete'")]
    if rolling is None:
        return []
    if kind == "OnDelete":
        why = "only allowed for updateStrategy 'RollingUpdate'"
        return [invalid(f"{field}.rollingUpdate", _shown_rolling(rolling), why)]
    return not_negative(f"{field}.rollingUpdate.partition", rolling["partition"])


def _shown_rolling(rolling: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if rolling is None:
        return None
    return {"Partition": rolling.get("partition", 0), "MaxUnavailable": rolling.get("maxUnavailable")}


def _check_strategy(strategy: Mapping[str, Any]) -> list[Cause]:
    kind, rolling, field = strategy["type"], strategy.get("rollingUpdate"), "spec.strategy"
    if kind == "Recreate":
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [] if rolling is None else [forbidden(f"{field}.rollingUpdate", why)]
    if kind != "RollingUpdate":
        names = {"MaxUnavailable": "maxUnavailable", "MaxSurge": "maxSurge"}
        parts = None if rolling is None else {shown: rolling.get(name, 0) for shown, name in names.items()}
        return [unsupported(field, {"Type": kind, "RollingUpdate": parts}, ("Recreate", "RollingUpdate"))]
    rolling = rolling or {}
    here, surge, unavailable = f"{field}.rollingUpdate", rolling["maxSurge"], rolling["maxUnavailable"]
    causes = _check_share(f"{here}.maxUnavailable", unavailable) + _check_share(f"{here}.maxSurge", surge)
    if _amount(unavailable) == 0 == _amount(surge):
        causes.append(invalid(f"{here}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    if isinstance(unavailable, str) and _amount(unavailable) > 100:
        causes.append(invalid(f"{here}.maxUnavailable", unavailable, "must not be greater than 100%"))
    return causes


def _check_share(field: str, share: int | str) -> list[Cause]:
    if isinstance(share, int):
        return not_negative(field, share)
    return [] if re.fullmatch("[0-9]+%", share) else [invalid(field, share, _PERCENT)]


def _amount(share: int | str) -> int:
    if isinstance(share, int):
        return share
    return saturated(share[:-1]) if re.fullmatch("[0-9]+%", share) else 0


def _check_selector(spec: Mapping[str, Any]) -> list[Cause]:
    """What makes a selector one that cannot be read."""
    return check_label_selector(spec.get("selector") or {}, "spec.selector")


def _check_match(spec: Mapping[str, Any], kind: str) -> list[Cause]:
    """That it selects what the template makes."""
    selector = spec.get("selector")
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if selector is None:
        return [required("spec.selector"), _unmatched(labels)]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [invalid("spec.selector", selector, f"empty selector is invalid for {kind}")]
    return [] if matches_selector(selector, labels) else [_unmatched(labels)]


def _unmatched(labels: Mapping[str, str]) -> Cause:
    field = "spec.template.metadata.labels"
    return invalid(field, labels or None, "`selector` does not match template `labels`")


def _check_template(template: Mapping[str, Any]) -> list[Cause]:
    labels = (template.get("metadata") or {}).get("labels") or {}
    causes = validate_labels("spec.template.labels", labels)
    causes += check_template(template["spec"], "spec.template.spec")
    return causes + check_pod_spec(template["spec"], "spec.template.spec")


def _check_restarts(spec: Mapping[str, Any], owner: str) -> list[Cause]:
    field = "spec.template.spec"
    causes = one_of(f"{field}.restartPolicy", spec["restartPolicy"], ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {owner} is not Supported"
        causes.append(forbidden(f"{field}.activeDeadlineSeconds", why))
    return causes


def _fixed(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in _MUTABLE}
