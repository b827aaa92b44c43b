"""Does what a Deployment asks for: a controller on this toolkit, as kube-controller-manager has one.

Old caches are harmless: a ReplicaSet is made under a name that its content decides, and every change names the version
that it was worked out from. A change that meets a newer version is worked out anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.writes import set_controller
from btcctl.errors import AlreadyExists, ApiError, Conflict, NotFound
from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.json_values import is_same_json
from btcctl.objects import Object, ObjectKey
from btcctl.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.claims import ClaimRules, Claims, by_controller
from btcctl.sandbox.controllers.replicas import deployment_status as judging
from btcctl.sandbox.controllers.replicas.deployment_plan import (
    REVISION,
    Rollout,
    annotations_of_new,
    build_replica_set,
    find_new,
    forgotten,
    is_scaling,
    name,
    scaled_sizes,
    size,
    size_annotations,
    size_of_new,
    smaller_old,
)
from btcctl.sandbox.controllers.replicas.deployment_status import PROGRESSING, Sets
from btcctl.sandbox.controllers.template_hash import template_hash
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

CONTROLLER_INDEX = "controller"
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
DEADLINE_POLL_SECONDS = 1.0  # how late it is noticed that a rollout does not progress
RETRY_CAP_SECONDS = 5.0  # a person is watching


@dataclass(frozen=True, slots=True)
class DeploymentCaches:
    """What is read; ReplicaSets and pods have the index `CONTROLLER_INDEX`."""

    deployments: Lister
    sets: Lister
    pods: Lister


def build_deployment_controller(
    client: ApiClient, factory: SharedInformerFactory, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the reconciler to its informers.

    Args:
        factory: Not started yet, because an index is added to its informers.
    """
    deployments, sets, pods = (factory.informer(each) for each in (DEPLOYMENTS, REPLICA_SETS, PODS))
    sets.add_index(CONTROLLER_INDEX, by_controller)
    caches = DeploymentCaches(deployments.lister, sets.lister, pods.lister)
    reconciler = DeploymentReconciler(client, caches, recorder, clock=clock)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("deployment", reconciler.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(deployments)
    controller.watch(sets, reconciler.keys_of_set)
    controller.watch(pods, reconciler.keys_of_pod)
    return controller


class DeploymentReconciler:
    """Level-triggered: looks at the Deployment and its ReplicaSets, and takes the next step of a rollout."""

    def __init__(
        self, client: ApiClient, caches: DeploymentCaches, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._caches = caches
        self._recorder = recorder
        self._clock = clock
        self._deployments = client.resource(DEPLOYMENTS)
        self._sets = client.resource(REPLICA_SETS)
        self._claims = Claims(client, caches.sets, CONTROLLER_INDEX, ClaimRules(DEPLOYMENTS, REPLICA_SETS))

    def keys_of_set(self, replica_set: Object) -> list[ObjectKey]:
        """The Deployment that owns it, or those that might adopt it."""
        if replica_set.controller is not None:
            return [*owner_keys(DEPLOYMENTS)(replica_set)]
        return [
            each.key
            for each in self._caches.deployments.list(replica_set.namespace)
            if matches_selector(each.body()["spec"]["selector"], replica_set.labels)
        ]

    def keys_of_pod(self, pod: Object) -> list[ObjectKey]:
        """The Deployment that waits for its old pods to be gone: only Recreate does."""
        owner = pod.controller
        if owner is None or owner.kind != REPLICA_SETS.kind:
            return []
        replica_set = self._caches.sets.get(ObjectKey(pod.namespace, owner.name))
        return [] if replica_set is None else [*owner_keys(DEPLOYMENTS)(replica_set)]

    def reconcile(self, key: ObjectKey) -> Result:
        """Take every step that is possible now."""
        obj = self._caches.deployments.get(key)
        if obj is None:
            return Result()
        try:
            return self._sync(obj)
        except AlreadyExists:
            raise
        except (Conflict, NotFound):
            return Result(requeue_after=STALE_RETRY_SECONDS)

    def _sync(self, obj: Object) -> Result:
        deployment = obj.body()
        if obj.deletion_timestamp is not None:
            owned = [each.body() for each in self._caches.sets.by_index(CONTROLLER_INDEX, obj.uid)]
            self._write(_Turn(obj, deployment), judging.counted(deployment, _sorted(deployment, owned), self._now()))
            return Result()
        turn = _Turn(obj, deployment)
        found = [each.body() for each in self._claims.claim(obj, deployment["spec"]["selector"])]
        turn.sets = _sorted(deployment, found)
        changed = judging.paused_change(deployment)
        if changed is not None:
            status = {"conditions": [], **(deployment.get("status") or {})}
            judging.put(status, PROGRESSING, "Unknown", *changed, self._now())
            self._write(turn, status)
            return Result(requeue_after=STALE_RETRY_SECONDS)
        if deployment["spec"].get("paused") or is_scaling(deployment, found):
            return self._scale(turn)
        return self._roll(turn)

    def _scale(self, turn: _Turn) -> Result:
        """Another size, in proportion, and no step of a rollout."""
        self._settle_new(turn)
        for replica_set, wanted in turn.sized(scaled_sizes(turn.deployment, turn.sets.new, turn.sets.old)):
            self._resize(turn, replica_set, wanted)
        if turn.deployment["spec"].get("paused"):
            self._forget(turn)
        self._write(turn, judging.counted(turn.deployment, turn.sets, self._now()))
        return Result()

    def _roll(self, turn: _Turn) -> Result:
        rollout = Rollout.of(turn.deployment)
        if not rollout.is_rolling:
            self._recreate(turn, rollout)
        else:
            self._settle_new(turn, create=True)
            if not self._grow(turn, rollout):
                self._shrink(turn, rollout)
        if judging.is_complete(turn.deployment, turn.deployment.get("status") or {}):
            self._forget(turn)
        status = judging.judged(turn.deployment, turn.sets, self._now())
        self._write(turn, status)
        waiting = judging.condition(status, PROGRESSING)
        is_over = waiting is None or waiting["reason"] in {judging.COMPLETE, judging.TIMED_OUT}
        return Result(requeue_after=None if is_over else DEADLINE_POLL_SECONDS, background=not is_over)

    def _recreate(self, turn: _Turn, rollout: Rollout) -> None:
        """All old pods go, and are gone, before the first new one comes."""
        self._settle_new(turn)
        old = [each for each in turn.sets.old if size(each) > 0]
        for each in old:
            self._resize(turn, each, 0)
        if old or self._has_running_pods(turn.sets.old):
            return
        self._settle_new(turn, create=True)
        self._grow(turn, rollout)

    def _has_running_pods(self, old: Sequence[Mapping[str, Any]]) -> bool:
        uids = {each["metadata"]["uid"] for each in old}
        return bool(old) and any(
            pod.controller is not None
            and pod.controller.uid in uids
            and (pod.body().get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
            for pod in self._caches.pods.list(old[0]["metadata"]["namespace"])
        )

    def _settle_new(self, turn: _Turn, *, create: bool = False) -> None:
        """Give the newest ReplicaSet its revision; make it if there is none, and it is wanted."""
        deployment, new = turn.deployment, turn.sets.new
        if new is None:
            if create:
                self._create(turn)
            return
        annotations = annotations_of_new(deployment, new, turn.sets.old)
        min_ready = deployment["spec"].get("minReadySeconds", 0)
        if annotations != new["metadata"].get("annotations") or min_ready != new["spec"].get("minReadySeconds", 0):
            metadata = {**new["metadata"], "annotations": annotations}
            spec = {**new["spec"], "minReadySeconds": min_ready}
            new = self._sets.update({**new, "metadata": metadata, "spec": spec}).body()
            turn.sets = Sets(new, turn.sets.old)
        is_revised = turn.revise(new["metadata"]["annotations"][REVISION])
        if judging.condition(deployment.get("status") or {}, PROGRESSING) is None and judging.has_deadline(deployment):
            self._say_progress(turn, "FoundNewReplicaSet", f'Found new replica set "{name(new)}"')
        elif is_revised:
            self._write(turn, deployment.get("status") or {}, force=True)

    def _create(self, turn: _Turn) -> None:
        deployment, old = turn.deployment, turn.sets.old
        collisions = (deployment.get("status") or {}).get("collisionCount") or 0
        digest = template_hash(deployment["spec"]["template"], collisions)
        replicas = size_of_new(Rollout.of(deployment), 0, sum(map(size, old)))
        annotations = annotations_of_new(deployment, {"metadata": {}}, old)
        wanted = build_replica_set(deployment, digest, replicas, int(annotations[REVISION]))
        set_controller(wanted, DEPLOYMENTS, turn.obj)
        try:
            new = self._sets.create(wanted).body()
        except AlreadyExists:
            self._collide(turn, ObjectKey(turn.obj.namespace, name(wanted)), collisions)
            raise Conflict(409, "Conflict", f"ReplicaSet {name(wanted)} is there already") from None
        except ApiError as error:
            message = f'Failed to create new replica set "{name(wanted)}": {error}'
            self._recorder.event(turn.reference, WARNING, "ReplicaSetCreateError", message)
            raise
        turn.sets = Sets(new, old)
        self._tell(turn, new, 0, replicas)
        turn.revise(annotations[REVISION])
        self._say_progress(turn, "NewReplicaSetCreated", f'Created new replica set "{name(new)}"')

    def _collide(self, turn: _Turn, key: ObjectKey, collisions: int) -> None:
        """The name is taken: by our own, which the cache does not show yet, or by somebody's; then take another."""
        taken = self._sets.get(key)
        is_ours = taken.controller is not None and taken.controller.uid == turn.obj.uid
        if not is_ours or find_new(turn.deployment, [taken.body()]) is None:
            status = {**(turn.deployment.get("status") or {}), "collisionCount": collisions + 1}
            self._deployments.update_status({**turn.deployment, "status": status})

    def _say_progress(self, turn: _Turn, reason: str, message: str) -> None:
        status = {"conditions": [], **(turn.deployment.get("status") or {})}
        if judging.has_deadline(turn.deployment):
            judging.put(status, PROGRESSING, "True", reason, message, self._now())
        self._write(turn, status, force=True)

    def _grow(self, turn: _Turn, rollout: Rollout) -> bool:
        new = turn.sets.new
        if new is None:
            return False
        wanted = size_of_new(rollout, size(new), sum(map(size, turn.sets.old)))
        return wanted != size(new) and self._resize(turn, new, wanted)

    def _shrink(self, turn: _Turn, rollout: Rollout) -> None:
        if turn.sets.new is not None:
            for replica_set, wanted in turn.sized(smaller_old(rollout, turn.sets.new, turn.sets.old)):
                self._resize(turn, replica_set, wanted)

    def _resize(self, turn: _Turn, replica_set: Mapping[str, Any], wanted: int) -> bool:
        """Give a ReplicaSet its size, and write down for which size of the Deployment that was."""
        annotations = {
            **(replica_set["metadata"].get("annotations") or {}),
            **size_annotations(Rollout.of(turn.deployment)),
        }
        metadata = {**replica_set["metadata"], "annotations": annotations}
        resized = {**replica_set, "metadata": metadata, "spec": {**replica_set["spec"], "replicas": wanted}}
        if is_same_json(resized, replica_set):
            return False
        before = size(replica_set)
        turn.replace(self._sets.update(resized).body())
        if wanted != before:
            self._tell(turn, replica_set, before, wanted)
        return wanted != before

    def _tell(self, turn: _Turn, replica_set: Mapping[str, Any], before: int, after: int) -> None:
        direction = "up" if after > before else "down"
        message = f"Scaled {direction} replica set {name(replica_set)} from {before} to {after}"
        self._recorder.event(turn.reference, NORMAL, "ScalingReplicaSet", message)

    def _forget(self, turn: _Turn) -> None:
        for each in forgotten(turn.deployment, turn.sets.old):
            key = ObjectKey(each["metadata"]["namespace"], name(each))
            self._sets.delete(key, uid=each["metadata"]["uid"])

    def _write(self, turn: _Turn, status: Mapping[str, Any], *, force: bool = False) -> None:
        if force or not is_same_json(status, turn.deployment.get("status") or {}):
            turn.deployment = self._deployments.update_status({**turn.deployment, "status": status}).body()

    def _now(self) -> Any:
        return self._clock.wall_time()


@dataclass(slots=True)
class _Turn:
    """One look at a Deployment: what was found, and what has become of it since."""

    obj: Object
    deployment: Mapping[str, Any]
    sets: Sets = field(default_factory=lambda: Sets(None, ()))

    @property
    def reference(self) -> ObjectReference:
        return ObjectReference.of(DEPLOYMENTS, self.obj)

    def sized(self, sizes: Mapping[str, int]) -> list[tuple[Mapping[str, Any], int]]:
        return [(each, sizes[name(each)]) for each in self.sets.all if name(each) in sizes]

    def replace(self, replica_set: Mapping[str, Any]) -> None:
        """Go on with what was written."""
        new, old = self.sets.new, self.sets.old
        if new is not None and name(new) == name(replica_set):
            self.sets = Sets(replica_set, old)
        else:
            self.sets = Sets(new, [replica_set if name(each) == name(replica_set) else each for each in old])

    def revise(self, revision: str) -> bool:
        """Note the revision in the Deployment; False if it stands there already."""
        annotations = self.deployment["metadata"].get("annotations") or {}
        if annotations.get(REVISION) == revision:
            return False
        metadata = {**self.deployment["metadata"], "annotations": {**annotations, REVISION: revision}}
        self.deployment = {**self.deployment, "metadata": metadata}
        return True


def _sorted(deployment: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Sets:
    new = find_new(deployment, found)
    return Sets(new, [each for each in found if new is None or name(each) != name(new)])
