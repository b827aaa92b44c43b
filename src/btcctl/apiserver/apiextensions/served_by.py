"""What a CustomResourceDefinition has served: its versions as resources, with columns, scale and compiled rules."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from btcctl.apiserver.apiextensions.conversion.webhook import Converter
from btcctl.apiserver.apiextensions.custom_kind import CustomKind
from btcctl.apiserver.schemas.prune_and_default import has_rules
from btcctl.apiserver.served.kind import PrinterColumn, ScalePaths
from btcctl.apiserver.served.registry import CUSTOM_VERBS, Served
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.webhooks.calling import HookClient
from btcctl.resources import ResourceType

if TYPE_CHECKING:
    from btcctl.apiserver.schemas.cel.rules import Node


def served_by(definition: Body, client: HookClient) -> list[Served]:
    """The resources an established CustomResourceDefinition asks for, storage version known to each.

    Args:
        client: Calls a webhook that converts them.
    """
    spec, metadata = definition["spec"], definition["metadata"]
    storage = next(each for each in spec["versions"] if each["storage"])
    served = [each for each in spec["versions"] if each["served"]]
    common: dict[str, Any] = {
        "schemas": {f"{spec['group']}/{each['name']}": _schema(each) for each in served},
        "versions": frozenset(each["name"] for each in spec["versions"]),
        "storage_version": storage["name"],
        "storage_schema": _schema(storage),
        "is_changed": metadata.get("generation", 1) > 1,
        "conversion": _conversion(spec.get("conversion") or {}, client),
    }
    kinds = (replace(_kind(spec, each), **common) for each in served)
    is_terminating = "deletionTimestamp" in metadata
    return [_served(spec, each, kind, is_terminating) for each, kind in zip(served, kinds, strict=True)]


def _schema(version: Body) -> Mapping[str, Any]:
    found: Mapping[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def _conversion(conversion: Body, client: HookClient) -> Converter | None:
    return Converter(conversion["webhook"], client) if conversion.get("strategy") == "Webhook" else None


def _kind(spec: Body, version: Body) -> CustomKind:
    subresources = version.get("subresources") or {}
    scale, schema = subresources.get("scale"), _schema(version)
    return CustomKind(
        ResourceType.defined_by(spec, version["name"]),
        schema,
        has_status=subresources.get("status") is not None,
        scale=None
        if scale is None
        else ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")),
        printer_columns=tuple(_column(each) for each in version.get("additionalPrinterColumns") or ()),
        selectable_fields=tuple(each["jsonPath"].lstrip(".") for each in version.get("selectableFields") or ()),
        rules=_rules(schema),
    )


def _served(spec: Body, version: Body, kind: CustomKind, is_terminating: bool) -> Served:
    names, subresources = spec["names"], version.get("subresources") or {}
    return Served(
        kind.type,
        names["singular"],
        names["listKind"],
        kind,
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        CUSTOM_VERBS,
        tuple(name for name in ("status", "scale") if subresources.get(name) is not None),
        deprecation=_deprecation(spec, version),
        is_terminating=is_terminating,
    )


def _deprecation(spec: Body, version: Body) -> str:
    if not version.get("deprecated"):
        return ""
    said: str | None = version.get("deprecationWarning")
    return said or f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"


def _rules(schema: Mapping[str, Any]) -> Node | None:
    if not has_rules(schema):
        return None
    compiler = importlib.import_module("btcctl.apiserver.schemas.cel.rules")  # late: most have no rules
    found: Node | None = compiler.compile_rules(schema)
    return found


def _column(column: Body) -> PrinterColumn:
    return PrinterColumn(
        column["name"],
        column["type"],
        column["jsonPath"],
        column.get("description", ""),
        column.get("format", ""),
        column.get("priority", 0),
    )
