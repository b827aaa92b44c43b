"""What a custom resource must be like: its schema, its lists, what is embedded in it, its scale."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import names
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.gofmt import go_type, json_text, plain, quoted, shown
from btcctl.apiserver.schemas import validation as values
from btcctl.apiserver.schemas.correlation import Correlated
from btcctl.apiserver.schemas.facts import EMBEDDED, LIST_TYPE, facts_of
from btcctl.apiserver.served.kind import ScalePaths
from btcctl.apiserver.storage.collection import Body

Schema = Mapping[str, Any]

_MOST_REPLICAS = 2**31 - 1
_UNCHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
#: What is wrong in these ways the rules of a schema cannot be asked about.
_BLOCKING = frozenset(
    ["FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"]
)


def validate(
    schema: Schema, scale: ScalePaths | None, compiled: Any, new: Body, old: Body | None, *, is_status: bool
) -> tuple[list[Cause], list[str]]:
    """What is wrong with an object that is pruned and has its defaults.

    Args:
        compiled: The rules of the schema; None for none.
        old: What an update replaces; what is wrong there already, and unchanged, may stay.
        is_status: Only the status is written, and only it is checked.

    Returns:
        Causes, and warnings of rules that were broken before.
    """
    node = None if old is None else Correlated(schema, new, old)
    if is_status:
        causes = _status_causes(schema, new, old)
    else:
        causes = values.validate(schema, new, "", node)
        causes += list(_replicas(scale, new))
    causes += list(_status_replicas(scale, new))
    if not is_status:
        causes += list(embedded_below(schema, new, ""))
    again = list(duplicates(schema, new, ""))
    if again and (old is None or not any(True for _ in duplicates(schema, old, ""))):
        causes += again
    if compiled is None:
        return causes, []
    if any(cause.reason in _BLOCKING for cause in causes):
        return [*causes, Cause("FieldValueInvalid", _UNCHECKED, "<nil>")], []
    rules = importlib.import_module("btcctl.apiserver.schemas.cel.rules")
    broken, warnings = rules.run(compiled, new, old)
    return causes + broken, warnings


def duplicates(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    """What comes twice in lists of type set or map."""
    if not facts_of(schema).has_list_types:
        return
    if isinstance(value, list):
        yield from _list_duplicates(schema, value, path)
    elif isinstance(value, dict):
        for place, below, each in _children(schema, value, path):
            yield from duplicates(below, each, place)


def embedded_causes(value: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with an object's apiVersion, kind and metadata."""
    for name in ("apiVersion", "kind"):
        if name not in value:
            yield Cause("FieldValueRequired", "Required value", f"{path}.{name}")
        elif not isinstance(value[name], str):
            yield Cause("FieldValueInvalid", f"Invalid value: {shown(value[name])}: must be a string", f"{path}.{name}")
        elif not value[name]:
            yield Cause("FieldValueInvalid", 'Invalid value: "": must not be empty', f"{path}.{name}")
    version, kind = value.get("apiVersion"), value.get("kind")
    if isinstance(version, str) and version.count("/") > 1:
        why = f"unexpected GroupVersion string: {version}"
        yield Cause("FieldValueInvalid", f"Invalid value: {quoted(version)}: {why}", f"{path}.apiVersion")
    if isinstance(kind, str) and kind:
        complaints = ",".join(names.service_name(kind.lower()))
        if complaints:
            why = f"may have mixed case, but should otherwise match: {complaints}"
            yield Cause("FieldValueInvalid", f"Invalid value: {quoted(kind)}: {why}", f"{path}.kind")
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        named = {**metadata, "name": metadata.get("name") or "fakename"}
        for cause in meta.validate(named, namespaced=False, name_rule=names.path_name):
            yield cause._replace(field=f"{path}.{cause.field}")


def _status_causes(schema: Schema, new: Body, old: Body | None) -> list[Cause]:
    status_schema = (schema.get("properties") or {}).get("status")
    if status_schema is None or "status" not in new:
        return []
    before = (old or {}).get("status")
    return values.validate(status_schema, new["status"], "status", Correlated(status_schema, new["status"], before))


def _children(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[tuple[str, Schema, Any]]:
    """The fields that have a schema: `spec.limits[cpu]` where names are free."""
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for name, each in value.items():
        if name in properties:
            yield f"{path}.{name}" if path else name, properties[name], each
        elif isinstance(additional, dict):
            yield f"{path}[{name}]", additional, each


def embedded_below(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if not facts_of(schema).has_embedded:
        return
    if isinstance(value, dict):
        if schema.get(EMBEDDED):
            yield from embedded_causes(value, path)
        for place, below, each in _children(schema, value, path):
            yield from embedded_below(below, each, place)
    elif isinstance(value, list) and schema.get("items"):
        for index, each in enumerate(value):
            yield from embedded_below(schema["items"], each, f"{path}[{index}]")


def _list_duplicates(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    list_type = schema.get(LIST_TYPE)
    identities: list[Any] = []
    if list_type == "set":
        identities = value
    elif list_type == "map":
        wrong = next((i for i, each in enumerate(value) if each is not None and not isinstance(each, dict)), None)
        if wrong is not None:
            why = f"Invalid value: {shown(value[wrong])}: must be an object for an array of list-type map"
            yield Cause("FieldValueInvalid", why, f"{path}[{wrong}]")
        else:
            identities = [_identity(schema.get("x-kubernetes-list-map-keys") or (), each) for each in value]
    seen: dict[str, int] = {}
    for index, identity in enumerate(() if _are_distinct(identities) else identities):
        text = f"{type(identity)} {json_text(identity)}"
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:  # a third one is not reported
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown(identity)}", f"{path}[{index}]")
    items = schema.get("items")
    if not isinstance(items, dict) or not facts_of(items).has_list_types:
        return
    for index, each in enumerate(value):
        yield from duplicates(items, each, f"{path}[{index}]")


def _are_distinct(identities: list[Any]) -> bool:
    """Whether they are so even to Python, which takes 1 for true: soon said, and nearly always so."""
    keys = (tuple(each.items()) if isinstance(each, dict) else each for each in identities)
    try:
        return len(set(keys)) == len(identities)
    except TypeError:  # one has a list or an object in it
        return False


def _identity(keys: Sequence[str], item: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: item[key] for key in keys if key in item} if item is not None else {}


def _replicas(scale: ScalePaths | None, body: Body) -> Iterator[Cause]:
    if scale is not None:
        yield from _count_causes(scale.replicas, body)


def _status_replicas(scale: ScalePaths | None, body: Body) -> Iterator[Cause]:
    if scale is None:
        return
    yield from _count_causes(scale.status_replicas, body)
    if scale.selector:
        _, problem = _read(body, scale.selector, str)
        if problem:
            yield Cause("FieldValueInvalid", f'Invalid value: "": {problem}', scale.selector)


def _count_causes(path: str, body: Body) -> Iterator[Cause]:
    value, problem = _read(body, path, int)
    if problem:
        yield Cause("FieldValueInvalid", f"Invalid value: 0: {problem}", path)
    elif value is not None and value < 0:
        yield Cause("FieldValueInvalid", f"Invalid value: {value}: should be a non-negative integer", path)
    elif value is not None and value > _MOST_REPLICAS:
        why = f"should be less than or equal to {_MOST_REPLICAS}"
        yield Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", path)


def _read(body: Body, path: str, wanted: type) -> tuple[Any, str]:
    """The value at a dotted path, None if there is none; and why it cannot be read."""
    value: Any = body
    names = path.strip(".").split(".")
    for index, name in enumerate(names):
        if not isinstance(value, dict):
            here = "." + ".".join(names[: index + 1])
            return None, (
                f"{here} accessor error: {plain(value)} is of the type {go_type(value)}, "
                "expected map[string]interface{}"
            )
        if name not in value:
            return None, ""
        value = value[name]
    if isinstance(value, wanted) and not isinstance(value, bool):
        return value, ""
    expected = "int64" if wanted is int else "string"
    return None, f"{path} accessor error: {plain(value)} is of the type {go_type(value)}, expected {expected}"
