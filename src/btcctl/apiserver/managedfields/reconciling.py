"""Fits entries to a schema that has changed since they were written.

Only one change matters: what was merged field by field is now taken as a whole.
"""

from __future__ import annotations

from btcctl.apiserver.managedfields.entries import Managed
from btcctl.apiserver.managedfields.field_sets import SELF, FieldSet
from btcctl.apiserver.managedfields.targets import Target
from btcctl.apiserver.managedfields.types import DEDUCED, Type


def reconciled(target: Target, managed: Managed) -> Managed:
    """The entries as they would have been written today; those of unknown versions go."""
    found: Managed = {}
    for manager, entry in managed.items():
        type_ = target.types.get(entry.api_version)
        if type_ is not None:
            fields = _below(entry.fields, type_)
            found[manager] = entry if fields is entry.fields else entry.with_fields(fields)
    return found


def _below(fields: FieldSet, type_: Type) -> FieldSet:
    """The same object if nothing changes."""
    if type_ is DEDUCED or not fields:
        return fields
    found: FieldSet = {}
    changed = False
    for element, node in fields.items():
        below = node if not node or element == SELF else _node(element, node, type_)
        changed = changed or below is not node
        found[element] = below
    return found if changed else fields


def _node(element: str, node: FieldSet, type_: Type) -> FieldSet:
    below: Type | None = None
    if element.startswith("f:") and type_.map is not None:
        below = type_.map.type_of(element[2:])
    elif type_.list is not None and not element.startswith("f:"):
        below = type_.list.element
    if below is None or below is DEDUCED:
        return node
    whole = below.map.atomic if below.map is not None else below.list is not None and below.list.keys is None
    if whole and node:
        return {}
    return _below(node, below)
