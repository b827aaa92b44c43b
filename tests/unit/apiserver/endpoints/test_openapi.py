from __future__ import annotations

import json
import re
from typing import Any

import pytest

from btcctl.apiserver.apiextensions.custom_kind import CustomKind
from btcctl.apiserver.endpoints import openapi
from btcctl.apiserver.kinds.built_in.resources import BUILT_INS
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.resources import ResourceType

SCHEMA = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"nodes": {"type": "integer"}}}}}
_NET = ResourceType("example.org", "v1", "nets", "Net")
NETS = Served(_NET, "net", "NetList", CustomKind(_NET, SCHEMA))
KIND = {"group": "example.org", "version": "v1", "kind": "Net"}


def ask(path: str) -> Any:
    registry = Registry(BUILT_INS)
    registry.define("nets.example.org", [NETS])
    response = openapi.respond(registry, ApiRequest("GET", path))
    return None if response is None else json.loads(response.body)


def test_the_index_leads_to_a_document_per_group_and_version() -> None:
    paths = ask("/openapi/v3")["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/example.org/v1"} <= set(paths)
    assert paths["apis/example.org/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/example.org/v1?hash=")


def test_a_document_says_that_the_server_validates_fields_of_each_kind() -> None:
    operations = [path["patch"] for path in ask("/openapi/v3/apis/example.org/v1")["paths"].values()]
    assert [operation["x-kubernetes-group-version-kind"] for operation in operations] == [KIND]
    assert "fieldValidation" in [parameter["name"] for parameter in operations[0]["parameters"]]


def test_a_custom_kind_s_schema_can_be_explained() -> None:
    schemas = ask("/openapi/v3/apis/example.org/v1")["components"]["schemas"]
    schema = schemas["org.example.v1.Net"]
    assert schema["x-kubernetes-group-version-kind"] == [KIND]
    assert schema["properties"]["spec"] == SCHEMA["properties"]["spec"]
    reference = schema["properties"]["metadata"]["allOf"][0]["$ref"]
    assert reference.removeprefix("#/components/schemas/") in schemas


def test_the_fields_of_a_built_in_kind_can_be_explained_down_to_the_last() -> None:
    schemas = ask("/openapi/v3/apis/apps/v1")["components"]["schemas"]

    def field(name: str, path: str) -> Any:
        schema = schemas[name]
        for each in path.split("."):
            schema = schema["properties"][each]
            schema = schema.get("items") or schema
            for reference in schema.get("allOf") or [schema]:
                schema = schemas.get(reference.get("$ref", "").removeprefix("#/components/schemas/"), schema)
        return schema

    assert field("apps.v1.Deployment", "spec.replicas") == {"type": "integer", "format": "int32"}
    assert field("apps.v1.Deployment", "spec.template.spec.containers.image") == {"type": "string"}
    assert field("apps.v1.Deployment", "spec.strategy.rollingUpdate.maxSurge")["format"] == "int-or-string"
    assert field("apps.v1.Deployment", "metadata.labels")["type"] == "object"


@pytest.mark.parametrize("path", [*ask("/openapi/v3")["paths"]])
def test_every_reference_leads_somewhere(path: str) -> None:
    document = ask(f"/openapi/v3/{path}")
    references = re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document))
    assert references
    assert set(references) <= document["components"]["schemas"].keys()


def test_there_is_no_openapi_v2_and_no_document_of_nothing() -> None:
    assert ask("/openapi/v1") is None
    assert ask("/openapi/v3/apis/none/v1") is None


def test_the_second_version_has_no_definitions_and_is_there_as_json_and_as_protobuf() -> None:
    assert ask("/openapi/v2") == {
        "swagger": "2.0", "info": {"title": "Kubernetes", "version": "embedded"}, "paths": {}, "definitions": {}
    }  # fmt: skip
    accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    response = openapi.respond(Registry(BUILT_INS), ApiRequest("GET", "/openapi/v2", {}, {"accept": accept}))
    assert response is not None
    assert response.headers["Content-Type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert response.body == b"\x0a\x032.0\x12\x16\x0a\x0aKubernetes\x12\x08embeddedB\x00J\x00"
