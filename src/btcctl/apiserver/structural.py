"""What makes a CustomResourceDefinition's schema structural, and what is wrong with it if it is not.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver import values
from btcctl.apiserver.printing import shown
from btcctl.apiserver.schema import PRESERVE
from btcctl.apiserver.statuses import Cause

Schema = Mapping[str, Any]
_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean"})
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_FORBIDDEN_BELOW = ("description", "type", "default", "additionalProperties", "nullable")
ROOT = "spec.validation.openAPIV3Schema"


def check(schema: Schema) -> list[Cause]:
    """What is wrong with the openAPIV3Schema of one version."""
    causes = []
    if schema.get("type") != "object":
        message = f"Invalid value: {shown(schema.get('type') or '')}: must be object at the root"
        causes.append(
            Cause("FieldValueInvalid", message, f"{ROOT}.type")
            if schema.get("type")
            else Cause("FieldValueRequired", "Required value: must not be empty at the root", f"{ROOT}.type")
        )
    return causes + [cause for cause in _check(schema, ROOT) if cause.field != f"{ROOT}.type"]


def has_rules(schema: Schema) -> bool:
    """Whether it has CEL rules anywhere."""
    return bool(schema.get("x-kubernetes-validations")) or any(has_rules(below) for _, below in _below(schema, ""))


def _check(schema: Schema, field: str) -> Iterator[Cause]:
    yield from _check_type(schema, field)
    yield from _check_lists(schema, field)
    yield from _check_junctors(schema, field)
    if "default" in schema:
        yield from _check_default(schema, f"{field}.default")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _compiles(pattern):
        message = f"Invalid value: {shown(pattern)}: must be a valid regular expression, but isn't"
        yield Cause("FieldValueInvalid", message, f"{field}.pattern")
    if schema.get("properties") and schema.get("additionalProperties"):
        yield Cause("FieldValueForbidden", "Forbidden: additionalProperties and properties are mutual exclusive", field)
    if schema.get("uniqueItems"):
        message = "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield Cause("FieldValueForbidden", message, f"{field}.uniqueItems")
    for where, below in _below(schema, field):
        yield from _check(below, where)


def _check_type(schema: Schema, field: str) -> Iterator[Cause]:
    type_ = schema.get("type")
    free = schema.get(values.INT_OR_STRING) or schema.get(PRESERVE)
    if not type_ and not free:
        kind = (
            "object fields" if field.endswith("]") else "array items" if field.endswith(".items") else "object fields"
        )
        message = f"Required value: must not be empty for specified {kind}"
        yield Cause("FieldValueRequired", message, f"{field}.type")
    elif type_ and type_ not in _TYPES:
        supported = ", ".join(f'"{each}"' for each in sorted(_TYPES))
        message = f"Unsupported value: {shown(type_)}: supported values: {supported}"
        yield Cause("FieldValueNotSupported", message, f"{field}.type")
    if type_ == "array" and not schema.get("items"):
        yield Cause("FieldValueRequired", "Required value: must be specified", f"{field}.items")


def _check_lists(schema: Schema, field: str) -> Iterator[Cause]:
    list_type = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    if list_type is not None and schema.get("type") != "array":
        yield Cause("FieldValueInvalid", f"Invalid value: {shown(schema.get('type'))}: must be array", f"{field}.type")
    if list_type not in {None, "atomic", "set", "map"}:
        message = f'Unsupported value: {shown(list_type)}: supported values: "atomic", "map", "set"'
        yield Cause("FieldValueNotSupported", message, f"{field}.x-kubernetes-list-type")
    if list_type == "map" and not keys:
        message = "Required value: must not be empty if x-kubernetes-list-type is map"
        yield Cause("FieldValueRequired", message, f"{field}.x-kubernetes-list-map-keys")
    items = schema.get("items") or {}
    for index, key in enumerate(keys):
        if key not in (items.get("properties") or {}):
            message = f"Invalid value: {shown(key)}: entries must all be names of item properties"
            yield Cause("FieldValueInvalid", message, f"{field}.x-kubernetes-list-map-keys[{index}]")


def _check_junctors(schema: Schema, field: str) -> Iterator[Cause]:
    """Below allOf and its like nothing may be set that belongs into the structure itself."""
    for junctor in _JUNCTORS:
        for index, below in enumerate(schema.get(junctor) or ()):
            if schema.get(values.INT_OR_STRING):
                continue  # anyOf integer, string is the one pattern that is allowed
            for name in _FORBIDDEN_BELOW:
                if name in below:
                    message = "Forbidden: must be empty to be structural"
                    yield Cause("FieldValueForbidden", message, f"{field}.{junctor}[{index}].{name}")


def _check_default(schema: Schema, field: str) -> Iterator[Cause]:
    yield from values.validate(schema, schema["default"], field)


def _below(schema: Schema, field: str) -> Iterator[tuple[str, Schema]]:
    for name, below in (schema.get("properties") or {}).items():
        yield f"{field}.properties[{name}]", below
    if schema.get("items"):
        yield f"{field}.items", schema["items"]
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        yield f"{field}.additionalProperties", additional


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
