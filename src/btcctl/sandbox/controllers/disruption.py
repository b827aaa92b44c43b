"""Keeps the status of PodDisruptionBudgets: a controller on this toolkit, as kube-controller-manager has one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey, OwnerReference
from btcctl.resources import DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.budget_status import PodHealth, UnknownScale, judge
from btcctl.sandbox.controllers.budget_status import closed as closed_status
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

SCALED = (STATEFUL_SETS, REPLICA_SETS, DEPLOYMENTS)  # what says how many pods there should be
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
RETRY_CAP_SECONDS = 5.0  # a person is watching


def build_disruption_controller(
    client: ApiClient, factory: SharedInformerFactory, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the keeper to its informers."""
    budgets, pods = factory.informer(POD_DISRUPTION_BUDGETS), factory.informer(PODS)
    scaled = {each.kind: factory.informer(each) for each in SCALED}
    listers = {kind: informer.lister for kind, informer in scaled.items()}
    keeper = BudgetKeeper(client, budgets.lister, pods.lister, listers, clock=clock)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("disruption", keeper.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(budgets)
    controller.watch(pods, keeper.keys_of_pod)
    for informer in scaled.values():
        controller.watch(informer, keeper.keys_of_set)
    return controller


class BudgetKeeper:
    """Level-triggered: looks at one budget, its pods and what controls them, and writes what they amount to.

    An old copy of the budget is harmless: writing it is a conflict. So no eviction is ever forgotten.
    """

    def __init__(
        self,
        client: ApiClient,
        budgets: Lister,
        pods: Lister,
        scaled: Mapping[str, Lister],
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._resource = client.resource(POD_DISRUPTION_BUDGETS)
        self._budgets = budgets
        self._pods = pods
        self._scaled = scaled
        self._clock = clock

    def keys_of_pod(self, pod: Object) -> list[ObjectKey]:
        """The budgets that select the pod."""
        return [each.key for each in self._budgets.list(pod.namespace) if _covers(each.body(), pod)]

    def keys_of_set(self, stateful_set: Object) -> list[ObjectKey]:
        """The budgets that may count the set's pods: all in its namespace."""
        return [each.key for each in self._budgets.list(stateful_set.namespace)]

    def reconcile(self, key: ObjectKey) -> Result:
        """Bring the budget's status up to date."""
        obj = self._budgets.get(key)
        if obj is None:
            return Result()
        budget, now = obj.body(), self._clock.wall_time()
        pods = [
            _health(pod, self._controller_of(pod)) for pod in self._pods.list(key.namespace) if _covers(budget, pod)
        ]
        try:
            verdict = judge(budget, pods, partial(self._scale_of, key.namespace), now)
            status, recheck = verdict.status, verdict.recheck_seconds
        except UnknownScale as error:
            status, recheck = closed_status(budget, str(error), now), None
        try:
            if status != budget.get("status"):
                self._resource.update_status({**budget, "status": status})
                logger.debug("budget counted", allowed=status["disruptionsAllowed"])
        except NotFound:
            return Result()
        except Conflict:
            return Result(requeue_after=STALE_RETRY_SECONDS)
        return Result(requeue_after=recheck)

    def _scale_of(self, namespace: str, owner: OwnerReference) -> int:
        found = self._find(namespace, owner)
        if found is None:
            raise UnknownScale(f"the scale of {owner.kind} {owner.name} is not known")
        return int(found.body()["spec"].get("replicas", 1))

    def _find(self, namespace: str, owner: OwnerReference) -> Object | None:
        lister = self._scaled.get(owner.kind)
        found = None if lister is None else lister.get(ObjectKey(namespace, owner.name))
        return found if found is not None and found.uid == owner.uid else None

    def _controller_of(self, pod: Object) -> OwnerReference | None:
        """Whose scale counts the pod: the Deployment's, for those of its ReplicaSets."""
        owner = pod.controller
        if owner is None or owner.kind != REPLICA_SETS.kind:
            return owner
        replica_set = self._find(pod.namespace, owner)
        return owner if replica_set is None else replica_set.controller or owner


class _Condition(msgspec.Struct, gc=False):
    type: str
    status: str


class _Status(msgspec.Struct, gc=False):
    conditions: list[_Condition] | None = None


class _Pod(msgspec.Struct, gc=False):
    """The little that is decoded of each pod."""

    status: _Status | None = None


def _health(pod: Object, controller: OwnerReference | None) -> PodHealth:
    conditions = (pod.decode(_Pod).status or _Status()).conditions or []
    is_ready = any((each.type, each.status) == ("Ready", "True") for each in conditions)
    return PodHealth(pod.name, is_ready, pod.deletion_timestamp is not None, controller)


def _covers(budget: dict[str, Any], pod: Object) -> bool:
    """Whether a budget selects a pod; in policy/v1 an empty selector selects all, and none selects nothing."""
    selector = budget["spec"].get("selector")
    return selector is not None and matches_selector(selector, pod.labels)
