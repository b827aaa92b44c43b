"""The rules of pods, and of pod templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.collection import Body
from btcctl.apiserver.metadata import label_name
from btcctl.apiserver.statuses import Cause

_MUTABLE = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_TOLERATION_SECONDS = 300  # DefaultTolerationSeconds admission plugin


def default_pod(body: dict[str, Any]) -> None:
    spec = body["spec"] = dict(body.get("spec") or {})
    default_pod_spec(spec)
    account = spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", account)
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(each.get("key") in {key, None, ""} for each in tolerations):
            effect = {"key": key, "operator": "Exists", "effect": "NoExecute"}
            tolerations.append({**effect, "tolerationSeconds": _TOLERATION_SECONDS})
    spec.setdefault("priority", 0)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")


def default_pod_spec(spec: dict[str, Any]) -> None:
    """The defaults that templates get as well, in place."""
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            _default_container(container)
    spec.setdefault("restartPolicy", "Always")
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    for volume in spec.get("volumes") or ():
        for source in ("secret", "configMap", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 420)


def check_pod(body: Body) -> list[Cause]:
    return check_pod_spec(body["spec"], "spec")


def check_pod_spec(spec: Mapping[str, Any], field: str) -> list[Cause]:
    """What is wrong with a pod's spec, or with a template's at `field`."""
    containers = spec.get("containers") or []
    causes = [] if containers else [Cause("FieldValueRequired", "Required value", f"{field}.containers")]
    policy = spec.get("restartPolicy")
    if field == "spec" and policy not in _RESTART_POLICIES:
        supported = ", ".join(f'"{each}"' for each in _RESTART_POLICIES)
        message = f'Unsupported value: "{policy}": supported values: {supported}'
        causes.append(Cause("FieldValueNotSupported", message, f"{field}.restartPolicy"))
    names = set()
    for index, container in enumerate(containers):
        here = f"{field}.containers[{index}]"
        causes += _check_container(container, here)
        name = container.get("name")
        if name and name in names:
            causes.append(Cause("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{here}.name"))
        names.add(name)
    return causes


def check_pod_update(new: Body, old: Body) -> list[Cause]:
    if _immutable_part(new["spec"]) != _immutable_part(old["spec"]):
        return [Cause("FieldValueForbidden", _MUTABLE, "spec")]
    return []


def _immutable_part(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        key: value
        for key, value in spec.items()
        if key not in {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}
    }
    for name in ("containers", "initContainers"):
        if name in kept:
            kept[name] = [{**container, "image": ""} for container in kept[name] or ()]
    return kept


def _default_container(container: dict[str, Any]) -> None:
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    container.setdefault("resources", {})
    for name in _PROBES:
        probe = container.get(name)
        if probe:
            _default_probe(probe)
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if isinstance(reference, dict):
            reference.setdefault("apiVersion", "v1")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image") or ""))


def _default_probe(probe: dict[str, Any]) -> None:
    for name, value in {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}.items():
        if not probe.get(name):
            probe[name] = value
    request = probe.get("httpGet")
    if isinstance(request, dict):
        request.setdefault("path", "/")
        request.setdefault("scheme", "HTTP")


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in {"", "latest"} and "@" not in image else "IfNotPresent"


def _check_container(container: Mapping[str, Any], field: str) -> list[Cause]:
    causes = []
    name = container.get("name")
    if not name:
        causes.append(Cause("FieldValueRequired", "Required value", f"{field}.name"))
    else:
        complaints = label_name(name)
        causes += [
            Cause("FieldValueInvalid", f'Invalid value: "{name}": {each}', f"{field}.name") for each in complaints
        ]
    if not container.get("image"):
        causes.append(Cause("FieldValueRequired", "Required value", f"{field}.image"))
    for index, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort") or 0
        if not 0 < number < 65536:
            message = f"Invalid value: {number}: must be between 1 and 65535, inclusive"
            causes.append(Cause("FieldValueInvalid", message, f"{field}.ports[{index}].containerPort"))
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            causes.append(Cause("FieldValueRequired", "Required value", f"{field}.env[{index}].name"))
    return causes
