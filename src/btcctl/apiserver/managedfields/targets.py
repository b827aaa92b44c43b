"""What keeping track of fields must know of what is written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.managedfields.field_sets import FieldSet, Path, of_paths
from btcctl.apiserver.managedfields.types import Type, built_in_type
from btcctl.apiserver.storage.collection import CollectionId
from btcctl.resources import ResourceType

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
    ("apps", "statefulsets"): ("spec.updateStrategy.rollingUpdate.maxUnavailable",),
}
# Two names of one field.
_SAME = {"serviceAccount": "serviceAccountName", "serviceAccountName": "serviceAccount"}
# What a write to status leaves alone: GetResetFields of each kind's strategy in kubernetes 1.36.
_UNTOUCHED_BY_STATUS: Mapping[CollectionId, tuple[Path, ...]] = {
    ("", "pods"): (("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
    ("apps", "deployments"): (("f:metadata", "f:labels"),),
}
Convert = Callable[[Mapping[str, Any], str], dict[str, Any]]
_STATUS: FieldSet = {"f:status": {}}
_SPEC: Path = ("f:spec",)


@dataclass(frozen=True, slots=True)
class Target:
    """A kind as it is written in one version, to the object itself or to a subresource.

    Attributes:
        types: By apiVersion: the versions in which others may have written.
        reset: Fields that such a write never changes.
        is_plain: Whether absent fields are just absent; else they are what Go's types make of them.
        convert: Shows an object in another version; None if that changes nothing but its apiVersion.
        is_changed: Whether types were others when objects were stored.
    """

    api_version: str
    types: Mapping[str, Type]
    reset: FieldSet
    subresource: str
    is_plain: bool
    convert: Convert | None = None
    is_changed: bool = False

    @property
    def type(self) -> Type:
        return self.types[self.api_version]


def built_in_target(type_: ResourceType, stored: ResourceType, subresource: str, *, has_status: bool) -> Target:
    """
    Args:
        stored: What its objects are stored as.
        subresource: "" for the object itself.
        has_status: Whether the status is written by a subresource.
    """
    untouched = _UNTOUCHED_BY_STATUS.get((stored.group, stored.plural), ())
    reset = _reset(subresource, (_SPEC, *untouched), has_status=has_status)
    return Target(type_.api_version, {type_.api_version: built_in_type(type_)}, reset, subresource, is_plain=False)


def custom_target(
    type_: ResourceType,
    types: Mapping[str, Type],
    subresource: str,
    *,
    has_status: bool,
    convert: Convert | None,
    is_changed: bool,
) -> Target:
    """Likewise.

    Args:
        types: Of all versions that are served, by apiVersion.
        convert: Shows an object in another version; None if that changes nothing but its apiVersion.
        is_changed: Whether the types were others when objects were stored.
    """
    reset = _reset(subresource, (("f:metadata",), _SPEC), has_status=has_status)
    return Target(type_.api_version, types, reset, subresource, True, convert, is_changed)


def without_late(collection: CollectionId, sent: Mapping[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The new state but for what was done late: filled in what the client has not sent, dropped what it has."""
    for path in _LATE.get(collection, ()):
        parent, _, name = path.rpartition(".")
        said = {name, _SAME.get(name)} & set(sent.get(parent) or ())
        if name in (new.get(parent) or {}) and not said:
            new = {**new, parent: {key: value for key, value in new[parent].items() if key != name}}
    for path in _DROPPED.get(collection, ()):
        new = _with_sent(new, sent, path.split("."))
    return new


def _with_sent(new: dict[str, Any], sent: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """With what was sent at a path, if anything was."""
    name, *rest = path
    if sent.get(name) is None:
        return new
    return {**new, name: _with_sent(new.get(name) or {}, sent[name], rest) if rest else sent[name]}


def _reset(subresource: str, by_status: tuple[Path, ...], *, has_status: bool) -> FieldSet:
    """The fields that a write never changes.

    Args:
        by_status: Those that a write to the status leaves alone.
    """
    if not has_status or subresource not in {"", "status"}:
        return {}  # a write to another part owns whatever it says, even if that changes nothing
    return of_paths(by_status) if subresource == "status" else _STATUS
