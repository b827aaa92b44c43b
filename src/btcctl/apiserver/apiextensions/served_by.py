"""What a CustomResourceDefinition has served: its versions as resources, with columns, scale and compiled rules."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from btcctl.apiserver.apiextensions.conversion.webhook import Converter
from btcctl.apiserver.schemas.prune_and_default import has_rules
from btcctl.apiserver.served.registry import CUSTOM_VERBS, PrinterColumn, ScalePaths, Served
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
    common = {
        "versions": frozenset(each["name"] for each in spec["versions"]),
        "storage_version": storage["name"],
        "storage_schema": storage["schema"]["openAPIV3Schema"],
        "is_changed": metadata.get("generation", 1) > 1,
        "is_terminating": "deletionTimestamp" in metadata,
        "conversion": _conversion(spec.get("conversion") or {}, client),
    }
    return [replace(_served_version(spec, each), **common) for each in spec["versions"] if each["served"]]


def _conversion(conversion: Body, client: HookClient) -> Converter | None:
    return Converter(conversion["webhook"], client) if conversion.get("strategy") == "Webhook" else None


def _served_version(spec: Body, version: Body) -> Served:
    names = spec["names"]
    subresources = version.get("subresources") or {}
    scale = subresources.get("scale")
    return Served(
        ResourceType(spec["group"], version["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced"),
        names["singular"],
        names["listKind"],
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        CUSTOM_VERBS,
        tuple(name for name in ("status", "scale") if subresources.get(name) is not None),
        is_custom=True,
        schema=version["schema"]["openAPIV3Schema"],
        columns=tuple(_column(each) for each in version.get("additionalPrinterColumns") or ()),
        scale=None
        if scale is None
        else ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")),
        selectable_fields=tuple(each["jsonPath"].lstrip(".") for each in version.get("selectableFields") or ()),
        deprecation=_deprecation(spec, version),
        rules=_rules(version["schema"]["openAPIV3Schema"]),
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
