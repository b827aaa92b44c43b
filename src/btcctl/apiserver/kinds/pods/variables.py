"""The rules of a container's environment, and of what fields and resources of its pod it may be told.

Source: ValidateEnv and ValidateEnvFrom of kubernetes 1.36.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import each_invalid, invalid, required, unsupported
from btcctl.apiserver.machinery.names import qualified_name_complaints, subdomain_name
from btcctl.apiserver.machinery.quantities import parse_quantity

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_OF_A_VARIABLE = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
#: What a volume may be told; in the environment, labels and annotations only one by one.
OF_A_FILE = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_LABELS = ("metadata.annotations", "metadata.labels")
_NAME = re.compile(r"[ -<>-~]*").fullmatch
_WRONG_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_AMOUNTS = tuple(f"{what}.{of}" for what in ("limits", "requests") for of in ("cpu", "ephemeral-storage", "memory"))
_HUGE = ("limits.hugepages-", "requests.hugepages-")
_WHOLE = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {
    "cpu": ("only divisor's values 1m and 1", "cpu", ("1m", "1")),
    "memory": (f"only divisor's values {', '.join(_WHOLE)}", "memory", _WHOLE),
    "ephemeral-storage": (f"only divisor's values {', '.join(_WHOLE)}", "local ephemeral storage", _WHOLE),
}


def check_environment(container: Mapping[str, Any], field: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, variable in enumerate(container.get("env") or ()):
        name, source = variable.get("name"), variable.get("valueFrom")
        if source is None and name and _NAME(name):
            continue  # most are: there may be tens of thousands
        here = f"{field}.env[{index}]"
        causes += _check_name(name, f"{here}.name") if name else [required(f"{here}.name")]
        causes += [] if source is None else _check_source(variable, source, f"{here}.valueFrom")
    for index, source in enumerate(container.get("envFrom") or ()):
        causes += _check_whole_source(source, f"{field}.envFrom", index)
    return causes


def check_field(reference: Mapping[str, Any], field: str, allowed: tuple[str, ...] = _OF_A_VARIABLE) -> list[Cause]:
    """What is wrong with a `fieldRef`.

    Args:
        allowed: What may be told.
    """
    path = reference.get("fieldPath")
    if not path:
        return [required(f"{field}.fieldPath")]
    found = re.fullmatch(r"(metadata\.(?:annotations|labels))\['(.*)'\]", path)
    if found is not None:
        key = found[2].lower() if found[1].endswith("annotations") else found[2]
        return each_invalid(field, key, qualified_name_complaints(key))
    if path in _LABELS or path in _OF_A_VARIABLE:
        return [] if path in allowed else [unsupported(f"{field}.fieldPath", path, allowed)]
    why = f"error converting fieldPath: field label not supported: {path}"
    return [invalid(f"{field}.fieldPath", path, why)]


def check_amount(reference: Mapping[str, Any], field: str, *, names_container: bool = False) -> list[Cause]:
    """What is wrong with a `resourceFieldRef`.

    Args:
        names_container: It must: it is no container's own.
    """
    resource = reference.get("resource") or ""
    causes = []
    if names_container and not reference.get("containerName"):
        causes.append(required(f"{field}.containerName"))
    elif not resource:
        causes.append(required(f"{field}.resource"))
    elif resource not in _AMOUNTS and not resource.startswith(_HUGE):
        causes.append(unsupported(f"{field}.resource", resource, _AMOUNTS))
    divisor = reference.get("divisor") or "0"
    known = _DIVISORS.get(resource.partition(".")[2]) if resource in _AMOUNTS else None
    if known is not None and divisor not in known[2] and parse_quantity(divisor).amount:
        causes.append(invalid(f"{field}.divisor", resource, f"{known[0]} are supported with the {known[1]} resource"))
    return causes


def _check_name(name: str, field: str) -> list[Cause]:
    return [] if _NAME(name) else [invalid(field, name, _WRONG_NAME)]


def _check_whole_source(source: Mapping[str, Any], field: str, index: int) -> list[Cause]:
    given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    causes = _check_name(source.get("prefix") or "", f"{field}[{index}].prefix")
    for kind in given:
        here, name = f"{field}[{index}].{kind}.name", source[kind].get("name")
        causes += each_invalid(here, name, subdomain_name(name)) if name else [required(here)]
    if not given:
        causes.append(invalid(field, "", "must specify one of: `configMapRef` or `secretRef`"))
    if len(given) > 1:
        causes.append(invalid(field, "", "may not have more than one field specified at a time"))
    return causes


def _check_source(variable: Mapping[str, Any], source: Mapping[str, Any], field: str) -> list[Cause]:
    given = [name for name in _SOURCES if source.get(name) is not None]
    causes: list[Cause] = []
    for name in given:
        causes += _check_reference(name, source[name], f"{field}.{name}")
    if not given:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        causes.append(invalid(field, "", f"must specify one of: {listed}"))
    elif variable.get("value"):
        causes.append(invalid(field, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        causes.append(invalid(field, "", "may not have more than one field specified at a time"))
    return causes


def _check_reference(kind: str, reference: Mapping[str, Any], field: str) -> list[Cause]:
    if kind == "fieldRef":
        return check_field(reference, field)
    if kind == "resourceFieldRef":
        return check_amount(reference, field)
    if kind not in {"configMapKeyRef", "secretKeyRef"}:
        return []
    name, key = reference.get("name", ""), reference.get("key")
    causes = each_invalid(f"{field}.name", name, subdomain_name(name))
    if not key:
        return [*causes, required(f"{field}.key")]
    if _KEY.fullmatch(key):
        return causes
    why = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        f"'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY.pattern}')"
    )
    return [*causes, invalid(f"{field}.key", key, why)]
