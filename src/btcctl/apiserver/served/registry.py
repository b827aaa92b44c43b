"""What is served: the built-in kinds and those of established CustomResourceDefinitions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.served.kind import Kind
from btcctl.apiserver.storage.collection import CollectionId
from btcctl.resources import ResourceType

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
#: Subresources that are the object itself, of which a write changes a part only.
OBJECT_PARTS = frozenset({"status", "ephemeralcontainers", "resize"})
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")

_SUBRESOURCES: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "binding": ("", "v1", "Binding", ("create",)),
    "ephemeralcontainers": ("", "v1", "Pod", ("get", "patch", "update")),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "log": ("", "v1", "Pod", ("get",)),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "resize": ("", "v1", "Pod", ("get", "patch", "update")),
    "finalize": ("", "v1", "Namespace", ("update",)),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
}


@dataclass(frozen=True, slots=True)
class Served:
    """One resource in one version, and what a client can know about it."""

    type: ResourceType
    singular: str
    list_kind: str
    kind: Kind
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ()
    stored_as: ResourceType | None = None  #: None if it is stored as itself
    deprecation: str = ""  #: the warning each use of it gets; "" if it is not deprecated
    is_terminating: bool = False  #: its definition is being deleted

    @property
    def collection(self) -> CollectionId:
        type_ = self.stored_type
        return (type_.group, type_.plural)

    @property
    def stored_type(self) -> ResourceType:
        return self.stored_as or self.type

    def subresource_kind(self, name: str) -> tuple[str, str, str, tuple[str, ...]]:
        """Group, version, kind and verbs of a subresource, as discovery shows them."""
        if name == "status":
            return self.type.group, self.type.version, self.type.kind, ("get", "patch", "update")
        return _SUBRESOURCES[name]


class Registry:
    """Thread-safe: readers see the built-ins and one consistent set of custom kinds."""

    def __init__(self, builtins: Iterable[Served]) -> None:
        self._builtins = tuple(builtins)
        self._lock = threading.Lock()  # guards the assignments of the next three
        self._custom: dict[str, tuple[Served, ...]] = {}
        self._index = _index(self._builtins)
        self._versions = _versions(self._builtins)

    def resources(self) -> list[Served]:
        return list(self._index.values())

    def groups(self) -> list[str]:
        """The core group "" first, then in the order of their first resource."""
        return list(dict.fromkeys(each.type.group for each in self._index.values()))

    def versions(self, group: str) -> list[str]:
        """Preferred first; [] if there is no such group."""
        return list(self._versions.get(group, ()))

    def resources_of(self, group: str, version: str) -> list[Served]:
        return [each for each in self._index.values() if (each.type.group, each.type.version) == (group, version)]

    def has_version(self, group: str, version: str) -> bool:
        return version in self._versions.get(group, ())

    def find(self, group: str, version: str, plural: str) -> Served | None:
        return self._index.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Served | None:
        wanted = (api_version, kind)
        return next((each for each in self._index.values() if (each.type.api_version, each.type.kind) == wanted), None)

    def define(self, name: str, served: Iterable[Served]) -> None:
        """Serve these, and nothing else, for the CustomResourceDefinition `name`."""
        with self._lock:
            custom = {key: each for key, each in self._custom.items() if key != name}
            kept = tuple(served)
            if kept:
                custom[name] = kept
            self._custom = custom
            all_ = (*self._builtins, *(one for each in custom.values() for one in each))
            self._index, self._versions = _index(all_), _versions(all_)

    def definitions(self) -> list[str]:
        """The names of the CustomResourceDefinitions that are served."""
        return list(self._custom)

    def definition(self, name: str) -> tuple[Served, ...]:
        """What is served for a CustomResourceDefinition; () for nothing."""
        return self._custom.get(name, ())


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Kubernetes' order of versions, best first: v2, v1, v1beta2, v1beta1, v1alpha1, others."""
    stage = 0
    for prefix, rank in (("alpha", 2), ("beta", 1)):
        head, found, tail = version.partition(prefix)
        if found:
            return (rank, -_number(head[1:]), -_number(tail), version)
    number = _number(version[1:]) if version.startswith("v") else -1
    return (stage if number >= 0 else 3, -number, 0, version)


def _number(text: str) -> int:
    return saturated(text) if text.isascii() and text.isdecimal() else -1


def _index(served: Iterable[Served]) -> dict[tuple[str, str, str], Served]:
    return {(each.type.group, each.type.version, each.type.plural): each for each in served}


def _versions(served: Iterable[Served]) -> dict[str, tuple[str, ...]]:
    """Those of each group, preferred first."""
    found: dict[str, set[str]] = {}
    for each in served:
        found.setdefault(each.type.group, set()).add(each.type.version)
    return {group: tuple(sorted(versions, key=version_priority)) for group, versions in found.items()}
