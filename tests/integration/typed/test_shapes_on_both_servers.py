"""Both API servers take the definition of every shape under strict validation, and judge values as the class does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from btcctl import CUSTOM_RESOURCE_DEFINITIONS, ApiClient, Invalid, ObjectKey, TypedResource, crd_for
from btcctl.rest import served
from btcctl.rest.transport.transport import Request
from btcctl.typed.kinds import type_of
from tests.integration.api_servers import ApiServer
from tests.shapes import REQUIRED, SHAPES, Shape
from tests.unit.typed.databases import Database, DatabaseStatus, database


def install(client: ApiClient, crd: dict[str, Any]) -> None:
    """Create it; the server refuses what it does not know, and warns of nothing."""
    headers, query = {"Content-Type": "application/json"}, {"fieldValidation": "Strict"}
    body = json.dumps(crd).encode()
    answer = client.call(Request("POST", CUSTOM_RESOURCE_DEFINITIONS.path(), query, headers, body))
    assert "Warning" not in answer.headers


def wait_until_served(client: ApiClient, crd: dict[str, Any]) -> None:
    """And the server has found nothing odd about its schema."""
    served.wait_until_served(client, crd["spec"])
    status = client.resource(CUSTOM_RESOURCE_DEFINITIONS).get(ObjectKey("", crd["metadata"]["name"])).body()["status"]
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions.get("NonStructuralSchema") != "True"


def judge(shapes: TypedResource[Any], shape: Shape) -> None:
    spec = shapes.model.__orig_bases__[0].__args__[0]
    for number, value in enumerate(shape.good):
        made = shapes.create(shapes.model.named(f"good{number}", spec(value=value)))
        assert made.spec == spec(value=value)
    for value in shape.bad:
        with pytest.raises(Invalid):
            shapes.untyped.create({"metadata": {"name": "bad"}, "spec": {"value": value}})
    if shape.default is not REQUIRED:
        shapes.untyped.create({"metadata": {"name": "unsaid"}, "spec": {}})
        assert shapes.get(ObjectKey(shapes.untyped.namespace, "unsaid")).spec == spec()


def test_every_shape_is_taken_and_judged_as_the_class_does(api_server: ApiServer):
    client = api_server.client()
    models = [shape.model() for shape in SHAPES]
    definitions = [crd_for(model) for model in models]
    try:
        for each in definitions:
            install(client, each)
        for each in definitions:
            wait_until_served(client, each)
        for model, shape in zip(models, SHAPES, strict=True):
            judge(client.resource(model, api_server.namespace), shape)
    finally:
        client.resource(CUSTOM_RESOURCE_DEFINITIONS).delete_collection()


def test_a_typed_resource_does_on_a_real_server_what_it_does_here(api_server: ApiServer):
    client = api_server.client()
    crd = crd_for(Database)
    install(client, crd)
    wait_until_served(client, crd)
    try:
        databases = client.resource(Database, api_server.namespace)
        wanted = database(replicas=2)
        wanted.metadata.namespace = api_server.namespace
        db = databases.apply(wanted, field_manager="test")
        assert databases.apply(wanted, cached=db, field_manager="test").resource_version == db.resource_version
        db = databases.write_status(db, DatabaseStatus("Ready", 2))
        db.spec.replicas = 3
        after = databases.update(db)
        assert (after.spec.replicas, after.status) == (3, DatabaseStatus("Ready", 2))
        with pytest.raises(Invalid, match="the engine cannot be changed"):
            databases.patch(after, {"spec": {"engine": "mysql"}})
        scale = databases.untyped.get(after.key, subresource="scale").body()
        assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (3, 2)
    finally:
        client.resource(CUSTOM_RESOURCE_DEFINITIONS).delete(ObjectKey("", type_of(Database).group_resource))
