"""Collects what its owners leave behind, on an API server that has no garbage collector.

The API server itself only removes what it is told to; a cluster's collector is a part of
kube-controller-manager. This one knows a few kinds, and decides as the embedded server's does. Nothing
stands in for the namespace controller: without it a deleted namespace stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from btcctl.apiserver.objects.ownership import UnknownOwnerError, collect
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import (
    CONTROLLER_REVISIONS,
    DEPLOYMENTS,
    JOBS,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    ResourceType,
)
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

OWNERS_INDEX = "owners"
UNKNOWN_KIND_RETRY_SECONDS = 30.0  # its definition may come back
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
RETRY_CAP_SECONDS = 5.0  # a person is watching
COLLECTED = (
    *(DEPLOYMENTS, STATEFUL_SETS, REPLICA_SETS, JOBS, SERVICES, PODS, CONTROLLER_REVISIONS),
    *(POD_DISRUPTION_BUDGETS, PERSISTENT_VOLUME_CLAIMS),
)


def build_owner_collector(client: ApiClient, owners: Sequence[ResourceType], *, clock: Clock = SYSTEM_CLOCK) -> Manager:
    """The collector, ready to start.

    Args:
        owners: Kinds that own something, beside workloads and pods; they must be served.
    """
    factory = SharedInformerFactory(client, clock=clock)
    informers = [factory.informer(each) for each in (*owners, *COLLECTED)]
    for each in informers:
        each.add_index(OWNERS_INDEX, owner_uids)
    collector = OwnerCollector(client, [each.lister for each in informers])
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("owner-collector", collector.reconcile, clock=clock, rate_limiter=rate_limiter)
    for each in informers:
        controller.watch(each, collector.concerned, has_new_fate)
    return Manager(factory, [controller], clock=clock)


def owner_uids(obj: Object) -> list[str]:
    return [each.uid for each in obj.owner_references]


def has_new_fate(old: Object | None, new: Object | None) -> bool:
    """It came or went, even if another one has its name by now; is being deleted, or belongs to others than before."""
    if old is None or new is None or new.uid != old.uid:
        return True
    return new.deletion_timestamp is not None or old.owner_references != new.owner_references


class OwnerCollector:
    """Level-triggered: looks at what has a name, and at whether its owners still exist.

    Args:
        client: Asks for owners themselves: a cache may not have seen them yet. Deletes.
        caches: Of all kinds that are collected, and of their owners.
    """

    def __init__(self, client: ApiClient, caches: Sequence[Lister]) -> None:
        self._client = client
        self._caches = caches

    def concerned(self, obj: Object) -> Iterator[ObjectKey]:
        """Itself, what belongs to it, and what it belongs to."""
        yield obj.key
        for cache in self._caches:
            yield from (each.key for each in cache.by_index(OWNERS_INDEX, obj.uid))
        for owner in obj.owner_references:
            yield from (ObjectKey(namespace, owner.name) for namespace in {obj.key.namespace, ""})

    def reconcile(self, key: ObjectKey) -> Result:
        """Do what the owners, or the deletion, of all objects of that name ask for."""
        found = (cache.get(key) for cache in self._caches)
        delays = [self._collect(each) for each in found if each is not None]
        return Result(requeue_after=min(filter(None, delays), default=None))

    def _collect(self, obj: Object) -> float | None:
        try:
            collect(self, obj.body())
        except UnknownOwnerError:
            return UNKNOWN_KIND_RETRY_SECONDS
        except (NotFound, Conflict):
            return STALE_RETRY_SECONDS
        return None

    # What the rules of ownership see, and what they do.

    def owner(self, reference: Mapping[str, Any], namespace: str) -> dict[str, Any] | None:
        try:
            type_ = self._client.type_of(reference["apiVersion"], reference["kind"])
        except NotFound as error:
            raise UnknownOwnerError(reference["kind"]) from error
        try:
            found = self._client.resource(type_).get(
                ObjectKey(namespace if type_.namespaced else "", reference["name"])
            )
        except NotFound:
            return None
        return found.body() if found.uid == reference["uid"] else None

    def dependents(self, uid: str) -> Iterator[dict[str, Any]]:
        for cache in self._caches:
            yield from (each.body() for each in cache.by_index(OWNERS_INDEX, uid))

    def delete(self, body: Mapping[str, Any], policy: str) -> None:
        resource, key = self._place(body)
        uid, version = body["metadata"]["uid"], body["metadata"]["resourceVersion"]
        resource.delete(key, uid=uid, resource_version=version, propagation_policy=policy)
        logger.info("collected", kind=body["kind"], object=str(key))

    def change(self, body: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
        resource, key = self._place(body)
        change = {**metadata, "resourceVersion": body["metadata"]["resourceVersion"]}
        return resource.patch(key, {"metadata": change}).body()

    def _place(self, body: Mapping[str, Any]) -> tuple[Resource, ObjectKey]:
        resource = self._client.resource(self._client.type_of(body["apiVersion"], body["kind"]))
        return resource, ObjectKey(body["metadata"].get("namespace", ""), body["metadata"]["name"])
