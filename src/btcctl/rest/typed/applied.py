"""Whether an object already says all that an apply would say, and nothing else in our name. Pure.

The server keeps for each field manager the set of fields that it has applied (`fieldsV1`). An apply changes nothing if
that set is what the manifest says now, and each of these fields has the value that the manifest gives it. Only what is
certainly so counts: of a doubt comes a request, and the server compares.

    f:name      a field; {} below it: its value belongs to us as a whole
    k:{…}       the item of a list that has these members; those that the manifest leaves out have their default
    v:value     the item of a list of scalars
    .           the field or item itself, though others own parts of it
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from btcctl import codecs
from btcctl.json_values import is_same_json

_IDENTITY = ("apiVersion", "kind")
_UNOWNED = ("name", "namespace")  # of metadata: they say which object, no manager owns them


def is_applied(wanted: Mapping[str, Any], body: Mapping[str, Any], manager: str) -> bool:
    """Whether applying `wanted` as `manager` would change nothing in an object with this body.

    Args:
        wanted: The whole manifest.
        body: Of the object, with its managedFields.
    """
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return False
    entries = [each for each in metadata.get("managedFields") or () if _is_ours(each, manager, wanted)]
    if len(entries) != 1:
        return False
    said = {name: value for name, value in wanted.items() if name not in _IDENTITY}
    said["metadata"] = {name: value for name, value in (said.get("metadata") or {}).items() if name not in _UNOWNED}
    if not said["metadata"]:
        del said["metadata"]
    fields = entries[0].get("fieldsV1")
    return isinstance(fields, Mapping) and _is_same(fields, said, body)


def _is_ours(entry: Any, manager: str, wanted: Mapping[str, Any]) -> bool:
    return (
        isinstance(entry, Mapping)
        and entry.get("manager") == manager
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and entry.get("apiVersion") == wanted.get("apiVersion")
    )


def _is_same(fields: Mapping[str, Any], wanted: Any, there: Any) -> bool:
    """Whether `fields` are what `wanted` says, and have its values in `there`."""
    inner = {name: each for name, each in fields.items() if name != "."}
    if not inner:
        return is_same_json(wanted, there)  # a scalar, or owned as a whole, or empty
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return _are_same_members(inner, wanted, there)
    if isinstance(wanted, list) and isinstance(there, list):
        return len(inner) == len(wanted) and all(_is_same_item(name, inner[name], wanted, there) for name in inner)
    return False


def _are_same_members(fields: Mapping[str, Any], wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    if {f"f:{name}" for name in wanted} != set(fields):
        return False
    return all(name in there and _is_same(fields[f"f:{name}"], each, there[name]) for name, each in wanted.items())


def _is_same_item(name: str, fields: Mapping[str, Any], wanted: list[Any], there: list[Any]) -> bool:
    kind, _, text = name.partition(":")
    try:
        value = codecs.decode(text)
    except codecs.DECODE_ERRORS:
        return False
    if kind == "v":
        return any(is_same_json(each, value) for each in wanted) and any(is_same_json(each, value) for each in there)
    if kind != "k" or not isinstance(value, dict):
        return False
    # The server puts what is not said into the key, but not among the fields: a port's protocol, for example.
    unsaid = {member for member in value if f"f:{member}" not in fields}
    found, existing = _item_with(value, wanted, unsaid), _item_with(value, there)
    return found is not None and existing is not None and _is_same(fields, found, existing)


def _item_with(members: Mapping[str, Any], items: list[Any], unsaid: Collection[str] = ()) -> Mapping[str, Any] | None:
    found = [each for each in items if isinstance(each, Mapping) and _has(each, members, unsaid)]
    return found[0] if len(found) == 1 else None


def _has(item: Mapping[str, Any], members: Mapping[str, Any], unsaid: Collection[str]) -> bool:
    return all(is_same_json(item[name], value) if name in item else name in unsaid for name, value in members.items())
