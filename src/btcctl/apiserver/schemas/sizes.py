"""How large values may become that a schema describes, which is what the cost of rules about them is estimated by.

Source: SchemaDeclType in k8s.io/apiserver/pkg/cel/common, v0.36.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.schemas.cel.types import escaped

Schema = Mapping[str, Any]
MAX_REQUEST_BYTES = 3 << 20
_LONGEST = MAX_REQUEST_BYTES - 2  #: of a text, in its quotes
_OBJECT_BYTES = 2
#: The bytes of JSON of the shortest value, and of the longest text; by the format of a text, or by the type.
_FORMATS = {"duration": (3, 32), "date": (12, 12), "date-time": (21, 32)}
_SCALARS = {"boolean": 4, "number": 1, "integer": 1}
_CHARACTER_BYTES = 4  # at most, in UTF-8


@dataclass(frozen=True)
class Declared:
    """What a schema says of the sizes of a value.

    Attributes:
        most: Characters, items or keys; 0 for what has none.
        least_bytes: Of the shortest such value as JSON.
        fields: By the names that rules have for them.
        key: Of a map.
        element: Of a list or a map.
    """

    most: int = 0
    least_bytes: int = _OBJECT_BYTES
    fields: Mapping[str, Declared] = field(default_factory=dict)
    key: Declared | None = None
    element: Declared | None = None

    @property
    def most_times(self) -> int:
        """How often a request may have such a value in it."""
        return MAX_REQUEST_BYTES // (self.least_bytes + 1)

    def at(self, path: Sequence[str]) -> int | None:
        """How large what a path leads to may become; None if it leads nowhere.

        Args:
            path: Fields by name, `@items`, `@values`, `@keys`.
        """
        found: Declared | None = self
        for name in path:
            if found is None:
                return None
            if name in {"@items", "@values"}:
                found = found.element
            else:
                found = found.key if name == "@keys" else found.fields.get(name)
        return None if found is None else found.most


_STRING = Declared()
_META = {
    "kind": _STRING,
    "apiVersion": _STRING,
    "metadata": Declared(fields={"name": Declared(_LONGEST), "generateName": Declared(_LONGEST)}),
}


def declared(schema: Schema, *, is_root: bool = False) -> Declared | None:
    """None for what rules cannot see.

    Args:
        is_root: It is the schema of a whole object, which has metadata.
    """
    if schema.get("x-kubernetes-int-or-string"):
        return Declared(_longest(schema), 1)
    type_ = schema.get("type")
    if type_ == "array":
        return _list(schema)
    if type_ == "object":
        additional = schema.get("additionalProperties")
        return _map(schema, additional) if isinstance(additional, Mapping) else _object(schema, is_root=is_root)
    if type_ == "string":
        least, most = _FORMATS.get(schema.get("format") or "", (2, 0))
        return Declared(most or _longest(schema), least)
    return Declared(0, _SCALARS[type_]) if type_ in _SCALARS else None


def _below(schema: Any) -> Declared | None:
    if not isinstance(schema, Mapping):
        return None
    return declared(schema, is_root=bool(schema.get("x-kubernetes-embedded-resource")))


def _list(schema: Schema) -> Declared | None:
    items = _below(schema.get("items"))
    if items is None:
        return None
    most = schema.get("maxItems")
    return Declared(_LONGEST // (items.least_bytes + 1) if most is None else max(most, 0), element=items)


def _map(schema: Schema, additional: Schema) -> Declared | None:
    values = _below(additional)
    if values is None:
        return None
    most = schema.get("maxProperties")
    return Declared(_LONGEST // (values.least_bytes + 6) if most is None else max(most, 0), key=_STRING, element=values)


def _object(schema: Schema, *, is_root: bool) -> Declared:
    fields: dict[str, Declared] = {}
    least, needed = _OBJECT_BYTES, set(schema.get("required") or ())
    for name, below in (schema.get("properties") or {}).items():
        if is_root and name in _META:
            continue
        found, shown = _below(below), escaped(name)
        if found is None:
            continue
        if shown is not None:
            fields[shown] = found
        if name in needed and below.get("default") is None:
            least += len(name.encode()) + found.least_bytes + 4
    if is_root:
        for name in needed & _META.keys():
            least += len(name) + _META[name].least_bytes + 4
        fields |= {"kind": Declared(_LONGEST), "apiVersion": Declared(_LONGEST), "metadata": _META["metadata"]}
    return Declared(0, least, fields)


def _longest(schema: Schema) -> int:
    length, enum = schema.get("maxLength"), schema.get("enum")
    if length is not None:
        return max(int(length), 0) * (1 if schema.get("format") == "byte" else _CHARACTER_BYTES)
    if enum and schema.get("format") != "byte" and not schema.get("x-kubernetes-int-or-string"):
        return max((len(each.encode()) for each in enum if isinstance(each, str)), default=0)
    return _LONGEST
