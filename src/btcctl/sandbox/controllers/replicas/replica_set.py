"""Does what a ReplicaSet asks for: a controller on this toolkit, as kube-controller-manager has one.

What was made, or asked to go, is remembered until the cache shows it. Only the worker that has a set's key touches the
set's entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.writes import write_status
from btcctl.errors import AlreadyExists, Conflict, NotFound
from btcctl.events.recorder import EventRecorder
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS, REPLICA_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.claims import ClaimRules, Claims, by_controller
from btcctl.sandbox.controllers.made_pods import MadePods
from btcctl.sandbox.controllers.replicas.replica_set_plan import (
    PodState,
    Step,
    build_pod,
    build_status,
    plan,
    read_pod,
)
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

CONTROLLER_INDEX = "controller"
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
FAILURE_RETRY_SECONDS = 5.0  # a pod was refused: somebody has to do something about it
AVAILABILITY_POLL_SECONDS = 1.0
RETRY_CAP_SECONDS = 5.0  # a person is watching


def build_replica_set_controller(
    client: ApiClient, factory: SharedInformerFactory, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the reconciler to its informers.

    Args:
        factory: Not started yet, because an index is added to its informers.
    """
    sets, pods = factory.informer(REPLICA_SETS), factory.informer(PODS)
    pods.add_index(CONTROLLER_INDEX, by_controller)
    reconciler = ReplicaSetReconciler(client, sets.lister, pods.lister, recorder, clock=clock)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("replicaset", reconciler.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(sets)
    controller.watch(pods, reconciler.keys_of_pod)
    return controller


class ReplicaSetReconciler:
    """Level-triggered: looks at the set and its pods, and takes the next step.

    Args:
        pods: A cache with the index `CONTROLLER_INDEX`.
    """

    def __init__(
        self, client: ApiClient, sets: Lister, pods: Lister, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._cache = sets
        self._pod_cache = pods
        self._recorder = recorder
        self._clock = clock
        self._sets = client.resource(REPLICA_SETS)
        self._pods = client.resource(PODS)
        self._claims = Claims(client, pods, CONTROLLER_INDEX, ClaimRules(REPLICA_SETS, PODS))
        self._made = MadePods(client, pods, recorder, REPLICA_SETS)
        self._asked_to_go: dict[ObjectKey, frozenset[str]] = {}  # uids, until the cache shows it

    def keys_of_pod(self, pod: Object) -> list[ObjectKey]:
        """The set that owns the pod, or the sets that might adopt it."""
        if pod.controller is not None:
            return [*owner_keys(REPLICA_SETS)(pod)]
        return [
            each.key
            for each in self._cache.list(pod.namespace)
            if matches_selector(each.body()["spec"]["selector"], pod.labels)
        ]

    def reconcile(self, key: ObjectKey) -> Result:
        """Take every step that is possible now."""
        obj = self._cache.get(key)
        if obj is None:
            self._made.forget(key)
            self._asked_to_go.pop(key, None)
            return Result()
        if obj.deletion_timestamp is not None:
            return Result()
        try:
            return self._sync(obj)
        except Conflict as error:
            if isinstance(error, AlreadyExists):
                raise
            return Result(requeue_after=STALE_RETRY_SECONDS)
        except NotFound:
            return Result(requeue_after=STALE_RETRY_SECONDS)

    def _sync(self, obj: Object) -> Result:
        replica_set = obj.body()
        pods = self._pod_states(obj, replica_set)
        failure = self._perform(obj, replica_set, plan(replica_set["spec"]["replicas"], pods))
        write_status(self._sets, obj, build_status(replica_set, pods, failure, self._clock.wall_time()))
        if failure is not None:
            return Result(requeue_after=FAILURE_RETRY_SECONDS)
        waiting = any(pod.ready_since is not None and not pod.available for pod in pods)
        return Result(requeue_after=AVAILABILITY_POLL_SECONDS if waiting else None)

    def _pod_states(self, obj: Object, replica_set: Mapping[str, Any]) -> list[PodState]:
        min_ready, now = float(replica_set["spec"].get("minReadySeconds", 0)), self._clock.wall_time()
        shown = self._claims.claim(obj, replica_set["spec"]["selector"])
        objects = [*shown, *self._made.unseen(obj.key, {each.uid for each in shown})]
        pods = [read_pod(each, min_ready_seconds=min_ready, wall_time=now) for each in objects]
        asked = self._asked_to_go.get(obj.key, frozenset()) & {pod.uid for pod in pods}
        self._asked_to_go[obj.key] = asked
        return [replace(pod, terminating=True) if pod.uid in asked else pod for pod in pods]

    def _perform(self, obj: Object, replica_set: Mapping[str, Any], step: Step) -> str | None:
        """Return why a pod could not be made, if one could not: the others would meet the same."""
        for pod in step.delete:
            self._asked_to_go[obj.key] = self._asked_to_go.get(obj.key, frozenset()) | {pod.uid}
            self._made.delete(obj, pod.name, pod.uid)
        for _ in range(step.create):
            error = self._made.create(obj, build_pod(replica_set))
            if error is not None:
                return str(error)
        return None
