"""The rules of CustomResourceDefinitions, and the conditions they go through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from btcctl.apiserver.apiextensions import crd_names, crd_versions
from btcctl.apiserver.apiextensions.conversion import checks
from btcctl.apiserver.apiextensions.crd_schema import unknown_formats
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid
from btcctl.apiserver.machinery.gofmt import shown
from btcctl.apiserver.machinery.names import service_name, subdomain_name
from btcctl.apiserver.storage.collection import Body

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
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
    if not (body.get("status") or {}).get("storedVersions"):
        keep_definition(body, body)


def keep_definition(new: dict[str, Any], _: Body) -> None:
    """Objects may be stored in any version that has been the storage version."""
    status, versions = new.get("status") or {}, (new.get("spec") or {}).get("versions") or ()
    stored = list(status.get("storedVersions") or ())
    storage = next((each.get("name") for each in versions if each.get("storage")), None)
    if storage and storage not in stored:
        new["status"] = {**status, "storedVersions": [*stored, storage]}


def prepare_definition(body: dict[str, Any]) -> None:
    """The status in the answer to the POST: no conditions, but stored versions already."""
    stored = [each["name"] for each in body["spec"].get("versions") or () if each.get("storage")][:1]
    body["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}


def check_definition(body: Body, old: Body | None = None) -> list[Cause]:
    """What is wrong with a definition.

    Args:
        old: What it replaces.
    """
    spec, name = body["spec"], body["metadata"].get("name") or ""
    names, versions = spec["names"], spec["versions"] or []
    causes = []
    is_new = not (body.get("status") or {}).get("conditions")
    if is_new and name != f"{names.get('plural')}.{spec.get('group')}":
        message = f'Invalid value: "{name}": must be spec.names.plural+"."+spec.group'
        causes.append(Cause("FieldValueInvalid", message, "metadata.name"))
    causes += _check_group(spec.get("group") or "")
    causes += crd_names.check_approval(body, old)
    if not spec.get("scope"):
        causes.append(Cause("FieldValueRequired", "Required value", "spec.scope"))
    elif spec["scope"] not in {"Cluster", "Namespaced"}:
        message = f'Unsupported value: {shown(spec["scope"])}: supported values: "Cluster", "Namespaced"'
        causes.append(Cause("FieldValueNotSupported", message, "spec.scope"))
    causes += _check_names(names)
    causes += crd_versions.check_versions(spec, _known(versions, old))
    stored = list((body.get("status") or {}).get("storedVersions") or [])
    causes += crd_versions.check_stored(stored, versions)
    if spec.get("preserveUnknownFields"):
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        causes.append(Cause("FieldValueInvalid", f"Invalid value: true: {why}", "spec.preserveUnknownFields"))
    strategy = spec["conversion"].get("strategy") or "None"
    if strategy not in {"None", "Webhook"}:
        message = f'Unsupported value: {shown(strategy)}: supported values: "None", "Webhook"'
        causes.append(Cause("FieldValueNotSupported", message, "spec.conversion.strategy"))
    return causes + list(checks.check(spec["conversion"]))


def remarks(body: Body) -> list[str]:
    """Warnings about a definition that is right."""
    schemas = [version["schema"]["openAPIV3Schema"] for version in body["spec"]["versions"]]
    return [f'unrecognized format "{each}"' for schema in schemas for each in unknown_formats(schema)]


def _known(versions: Sequence[Mapping[str, Any]], old: Body | None) -> set[str]:
    """The versions whose schemas are as they were."""
    before = _schemas((old["spec"]["versions"] if old else None) or ())
    return {name for name, schema in _schemas(versions).items() if name in before and schema == before[name]}


def _schemas(versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {each.get("name") or "": each.get("schema") for each in versions}


def check_update(new: Body, old: Body) -> list[Cause]:
    """What is wrong with an update; it may not change the names by which objects are stored."""
    fields = [("group",), ("names", "plural")]
    if is_established(old):
        fields += [("scope",), ("names", "kind")]
    causes = check_definition(new, old)
    for path in fields:
        before, now = old["spec"], new["spec"]
        for name in path:
            before, now = before.get(name), now.get(name)
        if before != now:
            message = f"Invalid value: {shown(now)}: field is immutable"
            causes.append(Cause("FieldValueInvalid", message, f"spec.{'.'.join(path)}"))
    return causes


def settle(body: Body, others: Iterable[Body], now: str) -> list[dict[str, Any]]:
    """The statuses a definition goes through, in order, that is new or whose names were changed.

    Args:
        others: The definitions that are there besides it.
        now: RFC 3339, for lastTransitionTime.

    Returns:
        One status if its names are taken or it is established, else two: names accepted, then
        established.
    """
    names, accepted = crd_names.judge(body, others)
    approval = crd_names.approval(body)
    judged = [*([approval] if approval else []), accepted]
    status = {**(body.get("status") or {}), "acceptedNames": names}
    if is_established(body):
        kept = [each for each in status["conditions"] if each["type"] not in {found[0] for found in judged}]
        return [{**status, "conditions": _conditions(judged, now) + kept}]
    if accepted[1] == "False":
        refused = [*judged, ("Established", "False", "NotAccepted", "not all names are accepted")]
        return [{**status, "conditions": _conditions(refused, now)}]
    installing = [*judged, ("Established", "False", "Installing", _ACCEPTED)]
    established = [*judged, ("Established", "True", "InitialNamesAccepted", _ACCEPTED)]
    return [{**status, "conditions": _conditions(each, now)} for each in (installing, established)]


def is_settled(body: Body) -> bool:
    """Whether its status says what there is to say of its names and its group."""
    status, approval = body["status"], crd_names.approval(body)
    told = {(each["type"], each.get("message")) for each in status.get("conditions") or ()}
    is_told = approval is None or (approval.type, approval.message) in told
    return bool(told) and is_told and status.get("acceptedNames") == body["spec"]["names"]


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
    causes = [
        Cause("FieldValueRequired", "Required value", f"spec.names.{field}")
        for field in ("plural", "singular", "kind", "listKind")
        if not names.get(field)
    ]
    for field in ("plural", "singular", "kind", "listKind"):
        value = names.get(field) or ""
        is_kind = field.lower().endswith("kind")
        complaints = ",".join(service_name(value.lower() if is_kind else value)) if value else ""
        if complaints:
            prefix = "may have mixed case, but should otherwise match: " if is_kind else ""
            causes.append(invalid(f"spec.names.{field}", value, f"{prefix}{complaints}"))
    for field in ("shortNames", "categories"):
        for index, value in enumerate(names.get(field) or ()):
            complaints = ",".join(service_name(value))
            if complaints:
                causes.append(invalid(f"spec.names.{field}[{index}]", value, complaints))
    if names.get("kind") and names["kind"] == names.get("listKind"):
        causes.append(invalid("spec.names.listKind", names["kind"], "kind and listKind may not be the same"))
    return causes
