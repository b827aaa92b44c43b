"""A scheduler that finds room on the one node for every pod."""

from __future__ import annotations

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, NotFound
from btcctl.events.recorder import NORMAL, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import ObjectKey
from btcctl.resources import NODES, PODS
from btcctl.rest.client import ApiClient
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

SCHEDULER_NAME = "default-scheduler"
RETRY_CAP_SECONDS = 5.0  # a person is watching


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
