from __future__ import annotations

import msgspec
import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.metadata import TypeMeta
from btcctl.objects import Object, ObjectKey, ObjectMeta, is_version_at_least
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


TYPE = TypeMeta("v1", "Pod")
ITEM = {"metadata": {"name": "a"}, "spec": {}}  # as in a list of a built-in kind


class Typed(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    metadata: dict[str, str]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"metadata":{"name":"a"},"spec":{}}',
        b' { "metadata":{"name":"a"},"spec":{}}',
        b'{"kind":"Pod","metadata":{"name":"a"},"spec":{}}',
        b'{"apiVersion":"v1","metadata":{"name":"a"},"spec":{}}',
        b'{"metadata":{"name":"a"},"kind":"Pod","spec":{},"apiVersion":"v1"}',
        b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{}}',
    ],
)
def test_what_an_object_is_can_be_read_however_it_came(raw):
    obj = Object.from_raw(raw, TYPE)
    assert (obj.api_version, obj.kind) == ("v1", "Pod")
    assert obj.body() == {"apiVersion": "v1", "kind": "Pod", **ITEM}
    assert obj.decode(Typed) == Typed("v1", "Pod", {"name": "a"})
    assert msgspec.json.decode(obj.whole()) == obj.body()


def test_a_body_that_was_completed_begins_with_what_it_is():
    assert list(Object.from_body(ITEM, TYPE).body()) == ["apiVersion", "kind", "metadata", "spec"]


def test_what_an_object_says_of_itself_counts_and_null_says_nothing():
    other = Object.from_body({"apiVersion": "autoscaling/v1", "kind": "Scale", **ITEM}, TYPE)
    assert (other.kind, other.body()["kind"], other.decode(Typed).kind) == ("Scale", "Scale", "Scale")
    null = Object.from_body({"apiVersion": None, "kind": "", **ITEM}, TYPE)
    assert (null.api_version, null.kind, null.body()["kind"]) == ("v1", "Pod", "Pod")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"kind":null,"apiVersion":null,"metadata":{"name":"a"},"spec":{}}',
        b'{"metadata":{"name":"a"},"spec":{}, "kind" : "", "apiVersion":"v1"}',
        b'{"apiVersion":"","metadata":{"name":"a"},"kind":"Pod","spec":{}}',
    ],
)
def test_a_kind_that_is_null_or_empty_counts_as_none_however_it_is_read(raw):
    obj = Object.from_raw(raw, TYPE)
    assert (obj.decode(Typed).kind, obj.decode(dict)) == ("Pod", {"apiVersion": "v1", "kind": "Pod", **ITEM})
    assert msgspec.json.decode(obj.whole()) == obj.body()


def test_what_stands_in_an_object_and_has_no_kind_stays_as_it_is():
    obj = Object.from_body({**ITEM, "items": [{"kind": None, "apiVersion": ""}]}, TYPE)
    assert obj.decode(dict) == {"apiVersion": "v1", "kind": "Pod", **ITEM, "items": [{"kind": None, "apiVersion": ""}]}


def test_without_a_collection_what_an_object_does_not_say_is_not_known():
    obj = Object.from_body(ITEM)
    assert (obj.api_version, obj.kind, obj.body()) == ("", "", ITEM)
    assert obj.of_type(TYPE).kind == "Pod"
    assert obj.of_type(TYPE).of_type(TypeMeta("v1", "Node")).kind == "Pod"


def test_an_object_with_nothing_in_it_can_be_completed():
    assert Object(ObjectMeta(name="a"), b"{}", TYPE).decode(dict) == {"apiVersion": "v1", "kind": "Pod"}


def test_an_object_nested_too_deep_is_what_its_collection_holds():
    raw = b'{"spec":' + b"[" * 3000 + b"]" * 3000 + b',"metadata":{"name":"a"}}'
    assert Object(ObjectMeta(name="a"), raw, TYPE).kind == "Pod"


class Blind(msgspec.Struct):
    metadata: dict[str, object]


class Seeing(msgspec.Struct):
    kind: str = ""
    api_version: str = msgspec.field(name="apiVersion", default="")


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    metadata: dict[str, object]


def test_a_class_is_told_the_kind_if_it_has_room_for_it_or_minds_it():
    obj = Object.from_raw(b'{"metadata":{"name":"a"}}', TypeMeta("v1", "Pod"))
    assert obj.decode(Blind) == Blind({"name": "a"})
    assert obj.decode(Seeing) == Seeing("Pod", "v1")
    with pytest.raises(ObjectDecodeError, match="apiVersion"):
        obj.decode(Strict)  # as of an object that says it


@pytest.mark.parametrize(
    ("version", "wanted", "is_at_least"),
    [("10", "9", True), ("9", "10", False), ("a", "a", True), ("b", "a", False), ("9" * 5000, "1", False)],
)
def test_which_version_is_the_later_one_whatever_they_are(version, wanted, is_at_least):
    assert is_version_at_least(version, wanted) is is_at_least
