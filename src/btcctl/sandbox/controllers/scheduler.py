"""A scheduler that finds room on the one node for every pod whose claims there are."""

from __future__ import annotations

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, NotFound
from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import Object, ObjectKey
from btcctl.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import PatchKind
from btcctl.sandbox.kubelet.claims import claims_of
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

SCHEDULER_NAME = "default-scheduler"
RETRY_CAP_SECONDS = 5.0  # a person is watching
CLAIM_POLL_SECONDS = 1.0


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
        self._claims = client.resource(PERSISTENT_VOLUME_CLAIMS)

    def reconcile(self, key: ObjectKey) -> Result:
        """Bind the pod unless it has a node, is going, wants another scheduler, or a claim that there is not."""
        pod = self._cache.get(key)
        if pod is None or pod.deletion_timestamp is not None:
            return Result()
        spec = pod.body()["spec"]
        if spec.get("nodeName") or spec.get("schedulerName", SCHEDULER_NAME) != SCHEDULER_NAME:
            return Result()
        missing = self._missing_claim(pod)
        if missing:
            self._say_unschedulable(pod, f'0/1 nodes are available: persistentvolumeclaim "{missing}" not found.')
            return Result(requeue_after=CLAIM_POLL_SECONDS, background=True)
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

    def _missing_claim(self, pod: Object) -> str:
        """The first of a pod's claims that there is not; "" if there are all."""
        for name in claims_of(pod.body()).values():
            try:
                self._claims.get(ObjectKey(pod.namespace, name))
            except NotFound:
                return name
        return ""

    def _say_unschedulable(self, pod: Object, why: str) -> None:
        """In the pod's status and an Event, once."""
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
        conditions = (pod.body().get("status") or {}).get("conditions") or []
        if any(condition.items() <= each.items() for each in conditions):
            return
        patch = {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
        try:
            self._pods.patch(pod.key, patch, kind=PatchKind.STRATEGIC, subresource="status")
        except (Conflict, NotFound):
            return
        self._recorder.event(ObjectReference.of(PODS, pod), WARNING, "FailedScheduling", why)
