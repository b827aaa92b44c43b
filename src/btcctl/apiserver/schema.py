"""Structural schemas at work: pruning, defaulting and validation of custom resources.

Written here because no library gives a real server's texts. Source: transcripts of
kube-apiserver 1.36.2, and k8s.io/kube-openapi/pkg/validation for what they do not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from btcctl.apiserver.collection import Body
from btcctl.apiserver.registry import ScalePaths
from btcctl.apiserver.statuses import Cause

Schema = Mapping[str, Any]

_UNCHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_ROOT_FIELDS = ("apiVersion", "kind", "metadata")
_INT_RANGES = {"int32": 2**31, "int64": 2**63}
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


def prune(schema: Schema, body: dict[str, Any]) -> list[str]:
    """Remove, in place, what the schema does not know.

    Returns:
        The paths of what was removed, sorted: "spec.bogus".
    """
    removed: list[str] = []
    rest = {key: value for key, value in body.items() if key not in _ROOT_FIELDS}
    before = set(rest)
    _prune(schema, rest, "", removed)
    for key in before - set(rest):
        del body[key]
    return sorted(removed)


def default(schema: Schema, body: dict[str, Any]) -> None:
    """Fill in, in place, the defaults of what is absent, or null and not nullable."""
    _default(schema, body)


def validate(schema: Schema, body: Body) -> list[Cause]:
    """What is wrong with an object that is pruned and has its defaults."""
    content = {key: value for key, value in body.items() if key != "metadata"}
    causes = list(_validate(schema, content, ""))
    if causes and not all(cause.reason == "FieldValueDuplicate" for cause in causes) and _has_rules(schema):
        causes.append(Cause("FieldValueInvalid", _UNCHECKED, "<nil>"))
    return causes


def validate_scale(scale: ScalePaths | None, body: Body) -> list[Cause]:
    """That the fields a scale subresource reads are of the type it reads."""
    causes = []
    for path in () if scale is None else (scale.replicas, scale.status_replicas):
        value: Any = body
        for name in path.strip(".").split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            printed = f"{value:g}" if isinstance(value, float) else f"{value}"
            why = f"{path} accessor error: {printed} is of the type {type_name(value)}, expected int64"
            causes.append(Cause("FieldValueInvalid", f"Invalid value: 0: {why}", path))
    return causes


def validate_value(schema: Schema, value: Any) -> list[Cause]:
    """What is wrong with one value, such as a default, that is at no path."""
    return list(_validate({"nullable": False, **schema}, value, ""))


def _prune(schema: Schema, value: Any, path: str, removed: list[str]) -> None:
    items = schema.get("items")
    if isinstance(value, list) and items is not None:
        for index, item in enumerate(value):
            _prune(items, item, f"{path}[{index}]", removed)
    if not isinstance(value, dict) or schema.get("x-kubernetes-embedded-resource"):
        return
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    for key in list(value):
        below = f"{path}.{key}" if path else key
        if key in properties:
            _prune(properties[key], value[key], below, removed)
        elif isinstance(additional, Mapping):
            _prune(additional, value[key], below, removed)
        elif not (additional or schema.get(PRESERVE)):
            del value[key]
            removed.append(below)


def _default(schema: Schema, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _default(schema.get("items") or {}, item)
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    for key, field in properties.items():
        is_unset = key not in value or (value[key] is None and not field.get("nullable"))
        if is_unset and "default" in field:
            value[key] = msgspec.json.decode(msgspec.json.encode(field["default"]))
        elif is_unset:
            value.pop(key, None)
        if key in value:
            _default(field, value[key])
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        for key in set(value) - set(properties):
            _default(additional, value[key])


def _validate(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if value is None and schema.get("nullable"):
        return
    problem = _type_problem(schema, value, path)
    if problem:
        yield from problem
        return
    yield from _value_problems(schema, value, path)
    if isinstance(value, str):
        yield from _string_problems(schema, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_problems(schema, value, path)
    elif isinstance(value, list):
        yield from _list_problems(schema, value, path)
    elif isinstance(value, Mapping):
        yield from _map_problems(schema, value, path)


def _type_problem(schema: Schema, value: Any, path: str) -> list[Cause]:
    if schema.get(INT_OR_STRING):
        fits = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
        return [] if fits else [_type_cause(value, "integer,string", path)]
    wanted = schema.get("type")
    if not wanted or _fits(wanted, value):
        return []
    format_ = schema.get("format")
    if wanted == "integer" and isinstance(value, float) and format_ in _INT_RANGES:
        message = f'Invalid value: "": Checked value must be of type integer with format {format_} in {path}'
        return [_type_cause(value, format_, path), Cause("FieldValueInvalid", message, "<nil>")]
    return [_type_cause(value, wanted, path)]


def _fits(wanted: str, value: Any) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    types: Mapping[str, type | tuple[type, ...]] = {
        "number": (int, float),
        "string": str,
        "object": dict,
        "array": list,
    }
    return isinstance(value, types.get(wanted, ()))


def _type_cause(value: Any, wanted: str, path: str) -> Cause:
    shown = type_name(value)
    message = f'Invalid value: "{shown}": {path} in body must be of type {wanted}: "{shown}"'
    return Cause("FieldValueTypeInvalid", message, path)


def type_name(value: Any) -> str:
    """What the validator of a real server calls the type of a JSON value."""
    names = {bool: "boolean", int: "integer", float: "float64", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _value_problems(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    enum = schema.get("enum")
    if enum is not None and value not in enum:
        supported = ", ".join(shown(each) for each in enum)
        yield Cause("FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {supported}", path)
    yield from _combination_problems(schema, value, path)


def _combination_problems(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    def fits(each: Schema) -> bool:
        return not any(True for _ in _validate(each, value, path or "."))

    for each in schema.get("allOf") or ():
        yield from _validate(each, value, path)
    any_of, one_of = schema.get("anyOf"), schema.get("oneOf")
    if any_of and not schema.get(INT_OR_STRING) and not any(fits(each) for each in any_of):
        yield _body_cause(value, path, "must validate at least one schema (anyOf)")
    if one_of:
        found = sum(fits(each) for each in one_of)
        if found != 1:
            many = f"Found {found} valid alternatives" if found else "Found none valid"
            yield _body_cause(value, path, f"must validate one and only one schema (oneOf). {many}")
    if schema.get("not") is not None and fits(schema["not"]):
        yield _body_cause(value, path, "must not validate the schema (not)")


def _string_problems(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {longest} bytes", path)
    if shortest is not None and len(value) < shortest:
        yield _body_cause(value, path, f"should be at least {shortest} chars long")
    if pattern is not None and not re.search(pattern, value):
        yield _body_cause(value, path, f"should match '{pattern}'")


def _number_problems(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    limit = _INT_RANGES.get(schema.get("format", ""))
    if limit is not None and not -limit <= value < limit and schema.get("type") == "integer":
        message = f'Invalid value: "": Checked value must be of type integer with format {schema["format"]} in {path}'
        yield Cause("FieldValueInvalid", message, "<nil>")
    if low is not None and (value <= low if schema.get("exclusiveMinimum") else value < low):
        bound = f"greater than {low}" if schema.get("exclusiveMinimum") else f"greater than or equal to {low}"
        yield _body_cause(value, path, f"should be {bound}")
    if high is not None and (value >= high if schema.get("exclusiveMaximum") else value > high):
        bound = f"less than {high}" if schema.get("exclusiveMaximum") else f"less than or equal to {high}"
        yield _body_cause(value, path, f"should be {bound}")
    if step and value % step:
        yield _body_cause(value, path, f"should be a multiple of {step}")


def _list_problems(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(value) > most:
        yield Cause("FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items", path)
    if least is not None and len(value) < least:
        yield _body_cause(value, path, f"should have at least {least} items")
    for index, item in enumerate(value):
        yield from _validate(schema.get("items") or {}, item, f"{path}[{index}]")
    yield from _duplicates(schema, value, path)


def _duplicates(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    list_type = schema.get("x-kubernetes-list-type")
    if list_type not in {"set", "map"}:
        return
    keys: Sequence[str] = schema.get("x-kubernetes-list-map-keys") or ()
    seen = set()
    for index, item in enumerate(value):
        if list_type == "map" and not isinstance(item, Mapping):
            continue
        identity = shown({key: item[key] for key in keys if key in item} if list_type == "map" else item)
        if identity in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {identity}", f"{path}[{index}]")
        seen.add(identity)


def _map_problems(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    for key in schema.get("required") or ():
        if key not in value and (path or key not in _ROOT_FIELDS):
            yield Cause("FieldValueRequired", "Required value", f"{path}.{key}" if path else key)
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield Cause("FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items", path)
    if least is not None and len(value) < least:
        yield _body_cause(value, path, f"should have at least {least} properties")
    additional = schema.get("additionalProperties")
    for key, item in value.items():
        below = properties.get(key, additional if isinstance(additional, Mapping) else None)
        if below is not None:
            yield from _validate(below, item, f"{path}.{key}" if path else key)


def _body_cause(value: Any, path: str, complaint: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {path} in body {complaint}", path)


def shown(value: Any) -> str:
    """A value as causes print it: compact JSON."""
    return msgspec.json.encode(value).decode()


def _has_rules(schema: Schema) -> bool:
    if schema.get("x-kubernetes-validations"):
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, Mapping) and _has_rules(each) for each in below)
