"""What Go's types of the built-in kinds fill in when they are decoded, and when they are written.

By type, so that a container has the same defaults wherever it stands. Source: defaults.go,
zz_generated.defaults.go and conversion.go of each group in kubernetes 1.36.2.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Mapping
from typing import Any, cast

from btcctl.apiserver.gotypes.images import pull_policy
from btcctl.apiserver.gotypes.types import LIST, MAP, STRUCT, GoType, type_named
from btcctl.apiserver.machinery.quantities import rounded_to_milli

_Struct = dict[str, Any]
_NESTED = frozenset({STRUCT, MAP, LIST})
_CONTAINERS = (dict, list)
_ENTRY = "meta.v1.ManagedFieldsEntry"  # of which only `managedfields` makes any, in their order
_RBAC = "rbac.authorization.k8s.io"
_FILE_MODE = 420  # 0644
_CLIENT_IP_SECONDS = 10800
_MOST_FAILURES = 2**31 - 1

_NONE: Mapping[str, Any] = {}
_CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    "admissionregistration.v1.MutatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "admissionregistration.v1.NamedRuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.RuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.ServiceReference": {"port": 443},
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "apiextensions.v1.ServiceReference": {"port": 443},
    "core.v1.AzureDiskVolumeSource": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "readOnly": False,
        "kind": "Shared",
    },
    "core.v1.ConfigMapVolumeSource": {"defaultMode": _FILE_MODE},
    "core.v1.ContainerPort": {"protocol": "TCP"},
    "core.v1.DownwardAPIVolumeSource": {"defaultMode": _FILE_MODE},
    "core.v1.FileKeySelector": {"optional": False},
    "core.v1.GRPCAction": {"service": ""},
    "core.v1.HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "core.v1.HostPathVolumeSource": {"type": ""},
    "core.v1.ISCSIVolumeSource": {"iscsiInterface": "default"},
    "core.v1.NamespaceStatus": {"phase": "Active"},
    "core.v1.ObjectFieldSelector": {"apiVersion": "v1"},
    "core.v1.PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "core.v1.PersistentVolumeClaimStatus": {"phase": "Pending"},
    "core.v1.Probe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    "core.v1.ProjectedVolumeSource": {"defaultMode": _FILE_MODE},
    "core.v1.RBDVolumeSource": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "core.v1.ScaleIOVolumeSource": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "core.v1.Secret": {"type": "Opaque"},
    "core.v1.SecretVolumeSource": {"defaultMode": _FILE_MODE},
    "core.v1.ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "batch.v1.JobSpec": {"completionMode": "NonIndexed", "suspend": False, "manualSelector": False},
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": {"status": "True"},
    "core.v1.EndpointPort": {"protocol": "TCP"},
    "discovery.v1.EndpointPort": {"name": "", "protocol": "TCP"},
    "networking.v1.NetworkPolicyPort": {"protocol": "TCP"},
    "apps.v1.DeploymentSpec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600},
    "apps.v1.ReplicaSetSpec": {"replicas": 1},
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
}

#: What is a number of the server's own types and a pointer of the API's: never absent once it has been through them.
_INTERNAL_ZEROS: Mapping[str, Mapping[str, Any]] = {
    f"apps.v1.{kind}Spec": {"replicas": 0} for kind in ("Deployment", "ReplicaSet", "StatefulSet")
}


def fill(type_: GoType, value: Any, complete: Container[str] = ()) -> None:
    """Fill in, in place, what a decoded value lacks and its type has a default for.

    Args:
        complete: Fields of a struct in which there is nothing to fill in.
    """
    if type_.kind == STRUCT and isinstance(value, dict):
        _fill_struct(type_, value, complete)
    elif type_.element is not None and _holds_structs(type_):
        for each in value or ():
            fill(type_.element, each)
    elif _is_amounts(type_) and value:
        value.update({name: rounded_to_milli(each) for name, each in value.items()})


def _fill_struct(type_: GoType, value: _Struct, complete: Container[str]) -> None:
    for name in type_.parts:
        if name not in value:
            value[name] = {}
    for name, default in _CONSTANTS.get(type_.name, _NONE).items():
        value.setdefault(name, default)
    more = _FUNCTIONS.get(type_.name)
    if more is not None:
        more(value)
    filled = _filled_fields(type_.name)
    for name, each in value.items():
        if name in filled and name not in complete:
            below = filled[name]
            if below.kind == STRUCT and isinstance(each, dict):
                _fill_struct(below, each, ())
            else:
                fill(below, each)


@functools.cache
def _filled_fields(struct: str) -> Mapping[str, GoType]:
    """Those below which there may be something to fill in."""
    fields = type_named(struct).fields.items()
    return {name: each for name, each in fields if each.kind == STRUCT or _holds_structs(each) or _is_amounts(each)}


def _holds_structs(type_: GoType) -> bool:
    return type_.kind == LIST and type_.element is not None and type_.element.kind == STRUCT


def _is_amounts(type_: GoType) -> bool:
    return type_.kind == MAP and type_.go == "v1.ResourceList"


def empty(type_: GoType) -> _Struct:
    """What Go writes of an object of which nothing has been set."""
    found: _Struct = {name: empty(type_.fields[name]) for name in type_.parts}
    return cast("_Struct", written(type_, {**found, **_INTERNAL_ZEROS.get(type_.name, _NONE)}))


def written(type_: GoType, value: Any, *, stored: bool = False, known: Container[str] = ()) -> Any:
    """The value as Go writes it: its fields in Go's order, and those that are always written.

    Args:
        stored: It has been through protobuf, which does not know an empty list from none.
        known: Fields of a struct that have been stored like this before.
    """
    element = type_.element
    if type_.kind == STRUCT:
        return _written_struct(type_, value, known, stored=stored) if isinstance(value, dict) else value
    if type_.kind == MAP and isinstance(value, dict):
        if element is None or element.kind not in _NESTED:
            return dict(sorted(value.items()))
        return {name: written(element, value[name], stored=stored) for name in sorted(value)}
    if type_.kind == LIST and isinstance(value, list) and element is not None:
        if element.kind == STRUCT:
            return [_written_struct(element, each, (), stored=stored) for each in value]
        return [written(element, each, stored=stored) for each in value]
    return value


def _written_struct(type_: GoType, value: _Struct, known: Container[str], *, stored: bool) -> _Struct:
    fields, zeros, found = type_.fields, type_.zeros, {}
    nested = _nested_fields(type_.name)
    if len(value) == 1:  # as thousands of items of a list have: there is nothing to be put in order
        [(name, each)] = value.items()
        is_whole = not zeros or (len(zeros) == 1 and name in zeros)
        if is_whole and name in fields and name not in nested and each != []:
            return dict(value)
    names = [name for name in value if name in fields]
    if zeros:
        names += [name for name in zeros if name not in value]
    for name in sorted(names, key=type_.places.__getitem__):
        each = value[name] if name in value else zeros[name]
        if stored and each == [] and fields[name].kind == LIST and name not in known:
            if name not in zeros:
                continue
            each = zeros[name]
        elif name in nested and name in value and name not in known:
            each = written(nested[name], each, stored=stored)
        found[name] = each
    return found


@functools.cache
def _nested_fields(struct: str) -> Mapping[str, GoType]:
    """Those that have something to be put in order."""
    fields = type_named(struct).fields.items()
    return {name: each for name, each in fields if each.kind in {STRUCT, MAP} or _is_nested_list(each)}


def _is_nested_list(type_: GoType) -> bool:
    element = type_.element
    return type_.kind == LIST and element is not None and element.kind in _NESTED and element.name != _ENTRY


def _pod(pod: _Struct) -> None:
    spec = pod["spec"]
    spec.setdefault("enableServiceLinks", True)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        limits = (container.get("resources") or {}).get("limits")
        if limits:
            resources = container["resources"]
            resources["requests"] = {**limits, **(resources.get("requests") or {})}
        if spec.get("hostNetwork"):
            for port in container.get("ports") or ():
                port.setdefault("hostPort", port.get("containerPort", 0))


def _pod_spec(spec: _Struct) -> None:
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:  # two names of one field
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def _pod_status(status: _Struct) -> None:
    """Two fields that say the same: the older one wins."""
    address, addresses = status.get("podIP"), status.get("podIPs") or []
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        del status["podIPs"]


def _container(container: _Struct) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image", "")))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")


def _volume(volume: _Struct) -> None:
    if not any(value is not None for name, value in volume.items() if name != "name"):
        volume["emptyDir"] = {}
    image = volume.get("image")
    if image is not None:
        image.setdefault("pullPolicy", pull_policy(image.get("reference", "")))


def _service_spec(spec: _Struct) -> None:
    kind = spec.setdefault("type", "ClusterIP")
    if spec.setdefault("sessionAffinity", "None") == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _CLIENT_IP_SECONDS}}
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if not port.get("targetPort"):
            port["targetPort"] = port.get("port", 0)
    if kind in {"NodePort", "LoadBalancer"} or (kind == "ClusterIP" and spec.get("externalIPs")):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind in {"NodePort", "LoadBalancer", "ClusterIP"}:
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _namespace(namespace: _Struct) -> None:
    name = namespace["metadata"].get("name")
    if name:
        namespace["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name


def _node_status(status: _Struct) -> None:
    if status.get("capacity") and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])


def _deployment_strategy(strategy: _Struct) -> None:
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _stateful_set_spec(spec: _Struct) -> None:
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if "type" not in strategy:
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    for claim in spec.get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}


def _job_spec(spec: _Struct) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6 if spec.get("backoffLimitPerIndex") is None else _MOST_FAILURES)
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")


def _network_policy_spec(spec: _Struct) -> None:
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _role_ref(reference: _Struct) -> None:
    if not reference.get("apiGroup"):
        reference["apiGroup"] = _RBAC


def _subject(subject: _Struct) -> None:
    if not subject.get("apiGroup") and subject.get("kind") in {"User", "Group"}:
        subject["apiGroup"] = _RBAC


def _matched(matched: _Struct) -> None:
    """What says which requests are meant: a webhook, or the constraints of a policy."""
    matched.setdefault("matchPolicy", "Equivalent")
    matched.setdefault("namespaceSelector", {})
    matched.setdefault("objectSelector", {})


def _webhook(webhook: _Struct) -> None:
    webhook.setdefault("failurePolicy", "Fail")
    webhook.setdefault("timeoutSeconds", 10)
    _matched(webhook)


def _mutating_webhook(webhook: _Struct) -> None:
    _webhook(webhook)
    webhook.setdefault("reinvocationPolicy", "Never")


_FUNCTIONS: Mapping[str, Callable[[_Struct], None]] = {
    "admissionregistration.v1.MatchResources": _matched,
    "admissionregistration.v1.MutatingWebhook": _mutating_webhook,
    "admissionregistration.v1.ValidatingWebhook": _webhook,
    "core.v1.Container": _container,
    "core.v1.EphemeralContainer": _container,
    "core.v1.Namespace": _namespace,
    "core.v1.NodeStatus": _node_status,
    "core.v1.Pod": _pod,
    "core.v1.PodSpec": _pod_spec,
    "core.v1.PodStatus": _pod_status,
    "core.v1.ServiceSpec": _service_spec,
    "core.v1.Volume": _volume,
    "batch.v1.JobSpec": _job_spec,
    "networking.v1.NetworkPolicySpec": _network_policy_spec,
    "apps.v1.DeploymentStrategy": _deployment_strategy,
    "apps.v1.StatefulSetSpec": _stateful_set_spec,
    "rbac.v1.RoleRef": _role_ref,
    "rbac.v1.Subject": _subject,
}
