"""The rules of namespaces, secrets, config maps, events and leases."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds import secrets
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, too_long
from btcctl.apiserver.machinery.gofmt import shown
from btcctl.apiserver.machinery.names import qualified_name
from btcctl.apiserver.storage.collection import Body

MAX_DATA_BYTES = 1048576
_MOST_KEY_CHARACTERS = 253
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
#: Nothing is wrong with such a key: most are so.
_PLAIN_KEY = re.compile(r"[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,252}").fullmatch


def prepare_namespace(body: dict[str, Any]) -> None:
    """A new namespace goes only after its contents."""
    known = body["spec"].get("finalizers") or []
    body["spec"]["finalizers"] = known if "kubernetes" in known else [*known, "kubernetes"]


def check_finalizers(finalizers: list[str]) -> list[Cause]:
    """What is wrong with those of a namespace's spec."""
    why = "name is neither a standard finalizer name nor is it fully qualified"
    causes = []
    for index, each in enumerate(finalizers):
        field = f"spec.finalizers[{index}]"
        causes += qualified_name(field, each)
        if "/" not in each and each != "kubernetes":
            causes.append(invalid(field, each, why))
    return causes


def keep_namespace(new: dict[str, Any], old: Body) -> None:
    new["spec"] = old.get("spec", {})


def check_namespace_status(new: Body, _: Body) -> list[Cause]:
    """The phase follows from whether it is being deleted."""
    is_going = bool(new["metadata"].get("deletionTimestamp"))
    wanted, phase = "Terminating" if is_going else "Active", (new.get("status") or {}).get("phase", "")
    if phase == wanted:
        return []
    why = f"may only be '{wanted}' if `deletionTimestamp` is {'not ' if is_going else ''}empty"
    return [invalid("status.Phase", phase, why)]


def complete_secret(body: dict[str, Any]) -> None:
    """`stringData` goes into `data`, in base64, and is never stored itself."""
    plain = body.pop("stringData", None) or {}
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        body["data"] = {**(body.get("data") or {}), **encoded}


def check_secret(body: Body) -> list[Cause]:
    data = body.get("data") or {}
    causes = _data_keys("data", data)
    if secrets.size_of(data) > MAX_DATA_BYTES:
        causes.append(too_long("data", MAX_DATA_BYTES))
    return [*causes, *secrets.check_type(body)]


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
    twice = [key for key in data if key in binary] if binary else ()
    causes += [invalid(f"data[{key}]", key, "duplicate of key present in binaryData") for key in twice]
    if sum(map(len, map(str.encode, data.values()))) + secrets.size_of(binary) > MAX_DATA_BYTES:
        causes.append(too_long("[]", MAX_DATA_BYTES))
    return causes


def check_config_map_update(new: Body, old: Body) -> list[Cause]:
    return _immutable(new, old)


def complete_lease(body: dict[str, Any]) -> None:
    """A server drops what belongs to coordinated leader election, which is switched off by default."""
    for name in ("strategy", "preferredHolder"):
        (body.get("spec") or {}).pop(name, None)


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
    odd = [key for key in data if not _PLAIN_KEY(key)]
    return [invalid(f"{field}[{key}]", key, each) for key in odd for each in _key_complaints(key)]


def _key_complaints(key: str) -> Iterator[str]:
    """What is wrong with the name of a file that a key must be able to be."""
    if len(key) > _MOST_KEY_CHARACTERS:
        yield f"must be no more than {_MOST_KEY_CHARACTERS} characters"
    if not _DATA_KEY.fullmatch(key):
        yield (
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
            f"'KEY_NAME',  or 'key-name', regex used for validation is '{_DATA_KEY.pattern}')"
        )
    if key == ".":
        yield "must not be '.'"
    elif key == "..":
        yield "must not be '..'"
    elif key.startswith(".."):
        yield "must not start with '..'"
