"""The one node, and a scheduler that finds room on it for every pod."""

from __future__ import annotations

import contextlib
import os
import platform
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import AlreadyExists, Conflict, NotFound
from btcctl.events.recorder import NORMAL, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import ObjectKey
from btcctl.resources import NODES, PODS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.pods.status import HOST_IP
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

SCHEDULER_NAME = "default-scheduler"
RETRY_CAP_SECONDS = 5.0  # a person is watching
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


def build_scheduler(
    client: ApiClient,
    factory: SharedInformerFactory,
    recorder: EventRecorder,
    node_name: str,
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> Controller:
    """Wire the scheduler to its informer."""
    pods = factory.informer(PODS)
    scheduler = Scheduler(client, pods.lister, recorder, node_name)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("scheduler", scheduler.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(pods)
    return controller


class Scheduler:
    """Binds each new pod to the node."""

    def __init__(self, client: ApiClient, pods: Lister, recorder: EventRecorder, node_name: str) -> None:
        self._cache = pods
        self._recorder = recorder
        self._node_name = node_name
        self._pods = client.resource(PODS)

    def reconcile(self, key: ObjectKey) -> Result:
        """Bind the pod unless it has a node, is going, or wants another scheduler."""
        pod = self._cache.get(key)
        if pod is None or pod.deletion_timestamp is not None:
            return Result()
        spec = pod.body()["spec"]
        if spec.get("nodeName") or spec.get("schedulerName", SCHEDULER_NAME) != SCHEDULER_NAME:
            return Result()
        target = {"apiVersion": NODES.api_version, "kind": NODES.kind, "name": self._node_name}
        metadata = {"name": key.name, "namespace": key.namespace, "uid": pod.uid}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        try:
            self._pods.subresource_post(key, "binding", binding)
        except (Conflict, NotFound):
            return Result()  # bound already, or gone: our copy is old
        message = f"Successfully assigned {key} to {self._node_name}"
        self._recorder.event(ObjectReference.of(PODS, pod), NORMAL, "Scheduled", message)
        return Result()
