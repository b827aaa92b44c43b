"""How two objects differ, and how a change of a part comes into the whole."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from btcctl import Object, codecs, diff
from btcctl.apiserver.patching.json_patch import apply_operations
from btcctl.json_values import is_same_json
from btcctl.typed.differences import json_patch, overlaid, shown_path
from btcctl.typed.values import body_of
from tests.properties import effort
from tests.unit.typed.databases import Database, DatabaseSpec, Storage

NAMES = st.sampled_from(["a", "b", "a/b", "m~n", "x.y"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def test_each_field_that_differs_is_named_by_its_path():
    old = Database.named("a", DatabaseSpec("postgres", parameters={"x": "1"}), labels={"app.example/team": "blue"})
    new = Database.named("a", DatabaseSpec("postgres", replicas=3, storage=Storage("1Gi")))
    assert [(each.path, each.old, each.new) for each in diff(old, new)] == [
        (("metadata", "labels"), {"app.example/team": "blue"}, None),
        (("spec", "replicas"), 1, 3),
        (("spec", "parameters", "x"), "1", None),
        (("spec", "storage"), None, {"size": "1Gi"}),
    ]


def test_what_every_write_changes_is_no_difference():
    body = {"metadata": {"name": "a", "resourceVersion": "1", "managedFields": []}, "spec": {"size": 1}}
    after = {"metadata": {"name": "a", "resourceVersion": "2", "managedFields": [{}]}, "spec": {"size": True}}
    assert [str(each) for each in diff(body, Object.from_body(after))] == ["spec.size: 1 → True"]
    assert diff(None, None) == []
    assert diff(None, {"spec": 1}) == [(("spec",), None, 1)]


def test_a_path_is_shown_as_the_api_server_writes_it():
    assert shown_path(("metadata", "labels", "app.example/x")) == "metadata.labels[app.example/x]"
    assert shown_path(("spec", "ports", 0, "name")) == "spec.ports[0].name"


def patched(old: dict[str, Any], new: dict[str, Any]) -> Any:
    return codecs.decode(codecs.encode(apply_operations(old, json_patch(old, new))))


@effort(50)
@given(OBJECTS, OBJECTS)
def test_a_json_patch_makes_one_of_the_other(old, new):
    before = copy.deepcopy(old)
    assert is_same_json(patched(old, new), new)
    assert is_same_json(old, before)
    assert json_patch(old, copy.deepcopy(old)) == []


@effort(50)
@given(OBJECTS, OBJECTS)
def test_who_knows_the_whole_changes_the_whole(whole, changed):
    assert is_same_json(overlaid(whole, whole, changed), changed)


class Container(msgspec.Struct, omit_defaults=True):
    name: str
    image: str = ""


def overlaid_containers(whole: list[Any], changed: list[Container]) -> Any:
    known = [{"name": each["name"], "image": each["image"]} for each in whole]
    return overlaid({"containers": whole}, {"containers": known}, {"containers": [body_of(each) for each in changed]})


def test_what_a_class_does_not_name_stays_in_items_of_lists_too():
    whole = [{"name": "a", "image": "1", "tty": True}, {"name": "b", "image": "1", "stdin": True}]
    changed = [Container("new", "3"), Container("b", "2"), Container("a", "1")]
    assert overlaid_containers(whole, changed)["containers"] == [
        {"name": "new", "image": "3"},
        {"name": "b", "image": "2", "stdin": True},
        {"name": "a", "image": "1", "tty": True},
    ]


def test_an_item_that_got_another_name_is_the_one_at_its_place():
    whole = [{"name": "a", "image": "1", "tty": True}, {"name": "b", "image": "1", "stdin": True}]
    assert overlaid_containers(whole, [Container("a", "1"), Container("c", "1")])["containers"][1] == {
        "name": "c",
        "image": "1",
        "stdin": True,
    }


def test_a_default_that_nobody_has_set_is_not_written():
    whole = {"spec": {"engine": "postgres", "extra": 1}}
    known = {"spec": {"engine": "postgres", "parameters": {}}}
    changed = {"spec": {"engine": "mysql", "parameters": {}}}
    assert overlaid(whole, known, changed) == {"spec": {"engine": "mysql", "extra": 1}}
