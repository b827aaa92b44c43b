"""The rules of a pod's volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, forbidden, invalid, required
from btcctl.apiserver.machinery.names import label_name

_MOST_MODE = 0o777
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_NEEDED = {"secret": "secretName", "configMap": "name", "hostPath": "path", "persistentVolumeClaim": "claimName"}
_ORDER = ("emptyDir", "hostPath", "secret", "persistentVolumeClaim", "downwardAPI", "configMap", "projected")


def check_volumes(volumes: list[Any], field: str) -> tuple[list[Cause], set[str]]:
    """What is wrong with volumes, and the names of those with which nothing is."""
    causes: list[Cause] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        found = _check_volume(volume, f"{field}[{index}]", names)
        causes += found
        if not found:
            names.add(volume["name"])
    return causes, names


def _check_volume(volume: Mapping[str, Any], field: str, names: set[str]) -> list[Cause]:
    name = volume.get("name", "")
    causes = _check_sources(volume, field)
    causes += (
        [invalid(f"{field}.name", name, each) for each in label_name(name)] if name else [required(f"{field}.name")]
    )
    return causes + ([duplicate(f"{field}.name", name)] if name in names else [])


def _check_sources(volume: Mapping[str, Any], field: str) -> list[Cause]:
    given = [kind for kind in volume if kind != "name" and volume[kind] is not None]
    given.sort(key=lambda kind: _ORDER.index(kind) if kind in _ORDER else len(_ORDER))
    causes = [forbidden(f"{field}.{kind}", "may not specify more than 1 volume type") for kind in given[1:]]
    return _check_source(given[0], volume[given[0]], f"{field}.{given[0]}") + causes if given else causes


def _check_source(kind: str, source: Mapping[str, Any], field: str) -> list[Cause]:
    needed, mode = _NEEDED.get(kind), source.get("defaultMode")
    causes = [] if needed is None or source.get(needed) else [required(f"{field}.{needed}")]
    if mode is not None and not 0 <= mode <= _MOST_MODE:
        causes.append(invalid(f"{field}.defaultMode", mode, _MODE))
    for index, item in enumerate(source.get("items") or ()) if kind in {"secret", "configMap"} else ():
        causes += _check_item(item, f"{field}.items[{index}]")
    return causes


def _check_item(item: Mapping[str, Any], field: str) -> list[Cause]:
    causes = [required(f"{field}.{name}") for name in ("key", "path") if not item.get(name)]
    mode = item.get("mode")
    return causes if mode is None or 0 <= mode <= _MOST_MODE else [*causes, invalid(f"{field}.mode", mode, _MODE)]
