"""Tells API servers of the hooks, and goes on doing so: configurations that somebody changes are put right.

Everything is a server-side apply in the name of the operator: what others add to a configuration stays, what we no
longer say goes. A configuration of which nothing is left to say is deleted, for the server would go on asking.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from btcctl.controller.reconciling.result import Result
from btcctl.errors import NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    MUTATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    ResourceType,
)
from btcctl.rest.client import ApiClient
from btcctl.rest.typed.applied import is_applied
from btcctl.webhooks.answers.reviews import CONVERT_PATH, path_of
from btcctl.webhooks.hooks import AdmissionHook, Hook, Mutator, Validator
from btcctl.webhooks.options import WebhookOptions

if TYPE_CHECKING:  # cryptography is for who serves hooks
    from btcctl.certificates.identity import Identity

logger = get_logger(__name__)

_MANAGED_BY = "app.kubernetes.io/managed-by"
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Said:
    """What an API server is to know.

    Attributes:
        name: Of the operator, and of its configurations.
        options: Where the hooks are.
        namespaces: Those that the operator looks after; () for all.
        hooks: All of them.
        definitions: Names of the CustomResourceDefinitions whose objects we convert.
    """

    name: str
    options: WebhookOptions
    namespaces: tuple[str, ...]
    hooks: tuple[Hook, ...]
    definitions: tuple[str, ...]

    def configuration(self, type_: ResourceType, authorities: bytes) -> dict[str, Any] | None:
        """The validating or the mutating configuration; None if there is no such hook.

        Args:
            authorities: PEM; b"" if somebody else says whom to believe.
        """
        wanted = Mutator if type_ == MUTATING_WEBHOOK_CONFIGURATIONS else Validator
        hooks = [each for each in self.hooks if isinstance(each, wanted)]
        if not hooks:
            return None
        return {
            "apiVersion": type_.api_version,
            "kind": type_.kind,
            "metadata": {"name": self.name, "labels": {_MANAGED_BY: self.name}},
            "webhooks": [self._webhook(each, authorities) for each in hooks],
        }

    def conversion(self, definition: str, authorities: bytes) -> dict[str, Any]:
        """What a CustomResourceDefinition is to say of conversions."""
        webhook = {
            "clientConfig": self._client_config(CONVERT_PATH, authorities),
            "conversionReviewVersions": ["v1"],
        }
        return {
            "apiVersion": CUSTOM_RESOURCE_DEFINITIONS.api_version,
            "kind": CUSTOM_RESOURCE_DEFINITIONS.kind,
            "metadata": {"name": definition},
            "spec": {"conversion": {"strategy": "Webhook", "webhook": webhook}},
        }

    def _client_config(self, path: str, authorities: bytes) -> dict[str, Any]:
        trust = {"caBundle": base64.b64encode(authorities).decode()} if authorities else {}
        return {**self.options.client_config(self.name, path), **trust}

    def _webhook(self, hook: AdmissionHook[Any], authorities: bytes) -> dict[str, Any]:
        kind, options = hook.kind, hook.options
        resource = f"{kind.plural}/{options.subresource}" if options.subresource else kind.plural
        rule = {
            "apiGroups": [kind.group],
            "apiVersions": [kind.version],
            "resources": [resource],
            "operations": [*options.on],
            "scope": "Namespaced" if kind.namespaced else "Cluster",
        }
        said: dict[str, Any] = {
            "name": hook.name,
            "clientConfig": self._client_config(path_of(hook), authorities),
            "rules": [rule],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "NoneOnDryRun" if options.has_effects else "None",
            "failurePolicy": options.failure_policy,
            "timeoutSeconds": options.timeout_seconds,
            "matchPolicy": "Equivalent",
        }
        if options.match_conditions:
            said["matchConditions"] = [
                {"name": name, "expression": text} for name, text in options.match_conditions.items()
            ]
        if options.object_selector:
            said["objectSelector"] = dict(options.object_selector)
        if isinstance(hook, Mutator):
            said["reinvocationPolicy"] = "IfNeeded" if options.reinvoked else "Never"
        selector = self._namespace_selector(hook)
        return {**said, "namespaceSelector": selector} if selector else said

    def _namespace_selector(self, hook: AdmissionHook[Any]) -> dict[str, Any]:
        selector = dict(hook.options.namespace_selector)
        if not (self.namespaces and hook.kind.namespaced):
            return selector
        ours = {"key": _NAMESPACE_NAME, "operator": "In", "values": [*self.namespaces]}
        return {**selector, "matchExpressions": [*selector.get("matchExpressions", ()), ours]}


class Registrar:
    """Brings what an API server knows of the hooks up to date: the reconcile of a controller.

    Args:
        client: Of the operator: it writes only while it leads.
        listers: The caches with configurations and definitions.
        identity: Whose authorities are to be believed.
    """

    def __init__(
        self, said: Said, client: ApiClient, listers: Mapping[ResourceType, Lister], identity: Identity
    ) -> None:
        self._said = said
        self._client = client
        self._listers = listers
        self._identity = identity

    def reconcile(self, _key: ObjectKey) -> Result:
        """Apply what is not so. Does nothing before there is a certificate: its arrival brings us back."""
        authorities = self._identity.authorities
        if authorities is None:
            return Result()
        for type_ in (MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS):
            key = ObjectKey("", self._said.name)
            there = self._listers[type_].get(key)
            body = self._said.configuration(type_, authorities)
            if body is not None:
                self._apply(type_, there, body)
            elif there is not None and there.labels.get(_MANAGED_BY) == self._said.name:
                self._delete(type_, key)
        for name in self._said.definitions:
            there = self._listers[CUSTOM_RESOURCE_DEFINITIONS].get(ObjectKey("", name))
            if there is not None:
                self._apply(CUSTOM_RESOURCE_DEFINITIONS, there, self._said.conversion(name, authorities))
        return Result()

    def _apply(self, type_: ResourceType, there: Object | None, body: Mapping[str, Any]) -> None:
        resource = self._client.resource(type_)
        manager = self._said.name
        if there is not None and is_applied(body, there.body(), manager):
            return
        resource.apply(body, force=True, field_manager=manager)
        logger.info("registered webhooks", kind=type_.kind, name=body["metadata"]["name"])

    def _delete(self, type_: ResourceType, key: ObjectKey) -> None:
        try:
            self._client.resource(type_).delete(key)
        except NotFound:
            return
        logger.info("took back webhooks", kind=type_.kind, name=key.name)


def kinds_written(said: Said) -> Sequence[ResourceType]:
    """Of which kinds the registrar reads and writes objects."""
    definitions: Iterable[ResourceType] = [CUSTOM_RESOURCE_DEFINITIONS] if said.definitions else []
    return [MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS, *definitions]
