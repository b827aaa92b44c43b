"""Strategic merge patch, for the built-in kinds that are served.

Source: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
and the patchStrategy/patchMergeKey tags of k8s.io/api core/v1, apps/v1 and rbac/v1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from btcctl.apiserver import statuses

# By field name, which is enough for the kinds served; `ports` has two, see _merge_key.
MERGE_KEYS: Mapping[str, str] = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "hostIPs": "ip",
    "ports": "containerPort",
    "resourceClaims": "name",
    "secrets": "name",
    "taints": "key",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
    "addresses": "type",
}
_MERGED_SCALARS = frozenset({"finalizers", "podCIDRs"})
_PATCH, _ORDER, _DELETE, _RETAIN = "$patch", "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys"
_MISSING = object()


def merge_strategically(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A new object; neither argument is changed.

    Raises:
        StatusError: The patch has a directive that is unknown or misplaced.
    """
    return _merge_map(target, patch)


def _merge_map(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive not in {None, "merge"}:
        raise statuses.internal(f"unknown patch type: {directive} in map: map[$patch:{directive}]")
    merged = dict(target)
    for key in (key for key in patch if not key.startswith("$")):
        _merge_field(merged, key, patch[key])
    for key in (key for key in patch if key.startswith(_DELETE)):
        name = key.removeprefix(_DELETE)
        merged[name] = [each for each in merged.get(name) or [] if each not in patch[key]]
    for key in (key for key in patch if key.startswith(_ORDER)):
        _reorder(merged, key.removeprefix(_ORDER), patch[key])
    retained = patch.get(_RETAIN)
    return merged if retained is None else {key: value for key, value in merged.items() if key in retained}


def _merge_field(merged: dict[str, Any], key: str, value: Any) -> None:
    current = merged.get(key)
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, Mapping):
        if value.get(_PATCH) == "delete":
            merged.pop(key, None)
        else:
            merged[key] = _merge_map(current if isinstance(current, Mapping) else {}, value)
    elif isinstance(value, list):
        merged[key] = _merge_list(key, current if isinstance(current, list) else [], value)
    else:
        merged[key] = value


def _merge_list(name: str, current: list[Any], patch: list[Any]) -> list[Any]:
    if any(isinstance(item, Mapping) and item.get(_PATCH) == "replace" for item in patch):
        return [item for item in patch if _PATCH not in item]
    if name in _MERGED_SCALARS and all(isinstance(item, str) for item in patch):
        return list(dict.fromkeys([*current, *patch]))
    key = _merge_key(name, [*current, *patch])
    if key is None:
        return [_stripped(item) for item in patch]
    return _merge_items(key, current, patch)


def _merge_items(key: str, current: list[Any], patch: list[Any]) -> list[Any]:
    merged = list(current)
    for item in patch:
        value = item.get(key, _MISSING) if isinstance(item, Mapping) else _MISSING
        if value is _MISSING:
            raise statuses.internal(f"map: {item} does not contain declared merge key: {key}")
        place = next((at for at, each in enumerate(merged) if each.get(key, _MISSING) == value), None)
        if item.get(_PATCH) == "delete":
            merged = [each for each in merged if each.get(key, _MISSING) != value]
        elif place is None:
            merged.append(_merge_map({}, item))
        else:
            merged[place] = _merge_map(merged[place], item)
    return _in_order(key, merged, current, patch)


def _in_order(key: str, merged: list[Any], current: list[Any], patch: list[Any]) -> list[Any]:
    """The patch's order for what it names; the rest each before the first of those that it stood before."""
    place_of = {each.get(key): place for place, each in enumerate(current)}
    wanted = [item.get(key) for item in patch]
    named = sorted((each for each in merged if each.get(key) in wanted), key=lambda each: wanted.index(each.get(key)))
    at = 0
    for item in (each for each in merged if each.get(key) not in wanted):
        while at < len(named) and place_of.get(named[at].get(key), -1) < place_of[item.get(key)]:
            at += 1
        named.insert(at, item)
        at += 1
    return named


def _merge_key(name: str, items: Iterable[Any]) -> str | None:
    """A container's ports merge by containerPort, a Service's by port."""
    if name == "ports" and any(isinstance(item, Mapping) and "port" in item for item in items):
        return "port"
    return MERGE_KEYS.get(name)


def _reorder(merged: dict[str, Any], name: str, order: list[Any]) -> None:
    """Bring a list into the order the client sees it in; what it does not name keeps its place behind its neighbour."""
    items = merged.get(name)
    if not isinstance(items, list):
        return
    key = _merge_key(name, [*items, *order])
    wanted = [each.get(key) if isinstance(each, Mapping) and key else each for each in order]
    place = -1.0
    placed = []
    for index, item in enumerate(items):
        identity = item.get(key) if isinstance(item, Mapping) and key else item
        place = float(wanted.index(identity)) if identity in wanted else place
        placed.append((place, identity not in wanted, index, item))
    merged[name] = [item for *_, item in sorted(placed, key=lambda each: each[:3])]


def _stripped(value: Any) -> Any:
    """Directives inside a list that replaces mean nothing, and are not stored."""
    if isinstance(value, Mapping):
        return {key: _stripped(each) for key, each in value.items() if not key.startswith("$")}
    return [_stripped(each) for each in value] if isinstance(value, list) else value
