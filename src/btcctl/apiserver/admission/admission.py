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
from btcctl.apiserver.admission.hooks.webhooks import Webhook, Webhooks
from btcctl.apiserver.admission.mutating import Mutator, Plugin, mutate
from btcctl.apiserver.admission.policies import mutating as mutating_policies
from btcctl.apiserver.admission.policies import validating as validating_policies
from btcctl.apiserver.admission.policies.invocations import Invocations, Policy, read_policies
from btcctl.apiserver.admission.policies.mutating import MutatingPolicies, MutatingPolicy
from btcctl.apiserver.admission.policies.params import Params
from btcctl.apiserver.admission.policies.validating import ValidatingPolicies, ValidatingPolicy
from btcctl.apiserver.admission.versions import Versions
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.options import Renew
from btcctl.apiserver.served.registry import Registry
from btcctl.apiserver.storage.collection import Body, CollectionId
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.webhooks.calling import HookClient, Local
from btcctl.resources import (
    MUTATING_ADMISSION_POLICIES,
    MUTATING_ADMISSION_POLICY_BINDINGS,
    MUTATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_ADMISSION_POLICIES,
    VALIDATING_ADMISSION_POLICY_BINDINGS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    ResourceType,
)


def _collection(type_: ResourceType) -> CollectionId:
    return type_.group, type_.plural


_POLICIES, _BINDINGS = (
    _collection(each) for each in (VALIDATING_ADMISSION_POLICIES, VALIDATING_ADMISSION_POLICY_BINDINGS)
)
_MUTATING = _collection(MUTATING_WEBHOOK_CONFIGURATIONS)
_VALIDATING = _collection(VALIDATING_WEBHOOK_CONFIGURATIONS)
_MUTATING_POLICIES, _MUTATING_BINDINGS = (
    _collection(each) for each in (MUTATING_ADMISSION_POLICIES, MUTATING_ADMISSION_POLICY_BINDINGS)
)
_ALL = (_MUTATING, _VALIDATING, _POLICIES, _BINDINGS, _MUTATING_POLICIES, _MUTATING_BINDINGS)


@dataclass(frozen=True)
class _Configured:
    """What the configurations in the store say, read once for each state of theirs."""

    state: Sequence[int]
    mutating: tuple[Webhook, ...] = ()
    validating: tuple[Webhook, ...] = ()
    policies: tuple[ValidatingPolicy, ...] = ()
    mutating_policies: tuple[MutatingPolicy, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.mutating or self.validating or self.policies or self.mutating_policies)


class Admission:
    """Thread-safe.

    Args:
        client: Calls webhooks.
    """

    def __init__(self, store: Store, registry: Registry, client: HookClient) -> None:
        self._store = store
        self._versions = Versions(registry)
        self._client = client
        self._webhooks = Webhooks(store, self._versions, self._client)
        invocations = Invocations(store, self._versions, Params(store, registry))
        self._policies = ValidatingPolicies(invocations)
        self._mutating_policies = MutatingPolicies(registry, self._versions, invocations)
        self._lock = threading.Lock()  # guards the next one
        self._known = _Configured(())

    @property
    def local_hooks(self) -> dict[str, Local]:
        """Who answers in this process: see `HookClient`."""
        return self._client.local

    def gate(self, context: RequestContext, options: Callable[[], Mapping[str, Any]]) -> Gate | None:
        """What a write of this request must pass; None if nobody is to be asked about any.

        Args:
            options: Tells what the CreateOptions and so on have in them.
        """
        if self._configured().is_empty:
            return None
        return Gate(self, context, options())

    def may_mutate(self, attributes: Attributes) -> bool:
        configured = self._configured()
        return self._names_any(configured.mutating, attributes) or self._names_any_policy(
            (each.policy for each in configured.mutating_policies), attributes
        )

    def may_validate(self, attributes: Attributes) -> bool:
        configured = self._configured()
        return self._names_any(configured.validating, attributes) or self._names_any_policy(
            (each.policy for each in configured.policies), attributes
        )

    def mutate(self, attributes: Attributes, renew: Renew) -> Body | None:
        """
        Raises:
            StatusError: Somebody refuses.
        """
        configured = self._configured()
        policies = self._mutating_policies.plugin(configured.mutating_policies, attributes, renew)
        hooks = [self._mutator(each, renew) for each in configured.mutating]
        return mutate([policies, Plugin(lambda _: hooks)], attributes)

    def validate(self, attributes: Attributes) -> None:
        """
        Raises:
            StatusError: Somebody refuses.
        """
        configured = self._configured()
        self._policies.validate(configured.policies, attributes)
        self._webhooks.validate(configured.validating, attributes)

    def close(self) -> None:
        """Close the connections to webhooks."""
        self._client.close()

    def _mutator(self, hook: Webhook, renew: Renew) -> Mutator:
        apply: Callable[[Attributes], Body | None] = partial(self._webhooks.mutate, hook, renew=renew)
        return Mutator(hook.uid, hook.is_reinvocable, apply)

    def _names_any(self, hooks: Sequence[Webhook], attributes: Attributes) -> bool:
        return any(self._names(each.source.get("rules") or (), attributes) for each in hooks)

    def _names_any_policy(self, policies: Iterable[Policy], attributes: Attributes) -> bool:
        return any(
            self._names(each.spec["matchConstraints"].get("resourceRules") or (), attributes) for each in policies
        )

    def _names(self, rules: Iterable[matching.Rule], attributes: Attributes) -> bool:
        equivalents = [attributes.resource, *self._versions.equivalents(attributes.resource)]
        return any(matching.matches(rule, attributes, each) for rule in rules for each in equivalents)

    def _configured(self) -> _Configured:
        state = self._store.changed(*_ALL)
        known = self._known
        if known.state == state:
            return known
        mutating, validating, policies, bindings, mutating_ones, mutating_bindings = (
            [each.body for each in self._store.list(id_)[0]] for id_ in _ALL
        )
        found = _Configured(
            state,
            webhooks.read_webhooks(mutating),
            webhooks.read_webhooks(validating),
            tuple(validating_policies.compiled(each) for each in read_policies(policies, bindings)),
            tuple(mutating_policies.compiled(each) for each in read_policies(mutating_ones, mutating_bindings)),
        )
        with self._lock:
            self._known = found
        return found
