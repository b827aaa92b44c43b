"""The rules of containers, in pods and in their templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import (
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_negative,
    one_of,
    required,
    unsupported,
)
from btcctl.apiserver.machinery.names import label_name, qualified_name_complaints, subdomain_name
from btcctl.apiserver.machinery.ports import PROTOCOLS, port_name_complaints, port_number, port_number_or_name
from btcctl.apiserver.machinery.quantities import parse_quantity

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_STANDARD_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_NOT_FOR_DEBUGGERS = (
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    *_PROBES,
    "lifecycle",
)
_RESIZED, _RESIZE_POLICIES = ("cpu", "memory"), ("NotRequired", "RestartContainer")
_NO_DEBUGGERS = "cannot be set for an Ephemeral Container"
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def check_containers(spec: Mapping[str, Any], field: str, volumes: set[str]) -> list[Cause]:
    """What is wrong with the containers of a pod's spec.

    Args:
        volumes: The names of what may be mounted.
    """
    containers, first = spec.get("containers") or [], spec.get("initContainers") or []
    causes = [] if containers else [required(f"{field}.containers")]
    names: set[str] = set()
    for index, container in enumerate(containers):
        here = f"{field}.containers[{index}]"
        causes += _check_container(container, here, volumes) + _check_name(container, here, names)
        causes += _check_runs(container, here, spec["terminationGracePeriodSeconds"])
    causes += _check_host_ports(containers, f"{field}.containers")
    for index, container in enumerate(first):
        here = f"{field}.initContainers[{index}]"
        causes += _check_container(container, here, volumes) + _check_name(container, here, names)
        causes += _check_init(container, here, spec["terminationGracePeriodSeconds"]) + _check_host_ports(
            [container], f"{field}.initContainers"
        )
    for name in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(name) or ()):
            causes += _check_resizing(
                container.get("resizePolicy") or [], f"{field}.{name}[{index}].resizePolicy", spec
            )
    debuggers = f"{field}.ephemeralContainers"
    return causes + list(_check_debuggers(spec.get("ephemeralContainers") or [], debuggers, names, volumes))


def _check_resizing(policies: list[Any], field: str, spec: Mapping[str, Any]) -> Iterator[Cause]:
    """What is said of how a container takes other resources."""
    seen = set()
    for index, policy in enumerate(policies):
        resource, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if resource in seen:
            yield duplicate(f"{field}[{index}]", resource)
        seen.add(resource)
        for value, known in ((resource, _RESIZED), (restart, _RESIZE_POLICIES)):
            if not value:
                yield required(field)
            elif value not in known:
                yield unsupported(field, value, known)
        if spec["restartPolicy"] == "Never" and restart != "NotRequired":
            yield invalid(field, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")


def _check_debuggers(containers: list[Any], field: str, names: set[str], volumes: set[str]) -> Iterator[Cause]:
    """Containers that are not part of what the pod is for.

    Args:
        names: Of the others; these are added.
    """
    others = set(names)
    for index, container in enumerate(containers):
        here, target = f"{field}[{index}]", container.get("targetContainerName")
        yield from _check_container(container, here, volumes) + _check_name(container, here, names)
        if target and target not in others:
            yield not_found(f"{here}.targetContainerName", target)
        for name in _NOT_FOR_DEBUGGERS:
            if container.get(name) not in (None, {}, []):
                yield forbidden(f"{here}.{name}", _NO_DEBUGGERS)
        for at, mount in enumerate(container.get("volumeMounts") or ()):
            for name in ("subPath", "subPathExpr"):
                if mount.get(name):
                    yield forbidden(f"{here}.volumeMounts[{at}].{name}", _NO_DEBUGGERS)


def _check_name(container: Mapping[str, Any], field: str, names: set[str]) -> list[Cause]:
    name = container.get("name", "")
    found = [duplicate(f"{field}.name", name)] if name in names else []
    names.add(name)
    return found


def _check_container(container: Mapping[str, Any], field: str, volumes: set[str]) -> list[Cause]:
    name = container.get("name")
    causes = (
        [invalid(f"{field}.name", name, each) for each in label_name(name)] if name else [required(f"{field}.name")]
    )
    causes += [] if container.get("image") else [required(f"{field}.image")]
    policies = ("File", "FallbackToLogsOnError")
    causes += one_of(f"{field}.terminationMessagePolicy", container["terminationMessagePolicy"], policies)
    causes += _check_ports(container.get("ports") or [], f"{field}.ports")
    for index, variable in enumerate(container.get("env") or ()):
        causes += _check_variable(variable, f"{field}.env[{index}]")
    for index, source in enumerate(container.get("envFrom") or ()):
        causes += _check_whole_source(source, f"{field}.envFrom", index)
    causes += _check_mounts(container.get("volumeMounts") or [], f"{field}.volumeMounts", volumes)
    causes += one_of(f"{field}.imagePullPolicy", container["imagePullPolicy"], _PULL_POLICIES)
    return causes + check_resources(container.get("resources") or {}, f"{field}.resources")


def _check_ports(ports: list[Any], field: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        here, name = f"{field}[{index}]", port.get("name")
        complaints = port_name_complaints(name) if name else []
        causes += [invalid(f"{here}.name", name, each) for each in complaints]
        if name and not complaints:
            causes += [duplicate(f"{here}.name", name)] if name in names else []
            names.add(name)
        number = port.get("containerPort")
        causes += port_number(f"{here}.containerPort", number) if number else [required(f"{here}.containerPort")]
        causes += port_number(f"{here}.hostPort", port["hostPort"]) if port.get("hostPort") else []
        causes += one_of(f"{here}.protocol", port["protocol"], PROTOCOLS)
    return causes


def _check_host_ports(containers: Iterable[Mapping[str, Any]], field: str) -> list[Cause]:
    causes, seen = [], set()
    for at, container in enumerate(containers):
        for index, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            taken = f"{port['protocol']}/{port.get('hostIP', '')}/{port['hostPort']}"
            if taken in seen:
                causes.append(duplicate(f"{field}[{at}].ports[{index}].hostPort", taken))
            seen.add(taken)
    return causes


def _check_variable(variable: Mapping[str, Any], field: str) -> list[Cause]:
    name, source = variable.get("name"), variable.get("valueFrom")
    causes = [] if name else [required(f"{field}.name")]
    if name and not all(" " <= each <= "~" and each != "=" for each in name):
        why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
        causes.append(invalid(f"{field}.name", name, why))
    if source is None:
        return causes
    return causes + _check_source(variable, source, f"{field}.valueFrom")


def _check_whole_source(source: Mapping[str, Any], field: str, index: int) -> list[Cause]:
    given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    causes = [required(f"{field}[{index}].{name}.name") for name in given if not source[name].get("name")]
    if not given:
        return [invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")]
    if len(given) > 1:
        causes.append(invalid(field, "", "may not have more than one field specified at a time"))
    return causes


def _check_source(variable: Mapping[str, Any], source: Mapping[str, Any], field: str) -> list[Cause]:
    given = [name for name in _SOURCES if source.get(name) is not None]
    causes: list[Cause] = []
    for name in given:
        causes += _check_reference(name, source[name], f"{field}.{name}")
    if not given:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        causes.append(invalid(field, "", f"must specify one of: {listed}"))
    elif variable.get("value"):
        causes.append(invalid(field, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        causes.append(invalid(field, "", "may not have more than one field specified at a time"))
    return causes


def _check_reference(kind: str, reference: Mapping[str, Any], field: str) -> list[Cause]:
    if kind == "fieldRef":
        return _check_field_path(reference.get("fieldPath"), field)
    if kind not in {"configMapKeyRef", "secretKeyRef"}:
        return []
    name, key = reference.get("name", ""), reference.get("key")
    causes = [invalid(f"{field}.name", name, each) for each in subdomain_name(name)]
    if not key:
        return [*causes, required(f"{field}.key")]
    if _KEY.fullmatch(key):
        return causes
    why = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        f"'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY.pattern}')"
    )
    return [*causes, invalid(f"{field}.key", key, why)]


def _check_field_path(path: str | None, field: str) -> list[Cause]:
    if not path:
        return [required(f"{field}.fieldPath")]
    found = re.fullmatch(r"(metadata\.(?:annotations|labels))\['(.*)'\]", path)
    if found is not None:
        key = found[2].lower() if found[1].endswith("annotations") else found[2]
        return [invalid(field, key, each) for each in qualified_name_complaints(key)]
    if path in {"metadata.annotations", "metadata.labels"} or path in _FIELD_PATHS:
        return [] if path in _FIELD_PATHS else [unsupported(f"{field}.fieldPath", path, _FIELD_PATHS)]
    why = f"error converting fieldPath: field label not supported: {path}"
    return [invalid(f"{field}.fieldPath", path, why)]


def _check_mounts(mounts: list[Any], field: str, volumes: set[str]) -> list[Cause]:
    causes, seen = [], set()
    for index, mount in enumerate(mounts):
        here, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        causes += [] if name else [required(f"{here}.name")]
        causes += [] if name in volumes else [not_found(f"{here}.name", name)]
        causes += [] if path else [required(f"{here}.mountPath")]
        causes += [invalid(f"{here}.mountPath", path, "must be unique")] if path in seen else []
        seen.add(path)
        causes += _check_below(mount.get("subPath", ""), f"{field}.subPath")
    return causes


def _check_below(path: str, field: str) -> list[Cause]:
    causes = [invalid(field, path, "must be a relative path")] if path.startswith("/") else []
    if ".." in path.split("/"):
        causes.append(invalid(field, path, "must not contain '..'"))
    return causes


def check_resources(resources: Mapping[str, Any], field: str) -> list[Cause]:
    """What is wrong with requests and limits."""
    limits, causes = resources.get("limits") or {}, []
    for what in ("limits", "requests"):
        for name, amount in (resources.get(what) or {}).items():
            causes += _check_resource(name, amount, f"{field}.{what}[{name}]")
    for name, amount in (resources.get("requests") or {}).items():
        limit = limits.get(name)
        if limit is None or parse_quantity(amount).amount <= parse_quantity(limit).amount:
            continue
        causes.append(invalid(f"{field}.requests", amount, f"must be less than or equal to {name} limit of {limit}"))
    return causes


def _check_resource(name: str, amount: str, field: str) -> list[Cause]:
    causes = [invalid(field, name, each) for each in qualified_name_complaints(name)]
    if not causes and "/" not in name and name not in _STANDARD_RESOURCES and not name.startswith("hugepages-"):
        why = ("must be a standard resource type or fully qualified", "must be a standard resource for containers")
        causes = [invalid(field, name, each) for each in why]
    if parse_quantity(amount).amount < 0:
        causes.append(invalid(field, amount, "must be greater than or equal to 0"))
    return causes


def _check_runs(container: Mapping[str, Any], field: str, grace_seconds: int) -> list[Cause]:
    """What only containers that keep running may have."""
    causes: list[Cause] = []
    for when in ("postStart", "preStop"):
        handler = (container.get("lifecycle") or {}).get(when)
        causes += [] if handler is None else _check_handler(handler, f"{field}.lifecycle.{when}")
        seconds = ((handler or {}).get("sleep") or {}).get("seconds", 0)
        if not 0 <= seconds <= max(grace_seconds, 0):
            why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
            causes.append(invalid(f"{field}.lifecycle.{when}.sleep", seconds, why))
    for name in _PROBES:
        if container.get(name) is not None:
            causes += _check_probe(name, container[name], f"{field}.{name}")
    return causes


def _check_init(container: Mapping[str, Any], field: str, grace_seconds: int) -> list[Cause]:
    if container.get("restartPolicy") == "Always":
        return _check_runs(container, field, grace_seconds)
    why = "may not be set for init containers without restartPolicy=Always"
    return [forbidden(f"{field}.{name}", why) for name in ("lifecycle", *_PROBES) if container.get(name) is not None]


def _check_probe(name: str, probe: Mapping[str, Any], field: str) -> list[Cause]:
    causes = _check_handler(probe, field)
    for each in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        causes += not_negative(f"{field}.{each}", probe.get(each))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        causes.append(invalid(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    if name == "readinessProbe":
        why = "must not be set for readinessProbes"
        causes += [] if grace is None else [invalid(f"{field}.terminationGracePeriodSeconds", grace, why)]
    elif probe["successThreshold"] != 1:
        causes.append(invalid(f"{field}.successThreshold", probe["successThreshold"], "must be 1"))
    return causes


def _check_handler(handler: Mapping[str, Any], field: str) -> list[Cause]:
    given = [name for name in _HANDLERS if handler.get(name) is not None]
    if not given:
        return [required(field, "must specify a handler type")]
    causes = _check_action(given[0], handler[given[0]], f"{field}.{given[0]}")
    return causes + [forbidden(f"{field}.{name}", "may not specify more than 1 handler type") for name in given[1:]]


def _check_action(kind: str, action: Mapping[str, Any], field: str) -> list[Cause]:
    if kind == "exec":
        return [] if action.get("command") else [required(f"{field}.command")]
    if kind == "httpGet":
        schemes = ("HTTP", "HTTPS")
        causes = port_number_or_name(f"{field}.port", action.get("port"))
        return causes + one_of(f"{field}.scheme", action.get("scheme"), schemes)
    if kind == "tcpSocket":
        return port_number_or_name(f"{field}.port", action.get("port"))
    return port_number(f"{field}.port", action.get("port")) if kind == "grpc" else []
