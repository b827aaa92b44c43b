"""What is merged how: the types that fields have, for keeping track of who set them.

Custom kinds bring them in their schemas (`x-kubernetes-list-type`, `-list-map-keys`, `-map-type`).
For built-in kinds they are in `gotypes/builtin_types.json`, drawn from kube-apiserver 1.36.2: names,
lists and maps from its /openapi/v3; from the tags of the Go types in k8s.io/api 0.36.2, under "z",
the fields that are written even when nobody set them, and, under "o", scalars that are not written
when they are empty ("g" and "p" are for `decoding`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.gotypes.types import builtin_data
from btcctl.resources import ResourceType

Schema = Mapping[str, Any]
_UNTYPED_FORMATS = frozenset({"", "byte"})


@dataclass(slots=True)
class MapType:
    """An object, or a map.

    Attributes:
        fields: Those that are known by name.
        element: The type of all others; None if there may be none.
        atomic: Whether it has one owner as a whole.
        defaults: What the fields that are keys of list items are when they are left out.
        zeros: The fields that are always there, and what they are when nobody set them.
        omitted: The scalar fields that are not written when they are "", 0 or false.
    """

    fields: dict[str, Type] = field(default_factory=dict)
    element: Type | None = None
    atomic: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    zeros: Mapping[str, Any] = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()

    def type_of(self, name: str) -> Type | None:
        return self.fields.get(name, self.element)


@dataclass(slots=True)
class ListType:
    """A list; `keys` is None if it is atomic, () if it is a set, else what its items are known by."""

    element: Type
    keys: tuple[str, ...] | None = None


@dataclass(slots=True)
class Type:
    """What a value may be: any of these that is not None.

    Attributes:
        scalar: numeric, string, boolean, untyped, or "" for no scalar.
    """

    scalar: str = ""
    list: ListType | None = None
    map: MapType | None = None

    def form_of(self, value: Any) -> str:
        """How to look at a value: as a "map", a "scalar" or a "list"."""
        if isinstance(value, dict):
            if self.map is not None:
                return "map"
        elif isinstance(value, list):
            if self.list is not None:
                return "list"
        elif isinstance(value, str | int | float) and self.scalar:
            return "scalar"
        if self.map is not None:
            return "map"
        return "scalar" if self.scalar else "list"


def _untyped() -> tuple[Type, Type]:
    """Anything, taken as a whole; and anything, maps taken field by field."""
    whole = Type("untyped")
    whole.list, whole.map = ListType(whole), MapType(element=whole, atomic=True)
    deduced = Type("untyped", ListType(whole))
    deduced.map = MapType(element=deduced)
    return whole, deduced


WHOLE, DEDUCED = _untyped()
_SCALARS = {"s": Type("string"), "n": Type("numeric"), "b": Type("boolean"), "u": Type("untyped")}
_SCALARS |= {"*": WHOLE, "?": DEDUCED}


def built_in_type(type_: ResourceType) -> Type:
    """The type of a built-in kind's objects. A kind that nobody described has the type its objects show."""
    types, kinds = _built_in_types()
    name = kinds.get(f"{type_.api_version}/{type_.kind}")
    return DEDUCED if name is None else types[name]


def metadata_type() -> Type:
    return _built_in_types()[0]["meta.v1.ObjectMeta"]


def custom_type(schema: Schema) -> Type:
    """The type of a custom kind's objects."""
    found = _from_schema(schema, preserving=False)
    if found.map is None:
        return DEDUCED
    names = dict.fromkeys(("apiVersion", "kind"), _SCALARS["s"])
    found.map.fields.update(names, metadata=metadata_type())
    return found


def _from_schema(schema: Schema, *, preserving: bool) -> Type:
    preserving = preserving or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    kind = schema.get("type") or ""
    if kind == "object":
        return Type(map=_map_from(schema, preserving=preserving))
    if kind == "array":
        return Type(list=_list_from(schema, preserving=preserving))
    if kind in {"integer", "number"}:
        return _SCALARS["n"]
    if kind == "boolean":
        return _SCALARS["b"]
    if kind == "string":
        return _SCALARS["s"] if (schema.get("format") or "") in _UNTYPED_FORMATS else _SCALARS["u"]
    return Type("untyped", _list_from(schema, preserving=preserving), _map_from(schema, preserving=preserving))


def _map_from(schema: Schema, *, preserving: bool) -> MapType:
    properties = schema.get("properties") or {}
    fields = {name: _from_schema(each, preserving=preserving) for name, each in properties.items()}
    if schema.get("x-kubernetes-embedded-resource"):
        names = dict.fromkeys(("apiVersion", "kind"), _SCALARS["s"])
        fields.update(names, metadata=metadata_type())
    additional, element = schema.get("additionalProperties"), None
    if isinstance(additional, Mapping):
        element = _from_schema(additional, preserving=preserving)
    elif additional or (additional is None and (preserving or not fields)):
        element = DEDUCED
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    return MapType(fields, element, schema.get("x-kubernetes-map-type") == "atomic", defaults)


def _list_from(schema: Schema, *, preserving: bool) -> ListType:
    items = schema.get("items")
    element = WHOLE if items is None else _from_schema(items, preserving=preserving)
    keys: dict[str, tuple[str, ...]] = {"set": (), "map": tuple(schema.get("x-kubernetes-list-map-keys") or ())}
    return ListType(element, keys.get(schema.get("x-kubernetes-list-type") or ""))


@functools.cache
def _built_in_types() -> tuple[dict[str, Type], dict[str, str]]:
    """The types by name, and the name of each kind's: "apps/v1/Deployment"."""
    data = builtin_data()
    types = {name: Type() for name in data["types"]}
    for name, expression in data["types"].items():
        found = _parsed(expression, types)
        types[name].scalar, types[name].list, types[name].map = found.scalar, found.list, found.map
    return types, data["kinds"]


def _parsed(expression: Any, types: Mapping[str, Type]) -> Type:
    if isinstance(expression, str):
        return types[expression[1:]] if expression.startswith("#") else _SCALARS[expression]
    if "l" in expression:
        keys = tuple(expression["k"]) if "k" in expression else None
        return Type(list=ListType(_parsed(expression["l"], types), keys))
    fields = {name: _parsed(each, types) for name, each in expression.get("f", {}).items()}
    element = _parsed(expression["e"], types) if "e" in expression else None
    more = (expression.get("d", {}), expression.get("z", {}), frozenset(expression.get("o", ())))
    return Type(map=MapType(fields, element, bool(expression.get("a")), *more))
