"""What a schema of a CustomResourceDefinition may say at all, structural or not.

Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation, v0.36.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from btcctl.apiserver.apiextensions import crd_rules
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid, required
from btcctl.apiserver.machinery.gofmt import json_text, shown
from btcctl.apiserver.schemas import formats
from btcctl.apiserver.schemas.facts import EMBEDDED
from btcctl.apiserver.schemas.prune_and_default import PRESERVE

Schema = Mapping[str, Any]
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_META_FIELDS = frozenset(["metadata", "kind", "apiVersion"])
_JUNCTORS = ("allOf", "oneOf", "anyOf")
_NOT_SUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_EVEN_EMPTY = frozenset(["additionalItems", "$ref", "dependencies"])
_NOT_STRUCTURAL = ("id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions")
_LIST_TYPE, _MAP_TYPE, _KEYS = "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"
_QUADRATIC = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"


class _Place(NamedTuple):
    """Where a schema stands, as far as it matters to what it may say."""

    field: str
    is_root: bool = False
    inside_meta: bool = False
    no_default: str = ""  #: why there may be no default; "" if there may be


def check_root(schema: Schema, field: str, *, has_status: bool) -> list[Cause]:
    """What only the root may not say."""
    causes = []
    if has_status and schema.get("type") not in {None, "", "object"}:
        why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        causes.append(invalid(f"{field}.type", schema["type"], why))
    if schema.get("nullable"):
        causes.append(forbidden(f"{field}.nullable", "nullable cannot be true at the root"))
    return causes


def check(schema: Schema, field: str) -> Iterator[Cause]:
    """What is wrong with a schema and all below it."""
    yield from _check(schema, _Place(field, is_root=True))


def below(schema: Schema, field: str) -> Iterator[tuple[str, Schema]]:
    """The schemas of fields, items and map values, with where they stand."""
    for name, each in (schema.get("properties") or {}).items():
        yield f"{field}.properties[{name}]", each
    if isinstance(schema.get("items"), Mapping):
        yield f"{field}.items", schema["items"]
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield f"{field}.additionalProperties", schema["additionalProperties"]


def unknown_formats(schema: Schema) -> Iterator[str]:
    """The formats that nobody checks."""
    name, type_ = schema.get("format") or "", schema.get("type") or ""
    known = {"integer": ("int32", "int64"), "number": ("float", "double"), "": (), "string": ()}.get(type_)
    if name and not (name in known if known else known is not None and formats.is_known(name)):
        yield name
    for _, each in below(schema, ""):
        yield from unknown_formats(each)


def structure_problem(schema: Schema) -> str:
    """What it says anywhere that no structural schema can, which ends all talk of structure; "" if there is nothing."""
    for name in _NOT_STRUCTURAL:
        if schema.get(name) or (name == "additionalItems" and schema.get(name) is not None):
            return f"OpenAPIV3Schema '{name.replace('$schema', 'schema')}' is not supported"
    if schema.get(PRESERVE) is False:
        return f"internal error: '{PRESERVE}' must be true or undefined"
    if isinstance(schema.get("items"), list):
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    nested = (each for _, each in (*below(schema, ""), *_junctors(schema, "")))
    return next((found for found in map(structure_problem, nested) if found), "")


def _junctors(schema: Schema, field: str) -> Iterator[tuple[str, Schema]]:
    """The schemas that a value must, or must not, fit besides, with where they stand."""
    for junctor in _JUNCTORS:
        for index, each in enumerate(schema.get(junctor) or ()):
            yield f"{field}.{junctor}[{index}]", each
    if isinstance(schema.get("not"), Mapping):
        yield f"{field}.not", schema["not"]


def _unstructured(schema: Schema, field: str) -> Iterator[tuple[str, Schema]]:
    """The schemas that may stand nowhere, with where they stand."""
    for name in ("definitions", "dependencies"):
        for key, each in (schema.get(name) or {}).items():
            if isinstance(each, Mapping):
                yield f"{field}.{name}[{key}]", each
    if isinstance(schema.get("items"), list):
        yield from ((f"{field}.items[{index}]", each) for index, each in enumerate(schema["items"]))


def _check(schema: Schema, place: _Place) -> Iterator[Cause]:
    field = place.field
    yield from _check_keywords(schema, place)
    if schema.get("uniqueItems"):
        yield forbidden(f"{field}.uniqueItems", _QUADRATIC)
    additional = schema.get("additionalProperties")
    if schema.get("properties") and additional is not None and additional is not True:
        why = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{field}.additionalProperties", why)
    for where, each in below(schema, field):
        yield from _check(each, _place_below(schema, place, where))
    for where, each in (*_junctors(schema, field), *_unstructured(schema, field)):
        yield from _check(each, place._replace(field=where, is_root=False))
    if schema.get(PRESERVE) is False:
        yield invalid(f"{field}.{PRESERVE}", False, "must be true or undefined")
    yield from _check_types_of(schema, field)
    yield from _check_keys(schema, field)
    yield from _check_items(schema, field)
    yield from crd_rules.check_texts(schema, field)


def _place_below(schema: Schema, place: _Place, where: str) -> _Place:
    name = where.removeprefix(f"{place.field}.")
    found = place._replace(field=where, is_root=False)
    if name == "additionalProperties" and place.inside_meta:
        return found._replace(no_default="inside additionalProperties applying to object metadata")
    own = name.removeprefix("properties[").removesuffix("]")
    if name.startswith("properties[") and own in _META_FIELDS and (place.is_root or schema.get(EMBEDDED)):
        reason = f"in top-level {own}" if place.is_root else found.no_default
        return found._replace(inside_meta=True, no_default=reason)
    return found


def _check_keywords(schema: Schema, place: _Place) -> Iterator[Cause]:
    field, type_ = place.field, schema.get("type") or ""
    if type_ and type_ not in _TYPES:
        yield _not_supported(f"{field}.type", type_, _TYPES)
    if schema.get("default") is not None and place.no_default:
        yield forbidden(f"{field}.default", f"must not be set {place.no_default}")
    for name in _NOT_SUPPORTED:
        if schema.get(name) or (name in _EVEN_EMPTY and schema.get(name) is not None):
            yield forbidden(f"{field}.{name}", f"{name} is not supported")
    if type_ == "null":
        yield forbidden(f"{field}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{field}.items", "items must be a schema object and not an array")
    if place.inside_meta and schema.get(EMBEDDED):
        yield forbidden(f"{field}.{EMBEDDED}", "must not be used inside of resource meta")


def _check_types_of(schema: Schema, field: str) -> Iterator[Cause]:
    """The types of lists and maps."""
    type_, list_type, map_type = schema.get("type") or "", schema.get(_LIST_TYPE), schema.get(_MAP_TYPE)
    for name, found, wanted in ((_MAP_TYPE, map_type, "object"), (_LIST_TYPE, list_type, "array")):
        if found is not None and type_ != wanted:
            why = f"must be {wanted} if {name} is specified"
            yield invalid(f"{field}.type", type_, why) if type_ else required(f"{field}.type", why)
    if map_type not in {None, "atomic", "granular"}:
        yield _not_supported(f"{field}.{_MAP_TYPE}", map_type, ("atomic", "granular"))
    items = schema.get("items")
    if type_ == "array" and list_type == "set" and isinstance(items, Mapping):
        why = "must be atomic as item of a list with x-kubernetes-list-type=set"
        if items.get("type") == "array" and items.get(_LIST_TYPE) not in {None, "atomic"}:
            yield invalid(f"{field}.items.{_LIST_TYPE}", items[_LIST_TYPE], why)
        if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
            printed = json_text(items.get(_LIST_TYPE))  # of the list type, as upstream has it
            yield Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", f"{field}.items.{_MAP_TYPE}")
    if list_type not in {None, "atomic", "set", "map"}:
        yield _not_supported(f"{field}.{_LIST_TYPE}", list_type, ("atomic", "set", "map"))


def _check_keys(schema: Schema, field: str) -> Iterator[Cause]:
    list_type, keys, items = schema.get(_LIST_TYPE), schema.get(_KEYS) or [], schema.get("items")
    if keys and list_type != "map":
        why = f"must be map if {_KEYS} is non-empty"
        where = f"{field}.{_LIST_TYPE}"
        yield required(where, why) if list_type is None else invalid(where, list_type, why)
    if list_type != "map":
        return
    if not keys:
        yield required(f"{field}.{_KEYS}", f"must not be empty if {_LIST_TYPE} is map")
    if not isinstance(items, Mapping):
        yield required(f"{field}.items", f"must have a schema if {_LIST_TYPE} is map")
        return
    if items.get("type") != "object":
        why = f"must be object if parent array's {_LIST_TYPE} is map"
        yield invalid(f"{field}.items.type", items.get("type") or "", why)
        return
    seen: set[str] = set()
    for key in keys:
        found = (items.get("properties") or {}).get(key)
        if found is None:
            yield invalid(f"{field}.{_KEYS}", keys, "entries must all be names of item properties")
        elif found.get("type") in {"array", "object"}:
            why = f"must be a scalar type if parent array's {_LIST_TYPE} is map"
            yield invalid(f"{field}.items.properties[{key}].type", "object", why)
        if key in seen:
            yield invalid(f"{field}.{_KEYS}", keys, "must not contain duplicate entries")
        seen.add(key)


def _check_items(schema: Schema, field: str) -> Iterator[Cause]:
    """Items of sets and maps are there, and so are their keys."""
    list_type, items = schema.get(_LIST_TYPE), schema.get("items")
    if list_type not in {"set", "map"} or not isinstance(items, Mapping):
        return
    if items.get("nullable"):
        yield forbidden(f"{field}.items.nullable", f"cannot be nullable when {_LIST_TYPE} is {list_type}")
    needed = set(items.get("required") or ())
    for key in schema.get(_KEYS) or () if list_type == "map" else ():
        found = (items.get("properties") or {}).get(key)
        if found is None:
            continue
        where, what = f"{field}.items.properties[{key}]", f"this property is in {_KEYS}, so it"
        if key not in needed and found.get("default") is None:
            yield required(f"{where}.default", f"{what} must have a default or be a required property")
        if found.get("nullable"):
            yield forbidden(f"{where}.nullable", f"{what} cannot be nullable")


def _not_supported(field: str, value: Any, supported: tuple[str, ...]) -> Cause:
    listed = ", ".join(shown(each) for each in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {listed}", field)
