"""Says what a controller reconciles, and what else it has to look at for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.handlers import KeysOf, own_key, owner_keys
from btcctl.controller.options import ControllerOptions
from btcctl.controller.predicates import Predicate
from btcctl.controller.sources import CachingInformer
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.workqueue.rate_limiters import RateLimiter

if TYPE_CHECKING:
    from btcctl.controller.controller import Controller
    from btcctl.controller.processing import Reconcile
    from btcctl.metrics import Metrics


class Factory(Protocol):
    """What is needed of `btcctl.informers.factory.SharedInformerFactory`."""

    def informer(self, type_: ResourceType) -> CachingInformer: ...


class ControllerBuilder:
    """Made by `Controller.for_`. Each call adds a watch; `build` makes the controller.

    Args:
        make: The class of the controller.
        type_: What is reconciled: each object's own key.
        predicate: Drops the changes of these for which it is false.
    """

    def __init__(self, make: type[Controller], type_: ResourceType, predicate: Predicate | None = None) -> None:
        self._make = make
        self._type = type_
        self._watches: list[tuple[ResourceType, Callable[[Factory], KeysOf], Predicate | None]] = []
        self.watches(type_, own_key, predicate)

    def owns(self, type_: ResourceType, predicate: Predicate | None = None) -> Self:
        """Also look at objects of `type_`, and reconcile the one that controls each.

        It is told by the group, kind and UID of the owner reference with `controller: true`.
        """
        self._watches.append((type_, self._owner_keys, predicate))
        return self

    def watches(self, type_: ResourceType, keys_of: KeysOf, predicate: Predicate | None = None) -> Self:
        """Also look at objects of `type_`, and reconcile what `keys_of` maps each to."""
        self._watches.append((type_, lambda _: keys_of, predicate))
        return self

    def build(
        self,
        name: str,
        reconcile: Reconcile,
        factory: Factory,
        *,
        options: ControllerOptions = ControllerOptions(),
        rate_limiter: RateLimiter[ObjectKey] | None = None,
        metrics: Metrics | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Controller:
        """Make the controller; see `Controller` for the arguments.

        Args:
            factory: Where the informers come from; to be started by the caller, for example with
                a Manager.
        """
        controller = self._make(
            name, reconcile, options=options, rate_limiter=rate_limiter, metrics=metrics, clock=clock
        )
        for type_, keys_for, predicate in self._watches:
            controller.watch(factory.informer(type_), keys_for(factory), predicate, type_=type_)
        return controller

    def _owner_keys(self, factory: Factory) -> KeysOf:
        owners = factory.informer(self._type).lister

        def uid_of(key: ObjectKey) -> str | None:
            owner = owners.get(key)
            return None if owner is None else owner.uid

        return owner_keys(self._type, uid_of)
