"""One schema for several: objects that are told apart by a tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class NoSchema(ValueError):
    """A type has no structural schema; says where it stands, and what to do."""


def merged_variants(variants: Sequence[Mapping[str, Any]], where: str) -> dict[str, Any]:
    """The schema of objects that are of one of several kinds.

    A structural schema names each field once, so a field of two kinds has to be the same in both. Which fields go
    together is said beside it, where only values may be checked (`oneOf`).

    Raises:
        NoSchema: Two kinds have different fields of one name, or are not told apart.
    """
    tag = _tag_of(variants, where)
    properties: dict[str, Any] = {}
    for variant in variants:
        for name, schema in variant.get("properties", {}).items():
            if name == tag:
                continue
            if properties.setdefault(name, schema) != schema:
                raise NoSchema(
                    f"{where}: the kinds have different fields {name!r}: to a server they have to be the same"
                )
    tags = [each["properties"][tag]["enum"][0] for each in variants]
    tag_schema = {**variants[0]["properties"][tag], "enum": tags}
    common = [name for name in variants[0]["required"] if all(name in each["required"] for each in variants)]
    one_of = [
        {"properties": {tag: {"enum": each["properties"][tag]["enum"]}}, "required": each["required"]}
        for each in variants
    ]
    return {"type": "object", "properties": {tag: tag_schema, **properties}, "required": common, "oneOf": one_of}


def _tag_of(variants: Sequence[Mapping[str, Any]], where: str) -> str:
    """The field by which they are told apart: the first one of each, with another single value in each."""
    names = {next(iter(each.get("properties", {})), "") for each in variants}
    if len(names) != 1 or not (name := names.pop()):
        raise NoSchema(f"{where} may be of several classes: they have to have the same tag_field")
    return name
