"""Structural schemas at work: pruning and defaulting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.schemas.facts import EMBEDDED, facts_of

Schema = Mapping[str, Any]

_ROOT_FIELDS = ("apiVersion", "kind", "metadata")
PRESERVE = "x-kubernetes-preserve-unknown-fields"
_CONTAINERS = (dict, list)
_MOST_ADDED_BYTES = 1536 * 1024  # etcd's --max-request-bytes


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


def drop_nulls(schema: Schema, value: Any) -> None:
    """Remove, in place, fields that are null and may not be: null is as good as absent, if there is no default."""
    if b"null" in codecs.encode(value):
        _drop_nulls(schema, value)


def _drop_nulls(schema: Schema, value: Any) -> None:
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            _drop_nulls(schema["items"], item)
    if not isinstance(value, dict):
        return
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in list(value):
        below = properties.get(key, additional)
        if not isinstance(below, dict):
            continue
        if value[key] is None and not below.get("nullable") and below.get("default") is None:
            del value[key]
        else:
            _drop_nulls(below, value[key])


def default(schema: Schema, body: dict[str, Any]) -> None:
    """Fill in, in place, the defaults of what is absent, or null and not nullable.

    Raises:
        StatusError: They come to more than etcd takes of one object.
    """
    if facts_of(schema).has_defaults:
        _default(schema, body, _Defaults())


class _Defaults:
    """Makes copies of defaults, for one object: each of a million items may be given a default of a megabyte."""

    def __init__(self) -> None:
        self._bytes_left = _MOST_ADDED_BYTES

    def copy(self, value: Any) -> Any:
        encoded = codecs.encode(value)
        self._bytes_left -= len(encoded) + 1
        if self._bytes_left < 0:
            raise errors.too_large_for_etcd()
        return codecs.decode(encoded)


def _prune(schema: Schema, value: Any, path: str, removed: list[str]) -> None:
    """What is kept whatever it is may still have parts that are not."""
    items = schema.get("items")
    if isinstance(value, list) and items is not None:
        for index, item in enumerate(value):
            _prune(items, item, f"{path}[{index}]", removed)
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    own = _ROOT_FIELDS if schema.get(EMBEDDED) else ()
    for key, each in list(value.items()):
        if key in own:
            continue
        below = properties.get(key, additional)
        if isinstance(below, dict):
            if isinstance(each, _CONTAINERS):
                _prune(below, each, f"{path}.{key}" if path else key, removed)
        elif not (additional or schema.get(PRESERVE)):
            del value[key]
            removed.append(f"{path}.{key}" if path else key)


def _default(schema: Schema, value: Any, defaults: _Defaults) -> None:
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict) and facts_of(items).has_defaults:
        for index, item in enumerate(value):
            if item is None and "default" in items and not items.get("nullable"):
                value[index] = defaults.copy(items["default"])
            _default(items, value[index], defaults)
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    for key, field in properties.items():
        if "default" in field and (key not in value or (value[key] is None and not field.get("nullable"))):
            value[key] = defaults.copy(field["default"])
    additional = schema.get("additionalProperties")
    for key in list(value):
        below = properties.get(key, additional)
        if isinstance(below, dict) and isinstance(value[key], _CONTAINERS) and facts_of(below).has_defaults:
            _default(below, value[key], defaults)


def has_rules(schema: Schema) -> bool:
    """Whether it has CEL rules anywhere."""
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return bool(schema.get("x-kubernetes-validations")) or any(
        isinstance(each, dict) and has_rules(each) for each in below
    )
