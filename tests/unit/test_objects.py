from __future__ import annotations

import msgspec
import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object, ObjectKey, ObjectMeta
from tests.deep import DEEP, TOO_DEEP_TO_SKIP

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "a",
        "namespace": "n",
        "uid": "u1",
        "resourceVersion": "7",
        "labels": {"app": "x"},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": "plain", "uid": "o1"},
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "set", "uid": "o2", "controller": True},
        ],
    },
    "spec": {"nodeName": None},
}


def test_identity_is_decoded_on_arrival():
    pod = Object.from_body(POD)
    assert (pod.key, pod.uid, pod.resource_version) == (ObjectKey("n", "a"), "u1", "7")
    assert (pod.generation, pod.deletion_timestamp) == (0, None)


def test_every_reader_gets_a_body_of_its_own():
    pod = Object.from_body(POD)
    pod.body()["metadata"]["labels"]["app"] = "changed"
    pod.labels["app"] = "changed"
    assert pod.labels == {"app": "x"}
    assert pod.body() == POD


def test_the_controller_is_the_owner_that_says_so():
    owner = Object.from_body(POD).controller
    assert owner is not None
    assert (owner.group, owner.kind, owner.uid) == ("apps", "StatefulSet", "o2")


def test_missing_and_null_metadata_read_as_empty():
    bare = Object.from_body({"metadata": {"name": "a", "labels": None}})
    assert (bare.labels, bare.annotations, bare.owner_references, bare.finalizers) == ({}, {}, [], [])
    assert bare.controller is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'{"metadata":null}',
        b'{"metadata":{}}',
        b'{"metadata":{"name":7}}',
        b'{"metadata":{"name":"a\xff"}}',
        pytest.param(b'{"metadata":{"name":"a"},"spec":' + TOO_DEEP_TO_SKIP + b"}", id="too deep"),
    ],
)
def test_bytes_that_are_no_object_raise_one_error_of_ours(raw):
    with pytest.raises(ObjectDecodeError):
        Object.from_raw(raw)


def test_a_body_that_does_not_decode_names_its_object():
    pod = Object.from_raw(b'{"metadata":{"namespace":"n","name":"a"},"data":"\xff"}')
    with pytest.raises(ObjectDecodeError, match="n/a"):
        pod.body()


def test_a_typed_read_names_the_object_that_does_not_fit():
    class Sized(msgspec.Struct):
        size: int

    with pytest.raises(ObjectDecodeError, match="n/a"):
        Object.from_body(POD).decode(Sized)


def test_what_is_printed_of_an_object_never_shows_its_content():
    shown = repr(Object.from_body({"metadata": {"name": "a"}, "data": {"password": "hunter2"}}))
    assert "hunter2" not in shown
    assert "a" in shown


def test_labels_and_owners_of_an_object_nested_too_deep_can_be_read():
    metadata = (
        b'{"name":"a","labels":{"x":"y"},"finalizers":["f"],'
        b'"ownerReferences":[{"apiVersion":"v1","kind":"K","name":"o","uid":"u","controller":true}]}'
    )
    raw = b'{"metadata":' + metadata + b',"spec":' + DEEP + b"}"
    obj = Object(ObjectMeta(name="a"), raw)
    assert (obj.labels, obj.annotations, obj.finalizers) == ({"x": "y"}, {}, ["f"])
    assert obj.controller is not None
    assert obj.controller.uid == "u"
