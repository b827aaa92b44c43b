from __future__ import annotations

import types
from typing import Annotated, Any

import msgspec
import pytest
import yaml

from btcctl import AGE, Column, CustomResource, Scale, crd_for, list_map
from btcctl.crds.definition import to_yaml
from btcctl.crds.unions import NoSchema
from btcctl.testing import FakeClient
from tests.shapes import Port, Storage, Weighed
from tests.unit.typed.databases import Database, DatabaseSpec, DatabaseStatus


def model(spec: type, status: type | None = None, **words: Any) -> Any:
    said = {"group": "x.org", "version": "v1", "plural": "things", "kind": "Thing", **words}
    return types.new_class("Thing", (CustomResource[spec, status],), said)  # type: ignore[valid-type]


def with_field(type_: Any) -> Any:
    return model(msgspec.defstruct("Spec", [("value", type_)]))


class Node(msgspec.Struct):
    children: list[Node]


class Pair(msgspec.Struct, array_like=True):
    a: int


class One(msgspec.Struct, tag="one"):
    x: int


class Two(msgspec.Struct, tag="two"):
    x: str


def test_a_definition_says_all_that_the_class_says():
    crd = crd_for(Database)
    [version] = crd["spec"]["versions"]
    assert crd["metadata"]["name"] == "databases.pgdb.example.org"
    assert crd["spec"]["names"]["shortNames"] == ["db"]
    assert version["additionalPrinterColumns"][1]["type"] == "date"
    assert version["subresources"]["scale"]["specReplicasPath"] == ".spec.replicas"
    assert version["schema"]["openAPIV3Schema"]["description"] == "A database that somebody wants."
    assert (
        version["schema"]["openAPIV3Schema"]["x-kubernetes-validations"][0]["message"] == "the engine cannot be changed"
    )


@pytest.mark.parametrize(
    ("type_", "complaint"),
    [
        (complex, r"spec\.value is of type complex, which no schema describes: Annotated\[Any, Meta"),
        (int | list[int], r"spec\.value may be of several types"),
        (dict[int, str], r"spec\.value is a dict whose keys are not simply text"),
        (tuple[int, str], r"spec\.value is a tuple of several types"),
        (Annotated[bytes, msgspec.Meta(max_length=3)], r"spec\.value is bytes of a certain length"),
        (set[tuple[int, int]], r"spec\.value is a set"),
        (Node, r"spec\.value\.children\[\] is a Node within a Node"),
        (Pair, r"spec\.value is a Pair, which is an array"),
        (list[dict[str, int | list[int]]], r"spec\.value\[\]\.\* may be of several types"),
        (One | Two, r"spec\.value: the kinds have different fields 'x'"),
    ],
)
def test_what_no_server_could_check_is_refused_by_its_path(type_, complaint):
    with pytest.raises(NoSchema, match=complaint):
        crd_for(with_field(type_))


def test_a_kind_without_a_status_has_no_status_subresource():
    [version] = crd_for(model(Storage))["spec"]["versions"]
    assert "subresources" not in version
    assert "status" not in version["schema"]["openAPIV3Schema"]["properties"]


def test_a_column_has_the_type_and_the_description_of_its_field():
    columns = {"N": ".spec.replicas", "Odd": Column(".spec['a']", "integer", "int32", "Odd.", 1), "Age": AGE}
    [version] = crd_for(model(DatabaseSpec, columns=columns))["spec"]["versions"]
    first, second, _ = version["additionalPrinterColumns"]
    assert first == {"name": "N", "type": "integer", "description": "Copies.", "jsonPath": ".spec.replicas"}
    assert second["priority"] == 1
    assert second["format"] == "int32"


def test_versions_stand_newest_first_and_one_is_stored():
    old = model(Storage, version="v1beta1", deprecated="use v1", served=False)
    new, newer = model(DatabaseSpec), model(DatabaseSpec, version="v2alpha1")
    spec = crd_for(new, old, newer)["spec"]
    assert [each["name"] for each in spec["versions"]] == ["v1", "v1beta1", "v2alpha1"]
    assert [each["storage"] for each in spec["versions"]] == [True, False, False]
    assert spec["versions"][1]["deprecationWarning"] == "use v1"


def test_classes_that_are_no_versions_of_one_kind_are_refused():
    with pytest.raises(ValueError, match="two classes are of version v1"):
        crd_for(model(Storage), model(Storage))
    with pytest.raises(ValueError, match=r"others.x.org of kind Thing, namespaced, is no version of things.x.org"):
        crd_for(model(Storage), model(Storage, plural="others", version="v2"))
    with pytest.raises(ValueError, match=r"kind Thing, namespaced, is no version of .* of kind Thing, cluster-scoped"):
        crd_for(model(Storage, namespaced=False), model(Storage, version="v2"))


def test_objects_of_an_old_version_are_read_in_the_new_one():
    old, new = model(Storage, version="v1beta1"), model(Storage)
    client = FakeClient(types=[crd_for(new, old)])
    made = client.resource(old, "default").create(old.named("a", Storage("5Gi")))
    assert client.resource(new).get(made.key).spec == Storage("5Gi")


def test_all_words_of_a_class_statement_are_accepted_by_a_server():
    words = {
        "short_names": ("th",),
        "categories": ("all",),
        "singular": "thing",
        "list_kind": "ThingList",
        "scale": Scale(".spec.replicas", ".status.ready", ".status.phase"),
        "selectable_fields": (".spec.engine",),
        "annotations": {"a": "b"},
        "namespaced": False,
    }
    client = FakeClient(types=[model(DatabaseSpec, DatabaseStatus, **words)])
    assert client.type_of("x.org/v1", "Thing").namespaced is False


def test_a_list_map_merges_what_two_appliers_say():
    class Spec(msgspec.Struct):
        ports: Annotated[list[Port], list_map("name")] = []

    kind = model(Spec)
    things = FakeClient(types=[kind], field_manager="one").resource(kind, "default")
    things.apply(kind.named("a", Spec([Port("a", 1)])))
    both = things.apply(kind.named("a", Spec([Port("b", 2)])), field_manager="two")
    assert [each.name for each in both.spec.ports] == ["a", "b"]


def test_a_generic_class_describes_itself_and_its_fields():
    spec = with_field(Weighed[str])
    [version] = crd_for(spec)["spec"]["versions"]
    value = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["value"]
    assert value["description"] == "Something, and how much it counts."
    assert value["properties"]["of"] == {"type": "string", "description": "What it is."}
    assert value["properties"]["grade"]["enum"] == ["low", "high"]


def test_defaults_are_json_in_the_same_order_each_time():
    letters = frozenset("fedcba")
    spec = msgspec.defstruct("Spec", [("value", frozenset[str], letters), ("pair", tuple[int, int], (1, 2))])
    [version] = crd_for(model(spec))["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert [each["default"] for each in properties.values()] == [[*"abcdef"], [1, 2]]


def test_a_default_may_be_made_by_a_class_with_its_items_types():
    spec = msgspec.defstruct("Spec", [("value", dict[str, str], msgspec.field(default_factory=dict[str, str]))])
    [version] = crd_for(model(spec))["spec"]["versions"]
    assert version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["value"]["default"] == {}


def test_yaml_is_the_same_each_time_and_says_the_same():
    crd = crd_for(Database)
    text = to_yaml([crd, crd])
    assert [*yaml.safe_load_all(text)] == [crd, crd]
    assert "&id" not in text


@pytest.mark.parametrize(
    ("path", "why"),
    [(".spec.replikas", "spec has no field 'replikas', only "), (".stat", "the object has no field 'stat', only ")],
)
def test_a_column_of_a_field_that_is_not_there_is_refused(path, why):
    with pytest.raises(ValueError, match=why):
        crd_for(model(DatabaseSpec, columns={"N": path}))


def test_a_scale_of_fields_that_are_not_there_is_refused():
    with pytest.raises(ValueError, match=r"Thing: statusReplicasPath has the path '.status.redy', but status has no"):
        crd_for(model(DatabaseSpec, DatabaseStatus, scale=Scale(".spec.replicas", ".status.redy")))


@pytest.mark.parametrize("path", [".metadata.labels.team", ".spec['a']", ".spec.parameters.any", r".spec.a\.b"])
def test_a_column_may_lead_where_the_schema_does_not_say(path):
    [version] = crd_for(model(DatabaseSpec, columns={"N": path}))["spec"]["versions"]
    assert version["additionalPrinterColumns"][0]["jsonPath"] == path
