"""The objects that are served: shapes and sizes as a real API server gives them, values made here.

Widgets are custom resources of about 1.1 KB, pods have about 5.9 KB; both carry managedFields, which
are 40 % of the bytes, as they are in a cluster. Custom resources come with sorted keys, and with
kind and apiVersion also inside lists; built-in kinds come in the order of their Go structs, and
without kind and apiVersion inside lists.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

NAMESPACES = 20
NODES = 200
_WHEN = "2026-11-23T16:0{}:{:02}Z"
_SPACE = uuid.NAMESPACE_URL


def encode(value: Any) -> bytes:
    """Compact, as the API server encodes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _uid(kind: str, number: int) -> str:
    return str(UUID(bytes=uuid.uuid5(_SPACE, f"{kind}/{number}").bytes))


def widget(number: int, version: int) -> dict[str, Any]:
    """A custom resource with a status and one condition."""
    ready = version % 7 != 0
    when = _WHEN.format(number % 10, version % 60)
    return {
        "apiVersion": "bench.example.org/v1",
        "kind": "Widget",
        "metadata": {
            "annotations": {"bench.example.org/owner": f"team-{number % 13}"},
            "creationTimestamp": _WHEN.format(0, number % 60),
            "generation": 1 + version % 5,
            "labels": {"app.kubernetes.io/managed-by": "bench", "team": f"team-{number % 13}"},
            "managedFields": [
                {
                    "apiVersion": "bench.example.org/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:app.kubernetes.io/managed-by": {}, "f:team": {}}},
                        "f:spec": {"f:image": {}, "f:replicas": {}},
                    },
                    "manager": "bench",
                    "operation": "Update",
                    "time": when,
                },
                {
                    "apiVersion": "bench.example.org/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:status": {"f:conditions": {}, "f:readyReplicas": {}}},
                    "manager": "bench-controller",
                    "operation": "Update",
                    "subresource": "status",
                    "time": when,
                },
            ],
            "name": f"widget-{number:06}",
            "namespace": f"tenant-{number % NAMESPACES:02}",
            "resourceVersion": str(version),
            "uid": _uid("widget", number),
        },
        "spec": {"image": f"registry.example.org/widget:{version % 40}", "replicas": number % 9},
        "status": {
            "conditions": [
                {
                    "lastTransitionTime": when,
                    "message": f"{number % 9} of {number % 9} are ready",
                    "reason": "AllReady" if ready else "Starting",
                    "status": "True" if ready else "False",
                    "type": "Ready",
                }
            ],
            "readyReplicas": number % 9,
        },
    }


def _keyed(key: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {f"k:{key}": {".": {}, **fields}}


def _pod_managed_fields(number: int, version: int, ip: str) -> list[dict[str, Any]]:
    env = _keyed('{"name":"RPC_PASSWORD"}', {"f:name": {}, "f:valueFrom": {".": {}, "f:secretKeyRef": {}}})
    env |= _keyed('{"name":"RPC_USER"}', {"f:name": {}, "f:valueFrom": {".": {}, "f:secretKeyRef": {}}})
    port = {"f:containerPort": {}, "f:name": {}, "f:protocol": {}}
    ports = _keyed('{"containerPort":8443,"protocol":"TCP"}', port)
    ports |= _keyed('{"containerPort":8444,"protocol":"TCP"}', port)
    probe = {"f:failureThreshold": {}, "f:periodSeconds": {}, "f:successThreshold": {}, "f:timeoutSeconds": {}}
    container = {
        ".": {},
        "f:args": {},
        "f:env": {".": {}, **env},
        "f:image": {},
        "f:imagePullPolicy": {},
        "f:name": {},
        "f:ports": {".": {}, **ports},
        "f:readinessProbe": {".": {}, "f:exec": {".": {}, "f:command": {}}, **probe},
        "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}}, "f:requests": {".": {}, "f:cpu": {}}},
        "f:terminationMessagePath": {},
        "f:terminationMessagePolicy": {},
        "f:volumeMounts": {".": {}, **_keyed('{"mountPath":"/data"}', {"f:mountPath": {}, "f:name": {}})},
    }
    labels = ("app", "app.kubernetes.io/managed-by", "apps.kubernetes.io/pod-index", "controller-revision-hash")
    conditions: dict[str, Any] = {}
    for type_ in ("ContainersReady", "Initialized", "PodReadyToStartContainers", "PodScheduled", "Ready"):
        fields: dict[str, Any] = {"f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}}
        conditions |= _keyed(f'{{"type":"{type_}"}}', fields)
    spec = {
        "f:containers": {'k:{"name":"server"}': container},
        **{f"f:{name}": {} for name in ("dnsPolicy", "enableServiceLinks", "hostname", "restartPolicy")},
        **{f"f:{name}": {} for name in ("schedulerName", "securityContext", "subdomain")},
        "f:terminationGracePeriodSeconds": {},
        "f:volumes": {".": {}, **_keyed('{"name":"data"}', {"f:name": {}, "f:persistentVolumeClaim": {}})},
    }
    metadata = {"f:generateName": {}, "f:labels": {".": {}, **{f"f:{each}": {} for each in labels}}}
    owner = _keyed(f'{{"uid":"{_uid("set", number // 5)}"}}', {})
    status = {
        "f:conditions": conditions,
        **{f"f:{name}": {} for name in ("containerStatuses", "hostIP", "hostIPs", "phase", "podIP")},
        "f:podIPs": {".": {}, **_keyed(f'{{"ip":"{ip}"}}', {"f:ip": {}})},
        "f:startTime": {},
    }
    return [
        {
            "manager": "kube-controller-manager",
            "operation": "Update",
            "apiVersion": "v1",
            "time": _WHEN.format(0, number % 60),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {**metadata, "f:ownerReferences": {".": {}, **owner}}, "f:spec": spec},
        },
        {
            "manager": "kubelet",
            "operation": "Update",
            "apiVersion": "v1",
            "time": _WHEN.format(1, version % 60),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:status": status},
            "subresource": "status",
        },
    ]


def _secret_env(name: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "server-secret", "key": name}}}


def _pod_spec(number: int, set_: str, name: str) -> dict[str, Any]:
    container = {
        "name": "server",
        "image": "registry.example.org/server:28.0",
        "args": ["--data=/data", "--verbose"],
        "ports": [
            {"name": "rpc", "containerPort": 8443, "protocol": "TCP"},
            {"name": "peers", "containerPort": 8444, "protocol": "TCP"},
        ],
        "env": [_secret_env("RPC_USER"), _secret_env("RPC_PASSWORD")],
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {
            "exec": {"command": ["/usr/local/bin/probe", "--config=/server.conf", "ready"]},
            "initialDelaySeconds": 10,
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    tolerated = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    return {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}],
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "automountServiceAccountToken": False,
        "nodeName": f"node-{number % NODES:03}",
        "securityContext": {},
        "hostname": name,
        "subdomain": f"{set_}-peers",
        "schedulerName": "default-scheduler",
        "tolerations": [
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300} for key in tolerated
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _pod_status(number: int, version: int, ip: str) -> dict[str, Any]:
    when = _WHEN.format(1, version % 60)
    ready = "True" if version % 7 else "False"
    conditions = {"PodReadyToStartContainers": "True", "Initialized": "True", "Ready": ready}
    conditions |= {"ContainersReady": ready, "PodScheduled": "True"}
    digest = (_uid("image", number % 3) + _uid("image", 9)).replace("-", "")
    host = f"192.168.{number % NODES}.1"
    return {
        "observedGeneration": 1,
        "phase": "Running",
        "conditions": [
            {
                "type": type_,
                "observedGeneration": 1,
                "status": status,
                "lastProbeTime": None,
                "lastTransitionTime": when,
            }
            for type_, status in conditions.items()
        ],
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": when,
        "containerStatuses": [
            {
                "name": "server",
                "state": {"running": {"startedAt": when}},
                "lastState": {},
                "ready": ready == "True",
                "restartCount": version % 4,
                "image": "registry.example.org/server:28.0",
                "imageID": f"registry.example.org/server@sha256:{digest}",
                "containerID": f"containerd://{(_uid('container', number) * 2).replace('-', '')}",
                "started": True,
            }
        ],
        "qosClass": "Burstable",
    }


def pod(number: int, version: int) -> dict[str, Any]:
    """A running pod of a StatefulSet."""
    set_ = f"network-{number // 5:05}"
    name = f"{set_}-{number % 5}"
    ip = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": set_, "uid": _uid("set", number // 5)}
    return {
        "metadata": {
            "name": name,
            "generateName": f"{set_}-",
            "namespace": f"tenant-{number % NAMESPACES:02}",
            "uid": _uid("pod", number),
            "resourceVersion": str(version),
            "generation": 1,
            "creationTimestamp": _WHEN.format(0, number % 60),
            "labels": {
                "app": set_,
                "app.kubernetes.io/managed-by": "bench",
                "apps.kubernetes.io/pod-index": str(number % 5),
                "controller-revision-hash": f"{set_}-{_uid('revision', number // 5)[:8]}",
            },
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
            "managedFields": _pod_managed_fields(number, version, ip),
        },
        "spec": _pod_spec(number, set_, name),
        "status": _pod_status(number, version, ip),
    }


@dataclass(frozen=True)
class Kind:
    """One of the two collections."""

    name: str
    path: str
    api_version: str
    kind: str
    builtin: bool

    def item(self, number: int, version: int) -> dict[str, Any]:
        """Object `number` as it stands in a list."""
        return pod(number, version) if self.builtin else widget(number, version)

    def object(self, number: int, version: int) -> dict[str, Any]:
        """Object `number` as it stands alone, or in a watch event."""
        if self.builtin:
            return {"kind": self.kind, "apiVersion": self.api_version, **pod(number, version)}
        return widget(number, version)


WIDGETS = Kind("widgets", "/apis/bench.example.org/v1/widgets", "bench.example.org/v1", "Widget", builtin=False)
PODS = Kind("pods", "/api/v1/pods", "v1", "Pod", builtin=True)
KINDS = {each.name: each for each in (WIDGETS, PODS)}


def metadata_only(obj: dict[str, Any]) -> dict[str, Any]:
    """What a metadata informer is sent instead."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
