"""Says what a controller reconciles, and what else it has to look at for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.keys.clusters import Clusters, factories_of
from btcctl.controller.keys.handlers import KeysOf, own_key, owner_keys
from btcctl.controller.keys.predicates import Predicate
from btcctl.controller.keys.sources import check_mapping
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.processing import Reconcile
from btcctl.informers.clusters import ClusterInformer
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.typed import TypedInformer, cache_of
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.typed.kinds import AnyKind, type_of
from btcctl.workqueue.rate_limiters import RateLimiter

if TYPE_CHECKING:
    from btcctl.metrics import Metrics


class Watching(Protocol):
    """What is built: a `btcctl.controller.controller.Controller`, which knows this module, and not the other way."""

    def watch(
        self, informer: SharedInformer, keys_of: KeysOf, predicate: Predicate | None, *, type_: ResourceType | None
    ) -> None: ...


C = TypeVar("C", bound=Watching)
Informer: TypeAlias = SharedInformer | TypedInformer[Any] | ClusterInformer[Any]
Caches: TypeAlias = SharedInformerFactory | Clusters


class _Watch(NamedTuple):
    type: ResourceType
    keys_for: Callable[[SharedInformerFactory], KeysOf]
    predicate: Predicate | None
    informer: Informer | None


class ControllerBuilder(Generic[C]):
    """Made by `Controller.for_`. Each call adds a watch; `build` makes the controller.

    Args:
        make: The class of the controller.
        type_: What is reconciled: each object's own key.
        predicate: Drops the changes of these for which it is false.
        informer: Of these, instead of the factory's of all: the one that reconcile reads.
    """

    def __init__(
        self,
        make: Callable[..., C],
        type_: AnyKind,
        predicate: Predicate | None = None,
        informer: Informer | None = None,
    ) -> None:
        self._make = make
        self._type = type_of(type_)
        self._informer = informer
        self._watches: list[_Watch] = []
        self.watches(type_, own_key, predicate, informer=informer)

    def owns(
        self,
        type_: AnyKind,
        predicate: Predicate | None = None,
        *,
        informer: Informer | None = None,
        in_the_way_of: KeysOf | None = None,
    ) -> Self:
        """Also look at objects of `type_`, and reconcile the one that controls each.

        It is told by the group, kind and UID of the owner reference with `controller: true`.

        Args:
            predicate: Drops the changes for which it is false.
            informer: Instead of the factory's of all objects: one with a selector, for example, or a typed view.
            in_the_way_of: Of an object that none of ours controls: those to reconcile when it changes or goes, because
                it has a name that a child of theirs should have. It may be a deleted namesake's, for one.
        """

        def keys_for(factory: SharedInformerFactory) -> KeysOf:
            owned = self._owner_keys(factory)
            return owned if in_the_way_of is None else lambda obj: [*owned(obj)] or in_the_way_of(obj)

        check_mapping(in_the_way_of or own_key, predicate)
        self._watches.append(_Watch(type_of(type_), keys_for, predicate, informer))
        return self

    def watches(
        self,
        type_: AnyKind,
        keys_of: KeysOf,
        predicate: Predicate | None = None,
        *,
        informer: Informer | None = None,
    ) -> Self:
        """Also look at objects of `type_`, and reconcile what `keys_of` maps each to; otherwise as `owns`."""
        check_mapping(keys_of, predicate)
        self._watches.append(_Watch(type_of(type_), lambda _: keys_of, predicate, informer))
        return self

    def build(
        self,
        name: str,
        reconcile: Reconcile,
        factory: Caches,
        *,
        options: ControllerOptions = ControllerOptions(),
        rate_limiter: RateLimiter[ObjectKey] | None = None,
        metrics: Metrics | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> C:
        """Make the controller; see `Controller` for the arguments.

        Args:
            factory: Where the informers come from, or several clusters, each with its own; to be started by the
                caller, for example with a Manager.
        """
        controller = self._make(
            name, reconcile, options=options, rate_limiter=rate_limiter, metrics=metrics, clock=clock
        )
        for each in self._watches:
            for informer, beside in _informers_of(each.informer, each.type, factory):
                controller.watch(informer, each.keys_for(beside), each.predicate, type_=each.type)
        return controller

    def _owner_keys(self, factory: SharedInformerFactory) -> KeysOf:
        [(informer, _), *_] = _informers_of(self._informer, self._type, factory)
        owners = informer.lister

        def uid_of(key: ObjectKey) -> str | None:
            owner = owners.get(key)
            return None if owner is None else owner.uid

        return owner_keys(self._type, uid_of)


def _informers_of(
    given: Informer | None, type_: ResourceType, caches: Caches
) -> list[tuple[SharedInformer, SharedInformerFactory]]:
    """Each informer that is watched, and the factory of its cluster: for one that is none's, the first."""
    factories = factories_of(caches)
    if given is None:
        return [(each.informer(type_), each) for each in factories]
    informers = [*given] if isinstance(given, ClusterInformer) else [cache_of(given)]
    by_cluster = {each.cluster: each for each in factories}
    if isinstance(caches, SharedInformerFactory):  # of one cluster, for one that is beside it
        informers = [each for each in informers if len(informers) == 1 or each.cluster == caches.cluster]
    return [(each, by_cluster.get(each.cluster, factories[0])) for each in informers]
