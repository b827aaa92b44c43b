"""The rules of namespaces, secrets, config maps, events and leases."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.collection import Body
from btcctl.apiserver.schema import shown
from btcctl.apiserver.statuses import Cause

MAX_DATA_BYTES = 1048576
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def prepare_namespace(body: dict[str, Any]) -> None:
    """A new namespace goes only after its contents."""
    known = body["spec"].get("finalizers") or []
    body["spec"]["finalizers"] = known if "kubernetes" in known else [*known, "kubernetes"]


def keep_namespace(new: dict[str, Any], old: Body) -> None:
    new["spec"] = old.get("spec", {})


def complete_secret(body: dict[str, Any]) -> None:
    """`stringData` goes into `data`, in base64, and is never stored itself."""
    plain = body.pop("stringData", None) or {}
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        body["data"] = {**(body.get("data") or {}), **encoded}


def check_secret(body: Body) -> list[Cause]:
    return _data_keys("data", body.get("data") or {})


def check_secret_update(new: Body, old: Body) -> list[Cause]:
    causes = _immutable(new, old)
    if new.get("type") != old.get("type"):
        causes.append(
            Cause("FieldValueInvalid", f"Invalid value: {shown(new.get('type'))}: field is immutable", "type")
        )
    return causes


def check_config_map(body: Body) -> list[Cause]:
    data, binary = body.get("data") or {}, body.get("binaryData") or {}
    causes = [*_data_keys("data", data), *_data_keys("binaryData", binary)]
    if sum(len(value.encode()) for value in [*data.values(), *binary.values()]) > MAX_DATA_BYTES:
        causes.append(Cause("FieldValueTooLong", f"Too long: may not be more than {MAX_DATA_BYTES} bytes", "[]"))
    return causes


def check_config_map_update(new: Body, old: Body) -> list[Cause]:
    return _immutable(new, old)


def check_event(body: Body) -> list[Cause]:
    namespace = body["metadata"].get("namespace")
    about = (body.get("involvedObject") or {}).get("namespace") or ""
    if (about or "default") != namespace:
        why = "does not match event.namespace"
        return [Cause("FieldValueInvalid", f'Invalid value: "{about}": {why}', "involvedObject.namespace")]
    return []


def check_lease(body: Body) -> list[Cause]:
    spec = body.get("spec") or {}
    causes = []
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        message = f"Invalid value: {duration}: must be greater than 0"
        causes.append(Cause("FieldValueInvalid", message, "spec.leaseDurationSeconds"))
    if transitions is not None and transitions < 0:
        message = f"Invalid value: {transitions}: must be greater than or equal to 0"
        causes.append(Cause("FieldValueInvalid", message, "spec.leaseTransitions"))
    return causes


def _immutable(new: Body, old: Body) -> list[Cause]:
    if not old.get("immutable"):
        return []
    causes = []
    if not new.get("immutable"):
        message = "Forbidden: field is immutable when `immutable` is set"
        causes.append(Cause("FieldValueForbidden", message, "immutable"))
    for name in ("data", "binaryData"):
        if (new.get(name) or {}) != (old.get(name) or {}):
            message = "Forbidden: field is immutable when `immutable` is set"
            causes.append(Cause("FieldValueForbidden", message, name))
    return causes


def _data_keys(field: str, data: Mapping[str, str]) -> list[Cause]:
    why = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        f"'KEY_NAME',  or 'key-name', regex used for validation is '{_DATA_KEY.pattern}')"
    )
    return [
        Cause("FieldValueInvalid", f'Invalid value: "{key}": {why}', f"{field}[{key}]")
        for key in data
        if not _DATA_KEY.fullmatch(key) or len(key) > 253
    ]
