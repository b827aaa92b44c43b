"""Tables: what `kubectl get` shows, made by the server."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from typing import Any

from btcctl import codecs
from btcctl.apiserver.printers import jsonpath
from btcctl.apiserver.printers.admission_columns import ADMISSION_COLUMNS
from btcctl.apiserver.printers.columns import AGE, BUILT_IN_COLUMNS, NAME, Body, Column, age_of
from btcctl.apiserver.printers.more_columns import MORE_COLUMNS
from btcctl.apiserver.served.kind import PrinterColumn
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.conversions import as_served

_META_VERSION = "meta.k8s.io/v1"
_CUSTOM_AGE = replace(AGE, type="date")


def render(
    resource: Served,
    bodies: Sequence[Body],
    *,
    now: datetime,
    metadata: Mapping[str, Any],
    include_object: str = "Metadata",
    with_columns: bool = True,
    api_version: str = _META_VERSION,
) -> dict[str, Any]:
    """A `meta.k8s.io/v1` Table, one row per object.

    Args:
        resource: Whose columns to show.
        now: What ages are counted from.
        metadata: Of the table: the list's, or the resourceVersion of the one object.
        include_object: What each row carries: "None", "Metadata" or "Object".
        with_columns: Whether to define the columns: a watch does so in its first event only.
        api_version: Of meta.k8s.io, v1 or v1beta1.
    """
    columns = columns_of(resource)
    included = [_row_object(resource, body, include_object, api_version) for body in bodies]
    rows = [
        {"cells": [column.cell(body, now) for column in columns], "object": each}
        for body, each in zip(bodies, included, strict=True)
    ]
    definitions = [_definition(resource, column) for column in columns] if with_columns else None
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": dict(metadata),
        "columnDefinitions": definitions,
        "rows": rows,
    }


def partial_object(body: Body, api_version: str = _META_VERSION) -> dict[str, Any]:
    """The object's PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": body["metadata"]}


def columns_of(resource: Served) -> Sequence[Column]:
    """A custom kind's printer columns, or those kubectl users know a built-in kind by."""
    own = resource.kind.printer_columns
    if own is not None:
        return (NAME, *map(_custom, own)) if own else (NAME, _CUSTOM_AGE)
    type_ = resource.stored_type
    return BUILT_IN_COLUMNS.get(type_) or MORE_COLUMNS.get(type_) or ADMISSION_COLUMNS.get(type_, (NAME, AGE))


def _row_object(resource: Served, body: Body, include_object: str, api_version: str) -> Body | None:
    if include_object == "None":
        return None
    if include_object == "Object":
        return body if resource.stored_as is None else as_served(body, resource.type.api_version)
    return partial_object(body, api_version)


@functools.cache
def _descriptions() -> dict[str, Any]:
    """What built-in columns are, by resource and name; those of `common` are the same for all."""
    text = files("btcctl.apiserver.printers").joinpath("column_descriptions.json").read_bytes()
    found: dict[str, Any] = codecs.decode(text)
    return found


def common_description(name: str) -> str:
    """What the column of this name is wherever it is."""
    described: str = _descriptions()["common"][name]
    return described


def _description(resource: Served, column: Column) -> str:
    type_, known = resource.stored_type, _descriptions()
    own = known["resources"].get("/".join(filter(None, (type_.group, type_.plural))), {})
    described: str = column.description or own.get(column.name) or known["common"].get(column.name, "")
    return described


def _definition(resource: Served, column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": _description(resource, column),
        "priority": column.priority,
    }


def _custom(column: PrinterColumn) -> Column:
    def cell(body: Body, now: datetime) -> Any:
        try:
            found = jsonpath.find(column.json_path, body)
        except ValueError:
            return None
        return None if not found else cell_of(column.type, found[0], now)

    described = column.description or f"Custom resource definition column (in JSONPath format): {column.json_path}"
    return Column(column.name, cell, described, column.priority, type=column.type, format=column.format)


def cell_of(type_: str, value: Any, now: datetime) -> Any:
    """A value as a cell of a printer column's type; None (shown as nothing) if it is of another."""
    if type_ == "string":
        return _printed(value)
    if type_ == "date":
        return age_of(value, now) if isinstance(value, str) else None
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if type_ == "integer" else value


def _printed(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "<no value>" if value is None else codecs.encode(value).decode()
