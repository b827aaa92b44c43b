"""The types of CEL, and those a schema gives to the values it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Schema = Mapping[str, Any]

_RESERVED = frozenset([
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
    "let", "loop", "package", "namespace", "return", "var", "void", "while",
])  # fmt: skip
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_META_FIELDS = ("name", "generateName")


@dataclass(frozen=True)
class Type:
    """A type. Objects are equal only if they are the same node of a schema."""

    kind: str
    args: tuple[Type, ...] = ()
    fields: Mapping[str, tuple[str, Type]] = field(default_factory=dict, compare=False)  #: escaped name → name, type
    list_type: str = ""  #: x-kubernetes-list-type
    keys: tuple[str, ...] = ()  #: x-kubernetes-list-map-keys
    node: int = 0  #: tells objects apart

    def __str__(self) -> str:
        if self.kind in {"list", "map", "optional_type", "type"} and self.args:
            return f"{self.kind}({', '.join(map(str, self.args))})"
        return self.kind

    @property
    def is_struct(self) -> bool:
        """Whether its values have fields by name; those that expressions make have its name for a kind."""
        return self.kind == "object" or self.kind[:1].isupper()


BOOL, INT, DOUBLE, STRING, BYTES = (Type(name) for name in ("bool", "int", "double", "string", "bytes"))
UINT, NULL, DYN, TIMESTAMP, DURATION = (Type(name) for name in ("uint", "null", "dyn", "timestamp", "duration"))
#: What stands for any one type, the same throughout a signature.
A, B = Type("<A>"), Type("<B>")


def list_of(item: Type) -> Type:
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def made_type(name: str) -> Mapping[str, Type] | None:
    """The fields of a type whose values an expression makes, `Object.spec{…}`; {} if it may have any.

    Source: k8s.io/apiserver/pkg/cel/mutation, v0.36.

    Returns:
        None if there is no such type.
    """
    if name == "JSONPatch":
        return {"op": STRING, "path": STRING, "from": STRING, "value": DYN}
    return {} if name == "Object" or name.startswith("Object.") else None


#: What the expressions evaluate to by which a policy changes an object.
APPLY_CONFIGURATION, JSON_PATCH = Type("Object"), list_of(Type("JSONPatch"))


def type_of(schema: Schema, *, is_root: bool = False) -> Type | None:
    """The type of what a schema describes; None if rules cannot see it."""
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    name = schema.get("type")
    if name == "array":
        item = _item_type(schema.get("items"))
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        return None if item is None else Type("list", (item,), {}, schema.get("x-kubernetes-list-type") or "", keys)
    if name == "object":
        additional = schema.get("additionalProperties")
        if isinstance(additional, Mapping) and not is_root:
            value = _item_type(additional)
            return None if value is None else map_of(STRING, value)
        return _object_type(schema, is_root=is_root)
    scalars = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
    return _string_type(schema) if name == "string" else scalars.get(name or "")


@lru_cache(maxsize=4096)
def escaped(name: str) -> str | None:
    """A property's name as rules write it; None if they cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if re.search(r"[^a-zA-Z0-9./_-]", name) or not re.match(r"[a-zA-Z_]", name):
        return None
    return re.sub(r"__|[-./]", lambda match: _ESCAPES[match[0]], name)


def normalized_path(schema: Schema, path: str) -> str | None:
    """A rule's fieldPath, `.a['b.c']`, as causes write it: `.a[b.c]`, or None if it names no field."""
    found, left = "", path
    node: Schema | None = schema
    while left and node is not None:
        if left.startswith("['"):
            name, end, left = left[2:].partition("']")
            name = name.replace("\\'", "'").replace("\\\\", "\\")
        else:
            end = left[0]
            name = re.split(r"[.\[]", left[1:], maxsplit=1)[0]
            left = left[1 + len(name) :]
        if end not in {".", "']"}:
            return None
        properties, additional = node.get("properties"), node.get("additionalProperties")
        found += f".{name}" if properties else f"[{name}]"
        node = properties.get(name) if properties else additional if isinstance(additional, Mapping) else None
    return None if node is None else found


def _item_type(schema: Any) -> Type | None:
    if not isinstance(schema, Mapping):
        return None
    return type_of(schema, is_root=bool(schema.get("x-kubernetes-embedded-resource")))


def _object_type(schema: Schema, *, is_root: bool) -> Type:
    fields: dict[str, tuple[str, Type]] = {}
    for name, below in (schema.get("properties") or {}).items():
        shown, found = escaped(name), _item_type(below)
        if shown is not None and found is not None:
            fields[shown] = (name, found)
    if is_root:
        for name in ("apiVersion", "kind"):
            fields.setdefault(name, (name, STRING))
        metadata = {name: (name, STRING) for name in _META_FIELDS}
        fields["metadata"] = ("metadata", Type("object", (), metadata, node=id(schema) + 1))
    return Type("object", (), fields, node=id(schema))


def _string_type(schema: Schema) -> Type:
    formats = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}
    return formats.get(schema.get("format") or "", STRING)
