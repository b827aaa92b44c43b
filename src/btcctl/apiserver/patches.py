"""Merge patch and JSON patch, and which patches are understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonpatch
import jsonpointer
import msgspec

from btcctl.apiserver import statuses
from btcctl.apiserver.registry import Served
from btcctl.apiserver.strategic import merge_strategically

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
