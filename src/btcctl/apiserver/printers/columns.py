"""The columns of the built-in kinds, as `kubectl get` shows them.

Source: pkg/printers/internalversion/printers.go of Kubernetes, whose wording of states users
know by heart, and duration.HumanDuration of k8s.io/apimachinery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from btcctl import resources
from btcctl.resources import ResourceType

Body = Mapping[str, Any]
Cell = Callable[[Body, datetime], Any]

_NONE = "<none>"
_UNKNOWN = "<unknown>"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY
_ACCESS_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_ROLE_LABEL = "node-role.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and how a cell is made of an object at an instant."""

    name: str
    cell: Cell
    description: str = ""
    priority: int = 0  #: 1 is shown with `-o wide` only
    type: str = "string"
    format: str = ""


def human_duration(seconds: float) -> str:
    """A duration in two or three characters' worth: 5s, 3m20s, 47m, 5h3m, 2d4h, 3y12d."""
    total = int(seconds)
    if total < 0:
        return "0s" if seconds > -2 else "<invalid>"
    for limit, unit, letter, rest, rest_letter in (
        (2 * _MINUTE, 1, "s", 0, ""),
        (10 * _MINUTE, _MINUTE, "m", 1, "s"),
        (3 * _HOUR, _MINUTE, "m", 0, ""),
        (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
        (2 * _DAY, _HOUR, "h", 0, ""),
        (8 * _DAY, _DAY, "d", _HOUR, "h"),
        (2 * _YEAR, _DAY, "d", 0, ""),
        (8 * _YEAR, _YEAR, "y", _DAY, "d"),
    ):
        if total < limit:
            left = total % unit // rest if rest else 0
            return f"{total // unit}{letter}" + (f"{left}{rest_letter}" if left else "")
    return f"{total // _YEAR}y"


def age_of(timestamp: str | None, now: datetime) -> str:
    """How long ago an RFC 3339 instant was."""
    if not timestamp:
        return _UNKNOWN
    try:
        return human_duration((now - datetime.fromisoformat(timestamp)).total_seconds())
    except (ValueError, TypeError):
        return "<invalid>"


def dig(body: Any, *path: str, default: Any = None) -> Any:
    """What is at a path of keys; `default` if that is absent or null."""
    for key in path:
        body = body.get(key) if isinstance(body, Mapping) else None
    return default if body is None else body


def _at(*path: str, default: Any = _NONE) -> Cell:
    return lambda body, _: dig(body, *path, default=default) or default


def _count(*path: str) -> Cell:
    return lambda body, _: len(dig(body, *path, default=()))


def _age(*path: str) -> Cell:
    return lambda body, now: age_of(dig(body, *path), now)


def _plain(make: Callable[[Body], Any]) -> Cell:
    return lambda body, _: make(body)


def _joined(texts: Iterable[Any]) -> str:
    return ",".join(str(text) for text in texts) or _NONE


NAME = Column("Name", _at("metadata", "name", default=""), format="name")
AGE = Column("Age", _age("metadata", "creationTimestamp"))


def pod_status(pod: Body) -> str:
    """The STATUS column: the phase, or what keeps the pod from running."""
    reason = dig(pod, "status", "reason") or dig(pod, "status", "phase", default="")
    running = False
    for container in reversed(dig(pod, "status", "containerStatuses", default=[])):
        state = container.get("state") or {}
        terminated = state.get("terminated") or {}
        if dig(state, "waiting", "reason"):
            reason = state["waiting"]["reason"]
        elif terminated:
            reason = terminated.get("reason") or _ending(terminated)
        elif container.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        reason = "Running"
    if pod["metadata"].get("deletionTimestamp") and dig(pod, "status", "phase") not in {"Succeeded", "Failed"}:
        return "Unknown" if reason == "NodeLost" else "Terminating"
    return str(reason)


def _ending(terminated: Body) -> str:
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _pod_ready(pod: Body) -> str:
    statuses = dig(pod, "status", "containerStatuses", default=[])
    ready = sum(1 for each in statuses if each.get("ready") and "running" in (each.get("state") or {}))
    return f"{ready}/{len(dig(pod, 'spec', 'containers', default=[]))}"


def _pod_restarts(pod: Body, now: datetime) -> str:
    statuses = dig(pod, "status", "containerStatuses", default=[])
    restarts = sum(each.get("restartCount", 0) for each in statuses)
    ends = [end for each in statuses if (end := dig(each, "lastState", "terminated", "finishedAt"))]
    return f"{restarts} ({age_of(max(ends), now)} ago)" if restarts and ends else f"{restarts}"


def _readiness_gates(pod: Body) -> str:
    gates = [gate["conditionType"] for gate in dig(pod, "spec", "readinessGates", default=[])]
    met = {each["type"] for each in dig(pod, "status", "conditions", default=[]) if each.get("status") == "True"}
    return f"{sum(gate in met for gate in gates)}/{len(gates)}" if gates else _NONE


def _claim_status(claim: Body) -> str:
    if claim["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str(dig(claim, "status", "phase", default=""))


def _claim_capacity(claim: Body) -> str:
    """Known only of a claim that has a volume."""
    return str(dig(claim, "status", "capacity", "storage", default="0")) if dig(claim, "spec", "volumeName") else ""


def _access_modes(claim: Body) -> str:
    modes = dig(claim, "status", "accessModes", default=()) if dig(claim, "spec", "volumeName") else ()
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in modes)


def _bound(budget: Body, name: str) -> str:
    return str(dig(budget, "spec", name, default="N/A"))


def _ready_replicas(workload: Body) -> str:
    return f"{dig(workload, 'status', 'readyReplicas', default=0)}/{dig(workload, 'spec', 'replicas', default=0)}"


def _containers(field: str) -> Cell:
    path = ("spec", "template", "spec", "containers")
    return lambda body, _: _joined(each.get(field, "") for each in dig(body, *path, default=()))


def _selector(labels: Mapping[str, str] | None) -> str:
    return _joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def _external_ip(service: Body) -> str:
    if dig(service, "spec", "type") == "ExternalName":
        return str(dig(service, "spec", "externalName", default=_NONE))
    ingress = dig(service, "status", "loadBalancer", "ingress", default=[])
    addresses = [each.get("ip") or each.get("hostname", "") for each in ingress]
    pending = dig(service, "spec", "type") == "LoadBalancer"
    found = addresses + dig(service, "spec", "externalIPs", default=[])
    return _joined(found) if found else ("<pending>" if pending else _NONE)


def _ports(service: Body) -> str:
    return _joined(_port(port) for port in dig(service, "spec", "ports", default=[]))


def _port(port: Body) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{node_port}/{port.get('protocol', 'TCP')}"


def _node_status(node: Body) -> str:
    conditions = {each["type"]: each["status"] for each in dig(node, "status", "conditions", default=[])}
    ready = {"True": "Ready", "False": "NotReady"}.get(conditions.get("Ready", ""), "Unknown")
    return f"{ready},SchedulingDisabled" if dig(node, "spec", "unschedulable") else ready


def _node_roles(node: Body) -> str:
    labels = dig(node, "metadata", "labels", default={})
    return _joined(sorted(label.removeprefix(_ROLE_LABEL) for label in labels if label.startswith(_ROLE_LABEL)))


def _node_address(kind: str) -> Cell:
    def cell(node: Body, _: datetime) -> str:
        addresses = dig(node, "status", "addresses", default=[])
        return next((str(each["address"]) for each in addresses if each.get("type") == kind), _NONE)

    return cell


def _event_last_seen(event: Body, now: datetime) -> str:
    series_time = dig(event, "series", "lastObservedTime")
    return age_of(series_time or event.get("lastTimestamp") or event.get("eventTime"), now)


def _event_first_seen(event: Body, now: datetime) -> str:
    return age_of(event.get("firstTimestamp") or event.get("eventTime"), now)


def _event_object(event: Body) -> str:
    return (
        f"{dig(event, 'involvedObject', 'kind', default='').lower()}/{dig(event, 'involvedObject', 'name', default='')}"
    )


def _event_source(event: Body) -> str:
    component = dig(event, "source", "component") or event.get("reportingComponent")
    host = dig(event, "source", "host") or event.get("reportingInstance")
    return ", ".join(part for part in (component, host) if part)


def _controller(revision: Body) -> str:
    owners = dig(revision, "metadata", "ownerReferences", default=[])
    owner = next((each for each in owners if each.get("controller")), None)
    if owner is None:
        return _NONE
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"


def _subjects(kind: str) -> Cell:
    def cell(binding: Body, _: datetime) -> str:
        found = [each for each in dig(binding, "subjects", default=[]) if each.get("kind") == kind]
        named = ("/".join(filter(None, (each.get("namespace", ""), each["name"]))) for each in found)
        return ", ".join(named)

    return cell


def _role_reference(binding: Body) -> str:
    return f"{dig(binding, 'roleRef', 'kind', default='')}/{dig(binding, 'roleRef', 'name', default='')}"


def _wide(name: str, cell: Cell, *, format: str = "") -> Column:  # noqa: A002  # the API's own word
    return Column(name, cell, priority=1, format=format)


_CREATED_AT = Column("Created At", _at("metadata", "creationTimestamp", default=""), type="date")
_BINDING = (
    NAME,
    Column("Role", _plain(_role_reference)),
    AGE,
    _wide("Users", _subjects("User")),
    _wide("Groups", _subjects("Group")),
    _wide("ServiceAccounts", _subjects("ServiceAccount")),
)
_TEMPLATE = (_wide("Containers", _containers("name")), _wide("Images", _containers("image")))

BUILT_IN_COLUMNS: Mapping[ResourceType, tuple[Column, ...]] = {
    resources.PODS: (
        NAME,
        Column("Ready", _plain(_pod_ready)),
        Column("Status", _plain(pod_status)),
        Column("Restarts", _pod_restarts),
        AGE,
        _wide("IP", _at("status", "podIP")),
        _wide("Node", _at("spec", "nodeName")),
        _wide("Nominated Node", _at("status", "nominatedNodeName")),
        _wide("Readiness Gates", _plain(_readiness_gates)),
    ),
    resources.STATEFUL_SETS: (NAME, Column("Ready", _plain(_ready_replicas)), AGE, *_TEMPLATE),
    resources.DEPLOYMENTS: (
        NAME,
        Column("Ready", _plain(_ready_replicas)),
        Column("Up-to-date", _at("status", "updatedReplicas", default=0)),
        Column("Available", _at("status", "availableReplicas", default=0)),
        AGE,
        *_TEMPLATE,
        _wide("Selector", _plain(lambda body: _selector(dig(body, "spec", "selector", "matchLabels")))),
    ),
    resources.REPLICA_SETS: (
        NAME,
        Column("Desired", _at("spec", "replicas", default=0), type="integer"),
        Column("Current", _at("status", "replicas", default=0), type="integer"),
        Column("Ready", _at("status", "readyReplicas", default=0), type="integer"),
        AGE,
        *_TEMPLATE,
        _wide("Selector", _plain(lambda body: _selector(dig(body, "spec", "selector", "matchLabels")))),
    ),
    resources.CONTROLLER_REVISIONS: (
        NAME,
        Column("Controller", _plain(_controller)),
        Column("Revision", _at("revision", default=0)),
        AGE,
    ),
    resources.SERVICES: (
        NAME,
        Column("Type", _at("spec", "type")),
        Column("Cluster-IP", _at("spec", "clusterIP")),
        Column("External-IP", _plain(_external_ip)),
        Column("Port(s)", _plain(_ports)),
        AGE,
        _wide("Selector", _plain(lambda body: _selector(dig(body, "spec", "selector")))),
    ),
    resources.NAMESPACES: (NAME, Column("Status", _at("status", "phase", default="")), AGE),
    resources.NODES: (
        NAME,
        Column("Status", _plain(_node_status)),
        Column("Roles", _plain(_node_roles)),
        AGE,
        Column("Version", _at("status", "nodeInfo", "kubeletVersion", default="")),
        _wide("Internal-IP", _node_address("InternalIP")),
        _wide("External-IP", _node_address("ExternalIP")),
        _wide("OS-Image", _at("status", "nodeInfo", "osImage", default=_UNKNOWN)),
        _wide("Kernel-Version", _at("status", "nodeInfo", "kernelVersion", default=_UNKNOWN)),
        _wide("Container-Runtime", _at("status", "nodeInfo", "containerRuntimeVersion", default=_UNKNOWN)),
    ),
    resources.PERSISTENT_VOLUME_CLAIMS: (
        NAME,
        Column("Status", _plain(_claim_status)),
        Column("Volume", _at("spec", "volumeName", default="")),
        Column("Capacity", _plain(_claim_capacity)),
        Column("Access Modes", _plain(_access_modes)),
        Column("StorageClass", _at("spec", "storageClassName", default="")),
        Column("VolumeAttributesClass", _at("spec", "volumeAttributesClassName", default="<unset>")),
        AGE,
        _wide("VolumeMode", _at("spec", "volumeMode", default="<unset>")),
    ),
    resources.SECRETS: (
        NAME,
        Column("Type", _at("type", default="")),
        Column("Data", _count("data")),
        AGE,
    ),
    resources.CONFIG_MAPS: (
        NAME,
        Column("Data", _plain(lambda body: len(body.get("data") or {}) + len(body.get("binaryData") or {}))),
        AGE,
    ),
    resources.SERVICE_ACCOUNTS: (NAME, AGE),
    resources.EVENTS: (
        Column("Last Seen", _event_last_seen),
        Column("Type", _at("type", default="")),
        Column("Reason", _at("reason", default="")),
        Column("Object", _plain(_event_object)),
        _wide("Subobject", _at("involvedObject", "fieldPath", default="")),
        _wide("Source", _plain(_event_source)),
        Column("Message", _plain(lambda event: str(event.get("message") or "").strip())),
        _wide("First Seen", _event_first_seen),
        _wide("Count", _at("count", default=1)),
        _wide("Name", _at("metadata", "name"), format="name"),
    ),
    resources.LEASES: (NAME, Column("Holder", _at("spec", "holderIdentity", default="")), AGE),
    resources.POD_DISRUPTION_BUDGETS: (
        NAME,
        Column("Min Available", _plain(lambda body: _bound(body, "minAvailable"))),
        Column("Max Unavailable", _plain(lambda body: _bound(body, "maxUnavailable"))),
        Column("Allowed Disruptions", _at("status", "disruptionsAllowed", default=0), type="integer"),
        AGE,
    ),
    resources.ROLES: (NAME, _CREATED_AT),
    resources.CLUSTER_ROLES: (NAME, _CREATED_AT),
    resources.ROLE_BINDINGS: _BINDING,
    resources.CLUSTER_ROLE_BINDINGS: _BINDING,
    resources.CUSTOM_RESOURCE_DEFINITIONS: (NAME, _CREATED_AT),
}
