"""Objects of a custom kind, as each of its versions shows them."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.calls import DEFINITIONS, GROUP, Server

STRING = {"type": "string"}


def version(name, fields, *, storage=False, **more):
    properties = {each: {**STRING, **more.get(each, {})} for each in fields}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    selectable = [{"jsonPath": ".spec.b"}]
    return {
        "name": name, "served": True, "storage": storage,
        "schema": {"openAPIV3Schema": schema}, "selectableFields": selectable,
    }  # fmt: skip


def path(number):
    return f"/apis/{GROUP}/{number}/namespaces/default/parts"


def part(number, name="a", **spec):
    return {"apiVersion": f"{GROUP}/{number}", "kind": "Part", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def server():
    server = Server()
    define(server, version("v1", "ab", storage=True), version("v2", "bc"))
    return server


def define(server, *versions):
    names = {"plural": "parts", "kind": "Part"}
    spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": list(versions)}
    metadata = {"name": f"parts.{GROUP}"}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    server.created(DEFINITIONS, {**head, "metadata": metadata, "spec": spec})


def test_a_version_shows_the_fields_it_knows(server):
    server.created(path("v1"), part("v1", a="1", b="2"))
    assert server.get(f"{path('v2')}/a").body["spec"] == {"b": "2"}
    assert server.get(path("v2")).body["items"][0]["spec"] == {"b": "2"}
    assert server.get(f"{path('v1')}/a").body["spec"] == {"a": "1", "b": "2"}


def test_what_the_storage_version_does_not_know_is_not_stored(server):
    assert server.created(path("v2"), part("v2", b="2", c="3"))["spec"] == {"b": "2"}


def test_a_change_in_another_version_loses_what_that_does_not_show(server):
    server.created(path("v1"), part("v1", a="1", b="2"))
    server.patch(f"{path('v2')}/a", {"spec": {"c": "3"}})
    assert server.get(f"{path('v1')}/a").body["spec"] == {"b": "2"}


def test_a_watch_shows_the_version_it_was_asked_in(server):
    seen = server.watch(path("v2"))
    server.created(path("v1"), part("v1", a="1", b="2"))
    assert [each["object"]["spec"] for each in seen.events] == [{"b": "2"}]


def test_fields_are_selected_as_the_version_shows_them(server):
    server.created(path("v1"), part("v1", a="1", b="2"))
    server.created(path("v1"), part("v1", "b", a="1", b="3"))
    assert server.get(path("v2"), fieldSelector="spec.b=3").names == ["b"]


def test_a_changed_definition_shows_what_was_stored_before_in_its_own_way():
    server = Server()
    define(server, version("v1", "ab", storage=True))
    server.created(path("v1"), part("v1", a="1", b="2"))
    changed = {"spec": {"versions": [version("v1", "bd", storage=True, d={"default": "new"})]}}
    assert server.patch(f"{DEFINITIONS}/parts.{GROUP}", changed).status == 200
    assert server.get(f"{path('v1')}/a").body["spec"] == {"b": "2", "d": "new"}


def test_the_storage_version_is_remembered_in_the_answer_already(server):
    versions = [version("v1", "ab"), version("v2", "bc", storage=True)]
    answer = server.patch(f"{DEFINITIONS}/parts.{GROUP}", {"spec": {"versions": versions}})
    assert answer.body["status"]["storedVersions"] == ["v1", "v2"]


def test_a_version_that_there_is_not_has_no_fields(server):
    response = server.post(path("v1"), part("v9", a="1"))
    assert (response.status, response.headers["Warning"]) == (400, '299 - "unknown field \\"spec\\""')
    assert "strict decoding error" in server.post(path("v1"), part("v9", a="1"), fieldValidation="Strict").message
