"""The rules of containers, in pods and in their templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds.pods.resources import check_claims, check_resources
from btcctl.apiserver.kinds.pods.variables import check_environment
from btcctl.apiserver.kinds.pods.volumes import check_mounts
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
from btcctl.apiserver.machinery.names import label_name
from btcctl.apiserver.machinery.ports import PROTOCOLS, port_name_complaints, port_number, port_number_or_name

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
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
_HEADER_NAME = "[-A-Za-z0-9]+"


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
    claims = {each.get("name", "") for each in spec.get("resourceClaims") or ()}
    for name in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(name) or ()):
            here = f"{field}.{name}[{index}]"
            causes += _check_resizing(container.get("resizePolicy") or [], f"{here}.resizePolicy", spec)
            causes += check_claims(container.get("resources") or {}, claims, f"{here}.resources")
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
    causes += check_environment(container, field)
    causes += check_mounts(container, f"{field}.volumeMounts", volumes)
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
        causes += one_of(f"{field}.scheme", action.get("scheme"), schemes)
        return causes + _check_headers(action.get("httpHeaders") or [], f"{field}.httpHeaders")
    if kind == "tcpSocket":
        return port_number_or_name(f"{field}.port", action.get("port"))
    return port_number(f"{field}.port", action.get("port")) if kind == "grpc" else []


def _check_headers(headers: list[Any], field: str) -> list[Cause]:
    why = (
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
        f"validation is '{_HEADER_NAME}')"
    )
    names = [each.get("name", "") for each in headers]
    return [invalid(field, name, why) for name in names if not re.fullmatch(_HEADER_NAME, name)]
