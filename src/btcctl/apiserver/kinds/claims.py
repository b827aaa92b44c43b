"""The rules of PersistentVolumeClaims.

Source: ValidatePersistentVolumeClaim and ValidatePersistentVolumeClaimUpdate of kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from btcctl.apiserver.gotypes.internal import difference
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import each_invalid, forbidden, invalid, required, unsupported
from btcctl.apiserver.machinery.json_values import with_fields
from btcctl.apiserver.machinery.names import subdomain_name
from btcctl.apiserver.machinery.quantities import parse_quantity
from btcctl.apiserver.machinery.selector_checks import check_label_selector
from btcctl.apiserver.storage.collection import Body

PROTECTION = "kubernetes.io/pvc-protection"  # the StorageObjectInUseProtection admission plugin's
Spec = Mapping[str, Any]
_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def prepare_claim(body: dict[str, Any]) -> None:
    """A new claim goes only once nobody uses it any more."""
    finalizers = body["metadata"].get("finalizers") or []
    if PROTECTION not in finalizers:
        body["metadata"]["finalizers"] = [*finalizers, PROTECTION]


def check_claim(body: Body) -> list[Cause]:
    return check_claim_spec(_with_both_sources(body["spec"]), "spec")


def check_claim_spec(spec: Spec, field: str) -> list[Cause]:
    """What is wrong with what a claim, or a template of claims, asks for."""
    causes = _check_modes(spec.get("accessModes") or [], f"{field}.accessModes")
    causes += check_label_selector(spec.get("selector") or {}, f"{field}.selector")
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        causes.append(required(f"{field}.resources[storage]"))
    elif parse_quantity(asked).amount <= 0:
        causes.append(invalid(f"{field}.resources[storage]", asked, "must be greater than zero"))
    class_name = spec.get("storageClassName")
    causes += each_invalid(f"{field}.storageClassName", class_name, subdomain_name(class_name or "x"))
    mode = spec.get("volumeMode", "Filesystem")
    if mode not in {"Block", "Filesystem"}:
        causes.append(unsupported(f"{field}.volumeMode", mode, ("Block", "Filesystem")))
    attributes = spec.get("volumeAttributesClassName")
    causes += each_invalid(f"{field}.volumeAttributesClassName", attributes, subdomain_name(attributes or "x"))
    for name in ("dataSource", "dataSourceRef"):
        if spec.get(name) is not None:
            causes += _check_source(spec[name], f"{field}.{name}")
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and reference and not reference.get("namespace") and _names(source) != _names(reference):
        causes.append(invalid(field, {}, "must match dataSourceRef"))
    return causes


def _names(source: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(source.get(name) or "" for name in ("apiGroup", "kind", "name"))


def finish_claim(body: dict[str, Any]) -> None:
    body["spec"] = _with_both_sources(body["spec"])


def _with_both_sources(spec: Spec) -> dict[str, Any]:
    """From where it is filled is said in two ways, of which the older knows only claims and snapshots."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and not _is_known_source(source):
        return {name: each for name, each in spec.items() if name != "dataSource"}
    if reference and reference.get("namespace"):
        return dict(spec)
    if source is None and reference:
        return {**spec, "dataSource": dict(reference)}
    return {**spec, "dataSourceRef": dict(source)} if source and reference is None else dict(spec)


def _is_known_source(source: Mapping[str, Any]) -> bool:
    return _names(source)[:2] in {
        ("", "PersistentVolumeClaim"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
    }


def claim_remarks(new: Body, _: Body | None) -> list[str]:
    asked = (new["spec"]["resources"].get("requests") or {}).get("storage")
    if asked is None or not parse_quantity(asked).amount % 1:
        return []
    why = f'fractional byte value "{asked}" is invalid, must be an integer'
    return [f"spec.resources.requests[storage]: {why}"]


def check_claim_update(new: Body, old: Body) -> list[Cause]:
    """A volume and a class are given once; more room may be asked for once there is a volume."""
    now, before = new["spec"], old["spec"]
    causes = []
    wanted, had = _settled(now, before, is_bound=(new.get("status") or {}).get("phase") == "Bound")
    if wanted != had:
        causes.append(forbidden("spec", f"{_FIXED}\n{difference('PersistentVolumeClaimSpec', had, wanted)}"))
    if now["volumeMode"] != before["volumeMode"]:
        causes.append(invalid("volumeMode", now["volumeMode"], "field is immutable"))
    has = ((old.get("status") or {}).get("capacity") or {}).get("storage")
    if _storage(now) < _storage(before) and (has is None or _storage(now) < parse_quantity(has).amount):
        causes.append(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"))
    return causes


def _check_modes(modes: list[str], field: str) -> list[Cause]:
    if not modes:
        return [required(field, "at least 1 access mode is required")]
    causes = [unsupported(field, mode, _MODES) for mode in modes if mode not in _MODES]
    if "ReadWriteOncePod" in modes and len({*modes}) > 1:
        causes.append(forbidden(field, "may not use ReadWriteOncePod with other access modes"))
    return causes


def _check_source(source: Mapping[str, Any], field: str) -> list[Cause]:
    kind, group = source.get("kind") or "", source.get("apiGroup") or ""
    causes = [required(f"{field}.{name}") for name in ("name", "kind") if not source.get(name)]
    if not group and kind != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        causes.append(invalid(field, kind, why))
    return causes + (each_invalid(f"{field}.apiGroup", group, subdomain_name(group)) if group else [])


def _settled(now: Spec, before: Spec, *, is_bound: bool) -> tuple[Spec, Spec]:
    """Both specs, with what may change alike in them."""
    if not before.get("volumeName"):
        before = {**before, "volumeName": now.get("volumeName", "")}
        now = {**now, "volumeName": before["volumeName"]}
    if before.get("storageClassName") is None and now.get("storageClassName") is not None:
        now = with_fields(now, {"storageClassName": None})
    if not is_bound:
        return now, before
    now = with_fields(now, {"volumeAttributesClassName": before.get("volumeAttributesClassName")})
    requests = now["resources"].get("requests") or {}
    storage = (before["resources"].get("requests") or {}).get("storage")
    return {**now, "resources": {**now["resources"], "requests": {**requests, "storage": storage}}}, before


def _storage(spec: Mapping[str, Any]) -> Decimal:
    return parse_quantity((spec["resources"].get("requests") or {}).get("storage", "0")).amount
