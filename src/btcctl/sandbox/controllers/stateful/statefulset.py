"""Does what a StatefulSet asks for: a controller on this toolkit, as kube-controller-manager has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.fields import set_fields
from btcctl.controller.writing.writes import (
    NotControlled,
    Outcome,
    create_or_update,
    is_controlled_by,
    set_controller,
    write_status,
)
from btcctl.errors import AlreadyExists, ApiError, Conflict, NotFound
from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.claims import ClaimRules, Claims, by_controller
from btcctl.sandbox.controllers.stateful.revisions import HistoryPlan, plan_history, surplus_revisions, template_of
from btcctl.sandbox.controllers.stateful.set_claims import SetClaims
from btcctl.sandbox.controllers.stateful.statefulset_plan import (
    CreatePod,
    DeletePod,
    PodState,
    SetSpec,
    build_pod,
    build_status,
    claim_templates,
    identity_labels,
    ordinal_of,
    plan,
    read_pod,
)
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

CONTROLLER_INDEX = "controller"
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
FOREIGN_RETRY_SECONDS = 10.0  # nobody tells us when a pod goes that is not ours
AVAILABILITY_POLL_SECONDS = 1.0
RETRY_CAP_SECONDS = 5.0  # a person is watching


def may_be(owner: Object, pod: Object) -> bool:
    return ordinal_of(owner.name, pod.name) is not None


def labels_of(pod: Object) -> Mapping[str, str]:
    return identity_labels(pod.name, int(pod.name.rpartition("-")[2]))


CLAIM_RULES = ClaimRules(STATEFUL_SETS, PODS, may_be, labels_of)


@dataclass(frozen=True, slots=True)
class StatefulSetCaches:
    """What is read; pods and revisions have the index `CONTROLLER_INDEX`."""

    sets: Lister
    pods: Lister
    revisions: Lister
    claims: Lister


def build_statefulset_controller(
    client: ApiClient, factory: SharedInformerFactory, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the reconciler to its informers.

    Args:
        client: Writes.
        factory: Not started yet, because an index is added to its informers.
        recorder: Takes SuccessfulCreate and the like.
    """
    sets, pods, revisions = (factory.informer(each) for each in (STATEFUL_SETS, PODS, CONTROLLER_REVISIONS))
    pods.add_index(CONTROLLER_INDEX, by_controller)
    revisions.add_index(CONTROLLER_INDEX, by_controller)
    claims = factory.informer(PERSISTENT_VOLUME_CLAIMS)
    caches = StatefulSetCaches(sets.lister, pods.lister, revisions.lister, claims.lister)
    reconciler = StatefulSetReconciler(client, caches, recorder, clock=clock)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("statefulset", reconciler.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(sets)
    controller.watch(pods, reconciler.keys_of_pod)
    controller.watch(revisions, owner_keys(STATEFUL_SETS))
    controller.watch(claims, reconciler.keys_of_claim)
    return controller


class StatefulSetReconciler:
    """Level-triggered: looks at the set, its pods and its revisions, and takes the next step.

    Old caches are harmless: a pod is created under a name of its own, and deleted by its UID.
    """

    def __init__(
        self, client: ApiClient, caches: StatefulSetCaches, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._caches = caches
        self._recorder = recorder
        self._clock = clock
        self._sets = client.resource(STATEFUL_SETS)
        self._pods = client.resource(PODS)
        self._revisions = client.resource(CONTROLLER_REVISIONS)
        self._claims = Claims(client, caches.pods, CONTROLLER_INDEX, CLAIM_RULES)
        self._volumes = SetClaims(client, caches.claims)
        # UIDs whose deletion was asked for: the cache may not show it yet. Only the worker that
        # has a set's key touches the set's entry.
        self._asked_to_go: dict[ObjectKey, frozenset[str]] = {}

    def keys_of_pod(self, pod: Object) -> list[ObjectKey]:
        """The set that owns the pod, or the sets that might adopt it."""
        if pod.controller is not None:
            return [*owner_keys(STATEFUL_SETS)(pod)]
        return [
            each.key
            for each in self._caches.sets.list(pod.namespace)
            if ordinal_of(each.name, pod.name) is not None
            and matches_selector(each.body()["spec"]["selector"], pod.labels)
        ]

    def keys_of_claim(self, claim: Object) -> list[ObjectKey]:
        """The sets whose pods may use it."""
        return [
            each.key
            for each in self._caches.sets.list(claim.namespace)
            if any(ordinal_of(f"{name}-{each.name}", claim.name) is not None for name in _template_names(each.body()))
        ]

    def reconcile(self, key: ObjectKey) -> Result:
        """Take every step that is possible now."""
        obj = self._caches.sets.get(key)
        if obj is None:
            self._asked_to_go.pop(key, None)
            return Result()
        if obj.deletion_timestamp is not None:
            return Result()
        try:
            return self._sync(obj)
        except AlreadyExists:
            raise
        except Conflict as error:
            logger.debug("our copy is old", error=str(error))
            return Result(requeue_after=STALE_RETRY_SECONDS)

    def _sync(self, obj: Object) -> Result:
        stateful_set = obj.body()
        revisions = [each.body() for each in self._caches.revisions.by_index(CONTROLLER_INDEX, obj.uid)]
        history = self._settle_history(obj, plan_history(stateful_set, revisions))
        spec = SetSpec.of(stateful_set, current_revision=_name(history.current), update_revision=_name(history.update))
        pods = self._pod_states(obj, stateful_set)
        turn = _Turn(obj, stateful_set, history, ObjectReference.of(STATEFUL_SETS, obj))
        self._volumes.assign(obj, stateful_set, spec, pods)
        unblocked = [self._perform(turn, action) for action in plan(spec, pods)]
        self._write_status(obj, build_status(spec, pods, obj.generation))
        self._forget_history(stateful_set, revisions, {_name(history.current), _name(history.update)}, pods)
        if not all(unblocked):
            return Result(requeue_after=FOREIGN_RETRY_SECONDS)
        waiting = any(pod.ready and not pod.available for pod in pods)
        return Result(requeue_after=AVAILABILITY_POLL_SECONDS if waiting else None)

    def _pod_states(self, obj: Object, stateful_set: Mapping[str, Any]) -> list[PodState]:
        min_ready = float(stateful_set["spec"].get("minReadySeconds", 0))
        wall_time = self._clock.wall_time()
        pods = [
            read_pod(pod, min_ready_seconds=min_ready, wall_time=wall_time)
            for pod in self._claims.claim(obj, stateful_set["spec"]["selector"])
        ]
        asked = self._asked_to_go.get(obj.key, frozenset()) & {pod.uid for pod in pods}
        self._asked_to_go[obj.key] = asked
        return [replace(pod, terminating=True) if pod.uid in asked else pod for pod in pods]

    def _settle_history(self, obj: Object, history: HistoryPlan) -> HistoryPlan:
        if history.renumber:
            self._revisions.update(history.update)
        elif history.create:
            self._own_revision(obj, history.update)
        return history

    def _own_revision(self, obj: Object, wanted: Mapping[str, Any]) -> None:
        """Make it, or take it over from a set that left it behind: the name says that the content is right."""

        def mutate(body: dict[str, Any]) -> None:
            set_fields(body, wanted if "uid" not in body["metadata"] else {})
            set_controller(body, STATEFUL_SETS, obj, adopt=True)

        key = ObjectKey(obj.namespace, _name(wanted))
        try:
            create_or_update(self._revisions, key, mutate, cached=None)
        except NotControlled as error:
            raise AlreadyExists(409, "AlreadyExists", str(error)) from error

    def _perform(self, turn: _Turn, action: CreatePod | DeletePod) -> bool:
        """Return False if something that is not ours is in the way."""
        if isinstance(action, CreatePod):
            return self._create(turn, action)
        self._delete(turn, action)
        return True

    def _create(self, turn: _Turn, action: CreatePod) -> bool:
        pod = build_pod(turn.stateful_set, turn.template(action.revision), action.ordinal, action.revision)
        set_controller(pod, STATEFUL_SETS, turn.obj)
        name = pod["metadata"]["name"]
        try:
            if not self._volumes.provide(turn.stateful_set, action.ordinal):
                logger.debug("a claim of the pod before is still going", pod=name)
                return False
            self._pods.create(pod)
        except AlreadyExists:
            return self._is_ours(turn, ObjectKey(turn.obj.namespace, name))
        except ApiError as error:
            self._recorder.event(
                turn.reference, WARNING, "FailedCreate", f"{turn.saying('Create', name)} failed: {error}"
            )
            raise
        self._recorder.event(turn.reference, NORMAL, "SuccessfulCreate", f"{turn.saying('Create', name)} successful")
        logger.info("pod created", pod=name, revision=action.revision)
        return True

    def _is_ours(self, turn: _Turn, key: ObjectKey) -> bool:
        """Whether the pod that was in the way is merely one that our cache does not show yet."""
        try:
            existing = self._pods.get(key)
        except NotFound:
            return True
        if is_controlled_by(existing, turn.obj):
            return True
        message = f"{turn.saying('Create', key.name)} failed: a pod of that name exists that is not the set's"
        self._recorder.event(turn.reference, WARNING, "FailedCreate", message)
        return False

    def _delete(self, turn: _Turn, action: DeletePod) -> None:
        key = ObjectKey(turn.obj.namespace, action.name)
        self._asked_to_go[turn.obj.key] = self._asked_to_go.get(turn.obj.key, frozenset()) | {action.uid}
        try:
            self._pods.delete(key, uid=action.uid)
        except (NotFound, Conflict):
            return  # gone, and perhaps another one has its name
        self._recorder.event(
            turn.reference, NORMAL, "SuccessfulDelete", f"{turn.saying('Delete', action.name)} successful"
        )
        logger.info("pod deleted", pod=action.name)

    def _write_status(self, obj: Object, status: Mapping[str, Any]) -> None:
        if write_status(self._sets, obj, status).outcome is Outcome.UPDATED:
            logger.debug("status written", generation=obj.generation)

    def _forget_history(
        self,
        stateful_set: Mapping[str, Any],
        revisions: Sequence[Mapping[str, Any]],
        live: set[str],
        pods: Sequence[PodState],
    ) -> None:
        limit = stateful_set["spec"].get("revisionHistoryLimit", 10)
        for each in surplus_revisions(revisions, live | {pod.revision for pod in pods}, limit):
            try:
                self._revisions.delete(
                    ObjectKey(each["metadata"]["namespace"], _name(each)), uid=each["metadata"]["uid"]
                )
            except (NotFound, Conflict):
                continue


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one look at a set has found."""

    obj: Object
    stateful_set: Mapping[str, Any]
    history: HistoryPlan
    reference: ObjectReference

    def template(self, revision: str) -> dict[str, Any]:
        is_update = revision == _name(self.history.update)
        return template_of(self.history.update if is_update else self.history.current)

    def saying(self, verb: str, pod: str) -> str:
        return f"{verb} Pod {pod} in StatefulSet {self.obj.name}"


def _template_names(stateful_set: Mapping[str, Any]) -> list[str]:
    return [each["metadata"]["name"] for each in claim_templates(stateful_set)]


def _name(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])
