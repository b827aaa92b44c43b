"""Who is asked about a request, in order: policies and webhooks, as the configurations in the store have them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from btcctl.apiserver.admission import matching
from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.admission.gate import Gate
from btcctl.apiserver.admission.hooks import webhooks
from btcctl.apiserver.admission.hooks.calling import HookClient, Local, Resolve
from btcctl.apiserver.admission.hooks.webhooks import Webhook, Webhooks
from btcctl.apiserver.admission.mutating import Mutator, Renew, mutate
from btcctl.apiserver.admission.versions import Versions
from btcctl.apiserver.requests.messages import ApiRequest, User
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.registry import Registry
from btcctl.apiserver.storage.collection import Body, CollectionId
from btcctl.apiserver.storage.store import Store
from btcctl.resources import MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS, ResourceType


def _collection(type_: ResourceType) -> CollectionId:
    return type_.group, type_.plural


_MUTATING = _collection(MUTATING_WEBHOOK_CONFIGURATIONS)
_VALIDATING = _collection(VALIDATING_WEBHOOK_CONFIGURATIONS)
_ALL = (_MUTATING, _VALIDATING)


@dataclass(frozen=True)
class _Configured:
    """What the configurations in the store say, read once for each state of theirs."""

    state: tuple[int, ...]
    mutating: tuple[Webhook, ...] = ()
    validating: tuple[Webhook, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.mutating or self.validating)


class Admission:
    """Thread-safe.

    Args:
        resolve: Where Services are.
    """

    def __init__(self, store: Store, registry: Registry, resolve: Resolve) -> None:
        self._store = store
        self._versions = Versions(registry)
        self._client = HookClient(resolve)
        self._webhooks = Webhooks(store, self._versions, self._client)
        self._lock = threading.Lock()  # guards the next one
        self._known = _Configured(())

    @property
    def local_hooks(self) -> dict[str, Local]:
        """Who answers in this process: see `HookClient`."""
        return self._client.local

    def gate(
        self, request: ApiRequest, route: Route, options: Callable[[], Mapping[str, Any]], warnings: list[str]
    ) -> Gate | None:
        """What a write of this request must pass; None if nobody is to be asked about any.

        Args:
            options: Tells what the CreateOptions and so on have in them.
        """
        if self._configured().is_empty:
            return None
        return Gate(self, route, User(request.user, request.groups), options(), warnings)

    def may_mutate(self, attributes: Attributes) -> bool:
        return self._names_any(self._configured().mutating, attributes)

    def may_validate(self, attributes: Attributes) -> bool:
        return self._names_any(self._configured().validating, attributes)

    def mutate(self, attributes: Attributes, renew: Renew, warnings: list[str]) -> Body | None:
        """
        Raises:
            StatusError: Somebody refuses.
        """
        hooks = [self._mutator(each, renew, warnings) for each in self._configured().mutating]
        return mutate([hooks], attributes)

    def validate(self, attributes: Attributes, warnings: list[str]) -> None:
        """
        Raises:
            StatusError: Somebody refuses.
        """
        self._webhooks.validate(self._configured().validating, attributes, warnings)

    def close(self) -> None:
        """Close the connections to webhooks."""
        self._client.close()

    def _mutator(self, hook: Webhook, renew: Renew, warnings: list[str]) -> Mutator:
        apply: Callable[[Attributes], Body | None] = partial(
            self._webhooks.mutate, hook, renew=renew, warnings=warnings
        )
        return Mutator(hook.uid, hook.is_reinvocable, apply)

    def _names_any(self, hooks: Sequence[Webhook], attributes: Attributes) -> bool:
        return any(self._names(each.source.get("rules") or (), attributes) for each in hooks)

    def _names(self, rules: Iterable[matching.Rule], attributes: Attributes) -> bool:
        equivalents = [attributes.resource, *self._versions.equivalents(attributes.resource)]
        return any(matching.matches(rule, attributes, each) for rule in rules for each in equivalents)

    def _configured(self) -> _Configured:
        state = tuple(self._store.changed(each) for each in _ALL)
        known = self._known
        if known.state == state:
            return known
        found = _Configured(
            state, *(webhooks.read_webhooks([each.body for each in self._store.list(id_)[0]]) for id_ in _ALL)
        )
        with self._lock:
            self._known = found
        return found
