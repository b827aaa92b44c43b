"""Does what a Job asks for: a controller on this toolkit, as kube-controller-manager has one.

Each pod has a finalizer until it is counted: it is named in the status first, then loses the finalizer, then is only a
number. So none is counted twice, nor forgotten, whoever deletes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.writes import Outcome, write_status
from btcctl.errors import AlreadyExists, Conflict, NotFound
from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import Object, ObjectKey
from btcctl.resources import JOBS, PODS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.claims import ClaimRules, Claims, by_controller
from btcctl.sandbox.controllers.jobs.indexes import with_index
from btcctl.sandbox.controllers.jobs.job_plan import TRACKING, finished, is_tracked, judge
from btcctl.sandbox.controllers.made_pods import MadePods
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

CONTROLLER_INDEX = "controller"
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
FAILURE_RETRY_SECONDS = 5.0  # a pod was refused: somebody has to do something about it
RETRY_CAP_SECONDS = 5.0  # a person is watching
_IGNORED = {"podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes"}


def build_job_controller(
    client: ApiClient, factory: SharedInformerFactory, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the reconciler to its informers.

    Args:
        factory: Not started yet, because an index is added to its informers.
    """
    jobs, pods = factory.informer(JOBS), factory.informer(PODS)
    pods.add_index(CONTROLLER_INDEX, by_controller)
    reconciler = JobReconciler(client, jobs.lister, pods.lister, recorder, clock=clock)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("job", reconciler.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(jobs)
    controller.watch(pods, owner_keys(JOBS))
    return controller


class JobReconciler:
    """Level-triggered: looks at the Job and its pods, and takes the next step.

    Args:
        pods: A cache with the index `CONTROLLER_INDEX`.
    """

    def __init__(
        self, client: ApiClient, jobs: Lister, pods: Lister, recorder: EventRecorder, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._cache = jobs
        self._pod_cache = pods
        self._recorder = recorder
        self._clock = clock
        self._jobs = client.resource(JOBS)
        self._pods = client.resource(PODS)
        self._claims = Claims(client, pods, CONTROLLER_INDEX, ClaimRules(JOBS, PODS))
        self._made = MadePods(client, pods, recorder, JOBS)

    def reconcile(self, key: ObjectKey) -> Result:
        """Take every step that is possible now."""
        obj = self._cache.get(key)
        try:
            if obj is None or obj.deletion_timestamp is not None:
                self._let_go(key)
                return Result()
            return self._sync(obj)
        except AlreadyExists:
            raise
        except (Conflict, NotFound):
            return Result(requeue_after=STALE_RETRY_SECONDS)

    def _sync(self, obj: Object) -> Result:
        job = obj.body()
        reference = ObjectReference.of(JOBS, obj)
        for name in sorted(_IGNORED & job["spec"].keys()):
            self._recorder.event(reference, WARNING, "Unsupported", f"the sandbox takes no notice of {name}")
        shown = self._claims.claim(obj, job["spec"]["selector"])
        pods = [each.body() for each in (*shown, *self._made.unseen(obj.key, {each.uid for each in shown}))]
        verdict = judge(job, pods, self._clock.wall_time())
        if verdict.is_over:
            self._jobs.delete(obj.key, uid=obj.uid, propagation_policy="Foreground")
            return Result()
        if write_status(self._jobs, obj, verdict.status).outcome is Outcome.UPDATED:
            self._say(reference, job, verdict.status)
        by_name = {str(pod["metadata"]["name"]): pod for pod in pods}
        for name in verdict.release:
            self._release(by_name[name])
        for name in verdict.delete:
            self._made.delete(obj, name, by_name[name]["metadata"]["uid"])
        wanted = [_build_pod(job) for _ in range(verdict.create)]
        wanted += [with_index(_build_pod(job), job, index) for index in verdict.indexes]
        if not all(self._made.create(obj, each) is None for each in wanted):
            return Result(requeue_after=FAILURE_RETRY_SECONDS)
        return Result(requeue_after=verdict.recheck_seconds)

    def _release(self, pod: Mapping[str, Any]) -> None:
        metadata = pod["metadata"]
        kept = [each for each in metadata.get("finalizers") or () if each != TRACKING]
        change = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"], "finalizers": kept or None}
        try:
            self._pods.patch(ObjectKey(metadata["namespace"], metadata["name"]), {"metadata": change})
        except NotFound:
            return

    def _let_go(self, key: ObjectKey) -> None:
        """Pods of a Job that is gone, or going, wait for nobody to count them."""
        self._made.forget(key)
        for pod in self._pod_cache.list(key.namespace):
            owner = pod.controller
            if owner is not None and (owner.kind, owner.name) == (JOBS.kind, key.name) and is_tracked(pod.body()):
                self._release(pod.body())

    def _say(self, reference: ObjectReference, before: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        over = finished({"status": status})
        if over is None or finished(before) is not None:
            return
        if over["type"] == "Complete":
            self._recorder.event(reference, NORMAL, "Completed", "Job completed")
        else:
            self._recorder.event(reference, WARNING, over["reason"], over["message"])


def _build_pod(job: Mapping[str, Any]) -> dict[str, Any]:
    template, metadata = job["spec"]["template"], job["metadata"]
    given = {
        name: value
        for name, value in (template.get("metadata") or {}).items()
        if name in {"labels", "annotations"} and value
    }
    head = {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"], "finalizers": [TRACKING]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**head, **given}, "spec": template["spec"]}
