"""Objects that are stored in one version and served in others.

Versions of a CustomResourceDefinition differ in their names alone; of the built-in kinds only
events are served in more than one version, in two groups that give fields other names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NEW_EVENT = "events.k8s.io/v1"
_NEW_NAMES: Mapping[str, str] = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_OLD_NAMES = {new: old for old, new in _NEW_NAMES.items()}


def as_served(body: Mapping[str, Any], api_version: str) -> Mapping[str, Any]:
    """A stored body as a version has it; parts are shared."""
    if body.get("apiVersion") == api_version:
        return body
    return _new_event(body) if api_version == _NEW_EVENT else {**body, "apiVersion": api_version}


def as_stored(body: dict[str, Any]) -> dict[str, Any]:
    """The reverse; the version of a custom object is left to whoever stores it."""
    if body.get("apiVersion") != _NEW_EVENT:
        return body
    return {**{_OLD_NAMES.get(name, name): each for name, each in body.items()}, "apiVersion": "v1"}


def are_versions_of_one(api_version: str, other: str) -> bool:
    """Whether what is called the same in both, as an Event is, is the same."""
    return {api_version, other} == {"v1", _NEW_EVENT}


def _new_event(body: Mapping[str, Any]) -> dict[str, Any]:
    found = {_NEW_NAMES.get(name, name): each for name, each in body.items()}
    for name in ("reportingController", "reportingInstance"):
        if not found.get(name):
            found.pop(name, None)
    return {**found, "apiVersion": _NEW_EVENT}
