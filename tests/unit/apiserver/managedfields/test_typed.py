from __future__ import annotations

import pytest

from btcctl.apiserver.managedfields.comparing import MISSING, Untypable, compare, completed
from btcctl.apiserver.managedfields.field_sets import of_paths
from btcctl.apiserver.managedfields.typed import atomics, field_set, merge, problems, remove
from btcctl.apiserver.managedfields.types import ListType, MapType, Type, built_in_type
from btcctl.resources import PODS

TEXT, NUMBER = Type("string"), Type("numeric")
PORT = Type(map=MapType({"port": NUMBER, "protocol": TEXT, "note": TEXT}, defaults={"protocol": "TCP"}))
THING = Type(
    map=MapType(
        {
            "name": TEXT,
            "ports": Type(list=ListType(PORT, ("port", "protocol"))),
            "tags": Type(list=ListType(TEXT, ())),
            "words": Type(list=ListType(TEXT)),
            "labels": Type(map=MapType(element=TEXT)),
            "whole": Type(map=MapType(element=TEXT, atomic=True)),
        }
    )
)
KEY = 'k:{"port":80,"protocol":"TCP"}'


def test_what_is_added_changed_and_removed_is_told_apart():
    found = compare(THING, {"name": "a", "words": ["x"]}, {"name": "b", "labels": {"k": "v"}})
    assert found.modified == {"f:name": {}}
    assert found.removed == {"f:words": {}}
    assert found.added == {"f:labels": {".": {}, "f:k": {}}}


def test_items_are_known_by_their_keys_and_what_keys_default_to():
    found = compare(THING, {"ports": [{"port": 80, "note": "a"}]}, {"ports": [{"port": 80, "note": "b"}]})
    assert found.modified == {"f:ports": {KEY: {"f:note": {}}}}


def test_an_empty_map_is_a_field_of_its_own():
    assert compare(THING, {}, {"labels": {}}).added == {"f:labels": {}}
    assert compare(THING, {"labels": {}}, {"labels": {"a": "b"}}).added == {"f:labels": {"f:a": {}}}


def test_atomic_maps_and_lists_change_as_a_whole():
    found = compare(THING, {"whole": {"a": "1"}, "words": ["a"]}, {"whole": {"a": "2"}, "words": ["a", "b"]})
    assert found.modified == {"f:whole": {}, "f:words": {}}


def test_items_that_cannot_be_told_apart_count_as_one():
    twice = {"tags": ["a", "a"]}
    assert compare(THING, twice, {"tags": ["a", "a", "a"]}).modified == {"f:tags": {'v:"a"': {}}}
    assert compare(THING, twice, {"tags": ["a"]}).removed == {"f:tags": {'v:"a"': {}}}
    assert compare(THING, {}, twice).added == {"f:tags": {".": {}, 'v:"a"': {}}}


PORTS = [{"containerPort": 80, "protocol": ""}, {"containerPort": 81, "name": ""}]
CONTAINER = {"name": "a", "image": "", "args": [], "env": [{"name": "A", "value": ""}], "ports": PORTS}
POD = {"spec": {"containers": [CONTAINER], "nodeName": "", "volumes": []}}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"spec": {}, "status": {}},
        {"spec": {"containers": [], "nodeName": "n"}},
        {"spec": {"containers": [{"name": "a", "resources": {}, "ports": PORTS[:1]}]}},
        {"spec": {"containers": [{**CONTAINER, "image": "b", "args": ["c"], "ports": [*PORTS, *PORTS]}]}},
        {"spec": {"containers": [CONTAINER, {"name": ""}]}, "metadata": {"labels": {"a": ""}, "name": ""}},
    ],
)
def test_states_are_compared_as_they_would_be_written(other):
    type_ = built_in_type(PODS)
    for states in ((POD, other), (other, POD)):
        written = [completed(type_, each) for each in states]
        assert compare(type_, *states, is_written=True) == compare(type_, *written)


def test_an_unknown_field_cannot_be_compared():
    with pytest.raises(Untypable, match="bogus: field not declared in schema"):
        compare(THING, {}, {"bogus": 1})


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        (["x"], ["y", "x"], ["y", "x"]),
        (["a", "b", "c"], ["c", "a"], ["b", "c", "a"]),
        (["a", "b", "c"], ["x"], ["a", "b", "c", "x"]),
        (["a", "c"], ["a", "b", "c"], ["a", "b", "c"]),
        ([], ["b", "a"], ["b", "a"]),
    ],
)
def test_sets_are_merged_in_the_order_of_the_new_one(old, new, merged):
    assert merge(THING, {"tags": old}, {"tags": new})["tags"] == merged


def test_merging_removes_nothing_and_replaces_what_is_atomic():
    old = {"labels": {"a": "1"}, "whole": {"a": "1"}, "ports": [{"port": 80, "note": "n"}]}
    new = {"labels": {"b": "2"}, "whole": {"b": "2"}, "ports": [{"port": 80, "protocol": "TCP"}]}
    assert merge(THING, old, new) == {
        "labels": {"a": "1", "b": "2"},
        "whole": {"b": "2"},
        "ports": [{"port": 80, "protocol": "TCP", "note": "n"}],
    }
    assert merge(THING, MISSING, new) == new


def test_a_value_has_its_leaves_and_items_as_fields():
    value = {"name": "a", "ports": [{"port": 80}], "words": [], "labels": {"k": "v"}, "whole": {}}
    assert field_set(THING, value) == {
        "f:name": {},
        "f:ports": {KEY: {".": {}, "f:port": {}}},
        "f:words": {},
        "f:labels": {"f:k": {}},
        "f:whole": {},
    }


def test_what_had_something_removed_stays_even_if_it_is_empty():
    value = {"labels": {"a": "1"}, "tags": ["x", "y"], "name": "n"}
    gone = of_paths([("f:labels", "f:a"), ("f:tags", 'v:"x"'), ("f:name",)])
    assert remove(THING, value, gone) == {"labels": {}, "tags": ["y"]}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"bogus": 1}, ".bogus: field not declared in schema"),
        ({"name": 1}, ".name: expected string, got &value.valueUnstructured{Value:1}"),
        (
            {"ports": [{"port": "x"}]},
            '.ports[port="x",protocol="TCP"].port: expected numeric (int or float), got string',
        ),
        ({"tags": ["a", "a"]}, '.tags: duplicate entries for key [="a"]'),
        ({"words": {"a": "b"}}, ".words: expected list, got &{map[a:b]}"),
        ({"labels": ["a"]}, ".labels: expected map, got &{[a]}"),
    ],
)
def test_what_does_not_fit_is_said_in_upstreams_words(value, problem):
    assert list(problems(THING, value)) == [problem]


def test_null_fits_everything():
    assert list(problems(THING, {"name": None, "ports": None, "labels": None})) == []


def test_a_value_is_completed_as_go_writes_it():
    inner = MapType({"labels": THING.map.fields["labels"], "flag": Type("boolean"), "on": TEXT}, zeros={"spec": {}})
    inner.fields["spec"] = Type(map=MapType({"x": TEXT}))
    inner.omitted = frozenset({"flag"})
    assert completed(Type(map=inner), {"labels": {}, "flag": False, "on": ""}) == {"on": "", "spec": {}}


def test_what_has_one_owner_as_a_whole_is_found():
    value = {"name": "a", "ports": [{"port": 80}], "words": ["w"], "tags": ["t"], "whole": {"k": "v"}}
    assert list(atomics(THING, value)) == [".words", ".whole"]
