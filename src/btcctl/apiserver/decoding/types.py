"""The Go types that bodies are read into.

`types.json` has the structs of k8s.io/api, k8s.io/apimachinery and k8s.io/apiextensions-apiserver
0.36.2 that the built-in kinds are made of: of each the types, and of each type the fields that
have it, by their names in JSON. A pointer counts as what it points to.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import msgspec


@dataclass(slots=True)
class GoType:
    """One type.

    Attributes:
        form: struct, map, list, bytes, string, bool, int32 or int64; time, micro_time, quantity,
            int_or_string or schema_or_bool, which read themselves; any.
        name: What Go calls it: `v1.Container`, `[]string`.
        element: Of a map's values or a list's items.
        fields: Of a struct.
    """

    form: str
    name: str
    element: GoType | None = None
    fields: Mapping[str, GoType] = field(default_factory=dict)

    @property
    def below(self) -> GoType:
        """The type of what is in a map or a list."""
        if self.element is None:
            raise TypeError(f"{self.name} has no elements")
        return self.element

    @property
    def struct(self) -> str:
        """The name of a struct without its package."""
        return self.name.rpartition(".")[2]


_SELF_READING = {
    "meta.v1.Time": "time",
    "meta.v1.MicroTime": "micro_time",
    "resource.Quantity": "quantity",
    "intstr.IntOrString": "int_or_string",
    "apiextensions.v1.JSONSchemaPropsOrBool": "schema_or_bool",
}
_SCALARS = frozenset({"string", "bool", "int32", "int64"})


class _Types:
    """Types by their full names, made when they are first asked for."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kinds: Mapping[str, str] = data["kinds"]
        self._structs: Mapping[str, Mapping[str, str]] = data["structs"]
        self._named = {name: type_ for type_, names in data["named"].items() for name in names.split()}
        self._made: dict[str, GoType] = {}

    def get(self, name: str) -> GoType:
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = GoType("any", _printed(name))
            self._fill(found, name)
        return found

    def _fill(self, made: GoType, name: str) -> None:
        """Made before it is filled in: a struct may have itself inside."""
        underlying = self._named.get(name, name)
        if name in self._structs:
            made.form = "struct"
            made.fields = {
                each: self.get(type_) for type_, fields in self._structs[name].items() for each in fields.split()
            }
        elif underlying == "[]uint8":
            made.form = "bytes"
        elif underlying.startswith("[]"):
            made.form, made.element = "list", self.get(underlying[2:])
        elif underlying.startswith("map["):
            made.form, made.element = "map", self.get(underlying.partition("]")[2])
        elif underlying in _SCALARS:
            made.form = underlying
        else:
            made.form = _SELF_READING.get(name, "any")


def type_of_kind(api_version: str, kind: str) -> GoType | None:
    """None for a kind that is not built in."""
    name = _types().kinds.get(f"{api_version}/{kind}")
    return None if name is None else _types().get(name)


def type_named(name: str) -> GoType:
    """
    Args:
        name: With its group: `meta.v1.ObjectMeta`.
    """
    return _types().get(name)


@functools.cache
def _types() -> _Types:
    return _Types(msgspec.json.decode((resources.files(__package__) / "types.json").read_bytes()))


def _printed(name: str) -> str:
    """`[]core.v1.Container` as `[]v1.Container`."""
    head, bracket, rest = name.rpartition("]")
    parts = rest.split(".")
    if head.startswith("map["):
        head = f"map[{_printed(head[4:])}"
    return f"{head}{bracket}{'.'.join(parts[-2:])}"
