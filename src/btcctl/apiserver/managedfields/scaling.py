"""Who set `replicas`, seen through a Scale, and back again.

Word for word what upstream's ScaleHandler does, with its oddities: an Update's entry is known by
another version in a Scale, so that it is always taken for somebody else's, and loses its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.managedfields import entries
from btcctl.apiserver.managedfields.entries import UPDATE, Entry, Managed, Manager
from btcctl.apiserver.managedfields.field_sets import Path, difference, field_element, has, of_paths
from btcctl.apiserver.managedfields.targets import Target
from btcctl.apiserver.managedfields.types import MapType, Type, metadata_type

SCALE = "autoscaling/v1"
_REPLICAS: Path = ("f:spec", "f:replicas")
_NUMBER, _STRING = Type("numeric"), Type("string")
_TYPE = Type(
    map=MapType(
        {
            "apiVersion": _STRING,
            "kind": _STRING,
            "metadata": metadata_type(),
            "spec": Type(map=MapType({"replicas": _NUMBER})),
            "status": Type(map=MapType({"replicas": _NUMBER, "selector": _STRING})),
        }
    )
)
TARGET = Target(SCALE, {SCALE: _TYPE}, {}, "scale", is_plain=True)

Paths = Mapping[str, Path | None]  #: of the replicas, by apiVersion; None in one without a scale


def path_of(dotted: str) -> Path:
    """A path such as ".spec.replicas"."""
    return tuple(field_element(name) for name in dotted.strip(".").split("."))


def to_scale(stored: Any, paths: Paths) -> list[dict[str, Any]]:
    """The `managedFields` of the Scale of an object that has these."""
    found: Managed = {}
    for manager, entry in entries.read_own(stored).items():
        path = paths.get(entry.api_version)
        if path is not None and has(entry.fields, path):
            found[_in_scale(manager)] = Entry(of_paths([_REPLICAS]), SCALE, entry.time)
    return entries.write(found)


def to_object(stored: Any, scale: Any, paths: Paths, api_version: str) -> list[dict[str, Any]]:
    """The `managedFields` of an object that had these, after its Scale got those."""
    left, times = entries.read_own(scale), {}
    found: Managed = {}
    for manager, entry in entries.read_own(stored).items():
        times[manager] = entry.time
        if entry.api_version not in paths:
            continue
        path = paths[entry.api_version]
        rest = entry.fields
        if path is not None and has(rest, path) and left.pop(manager, None) is None:
            rest = difference(rest, of_paths([path]))
        if rest:
            found[manager] = entry.with_fields(rest)
    own = paths[api_version]
    for manager, entry in left.items():
        if own is not None and has(entry.fields, _REPLICAS):
            found[manager] = Entry(of_paths([own]), api_version, times.get(manager, ""))
    return entries.write(found)


def _in_scale(manager: Manager) -> Manager:
    return manager._replace(api_version=SCALE) if manager.operation == UPDATE else manager
