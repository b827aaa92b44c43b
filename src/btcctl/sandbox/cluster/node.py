"""The one Node, which stands for this machine."""

from __future__ import annotations

import contextlib
import os
import platform
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.errors import AlreadyExists
from btcctl.objects import ObjectKey
from btcctl.resources import NODES
from btcctl.rest.client import ApiClient
from btcctl.sandbox.kubelet.pods.status import HOST_IP

NOT_READY_TAINT = "node.kubernetes.io/not-ready"
PODS_PER_NODE = 10_000  # said in the Node's status; nothing enforces it


def build_node(name: str, now: str) -> dict[str, Any]:
    """The Node that stands for this machine.

    Args:
        now: RFC 3339.
    """
    resources = {"cpu": str(os.cpu_count() or 1), "memory": "1Ti", "pods": str(PODS_PER_NODE)}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the sandbox is running"}
    return {
        "apiVersion": NODES.api_version,
        "kind": NODES.kind,
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{**ready, "lastHeartbeatTime": now, "lastTransitionTime": now}],
            "addresses": [{"type": "InternalIP", "address": HOST_IP}, {"type": "Hostname", "address": name}],
            "nodeInfo": {
                "architecture": platform.machine(),
                "operatingSystem": "linux",
                "osImage": "btcctl sandbox",
                "kernelVersion": platform.release(),
                "containerRuntimeVersion": "process://1",
                "kubeletVersion": "btcctl",
            },
        },
    }


def ensure_node(client: ApiClient, name: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """Create the Node, unless a run before this one has left it, and say that it is ready."""
    node = build_node(name, rfc3339(clock.wall_time()))
    nodes = client.resource(NODES)
    with contextlib.suppress(AlreadyExists):
        nodes.create(node)
    registered = nodes.patch(ObjectKey("", name), {"status": node["status"]}, subresource="status")
    taints = registered.body()["spec"].get("taints") or []
    kept = [each for each in taints if each["key"] != NOT_READY_TAINT]
    if kept != taints:  # a real API server puts it on every new Node; nobody else here would take it off
        nodes.patch(ObjectKey("", name), {"spec": {"taints": kept}})
