"""OpenAPI schemas of the built-in kinds, from Go's types: names and types of all fields, without their descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from btcctl.apiserver.gotypes import types
from btcctl.apiserver.gotypes.types import GoType

_REFERENCE = "#/components/schemas/"
_META = "meta.v1."
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_SCALARS: Mapping[str, dict[str, Any]] = {
    types.STRING: {"type": "string"},
    types.BOOL: {"type": "boolean"},
    types.FLOAT: {"type": "number", "format": "double"},
    types.BYTES: {"type": "string", "format": "byte"},
    types.QUANTITY: {"$ref": _REFERENCE + _QUANTITY},
    types.TIME: {"type": "string", "format": "date-time"},
    types.MICRO_TIME: {"type": "string", "format": "date-time"},
    types.INT_OR_STRING: {"$ref": _REFERENCE + _INT_OR_STRING},
}
_NAMED = {
    _QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    _INT_OR_STRING: {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}


@cache
def properties_of(name: str) -> Mapping[str, Any]:
    """The fields of a struct, such as `apps.v1.Deployment`, by their names."""
    return {field: _schema(type_) for field, type_ in types.type_named(name).fields.items()}


@cache
def components_of(name: str) -> Mapping[str, Any]:
    """The schemas of all structs that a struct has below it, but not its own, by the names that references have."""
    found: dict[str, Any] = dict(_NAMED)
    waiting = [*types.type_named(name).fields.values()]
    while waiting:
        type_ = waiting.pop()
        if type_.element is not None:
            waiting.append(type_.element)
        if type_.kind == types.STRUCT and (full := _full_name(type_.name)) not in found:
            found[full] = {"type": "object", "properties": properties_of(type_.name)}
            waiting += type_.fields.values()
    return found


def _full_name(name: str) -> str:
    """As kube-apiserver calls it."""
    if name.startswith(_META):
        return f"io.k8s.apimachinery.pkg.apis.{name}"
    return f"io.k8s.api.{name}"


def _schema(type_: GoType) -> dict[str, Any]:
    if type_.kind == types.STRUCT:
        return {"allOf": [{"$ref": _REFERENCE + _full_name(type_.name)}]}
    if type_.kind == types.LIST and type_.element is not None:
        return {"type": "array", "items": _schema(type_.element)}
    if type_.kind == types.MAP and type_.element is not None:
        return {"type": "object", "additionalProperties": _schema(type_.element)}
    if type_.kind == types.INT:
        return {"type": "integer", "format": type_.go.lstrip("*")}
    return _SCALARS.get(type_.kind, {"type": "object"})
