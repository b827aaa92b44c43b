"""The objects that a binding gives a policy as `params`.

Source: CollectParams in k8s.io/apiserver/pkg/admission/plugin/policy/generic, v0.36.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.conversions import as_served
from btcctl.apiserver.storage.store import Store
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey


class ConfigurationError(BtcctlError):
    """A policy or a binding that cannot be applied; in a real server's words."""


class Params:
    """Finds them. Thread-safe."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def of(
        self, kind: Mapping[str, Any] | None, reference: Mapping[str, Any] | None, attributes: Attributes
    ) -> list[Body | None]:
        """Each stands for one evaluation; [None] if there are to be no params, [] if there are none and may be none.

        Raises:
            ConfigurationError: There are none and must be some, or nobody can tell where.
        """
        if kind is None or reference is None:
            return [None]
        served = self._registry.by_kind(kind.get("apiVersion") or "", kind.get("kind") or "")
        if served is None:
            shown = f"&ParamKind{{APIVersion:{kind.get('apiVersion')},Kind:{kind.get('kind')},}}"
            raise ConfigurationError(f"paramKind kind `{shown}` not known")
        namespace = self._namespace(served, reference, attributes)
        found: list[Body | None] = [*self._found(served, reference, namespace)]
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction")
        return found

    def _namespace(self, served: Served, reference: Mapping[str, Any], attributes: Attributes) -> str:
        named = reference.get("namespace") or ""
        if not served.type.namespaced:
            if named:
                raise ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
            return ""
        namespace = named or attributes.namespace
        if not namespace:
            why = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            raise ConfigurationError(why)
        return str(namespace)

    def _found(self, served: Served, reference: Mapping[str, Any], namespace: str) -> list[Body]:
        name = reference.get("name")
        if name:
            record = self._store.get(served.collection, ObjectKey(namespace, name))
            records = [] if record is None else [record]
        else:
            selector = reference.get("selector") or {}
            records = [
                each
                for each in self._store.list(served.collection, namespace)[0]
                if matches_selector(selector, each.body["metadata"].get("labels") or {})
            ]
        return [as_served(each.body, served.type.api_version) for each in records]
