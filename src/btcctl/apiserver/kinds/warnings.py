"""What a real server warns of in objects that are valid. Source: pkg/api/{service,pod}/warnings.go of 1.36.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from btcctl.apiserver.machinery.gofmt import plain, quoted
from btcctl.apiserver.machinery.names import label_name
from btcctl.apiserver.machinery.quantities import parse_quantity
from btcctl.apiserver.storage.collection import Body

_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_GONE = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_MOST_TOLD = 1_000
_WHOLE = ("memory", "ephemeral-storage")


def of_service(new: Body, _: Body | None) -> list[str]:
    return list(_of_service(new["metadata"].get("annotations") or {}, new["spec"]))


def of_pod(new: Body, old: Body | None) -> list[str]:
    name = [] if old is not None else _of_name(new, "the Pod's hostname")
    return name + _first(_of_pod_spec(new["spec"], "spec"))


def _of_name(new: Body, where: str) -> list[str]:
    complaints = label_name(new.get("metadata", {}).get("name") or "a")
    why = f"this is used in {where}, which can result in surprising behavior"
    return [f"metadata.name: {why}; a DNS label is recommended: {plain(complaints)}"] if complaints else []


def of_workload(new: Body, old: Body | None) -> list[str]:
    """What Deployments, ReplicaSets and Jobs are warned of."""
    found = [] if old is not None else _of_name(new, "Pod names and hostnames")
    return found + _of_template(new, old)


def of_stateful_set(new: Body, old: Body | None) -> list[str]:
    found = _of_template(new, old)
    if new["spec"]["revisionHistoryLimit"] < 0:
        why = "a negative value retains all historical revisions; a value >= 0 is recommended"
        found.append(f"spec.revisionHistoryLimit: {why}")
    return found


def _of_template(new: Body, old: Body | None) -> list[str]:
    if old is None or new["spec"] != old["spec"]:
        return _first(_of_pod_spec(new["spec"]["template"]["spec"], "spec.template.spec"))
    return []


def _first(texts: Iterator[str]) -> list[str]:
    """Those of a pod that a header has room for, and more: thousands of ports may come to millions of warnings."""
    return list(islice(texts, _MOST_TOLD))


def _of_service(annotations: Mapping[str, str], spec: Mapping[str, Any]) -> Iterator[str]:
    kind, is_headless = spec["type"], spec["type"] == "ClusterIP" and spec.get("clusterIP") == "None"
    if _HINTS in annotations:
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    if is_headless:
        for name in ("loadBalancerIP", "externalIPs"):
            if spec.get(name):
                yield f"spec.{name} is ignored for headless services"
        if spec["sessionAffinity"] != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.get("externalIPs") and not is_headless and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if kind == "ExternalName" and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _of_pod_spec(spec: Mapping[str, Any], field: str) -> Iterator[str]:
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        if constraint.get("labelSelector") is None:
            here = f"{field}.topologySpreadConstraints[{index}].labelSelector"
            yield f"{here}: a null labelSelector results in matching no pod"
    for index, volume in enumerate(spec.get("volumes") or ()):
        yield from (f"{field}.volumes[{index}].{kind}: {why}" for kind, why in _GONE.items() if volume.get(kind))
        for source in (volume.get("projected") or {}).get("sources") or ():
            if not any(each is not None for each in source.values()):
                yield f"volume {quoted(volume.get('name', ''))} (Projected) has no sources provided"
    yield from _of_repeated(spec.get("hostAliases") or [], "ip", f"{field}.hostAliases")
    yield from _of_repeated(spec.get("imagePullSecrets") or [], "name", f"{field}.imagePullSecrets")
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            yield f'{field}.imagePullSecrets[{index}].name: invalid empty name ""'
    containers = list(_containers(spec, field))
    for container, here in containers:
        yield from _of_resources(container.get("resources") or {}, f"{here}.resources")
        yield from _of_variables(container.get("env") or [], f"{here}.env")
    yield from _of_ports(containers)
    yield from _of_port_names(containers)
    if spec["terminationGracePeriodSeconds"] < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{field}.terminationGracePeriodSeconds: {why}"


def _containers(spec: Mapping[str, Any], field: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    for name in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(name) or ()):
            yield container, f"{field}.{name}[{index}]"


def _of_repeated(items: list[Any], key: str, field: str) -> Iterator[str]:
    seen = set()
    for index, item in enumerate(items):
        value = item.get(key, "")
        if value in seen:
            yield f'{field}[{index}].{key}: duplicate {key} "{value}"'
        seen.add(value)


def _of_resources(resources: Mapping[str, Any], field: str) -> Iterator[str]:
    for name in _WHOLE:
        for what in ("limits", "requests"):
            amount = (resources.get(what) or {}).get(name)
            if amount is not None and parse_quantity(amount).amount % 1:
                yield f'{field}.{what}[{name}]: fractional byte value "{amount}" is invalid, must be an integer'


def _of_variables(variables: list[Any], field: str) -> Iterator[str]:
    seen = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value", "")
        old = f"$({name})"
        if name in seen and (variable.get("valueFrom") is not None or value == old or old not in value):
            why = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{field}[{index}]: {why}"
        seen.add(name)


def _of_ports(containers: list[tuple[Mapping[str, Any], str]]) -> Iterator[str]:
    """Ports that two containers, or one twice, say they listen on."""
    known: dict[tuple[Any, Any], _Listeners] = {}
    for container, field in containers:
        for index, port in enumerate(container.get("ports") or ()):
            here = f"{field}.ports[{index}]"
            others = known.setdefault((port.get("containerPort"), port.get("protocol")), _Listeners())
            for there, what in others.overlapping(port):
                yield f"{here}: {what} port definition with {there}"
            others.add(port, here)


_Listener = tuple[int, Mapping[str, Any], str]  # who came when, and stands where


class _Listeners:
    """Who listens on one port of a pod; nobody is looked at who does not overlap: there may be thousands."""

    def __init__(self) -> None:
        self._count = 0
        self._by_host_port: dict[int, list[_Listener]] = {}
        self._by_address: dict[tuple[str, int], list[_Listener]] = {}

    def add(self, port: Mapping[str, Any], field: str) -> None:
        one = (self._count, port, field)
        self._count += 1
        self._by_host_port.setdefault(port.get("hostPort", 0), []).append(one)
        self._by_address.setdefault(_address(port), []).append(one)

    def overlapping(self, port: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Where each stands that overlaps with another, and how it does; in the order in which they came."""
        address, host_port = _address(port)
        if not host_port:
            found = list(self._by_host_port.values())
        elif address:
            found = [self._by_address.get((each, host_port), []) for each in (address, "")]
        else:
            found = [self._by_host_port.get(host_port, [])]
        if host_port:
            found.append(self._by_host_port.get(0, []))
        for _, other, there in merge(*found, key=itemgetter(0)):
            yield there, _overlap(port, other)


def _address(port: Mapping[str, Any]) -> tuple[str, int]:
    return port.get("hostIP", ""), port.get("hostPort", 0)


def _overlap(port: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """How two ports overlap of which one has no port of a node, or both have the same and one has any address."""
    if _address(port) == _address(other):
        return "duplicate"
    return "dangerously ambiguous" if port.get("hostPort") and other.get("hostPort") else "overlapping"


def _of_port_names(containers: list[tuple[Mapping[str, Any], str]]) -> Iterator[str]:
    known: dict[str, str] = {}
    for container, field in containers:
        for index, port in enumerate(container.get("ports") or ()):
            name, here = port.get("name"), f"{field}.ports[{index}]"
            if name in known:
                there = known[name]
                why = f"services and probes that select ports by name will use {there}"
                yield f'{here}: duplicate port name "{name}" with {there}, {why}'
            elif name:
                known[name] = here
