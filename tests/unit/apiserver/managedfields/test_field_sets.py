from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.managedfields import field_sets
from btcctl.apiserver.managedfields.field_sets import (
    SELF,
    contains,
    decode,
    difference,
    has,
    intersection,
    key_element,
    members,
    of_paths,
    ordered,
    path_text,
    text_key_element,
    union,
    without_below,
)

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"t"', "i:0"])
PATHS = st.sets(st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple), max_size=8)


@given(PATHS)
def test_a_set_has_the_paths_it_was_made_of_and_no_others(paths):
    assert set(members(of_paths(paths))) == paths


@given(PATHS, PATHS)
def test_unions_differences_and_intersections_are_those_of_the_paths(left, right):
    one, two = of_paths(left), of_paths(right)
    assert set(members(union(one, two))) == left | right
    assert set(members(difference(one, two))) == left - right
    assert set(members(intersection(one, two))) == left & right


@given(PATHS, PATHS)
def test_a_set_contains_another_if_it_has_all_its_paths(left, right):
    assert contains(of_paths(left), of_paths(right)) == (right <= left)
    assert contains(of_paths(left | right), of_paths(right))


@given(PATHS, PATHS)
def test_what_is_below_a_removed_path_goes_with_it(left, right):
    kept = {path for path in left if not any(path[: len(each)] == each for each in right)}
    assert set(members(without_below(of_paths(left), of_paths(right)))) == kept


@given(PATHS, PATHS)
def test_a_set_is_never_changed_by_what_is_made_of_it(left, right):
    one, two = of_paths(left), of_paths(right)
    union(one, two), difference(one, two), intersection(one, two), without_below(one, two)
    assert (set(members(one)), set(members(two))) == (left, right)


@given(PATHS)
def test_a_set_is_the_same_after_it_was_written_and_read(paths):
    assert decode(ordered(of_paths(paths))) == of_paths(paths)


def test_a_member_with_members_below_it_has_a_dot():
    assert of_paths([("f:a",), ("f:a", "f:b")]) == {"f:a": {".": {}, "f:b": {}}}
    assert not has(of_paths([("f:a", "f:b")]), ("f:a",))


def test_elements_are_written_by_kind_and_then_by_value():
    paths = [("i:1",), ('v:"b"',), ('k:{"port":443}',), ('k:{"port":80}',), ("f:b",), ("f:a",), ("i:0",)]
    assert list(ordered(of_paths(paths))) == [
        "f:a", "f:b", 'k:{"port":80}', 'k:{"port":443}', 'v:"b"', "i:0", "i:1",
    ]  # fmt: skip


@given(st.lists(st.text(alphabet='ab !"-.\\é<', max_size=3), min_size=1, unique=True), st.booleans())
def test_items_that_differ_in_a_text_are_in_the_order_of_the_text(names, is_member):
    found = ordered({text_key_element("name", each): {} for each in names} | ({SELF: {}} if is_member else {}))
    begin = [SELF] if is_member else []
    assert list(found) == begin + [key_element({"name": each}) for each in sorted(names)]


def test_keys_are_written_in_their_order_and_as_go_writes_json():
    assert field_sets.key_element({"protocol": "TCP", "port": 80.0}) == 'k:{"port":80,"protocol":"TCP"}'
    assert field_sets.value_element("<a&b>") == 'v:"\\u003ca\\u0026b\\u003e"'


def test_what_a_client_sends_is_written_as_we_write_it():
    sent = {"f:a": {".": {}, 'k:{ "b": 1, "a": "x" }': {}}, "z:what": {}}
    assert decode(sent) == {"f:a": {".": {}, 'k:{"a":"x","b":1}': {}}}


@pytest.mark.parametrize("sent", [[], "f:a", {"a": {}}, {"k:{": {}}, {"f:a": 1}])
def test_what_is_no_set_is_refused(sent):
    with pytest.raises((ValueError, TypeError)):
        decode(sent)


def test_a_path_is_printed_as_in_messages():
    path = ("f:spec", 'k:{"port":80,"protocol":"TCP"}', "f:x", 'v:"t"', "i:3")
    assert path_text(path) == '.spec[port=80,protocol="TCP"].x[="t"][3]'
