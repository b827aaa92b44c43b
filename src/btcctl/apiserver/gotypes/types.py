"""Go's types of the built-in kinds: how a body of theirs is decoded, patched and defaulted.

Drawn from the same file as the types of `managed`: see there. `g` in it has the Go type of a field
where it does not follow from the rest, `p` the patch strategy and merge key.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, NamedTuple

from btcctl import codecs

STRUCT, MAP, LIST, STRING, BOOL, INT, FLOAT = "struct", "map", "list", "string", "bool", "int", "float"
BYTES, QUANTITY, TIME, MICRO_TIME, INT_OR_STRING, ANY = "bytes", "quantity", "time", "micro", "int-or-string", "any"
SCHEMA_OR_BOOL, SCHEMA_OR_LIST = "schema-or-bool", "schema-or-list"
_KINDS = {
    "string": STRING,
    "bool": BOOL,
    "int32": INT,
    "int64": INT,
    "float64": FLOAT,
    "[]uint8": BYTES,
    "resource.Quantity": QUANTITY,
    "v1.Time": TIME,
    "v1.MicroTime": MICRO_TIME,
    "intstr.IntOrString": INT_OR_STRING,
    "v1.JSONSchemaPropsOrBool": SCHEMA_OR_BOOL,
    "v1.JSONSchemaPropsOrArray": SCHEMA_OR_LIST,
}
#: What a body is read into to see of which kind it is.
TYPE_META = (
    r'Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; '
    r'Kind string "json:\"kind,omitempty\"" }'
)
_FIELDS = "meta.v1.FieldsV1"  # which has no numbers at all
_SCALARS = {"s": "string", "b": "bool", "n": "int32"}


@functools.cache
def builtin_data() -> Mapping[str, Any]:
    """What `builtin_types.json` has in it."""
    found: Mapping[str, Any] = codecs.decode((resources.files(__package__) / "builtin_types.json").read_bytes())
    return found


class PatchRule(NamedTuple):
    """How strategic merge treats a field: `merge`, `replace`, `retainKeys`; lists merge by `key`."""

    strategies: tuple[str, ...]
    key: str


_NO_RULE = PatchRule((), "")


@dataclass(slots=True)
class GoType:
    """A type of Go's.

    Attributes:
        go: As Go prints it: "[]v1.Container".
        name: Of a struct, with its package: "core.v1.Container".
        element: Of a list or a map.
        zeros: The fields that are written even if nobody set them, and what they are then.
        omitted: The scalar fields that are not written when they are "", 0 or false.
        places: Which field is written when: the first is 0.
        parts: The fields that are structs, and always written.
        plain: Python's type of the values that are what every decoder makes of them; None if it is not all of them.
    """

    kind: str
    go: str
    name: str = ""
    fields: dict[str, GoType] = field(default_factory=dict)
    element: GoType | None = None
    zeros: Mapping[str, Any] = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()
    places: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    patch: dict[str, PatchRule] = field(default_factory=dict)
    plain: type | None = field(init=False)

    def __post_init__(self) -> None:
        self.plain = {STRING: str, BOOL: bool}.get(self.kind)

    @property
    def struct(self) -> str:
        """The name of a struct as Go's decoder says it: "Container"."""
        return self.name.rpartition(".")[2]

    def rule(self, name: str) -> PatchRule:
        return self.patch.get(name, _NO_RULE)


def has_floats(type_: GoType) -> bool:
    """Whether there may be numbers in its values that are no integers."""
    seen: dict[int, GoType] = {}
    left = [type_]
    while left:
        each = left.pop()
        if each.kind in {FLOAT, SCHEMA_OR_BOOL, SCHEMA_OR_LIST} or (each.kind == ANY and each.name != _FIELDS):
            return True
        if id(each) not in seen:
            seen[id(each)] = each
            left += each.fields.values()
            left += [each.element] if each.element is not None else []
    return False


def type_of_kind(api_version: str, kind: str) -> GoType | None:
    """None for a kind that is not built in."""
    name = builtin_data()["kinds"].get(f"{api_version}/{kind}")
    return None if name is None else type_named(name)


def type_named(name: str) -> GoType:
    """
    Args:
        name: With its group: `meta.v1.ObjectMeta`.
    """
    return _types()[name]


@functools.cache
def _types() -> dict[str, GoType]:
    data = builtin_data()["types"]
    types = {name: GoType(STRUCT, f"v1.{name.rpartition('.')[2]}", name) for name in data}
    for name, expression in data.items():
        _fill(types[name], expression, types)
    return types


def _fill(struct: GoType, expression: Mapping[str, Any], types: Mapping[str, GoType]) -> None:
    go = expression.get("g", {})
    if "f" not in expression:
        struct.kind = ANY
    for name, each in expression.get("f", {}).items():
        struct.fields[name] = _parsed(each, go.get(name, ""), types)
    struct.places = {name: place for place, name in enumerate(struct.fields)}
    struct.zeros, struct.omitted = expression.get("z", {}), frozenset(expression.get("o", ()))
    struct.parts = tuple(name for name, zero in struct.zeros.items() if zero == {})
    for name, rule in expression.get("p", {}).items():
        strategies, _, key = rule.partition(":")
        struct.patch[name] = PatchRule(tuple(strategies.split(",")), key)


def _parsed(expression: Any, go: str, types: Mapping[str, GoType]) -> GoType:
    if isinstance(expression, str):
        if expression.startswith("#"):
            return types[expression[1:]]
        found = go or _SCALARS.get(expression, "")
        kind = _KINDS.get(found, STRING if expression == "s" else ANY)
        is_schema = kind in {SCHEMA_OR_BOOL, SCHEMA_OR_LIST}
        return GoType(kind, found, element=types["apiextensions.v1.JSONSchemaProps"] if is_schema else None)
    if "l" in expression:
        element = _parsed(expression["l"], go.removeprefix("[]") if go.startswith("[]") else "", types)
        return GoType(LIST, go or f"[]{element.go}", element=element)
    below = go.partition("]")[2] if go.startswith("map[") else "resource.Quantity" if expression["e"] == "u" else ""
    element = _parsed(expression["e"], below, types)
    return GoType(MAP, go or f"map[string]{element.go}", element=element)
