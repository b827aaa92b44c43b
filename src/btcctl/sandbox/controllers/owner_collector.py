"""Deletes what its owners have left behind, on an API server that has no garbage collector.

The API server itself only removes what it is told to; a cluster's collector is a part of
kube-controller-manager. This one knows a few kinds and deletes in the background: it takes no
heed of foreground deletion and orphans nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import KeysOf
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey, OwnerReference
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

OWNERS_INDEX = "owners"
UNKNOWN_KIND_RETRY_SECONDS = 30.0  # its definition may come back
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
RETRY_CAP_SECONDS = 5.0  # a person is watching


def build_owner_collectors(
    client: ApiClient,
    factory: SharedInformerFactory,
    owners: Sequence[ResourceType],
    dependents: Sequence[ResourceType],
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> list[Controller]:
    """One controller per kind that may be left behind.

    Args:
        factory: Not started yet, because an index is added to its informers.
        owners: Whose end is noticed at once.
        dependents: What is collected.
    """
    for each in dependents:
        factory.informer(each).add_index(OWNERS_INDEX, owner_uids)
    return [_build(client, factory, owners, each, clock) for each in dependents]


def _build(
    client: ApiClient,
    factory: SharedInformerFactory,
    owners: Sequence[ResourceType],
    dependent: ResourceType,
    clock: Clock,
) -> Controller:
    cache = factory.informer(dependent).lister
    collector = OwnerCollector(client, dependent, cache)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    name = f"owner-collector-{dependent.plural}"
    controller = Controller(name, collector.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(factory.informer(dependent), predicate=owners_changed)
    for each in owners:
        controller.watch(factory.informer(each), dependent_keys(cache), has_ended)
    return controller


def owner_uids(obj: Object) -> list[str]:
    return [each.uid for each in obj.owner_references]


def owners_changed(old: Object | None, new: Object | None) -> bool:
    """It is new, or belongs to others than before."""
    return new is not None and (old is None or owner_uids(old) != owner_uids(new))


def has_ended(old: Object | None, new: Object | None) -> bool:
    """It is gone, even if another one has its name by now."""
    return old is not None and (new is None or new.uid != old.uid)


def dependent_keys(cache: Lister) -> KeysOf:
    """What says that it belongs to an object."""
    return lambda owner: [each.key for each in cache.by_index(OWNERS_INDEX, owner.uid)]


class OwnerCollector:
    """Level-triggered: looks at one object and at whether its owners still exist.

    Args:
        client: Asks for owners themselves: a cache may not have seen them yet. Deletes.
        type_: Of the objects.
        cache: Of the objects.
    """

    def __init__(self, client: ApiClient, type_: ResourceType, cache: Lister) -> None:
        self._client = client
        self._type = type_
        self._resource = client.resource(type_)
        self._cache = cache

    def reconcile(self, key: ObjectKey) -> Result:
        """Delete the object if all its owners are gone; otherwise let go of those that are."""
        obj = self._cache.get(key)
        if obj is None or obj.deletion_timestamp is not None or not obj.owner_references:
            return Result()
        try:
            alive = [*filter(partial(self._is_alive, key.namespace), obj.owner_references)]
        except _UnknownKind:
            return Result(requeue_after=UNKNOWN_KIND_RETRY_SECONDS)
        try:
            self._keep_or_delete(obj, {each.uid for each in alive})
        except NotFound:
            logger.debug("gone already", object=str(key))
        except Conflict:
            return Result(requeue_after=STALE_RETRY_SECONDS)
        return Result()

    def _is_alive(self, namespace: str, owner: OwnerReference) -> bool:
        try:
            type_ = self._client.type_of(owner.api_version, owner.kind)
        except NotFound as error:
            raise _UnknownKind(owner.kind) from error
        try:
            found = self._client.resource(type_).get(ObjectKey(namespace if type_.namespaced else "", owner.name))
        except NotFound:
            return False
        return found.uid == owner.uid

    def _keep_or_delete(self, obj: Object, alive: set[str]) -> None:
        if not alive:
            self._resource.delete(obj.key, uid=obj.uid, resource_version=obj.resource_version)
            logger.info("collected", kind=self._type.kind, object=str(obj.key))
        elif alive != set(owner_uids(obj)):
            references = [each for each in obj.body()["metadata"]["ownerReferences"] if each["uid"] in alive]
            change = {"resourceVersion": obj.resource_version, "ownerReferences": references}
            self._resource.patch(obj.key, {"metadata": change})


class _UnknownKind(LookupError):
    """Nobody can tell whether such an owner lives."""
