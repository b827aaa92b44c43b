"""Other resources for the containers of a running pod: pods/resize.

Source: dropNonResizeUpdates and ValidatePodResize of kubernetes 1.36.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds.pods.pods import quality_of
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid
from btcctl.apiserver.machinery.json_values import with_fields
from btcctl.apiserver.storage.collection import Body

Spec = Mapping[str, Any]
_CONTAINERS = ("initContainers", "containers")
_OWN = ("resources", "resizePolicy")
_MOVABLE = frozenset({"cpu", "memory"})
_FIXED = "only cpu and memory resources are mutable"
_FIXED_FIRST = "only cpu and memory resources for init or sidecar containers are mutable"


def resized(sent: Body, old: Body) -> dict[str, Any]:
    """The spec that such a write makes: all but resources stays, unless there are other containers."""
    wanted, before = sent.get("spec") or {}, old["spec"]
    if any(len(wanted.get(name) or ()) != len(before.get(name) or ()) for name in _CONTAINERS):
        return dict(wanted)
    spec = with_fields(before, {"resources": wanted.get("resources")})
    for name in _CONTAINERS:
        if before.get(name):
            spec[name] = _resized_containers(wanted[name], before[name])
    return spec


def _resized_containers(wanted: list[Any], before: list[Any]) -> list[Any]:
    if [each.get("name") for each in wanted] != [each.get("name") for each in before]:
        return wanted
    pairs = zip(wanted, before, strict=True)
    return [with_fields(old, {name: container.get(name) for name in _OWN}) for container, old in pairs]


def check_resize(new: Body, old: Body) -> list[Cause]:
    now, before = new["spec"], old["spec"]
    causes = list(_check_pod(new, old))
    others = list(_check_names(now, before))
    if others:
        return causes + others
    for name in _CONTAINERS:
        pairs = zip(now.get(name) or (), before.get(name) or (), strict=True)
        for index, (container, had) in enumerate(pairs):
            here = f"spec.{name}[{index}]"
            causes += _removed(container.get("resources") or {}, had.get("resources") or {}, f"{here}.resources")
            if _settled(container, had) == had:
                continue
            is_first = name == "initContainers"
            causes.append(forbidden(here, _FIXED_FIRST) if is_first else forbidden("spec", _FIXED))
    return causes


def _check_pod(new: Body, old: Body) -> Iterator[Cause]:
    quality = (old.get("status") or {}).get("qosClass") or quality_of(old["spec"])
    if quality_of(new["spec"]) != quality:
        yield invalid("spec", quality, "Pod QOS Class may not change as a result of resizing")
    statuses = (old.get("status") or {}).get("containerStatuses") or ()
    running = next((each for each in statuses if "running" in (each.get("state") or {})), None)
    if running is not None and running.get("resources") is None:
        yield forbidden("spec", "Pod running on node without support for resize")
    now, before = new["spec"].get("resources"), old["spec"].get("resources")
    if before is not None and now is None:
        yield forbidden("spec.resources", "pod-level resources cannot be removed")
    elif now is not None:
        yield from _removed(now, before or {}, "spec.resources", "pod-level ")
        if _amounts(now, before or {}) != {name: each for name, each in (before or {}).items() if each}:
            yield forbidden("spec", f"{_FIXED} at pod-level")


def _check_names(now: Spec, before: Spec) -> Iterator[Cause]:
    for name in ("containers", "initContainers"):
        wanted, had = now.get(name) or (), before.get(name) or ()
        if len(wanted) != len(had):
            yield forbidden(f"spec.{name}", f"{name} may not be added or removed on resize")
            continue
        for index, (one, other) in enumerate(zip(wanted, had, strict=True)):
            if one.get("name") != other.get("name"):
                why = f"{name} may not be renamed or reordered on resize"
                yield forbidden(f"spec.{name}[{index}].name", why)


def _removed(now: Spec, before: Spec, field: str, level: str = "") -> list[Cause]:
    return [
        forbidden(f"{field}.{what}", f"{level}resource {what} cannot be removed")
        for what in ("requests", "limits")
        if set(before.get(what) or ()) - set(now.get(what) or ())
    ]


def _settled(container: Spec, before: Spec) -> dict[str, Any]:
    """The container with the amounts that may change as they were; claims do not count."""
    return {**container, "resources": _amounts(container.get("resources") or {}, before.get("resources") or {})}


def _amounts(now: Spec, before: Spec) -> dict[str, Any]:
    found = {}
    for what in ("limits", "requests"):
        had = before.get(what) or {}
        kept = {name: each for name, each in (now.get(what) or {}).items() if name not in _MOVABLE}
        found[what] = {**kept, **{name: each for name, each in had.items() if name in _MOVABLE}}
    return {what: each for what, each in found.items() if each}
