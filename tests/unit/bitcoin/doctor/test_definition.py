from __future__ import annotations

import copy
from typing import Any

import pytest

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.doctor.definition import CURE, check_definition, fields_of
from btcctl.bitcoin.doctor.diagnosis import Diagnosis
from btcctl.bitcoin.doctor.server import check_namespaces
from btcctl.bitcoin.operator import NotInstalled
from btcctl.errors import Forbidden, NotFound
from btcctl.objects import Object
from btcctl.testing.fake_client import FakeClient


def schema_of(definition: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def checked(definition: dict[str, Any]) -> Diagnosis:
    """In a cluster that has this one, as somebody who may not read it: only its documentation."""
    client = FakeClient(types=[definition])
    client.reactors.append(refuse)
    documented = {"components": {"schemas": {"x.y.v1.BitcoinNetwork": schema_of(definition)}}}
    client.get_json = lambda path: documented  # type: ignore[method-assign,assignment]
    (found,) = check_definition(client, "")
    return found


def refuse(action: Any) -> None:
    if action.type.plural == "customresourcedefinitions":
        raise Forbidden(403, "Forbidden", "no")


def test_the_definition_of_this_version_is_good() -> None:
    assert checked(load_crd()).verdict == "ok"


def test_an_older_one_is_named_by_what_it_lacks_with_the_command_that_mends_it() -> None:
    older = copy.deepcopy(load_crd())
    del schema_of(older)["properties"]["status"]["properties"]["lostHeight"]
    found = checked(older)
    assert (found.verdict, found.cure) == ("error", CURE)
    assert found.message == "the cluster has an older one, without status.lostHeight"


def test_a_newer_one_is_but_a_warning() -> None:
    newer = copy.deepcopy(load_crd())
    schema_of(newer)["properties"]["spec"]["properties"]["colour"] = {"type": "string"}
    found = checked(newer)
    assert found.verdict == "warning"
    assert "spec.colour" in found.message


def test_a_namespace_that_is_not_there_is_said_unless_we_may_not_look() -> None:
    client = FakeClient({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "one"}})
    (found,) = check_namespaces(client, ("one", "tow"))
    assert (found.verdict, found.message) == ("error", "there is no namespace tow")
    assert "kubectl create namespace tow" in found.cure
    client.reactors.append(refuse_all)
    assert list(check_namespaces(client, ("one", "tow"))) == []


def refuse_all(_: Any) -> None:
    raise Forbidden(403, "Forbidden", "no")


def test_none_at_all_is_an_error_that_names_the_command() -> None:
    with pytest.raises(NotInstalled, match="btcctl crd"):
        list(check_definition(FakeClient(), ""))


def test_where_nothing_may_be_read_nothing_is_claimed() -> None:
    client = FakeClient(types=[load_crd()])
    client.reactors.append(refuse)

    def nothing(path: str) -> dict[str, Any]:
        raise NotFound(404, "NotFound", path)

    client.get_json = nothing  # type: ignore[method-assign]
    (found,) = check_definition(client, "")
    assert found.verdict == "skipped"


def test_fields_are_told_by_their_paths() -> None:
    schema = {"properties": {"spec": {"properties": {"a": {"items": {"properties": {"b": {}}}}}}, "kind": {}}}
    assert fields_of(schema) == {"spec", "spec.a", "spec.a[].b"}


def test_a_definition_without_our_version_is_told_as_one_that_lacks_everything() -> None:
    definition = copy.deepcopy(load_crd())
    definition["spec"]["versions"][0]["name"] = "v1alpha1"
    client = FakeClient(types=[load_crd()])
    client.resource = lambda *_, **__: Served(definition)  # type: ignore[method-assign,assignment]
    (found,) = check_definition(client, "")
    assert (found.verdict, found.cure) == ("error", CURE)


class Served:
    """A collection of which one object can be got, and nothing listed."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._object = Object.from_body(body)

    def list_page(self, **_: Any) -> None:
        raise Forbidden(403, "Forbidden", "no")

    def get(self, _: Any) -> Object:
        return self._object
