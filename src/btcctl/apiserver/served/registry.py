"""What is served: the built-in kinds and those of established CustomResourceDefinitions."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.schemas.prune_and_default import has_rules
from btcctl.apiserver.storage.collection import Body, CollectionId
from btcctl.resources import ResourceType

if TYPE_CHECKING:
    from btcctl.apiserver.schemas.cel.rules import Node

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")

_SUBRESOURCES: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "binding": ("", "v1", "Binding", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "log": ("", "v1", "Pod", ("get",)),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "finalize": ("", "v1", "Namespace", ("update",)),
}


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """One of a CRD version's `additionalPrinterColumns`."""

    name: str
    type: str
    json_path: str
    description: str = ""
    format: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a scale subresource reads and writes, as dotted paths: ".spec.replicas"."""

    replicas: str
    status_replicas: str
    selector: str = ""  #: of a string holding a label selector; "" for none


@dataclass(frozen=True, slots=True)
class Served:
    """One resource in one version, and what a client can know about it."""

    type: ResourceType
    singular: str
    list_kind: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ()
    is_custom: bool = False
    storage_version: str = ""  #: "" if it is the served one
    versions: frozenset[str] = frozenset()  #: all that its definition has
    storage_schema: Mapping[str, Any] | None = None  #: of the storage version
    is_changed: bool = False  #: its definition was changed since it was made
    stored_as: ResourceType | None = None  #: None if it is stored as itself
    schema: Mapping[str, Any] | None = None  #: openAPIV3Schema of a CRD version
    columns: tuple[PrinterColumn, ...] = ()
    scale: ScalePaths | None = None
    selectable_fields: tuple[str, ...] = ()
    deprecation: str = ""  #: the warning each use of it gets; "" if it is not deprecated
    is_terminating: bool = False  #: its definition is being deleted
    rules: Node | None = field(default=None, compare=False)  #: the CEL rules of the schema, compiled

    @property
    def collection(self) -> CollectionId:
        type_ = self.stored_type
        return (type_.group, type_.plural)

    @property
    def stored_type(self) -> ResourceType:
        return self.stored_as or self.type

    @property
    def is_converted(self) -> bool:
        """Whether what is stored may be otherwise than this version shows it."""
        return self.is_changed or self.schema != self.storage_schema

    @property
    def storage_api_version(self) -> str:
        if self.stored_as is not None:
            return self.stored_as.api_version
        version = self.storage_version or self.type.version
        return f"{self.type.group}/{version}" if self.type.group else version

    def subresource_kind(self, name: str) -> tuple[str, str, str, tuple[str, ...]]:
        """Group, version, kind and verbs of a subresource, as discovery shows them."""
        if name == "status":
            return self.type.group, self.type.version, self.type.kind, ("get", "patch", "update")
        return _SUBRESOURCES[name]


class Registry:
    """Thread-safe: readers see the built-ins and one consistent set of custom kinds."""

    def __init__(self, builtins: Iterable[Served]) -> None:
        self._builtins = tuple(builtins)
        self._lock = threading.Lock()  # guards the assignments of the next two
        self._custom: dict[str, tuple[Served, ...]] = {}
        self._index = _index(self._builtins)

    def resources(self) -> list[Served]:
        return list(self._index.values())

    def groups(self) -> list[str]:
        """The core group "" first, then in the order of their first resource."""
        return list(dict.fromkeys(each.type.group for each in self._index.values()))

    def versions(self, group: str) -> list[str]:
        """Preferred first; [] if there is no such group."""
        found = dict.fromkeys(each.type.version for each in self._index.values() if each.type.group == group)
        return sorted(found, key=version_priority)

    def resources_of(self, group: str, version: str) -> list[Served]:
        return [each for each in self._index.values() if (each.type.group, each.type.version) == (group, version)]

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
            self._index = _index((*self._builtins, *(one for each in custom.values() for one in each)))

    def definitions(self) -> list[str]:
        """The names of the CustomResourceDefinitions that are served."""
        return list(self._custom)

    def definition(self, name: str) -> tuple[Served, ...]:
        """What is served for a CustomResourceDefinition; () for nothing."""
        return self._custom.get(name, ())


def served_by(definition: Body) -> list[Served]:
    """The resources an established CustomResourceDefinition asks for, storage version known to each."""
    spec, metadata = definition["spec"], definition["metadata"]
    storage = next(each for each in spec["versions"] if each["storage"])
    common = {
        "versions": frozenset(each["name"] for each in spec["versions"]),
        "storage_version": storage["name"],
        "storage_schema": storage["schema"]["openAPIV3Schema"],
        "is_changed": metadata.get("generation", 1) > 1,
        "is_terminating": "deletionTimestamp" in metadata,
    }
    return [replace(_served_version(spec, each), **common) for each in spec["versions"] if each["served"]]


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


def _served_version(spec: Body, version: Body) -> Served:
    names = spec["names"]
    subresources = version.get("subresources") or {}
    scale = subresources.get("scale")
    return Served(
        ResourceType(spec["group"], version["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced"),
        names["singular"],
        names["listKind"],
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        CUSTOM_VERBS,
        tuple(name for name in ("status", "scale") if subresources.get(name) is not None),
        is_custom=True,
        schema=version["schema"]["openAPIV3Schema"],
        columns=tuple(_column(each) for each in version.get("additionalPrinterColumns") or ()),
        scale=None
        if scale is None
        else ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")),
        selectable_fields=tuple(each["jsonPath"].lstrip(".") for each in version.get("selectableFields") or ()),
        deprecation=_deprecation(spec, version),
        rules=_rules(version["schema"]["openAPIV3Schema"]),
    )


def _deprecation(spec: Body, version: Body) -> str:
    if not version.get("deprecated"):
        return ""
    said: str | None = version.get("deprecationWarning")
    return said or f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"


def _rules(schema: Mapping[str, Any]) -> Node | None:
    if not has_rules(schema):
        return None
    compiler = importlib.import_module("btcctl.apiserver.schemas.cel.rules")  # late: most have no rules
    found: Node | None = compiler.compile_rules(schema)
    return found


def _column(column: Body) -> PrinterColumn:
    return PrinterColumn(
        column["name"],
        column["type"],
        column["jsonPath"],
        column.get("description", ""),
        column.get("format", ""),
        column.get("priority", 0),
    )
