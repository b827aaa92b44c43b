"""The rules of CustomResourceDefinitions, and the conditions they go through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from btcctl.apiserver import statuses, structural
from btcctl.apiserver.collection import Body
from btcctl.apiserver.metadata import service_name, subdomain_name
from btcctl.apiserver.printing import shown
from btcctl.apiserver.registry import Registry
from btcctl.apiserver.statuses import Cause

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_NO_CONFLICTS = ("NamesAccepted", "True", "NoConflicts", "no conflicts found")
_NAME_CONFLICTS = (("plural", "PluralConflict"), ("kind", "KindConflict"), ("listKind", "ListKindConflict"))
_ACCEPTED = "the initial names have been accepted"


def default_definition(body: dict[str, Any]) -> None:
    spec = body["spec"] = dict(body.get("spec") or {})
    names = spec["names"] = dict(spec.get("names") or {})
    kind = names.get("kind") or ""
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind"):
        names["listKind"] = f"{kind}List" if kind else ""
    spec.setdefault("conversion", {"strategy": "None"})
    spec.setdefault("versions", [])


def initial_status(body: Body) -> dict[str, Any]:
    """The status in the answer to the POST: no conditions, but stored versions already."""
    stored = [each["name"] for each in body["spec"]["versions"] if each.get("storage")]
    return {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}


def check_definition(body: Body) -> list[Cause]:
    """What is wrong with a definition.

    Raises:
        StatusError: 501, it needs what this server cannot do and would silently not do.
    """
    spec, name = body["spec"], body["metadata"].get("name") or ""
    names, versions = spec["names"], spec["versions"] or []
    causes = []
    if name != f"{names.get('plural')}.{spec.get('group')}":
        message = f'Invalid value: "{name}": must be spec.names.plural+"."+spec.group'
        causes.append(Cause("FieldValueInvalid", message, "metadata.name"))
    causes += _check_group(spec.get("group") or "")
    if spec.get("scope") not in {"Cluster", "Namespaced"}:
        message = f'Unsupported value: {shown(spec.get("scope") or "")}: supported values: "Cluster", "Namespaced"'
        causes.append(Cause("FieldValueNotSupported", message, "spec.scope"))
    causes += _check_names(names)
    causes += _check_versions(versions)
    if spec.get("preserveUnknownFields"):
        message = (
            "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        causes.append(Cause("FieldValueInvalid", message, "spec.preserveUnknownFields"))
    if not causes:
        _refuse_unsupported(spec)
    return causes


def settle(registry: Registry, body: Body, others: Iterable[Body], now: str) -> list[dict[str, Any]]:
    """The statuses a new definition goes through, in order.

    Args:
        others: The definitions that are there besides it.
        now: RFC 3339, for lastTransitionTime.

    Returns:
        One status if its names are taken, else two: names accepted, then established.
    """
    spec = body["spec"]
    stored = list((body.get("status") or {}).get("storedVersions") or [])
    status = {"acceptedNames": spec["names"], "storedVersions": stored}
    taken = _taken_names(registry, spec, others)
    if taken:
        field = list(taken)[-1]  # of several conflicts a real server reports the last
        message = f'"{spec["names"][field]}" is already in use'
        refused = [
            ("NamesAccepted", "False", taken[field], message),
            ("Established", "False", "NotAccepted", "not all names are accepted"),
        ]
        names = {"kind": "", **{key: value for key, value in spec["names"].items() if key not in taken}}
        return [{"conditions": _conditions(refused, now), "acceptedNames": names, "storedVersions": stored}]
    installing = [_NO_CONFLICTS, ("Established", "False", "Installing", _ACCEPTED)]
    established = [_NO_CONFLICTS, ("Established", "True", "InitialNamesAccepted", _ACCEPTED)]
    return [{"conditions": _conditions(each, now), **status} for each in (installing, established)]


def terminating_condition(now: str) -> dict[str, str]:
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    return _conditions([("Terminating", "True", "InstanceDeletionPending", message)], now)[0]


def is_established(body: Body) -> bool:
    conditions = (body.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)


def _conditions(conditions: Iterable[tuple[str, str, str, str]], now: str) -> list[dict[str, str]]:
    keys = ("type", "status", "reason", "message")
    return [
        {"type": each[0], "status": each[1], "lastTransitionTime": now, **dict(zip(keys[2:], each[2:], strict=True))}
        for each in conditions
    ]


def _taken_names(registry: Registry, spec: Body, others: Iterable[Body]) -> dict[str, str]:
    """The reason of each name that another definition, or a built-in kind, has."""
    names = spec["names"]
    accepted = [
        (other.get("status") or {}).get("acceptedNames") or {}
        for other in others
        if other["spec"]["group"] == spec["group"]
    ]
    built_in = [
        {"plural": each.type.plural} for each in registry.resources_of(spec["group"], "v1") if not each.is_custom
    ]
    return {
        field: reason
        for field, reason in _NAME_CONFLICTS
        if any(names[field] == each.get(field) for each in (*accepted, *built_in))
    }


def _check_group(group: str) -> list[Cause]:
    if not group:
        return [Cause("FieldValueRequired", "Required value", "spec.group")]
    causes = [
        Cause("FieldValueInvalid", f'Invalid value: "{group}": {each}', "spec.group") for each in subdomain_name(group)
    ]
    if "." not in group:
        message = f'Invalid value: "{group}": should be a domain with at least one dot'
        causes.append(Cause("FieldValueInvalid", message, "spec.group"))
    return causes


def _check_names(names: Mapping[str, Any]) -> list[Cause]:
    causes = []
    for field in ("plural", "singular", "kind", "listKind"):
        value = names.get(field) or ""
        if not value:
            causes.append(Cause("FieldValueRequired", "Required value", f"spec.names.{field}"))
            continue
        lower = value.lower() if field.lower().endswith("kind") else value
        complaints = service_name(lower)
        causes += [
            Cause("FieldValueInvalid", f'Invalid value: "{value}": {each}', f"spec.names.{field}")
            for each in complaints
        ]
    return causes


def _check_versions(versions: list[Mapping[str, Any]]) -> list[Cause]:
    causes = []
    if sum(bool(each.get("storage")) for each in versions) != 1:
        message = f"Invalid value: {shown(versions)}: must have exactly one version marked as storage version"
        causes.append(Cause("FieldValueInvalid", message, "spec.versions"))
    seen: set[str] = set()
    for index, version in enumerate(versions):
        field, name = f"spec.versions[{index}]", version.get("name") or ""
        causes += [
            Cause("FieldValueInvalid", f'Invalid value: "{name}": {each}', f"{field}.name")
            for each in service_name(name)
        ]
        if name in seen:
            causes.append(Cause("FieldValueInvalid", f'Invalid value: "{name}": must be unique', f"{field}.name"))
        seen.add(name)
        causes += _check_version(version, field)
    return causes


def _check_version(version: Mapping[str, Any], field: str) -> list[Cause]:
    causes = []
    if version.get("served") is None:
        causes.append(Cause("FieldValueRequired", "Required value", f"{field}.served"))
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        causes.append(Cause("FieldValueRequired", "Required value", f"{field}.schema.openAPIV3Schema"))
    else:
        causes += structural.check(schema)
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        causes += _check_scale(scale, f"{field}.subresources.scale")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        for name in ("name", "type", "jsonPath"):
            if not column.get(name):
                where = f"{field}.additionalPrinterColumns[{index}].{name}"
                causes.append(Cause("FieldValueRequired", "Required value", where))
    return causes


def _check_scale(scale: Mapping[str, Any], field: str) -> list[Cause]:
    causes = []
    for name, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        path = scale.get(name) or ""
        if not path:
            causes.append(Cause("FieldValueRequired", "Required value", f"{field}.{name}"))
        elif not path.startswith(root) or not re.fullmatch(r"(\.[A-Za-z_][-\w]*)+", path):
            message = f'Invalid value: "{path}": should be a json path under {root[:-1]}'
            causes.append(Cause("FieldValueInvalid", message, f"{field}.{name}"))
    return causes


def _refuse_unsupported(spec: Mapping[str, Any]) -> None:
    if spec["conversion"].get("strategy") not in {None, "None"}:
        raise statuses.not_implemented("CustomResourceDefinitions with a conversion webhook")
    if any(structural.has_rules(version["schema"]["openAPIV3Schema"]) for version in spec["versions"]):
        raise statuses.not_implemented("CustomResourceDefinitions with CEL rules (x-kubernetes-validations)")
