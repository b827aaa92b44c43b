"""How metadata are read that are not quite right."""

from __future__ import annotations

import json

import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object, OwnerReference, object_from

OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}


def made(**metadata: object) -> Object:
    return Object.from_raw(json.dumps({"metadata": {"name": "a", **metadata}}).encode())


def test_null_is_read_as_missing_where_a_scalar_has_to_be():
    obj = made(namespace=None, uid=None, resourceVersion=None, generation=None, deletionTimestamp=None)
    assert (obj.namespace, obj.uid, obj.resource_version, obj.generation) == ("", "", "", 0)
    assert obj.deletion_timestamp is None


def test_null_is_read_as_missing_where_a_list_or_map_has_to_be():
    obj = made(labels=None, annotations=None, ownerReferences=None, finalizers=None)
    assert (obj.labels, obj.annotations, obj.owner_references, obj.finalizers) == ({}, {}, [], [])


def test_a_null_among_texts_is_the_empty_text_and_among_items_nothing():
    obj = made(labels={"a": None, "b": "c"}, finalizers=[None, "f"], ownerReferences=[None, OWNER])
    assert (obj.labels, obj.finalizers) == ({"a": "", "b": "c"}, ["f"])
    assert [each.uid for each in obj.owner_references] == ["u"]


@pytest.mark.parametrize("said", [{"controller": None}, {"controller": False}, {"blockOwnerDeletion": None}, {}])
def test_an_owner_controls_only_if_it_says_so(said: dict[str, object]):
    obj = made(ownerReferences=[{**OWNER, **said}])
    assert obj.owner_references == [OwnerReference("v1", "Node", "n", "u")]
    assert obj.controller is None


def test_what_an_owner_reference_does_not_say_is_empty():
    (owner,) = made(ownerReferences=[{"kind": "Node", "controller": True}]).owner_references
    assert (owner.api_version, owner.kind, owner.name, owner.uid, owner.controller) == ("", "Node", "", "", True)


def test_nulls_in_an_object_nested_too_deep_are_read_likewise():
    metadata = b'{"name":"a","uid":null,"labels":{"x":null},"ownerReferences":[null]}'
    raw = b'{"metadata":' + metadata + b',"spec":' + b"[" * 3000 + b"]" * 3000 + b"}"
    obj = object_from(raw)
    assert (obj.name, obj.uid) == ("a", "")
    assert (obj.labels, obj.controller) == ({"x": ""}, None)


@pytest.mark.parametrize(
    "metadata",
    [
        {"generation": 1.5},
        {"generation": "7"},
        {"generation": True},
        {"deletionTimestamp": 7},
        {"uid": ["u"]},
        {"resourceVersion": 7},
        {"name": None},
        {"name": {}},
    ],
)
def test_a_scalar_of_another_type_is_an_error_of_that_object(metadata: dict[str, object]):
    with pytest.raises(ObjectDecodeError):
        made(**metadata)


@pytest.mark.parametrize(
    "metadata",
    [{"labels": [1]}, {"labels": {"a": 1}}, {"annotations": "x"}, {"finalizers": {}}, {"ownerReferences": ["x"]}],
)
def test_a_map_or_list_of_another_type_is_an_error_that_names_the_object_when_it_is_read(metadata: dict[str, object]):
    obj = made(namespace="n", **metadata)
    with pytest.raises(ObjectDecodeError, match="n/a"):
        _ = (obj.labels, obj.annotations, obj.finalizers, obj.controller)


@pytest.mark.parametrize("generation", [-5, 2**63, 10**400])
def test_any_whole_number_is_a_generation(generation: int):
    raw = b'{"metadata":{"name":"a","generation":%d}}' % generation
    assert Object.from_raw(raw).generation == generation
