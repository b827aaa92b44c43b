"""What keeping track of fields must know of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.managedfields.field_sets import FieldSet, Path, of_paths
from btcctl.apiserver.managedfields.types import Type, type_of
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.apiserver.storage.collection import CollectionId

# What a real server fills in after it has looked who set what: admission, and addresses allotted.
_LATE: Mapping[CollectionId, tuple[str, ...]] = {
    ("", "namespaces"): ("spec.finalizers",),
    ("", "persistentvolumeclaims"): ("metadata.finalizers",),
    ("", "pods"): (
        "spec.priority",
        "spec.preemptionPolicy",
        "spec.serviceAccount",
        "spec.serviceAccountName",
        "spec.tolerations",
    ),
    ("", "services"): ("spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"),
}
# And what it drops only then, since the feature it belongs to is switched off.
_DROPPED: Mapping[CollectionId, tuple[str, ...]] = {
    ("coordination.k8s.io", "leases"): ("spec.strategy", "spec.preferredHolder"),
}
# Two names of one field.
_SAME = {"serviceAccount": "serviceAccountName", "serviceAccountName": "serviceAccount"}
# What a write to status leaves alone: GetResetFields of each kind's strategy in kubernetes 1.36.
_UNTOUCHED_BY_STATUS: Mapping[CollectionId, tuple[Path, ...]] = {
    ("", "pods"): (("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
    ("apps", "deployments"): (("f:metadata", "f:labels"),),
}
_STATUS: FieldSet = {"f:status": {}}
_SPEC: Path = ("f:spec",)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as it is written in one version, to the object itself or to a subresource.

    Attributes:
        types: By apiVersion: the versions in which others may have written.
        reset: Fields that such a write never changes.
        is_plain: Whether absent fields are just absent; else they are what Go's types make of them.
        convert: Shows an object in another version; None if that changes nothing but its apiVersion.
    """

    api_version: str
    types: Mapping[str, Type]
    reset: FieldSet
    subresource: str
    is_plain: bool
    convert: Callable[[Mapping[str, Any], str], dict[str, Any]] | None = None

    @property
    def type(self) -> Type:
        return self.types[self.api_version]


def kind_of(registry: Registry, served: Served, subresource: str = "") -> Kind:
    found = registry.definition(f"{served.type.plural}.{served.type.group}") if served.is_custom else ()
    types = {each.type.api_version: type_of(each) for each in (*found, served)}
    convert = None if served.conversion is None else served.conversion.converted
    return Kind(served.type.api_version, types, _reset(served, subresource), subresource, served.is_custom, convert)


def without_late(served: Served, sent: Mapping[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The new state but for what was done late: filled in what the client has not sent, dropped what it has."""
    for path in _LATE.get(served.collection, ()):
        parent, _, name = path.rpartition(".")
        said = {name, _SAME.get(name)} & set(sent.get(parent) or ())
        if name in (new.get(parent) or {}) and not said:
            new = {**new, parent: {key: value for key, value in new[parent].items() if key != name}}
    for path in _DROPPED.get(served.collection, ()):
        parent, _, name = path.rpartition(".")
        if name in (sent.get(parent) or {}):
            new = {**new, parent: {**(new.get(parent) or {}), name: sent[parent][name]}}
    return new


def _reset(served: Served, subresource: str) -> FieldSet:
    if "status" not in served.subresources:
        return {}
    if subresource != "status":
        return _STATUS
    if served.is_custom:
        return of_paths((("f:metadata",), _SPEC))
    return of_paths((_SPEC, *_UNTOUCHED_BY_STATUS.get(served.collection, ())))
