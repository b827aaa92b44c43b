"""As much OpenAPI v3 as kubectl needs: to validate on the server, to apply and edit, to explain.

A document has one PATCH operation per kind, which says that the kind exists and that the server
validates fields; kubectl asks no more of it. The kinds' schemas stand under components, for `kubectl explain`; those of
built-in kinds describe nothing, they have names and types only.

Of OpenAPI v2 there is a document without definitions. kubectl asks for it when it is given a `kind: List`, which v3
does not have; of a kind without a definition it validates nothing itself, and the server validates each item as ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from btcctl import codecs
from btcctl.apiserver.kinds.built_in.schemas import components_of, properties_of
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, json_response
from btcctl.apiserver.served.registry import Registry, Served

_ROOT = "/openapi/v3"
_V2 = "/openapi/v2"
_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2"  # with @v1.0+protobuf behind it; all that kubectl reads
_KIND_EXTENSION = "x-kubernetes-group-version-kind"
_METADATA_REFERENCE = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
# What every CRD's schema is given; the words are those of kube-apiserver 1.36.2, for `kubectl explain` prints them.
_OWN = {
    "apiVersion": {
        "type": "string",
        "description": "APIVersion defines the versioned schema of this representation of an object. Servers should "
        "convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: "
        f"{_CONVENTIONS}#resources",
    },
    "kind": {
        "type": "string",
        "description": "Kind is a string value representing the REST resource this object represents. Servers may "
        "infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
        f"{_CONVENTIONS}#types-kinds",
    },
    "metadata": {
        "allOf": [{"$ref": f"#/components/schemas/{_METADATA_REFERENCE}"}],
        "description": f"Standard object's metadata. More info: {_CONVENTIONS}#metadata",
    },
}
_VARIES = {"Vary": "Accept"}
_INFO = {"title": "Kubernetes", "version": "embedded"}
_Body = dict[str, Any]


def respond(registry: Registry, request: ApiRequest) -> ApiResponse | None:
    """Answer a GET below /openapi; None if there is no such document."""
    path = request.path.rstrip("/")
    if path == _V2:
        return _second_version(request.headers.get("accept", ""))
    if path == _ROOT:
        return json_response(200, _index(registry))
    for group, version in _group_versions(registry):
        if path == f"{_ROOT}/{_place(group, version)}":
            return json_response(200, document(registry.resources_of(group, version)), _VARIES)
    return None


def document(resources: list[Served]) -> _Body:
    """The document of one group and version."""
    schemas: _Body = {}
    for served in resources:
        go_type = served.kind.go_type
        if go_type is not None:
            schemas |= components_of(go_type.name)
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": dict(_path(served) for served in resources),
        "components": {"schemas": schemas | _metadata_schemas() | dict(_schema(served) for served in resources)},
    }


def _second_version(accept: str) -> ApiResponse:
    title, version = _INFO["title"], _INFO["version"]
    if _V2_PROTOBUF not in accept:
        return json_response(200, {"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}}, _VARIES)
    info = _message({1: title.encode(), 2: version.encode()})
    body = _message({1: b"2.0", 2: info, 8: b"", 9: b""})  # swagger, info, paths, definitions
    return ApiResponse(200, {"Content-Type": f"{_V2_PROTOBUF}.v1.0+protobuf", **_VARIES}, body)


def _message(fields: Mapping[int, bytes]) -> bytes:
    """A protobuf message of fields that have a length, below 128 each."""
    return b"".join(bytes([number << 3 | 2, len(value)]) + value for number, value in fields.items())


@cache
def _metadata_schemas() -> _Body:
    """ObjectMeta and what it refers to, as kube-apiserver 1.36.2 publishes them (Apache-2.0)."""
    text = files("btcctl.apiserver.endpoints").joinpath("object_meta.json").read_bytes()
    return codecs.decode(text, _Body)


def _index(registry: Registry) -> _Body:
    paths = {}
    for group, version in _group_versions(registry):
        place = _place(group, version)
        encoded = codecs.encode(document(registry.resources_of(group, version)))
        digest = hashlib.sha256(encoded).hexdigest().upper()
        paths[place] = {"serverRelativeURL": f"{_ROOT}/{place}?hash={digest}"}
    return {"paths": paths}


def _group_versions(registry: Registry) -> list[tuple[str, str]]:
    return [(group, version) for group in registry.groups() for version in registry.versions(group)]


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _path(served: Served) -> tuple[str, _Body]:
    type_ = served.type
    path = type_.path("{namespace}" if type_.namespaced else "", "{name}")
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    operation = {
        "operationId": f"patch{type_.kind}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        _KIND_EXTENSION: _kind(served),
    }
    return path, {"patch": operation}


def _schema(served: Served) -> tuple[str, _Body]:
    type_ = served.type
    name = ".".join([*reversed((type_.group or "core").split(".")), type_.version, type_.kind])
    schema: Mapping[str, Any] = served.kind.schema or {"type": "object"}
    go_type = served.kind.go_type
    fields = schema.get("properties") or {} if go_type is None else properties_of(go_type.name)
    properties = {**fields, **_OWN}
    return name, {**schema, "properties": properties, _KIND_EXTENSION: [_kind(served)]}


def _kind(served: Served) -> _Body:
    return {"group": served.type.group, "version": served.type.version, "kind": served.type.kind}
