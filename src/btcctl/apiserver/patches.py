"""Merge patch, JSON patch and the first, simple form of apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonpatch
import jsonpointer
import msgspec
import yaml

from btcctl.apiserver import statuses
from btcctl.apiserver.registry import Served
from btcctl.apiserver.strategic import MERGE_KEYS, merge_strategically

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

Patch = Callable[[Mapping[str, Any]], dict[str, Any]]


def accepted_types(served: Served) -> tuple[str, ...]:
    """Strategic merge needs merge keys, which only built-in kinds have."""
    return (JSON_PATCH, MERGE, APPLY) if served.is_custom else (JSON_PATCH, MERGE, STRATEGIC, APPLY)


def read_patch(served: Served, content_type: str, body: bytes) -> Patch:
    """What to do to an object.

    Returns:
        A function from an object to a new one, which shares parts with it. It may raise
        StatusError.

    Raises:
        StatusError: Another content type, or the body is no patch of that type.
    """
    media_type = content_type.partition(";")[0].strip()
    if media_type not in accepted_types(served):
        raise statuses.unsupported_media_type(accepted_types(served))
    if media_type == APPLY:
        configuration = read_configuration(body)
        return lambda obj: apply_configuration(served, obj, configuration)
    patch = _decode(body)
    if media_type == JSON_PATCH:
        if not isinstance(patch, list):
            go_type = "[]handlers.jsonPatchOp"
            raise statuses.bad_request(
                f"error decoding patch: json: cannot unmarshal {_go(patch)} into Go value of type {go_type}"
            )
        return lambda obj: _json_patch(obj, patch)
    if not isinstance(patch, dict):
        go_type = "map[string]interface {}"
        raise statuses.bad_request(
            f"error decoding patch: json: cannot unmarshal {_go(patch)} into Go value of type {go_type}"
        )
    if media_type == STRATEGIC:
        return lambda obj: merge_strategically(obj, patch)
    return lambda obj: merge(obj, patch)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: null deletes, mappings merge, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def read_configuration(body: bytes) -> dict[str, Any]:
    """The body of an apply: YAML, of which JSON is a part.

    Raises:
        StatusError: It is neither, or no object, or must not be applied.
    """
    try:
        configuration = yaml.safe_load(body)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise statuses.bad_request(f"error decoding YAML: {error}") from error
    if not isinstance(configuration, dict):
        raise statuses.bad_request("error decoding YAML: not an object")
    if (configuration.get("metadata") or {}).get("managedFields") is not None:
        raise statuses.bad_request("metadata.managedFields must be nil")
    return configuration


def apply_configuration(served: Served, obj: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Put the configuration over the object.

    This is not yet server-side apply: nobody's ownership is recorded, so there are no conflicts
    and nothing is removed because it is left out. What the configuration says wins; lists with
    known keys are merged item by item, other lists are replaced.
    """
    keys = _schema_keys(served.schema or {}) if served.is_custom else None
    merged: dict[str, Any] = _merge_keyed(obj, configuration, keys)
    return merged


_Keys = Mapping[str, Any]  #: field → {"keys": names of a list's keys or (), "fields": the _Keys below it}


def _schema_keys(schema: Mapping[str, Any]) -> _Keys:
    """The list keys of a CRD's schema, by field."""
    keys = {}
    for name, field in (schema.get("properties") or {}).items():
        below = field.get("items") if field.get("type") == "array" else field
        is_map = field.get("x-kubernetes-list-type") == "map"
        keys[name] = {
            "keys": tuple(field.get("x-kubernetes-list-map-keys") or ()) if is_map else (),
            "fields": _schema_keys(below or {}),
        }
    return keys


def _merge_keyed(target: Any, wanted: Any, keys: _Keys | None) -> Any:
    if not isinstance(wanted, Mapping):
        return wanted
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in wanted.items():
        below = None if keys is None else keys.get(name, {"keys": (), "fields": {}})
        list_keys = _list_keys(name, below)
        fields = None if below is None else below["fields"]
        current = merged.get(name)
        if list_keys and isinstance(value, list) and isinstance(current, list):
            merged[name] = _merge_items(current, value, list_keys, fields)
        else:
            merged[name] = _merge_keyed(current, value, fields)
    return merged


def _list_keys(name: str, below: Mapping[str, Any] | None) -> tuple[str, ...]:
    if below is not None:
        found: tuple[str, ...] = below["keys"]
        return found
    return (MERGE_KEYS[name],) if name in MERGE_KEYS else ()


def _merge_items(current: list[Any], wanted: list[Any], list_keys: tuple[str, ...], fields: _Keys | None) -> list[Any]:
    merged = list(current)
    places = {_item_key(item, list_keys): place for place, item in enumerate(current)}
    for item in wanted:
        place = places.get(_item_key(item, list_keys))
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merge_keyed(merged[place], item, fields)
    return merged


def _item_key(item: Any, list_keys: tuple[str, ...]) -> tuple[str, ...]:
    values = item if isinstance(item, Mapping) else {}
    return tuple(repr(values.get(key)) for key in list_keys)


def _json_patch(obj: Mapping[str, Any], patch: list[Any]) -> dict[str, Any]:
    try:
        patched = jsonpatch.apply_patch(obj, patch)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        message = "the server rejected our request due to an error in our request"
        raise statuses.StatusError(422, message, "Invalid", details={}) from error
    if not isinstance(patched, dict):
        raise statuses.bad_request("the patched object is no object")
    return patched


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = "unexpected end of JSON input" if "truncated" in str(error) else str(error)
        raise statuses.bad_request(f"error decoding patch: {why}") from error


def _go(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    names = {list: "array", dict: "object", str: "string", bool: "bool"}
    return names.get(type(value), "number")
