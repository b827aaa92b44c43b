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
#: What the types' description does not say: without these fields the API server refuses an object.
#: Source: `required` in the OpenAPI document of kube-apiserver 1.36, of the types that the chart's values lead to.
REQUIRED: dict[str, tuple[str, ...]] = {
    "core.v1.ConfigMapKeySelector": ("key",),
    "core.v1.Container": ("name",),
    "core.v1.ContainerPort": ("containerPort",),
    "core.v1.DownwardAPIVolumeFile": ("path",),
    "core.v1.EnvVar": ("name",),
    "core.v1.HTTPGetAction": ("port",),
    "core.v1.HTTPHeader": ("name", "value"),
    "core.v1.HostAlias": ("ip",),
    "core.v1.HostPathVolumeSource": ("path",),
    "core.v1.KeyToPath": ("key", "path"),
    "core.v1.NodeSelector": ("nodeSelectorTerms",),
    "core.v1.NodeSelectorRequirement": ("key", "operator"),
    "core.v1.ObjectFieldSelector": ("fieldPath",),
    "core.v1.PersistentVolumeClaimVolumeSource": ("claimName",),
    "core.v1.PodAffinityTerm": ("topologyKey",),
    "core.v1.PreferredSchedulingTerm": ("preference", "weight"),
    "core.v1.ResourceFieldSelector": ("resource",),
    "core.v1.SeccompProfile": ("type",),
    "core.v1.SecretKeySelector": ("key",),
    "core.v1.ServiceAccountTokenProjection": ("path",),
    "core.v1.Sysctl": ("name", "value"),
    "core.v1.TCPSocketAction": ("port",),
    "core.v1.TopologySpreadConstraint": ("maxSkew", "topologyKey", "whenUnsatisfiable"),
    "core.v1.Volume": ("name",),
    "core.v1.VolumeMount": ("mountPath", "name"),
    "core.v1.WeightedPodAffinityTerm": ("podAffinityTerm", "weight"),
    "meta.v1.LabelSelectorRequirement": ("key", "operator"),
    "rbac.v1.PolicyRule": ("verbs",),
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
        **({"required": list(REQUIRED[name])} if name in REQUIRED else {}),
    }


def _of(spec: Any) -> Schema:
    if isinstance(spec, dict):
        if "l" in spec:
            return {"type": "array", "items": _of(spec["l"])}
        return {"type": "object", "additionalProperties": _of(spec["e"])}
    return reference(spec[1:]) if spec.startswith("#") else dict(_SCALARS[spec])
