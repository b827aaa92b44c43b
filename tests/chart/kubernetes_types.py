"""JSON schemas of Kubernetes' own types, closed: a field that they do not have is refused.

Drawn from the description of Go's types that the embedded API server reads, of kube-apiserver 1.36.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import btcctl.apiserver.gotypes

Schema = dict[str, Any]

_TYPES: dict[str, Any] = json.loads(
    (Path(btcctl.apiserver.gotypes.__path__[0]) / "builtin_types.json").read_text(encoding="utf-8")
)["types"]
_SCALARS: dict[str, Schema] = {
    "s": {"type": "string"},
    "n": {"type": "number"},
    "b": {"type": "boolean"},
    "u": {"type": ["string", "number"]},
    "?": {},
    "*": {},
}


def reference(name: str) -> Schema:
    """To a type, for example "core.v1.Affinity"."""
    return {"$ref": f"#/$defs/{name}"}


def definitions(schema: object) -> dict[str, Schema]:
    """Every type that a schema refers to, and that these refer to."""
    found: dict[str, Schema] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _definition(name)
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _definition(name: str) -> Schema:
    fields = _TYPES[name].get("f", {})
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field: _of(spec) for field, spec in sorted(fields.items())},
    }


def _of(spec: Any) -> Schema:
    if isinstance(spec, dict):
        if "l" in spec:
            return {"type": "array", "items": _of(spec["l"])}
        return {"type": "object", "additionalProperties": _of(spec["e"])}
    return reference(spec[1:]) if spec.startswith("#") else dict(_SCALARS[spec])
