"""What makes a CustomResourceDefinition's schema structural, and what is wrong with it if it is not.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
and k8s.io/apiextensions-apiserver/pkg/apiserver/schema, v0.36.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.apiextensions import crd_rules, crd_schema, custom_objects
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid, required
from btcctl.apiserver.machinery.gofmt import json_text
from btcctl.apiserver.schemas import patterns, validation
from btcctl.apiserver.schemas.facts import EMBEDDED
from btcctl.apiserver.schemas.prune_and_default import PRESERVE, has_rules, prune
from btcctl.apiserver.schemas.validation import INT_OR_STRING

Schema = Mapping[str, Any]
_JUNCTORS = ("anyOf", "allOf", "oneOf")
_EITHER = [{"type": "integer"}, {"type": "string"}]
#: What nothing below a junctor may have, and how it must be instead.
_FORBIDDEN_BELOW = {
    "type": "empty", "additionalProperties": "undefined", "default": "undefined", "title": "empty",
    "description": "empty", "nullable": "false", PRESERVE: "false", EMBEDDED: "false", INT_OR_STRING: "false",
    "x-kubernetes-list-map-keys": "empty", "x-kubernetes-list-type": "undefined", "x-kubernetes-map-type": "undefined",
    "x-kubernetes-validations": "empty",
}  # fmt: skip


def check(schema: Schema, field: str, *, has_status: bool, is_known: bool) -> list[Cause]:
    """What is wrong with the openAPIV3Schema of one version.

    Args:
        field: Where it stands.
        has_status: Whether the version has a status subresource.
        is_known: An update leaves it as it is.
    """
    causes = crd_schema.check_root(schema, field, has_status=has_status)
    problem = crd_schema.structure_problem(schema)
    if problem:
        return [*causes, *crd_schema.check(schema, field)] or [invalid(field, "", problem)]
    shape = [*_check(schema, field, "root"), *_incomplete(schema, schema, field, field)]
    shape = sorted(shape, key=lambda cause: f"{cause.field}: {cause.message}")
    defaults = [] if shape else list(_check_defaults(schema, field))
    causes += shape + defaults
    found = list(crd_schema.check(schema, field))
    causes += found
    if not causes:
        causes += crd_rules.check_rules(schema, field, is_known=is_known)
    return causes


def _check(schema: Schema, field: str, level: str) -> Iterator[Cause]:
    yield from _check_type(schema, field, level)
    for where, below in crd_schema.below(schema, field):
        yield from _check(below, where, "item" if where == f"{field}.items" else "field")
    if schema.get("additionalProperties") is not None:
        if level == "root":
            yield forbidden(f"{field}.additionalProperties", "must not be used at the root")
        if schema.get(EMBEDDED):
            yield forbidden(f"{field}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    for name in (PRESERVE, EMBEDDED):
        if schema.get(INT_OR_STRING) and schema.get(name):
            yield invalid(f"{field}.{name}", True, f"must be false if {INT_OR_STRING} is true")
    yield from _check_junctors(schema, field)
    yield from _check_metadata(schema, field, level)


def _check_type(schema: Schema, field: str, level: str) -> Iterator[Cause]:
    type_ = schema.get("type") or ""
    if type_ == "array" and not isinstance(schema.get("items"), Mapping):
        yield required(f"{field}.items", "must be specified")
    if schema.get(EMBEDDED) and type_ != "object":
        why = f"must be object if {EMBEDDED} is true"
        yield invalid(f"{field}.type", type_, why) if type_ else required(f"{field}.type", why)
    elif not type_ and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        places = {"root": "at the root", "item": "for specified array items", "field": "for specified object fields"}
        yield required(f"{field}.type", f"must not be empty {places[level]}")
    if level == "root" and type_ and type_ != "object":
        yield invalid(f"{field}.type", type_, "must be object at the root")
    if schema.get(EMBEDDED) and not schema.get(PRESERVE) and not schema.get("properties"):
        why = f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
        yield required(f"{field}.properties", why)


def _check_metadata(schema: Schema, field: str, level: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    if level != "root" and not schema.get(EMBEDDED):
        return
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        type_ = (properties.get(name) or {}).get("type") or ""
        if name in properties and type_ != wanted:
            yield invalid(f"{field}.properties[{name}].type", type_, f"must be {wanted}")
    if level != "root" or "metadata" not in properties:
        return
    rest = {key: each for key, each in properties["metadata"].items() if key not in {"type", "default"}}
    if set(rest.get("properties") or {}) <= {"name", "generateName"}:
        rest.pop("properties", None)
    if rest:
        why = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(f"{field}.properties[metadata]", why)


def _check_junctors(schema: Schema, field: str) -> Iterator[Cause]:
    """Below allOf and its like nothing may be set that belongs into the structure itself."""
    for junctor in _JUNCTORS:
        if junctor == "anyOf" and schema.get("anyOf") == _EITHER:
            continue
        for index, below in enumerate(schema.get(junctor) or ()):
            is_either = junctor == "allOf" and index == 0 and below.get("anyOf") == _EITHER
            bare = {key: each for key, each in below.items() if key != "anyOf"} if is_either else below
            yield from _check_nested(bare, f"{field}.{junctor}[{index}]")
    if isinstance(schema.get("not"), Mapping):
        yield from _check_nested(schema["not"], f"{field}.not")
    pattern = schema.get("pattern")
    problem = _pattern_problem(pattern) if isinstance(pattern, str) else ""
    if problem:
        why = f"must be a valid regular expression, but isn't: error parsing regexp: {problem}"
        yield invalid(f"{field}.pattern", pattern, why)


def _check_nested(schema: Schema, field: str) -> Iterator[Cause]:
    yield from _check_junctors(schema, field)
    for where, below in crd_schema.below(schema, field):
        if where != f"{field}.additionalProperties":
            yield from _check_nested(below, where)
    for name, wanted in _FORBIDDEN_BELOW.items():
        if schema.get(name) is not None and schema[name] not in (False, "", []):
            yield forbidden(f"{field}.{name}", f"must be {wanted} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        yield forbidden(f"{field}.properties[metadata]", "must not be specified in a nested context")


def _incomplete(nested: Schema, schema: Schema, field: str, nested_field: str) -> Iterator[Cause]:
    """What is only spoken of below a junctor, and belongs to no known field."""
    for place, below in _nested(nested, nested_field):
        yield from _incomplete(below, schema, field, place)
        items, properties = schema.get("items"), schema.get("properties") or {}
        if isinstance(below.get("items"), Mapping):
            if isinstance(items, Mapping):
                yield from _incomplete({"allOf": [below["items"]]}, items, f"{field}.items", f"{place}.items")
            else:
                yield required(f"{field}.items", f"because it is defined in {place}.items")
        for name in below.get("properties") or {}:
            where, there = f"{field}.properties[{name}]", f"{place}.properties[{name}]"
            if name not in properties:
                yield required(where, f"because it is defined in {there}")
            else:
                yield from _incomplete(below["properties"][name], properties[name], where, there)


def _nested(schema: Schema, field: str) -> Iterator[tuple[str, Schema]]:
    if isinstance(schema.get("not"), Mapping):
        yield f"{field}.not", schema["not"]
    for junctor in _JUNCTORS:
        for index, below in enumerate(schema.get(junctor) or ()):
            yield f"{field}.{junctor}[{index}]", below


def _check_defaults(schema: Schema, field: str) -> Iterator[Cause]:
    """Defaults are under the schema they stand in; those of map values are forbidden elsewhere."""
    if schema.get("default") is not None:
        yield from _check_default(schema, schema["default"], f"{field}.default")
    for where, below in crd_schema.below(schema, field):
        if where != f"{field}.additionalProperties":
            yield from _check_defaults(below, where)


def _check_default(schema: Schema, value: Any, field: str) -> Iterator[Cause]:
    pruned = {"default": _copy(value)}
    prune({"properties": {"default": schema}}, pruned)
    if json_text(pruned.get("default")) != json_text(value):
        yield invalid(field, value, "must not have unknown fields")
    wrong = [*custom_objects.embedded_below(schema, value, field)]
    wrong = wrong or validation.validate(_without_either(schema), value, field)
    yield from wrong
    if not wrong and has_rules(schema):
        yield from _broken_rules(schema, value, field)


def _without_either(schema: Any) -> Any:
    """The schema as defaults are checked by it: of what may be an integer or a string, only `anyOf` says so."""
    if isinstance(schema, Mapping):
        return {name: _without_either(each) for name, each in schema.items() if (name, each) != (INT_OR_STRING, True)}
    return [_without_either(each) for each in schema] if isinstance(schema, list) else schema


def _broken_rules(schema: Schema, value: Any, field: str) -> Iterator[Cause]:
    rules = importlib.import_module("btcctl.apiserver.schemas.cel.rules")
    syntax = importlib.import_module("btcctl.apiserver.schemas.cel.syntax")
    try:
        node = rules.compile_rules(schema, is_root=bool(schema.get(EMBEDDED)))
    except (syntax.CompileError, syntax.Unsupported):
        return  # is complained of where the rule stands
    for cause in rules.run(node, value, None)[0] if node is not None else ():
        place = "" if cause.field == "<nil>" else f".{cause.field}"
        yield cause._replace(field=f"{field}{place}")


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def _pattern_problem(pattern: str) -> str:
    """What Go says of a pattern; "" if it takes it."""
    try:
        patterns.check(pattern)
    except patterns.PatternError as error:
        return str(error)
    return ""
