"""JSON Patch and JSON Merge Patch as a real server's library takes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.patching.json_patch import PatchError, apply_operations
from btcctl.apiserver.patching.merge_patch import merge
from btcctl.apiserver.patching.ordering import LONG, Pieces, written
from tests.unit.apiserver.calls import at_most

TARGET = {"z": {"b": 1, "a": [1, 2, 3]}, "n": None}


def patched(*operations, target=TARGET):
    return apply_operations(target, operations)


class TestOperations:
    @pytest.mark.parametrize(
        ("operation", "expected"),
        [
            ({"op": "replace", "path": "/z/c", "value": 1}, {"b": 1, "a": [1, 2, 3], "c": 1}),
            ({"op": "copy", "from": "/none", "path": "/z/b"}, {"b": None, "a": [1, 2, 3]}),
            ({"op": "add", "path": "/z/b"}, {"b": None, "a": [1, 2, 3]}),
            ({"op": "add", "path": "/z/a/-1", "value": 9}, {"b": 1, "a": [1, 2, 3, 9]}),
            ({"op": "remove", "path": "/z/a/-1"}, {"b": 1, "a": [1, 2]}),
            ({"op": "move", "from": "/z/b", "path": "/z/~0~1"}, {"a": [1, 2, 3], "~/": 1}),
        ],
    )
    def test_they_are_looser_than_the_standard(self, operation, expected):
        assert patched(operation)["z"] == expected

    def test_a_pointer_without_a_slash_drops_what_comes_before_the_first(self):
        assert patched({"op": "replace", "path": "x/n", "value": 1})["n"] == 1

    @pytest.mark.parametrize("path", ["/none", "/n"])
    def test_what_is_not_there_tests_as_null(self, path):
        assert patched({"op": "test", "path": path, "value": None}) == TARGET
        with pytest.raises(PatchError):
            patched({"op": "test", "path": path, "value": 1})

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "test", "path": "/z/b", "value": 1.0},
            {"op": "test", "path": "/z/b", "value": True},
            {"op": "add", "path": "/n/deeper", "value": 1},
            {"op": "add", "path": "/z/b/deeper", "value": 1},
            {"op": "add", "path": "", "value": {}},
            {"op": "add", "path": "/z/a/4", "value": 1},
            {"op": "replace", "path": "/z/a/3", "value": 1},
            {"op": "replace", "path": "/z/a/-", "value": 1},
            {"op": "replace", "path": "", "value": 1},
            {"op": "remove", "path": "/none"},
            {"op": "move", "from": "/none", "path": "/x"},
            {"op": "copy", "path": "/x"},
            {"op": ["add"], "path": "/x"},
        ],
    )
    def test_what_does_not_apply_is_an_error(self, operation):
        with pytest.raises(PatchError):
            patched(operation)

    def test_the_whole_may_be_replaced_and_tested(self):
        assert patched({"op": "replace", "path": "", "value": [1]}) == [1]
        assert patched({"op": "test", "path": "", "value": TARGET}) == TARGET

    def test_what_was_copied_is_not_shared(self):
        copied = patched({"op": "copy", "from": "/z/a", "path": "/z/c"}, {"op": "add", "path": "/z/c/-", "value": 4})
        assert (copied["z"]["a"], copied["z"]["c"]) == ([1, 2, 3], [1, 2, 3, 4])

    def test_the_target_stays_as_it_was(self):
        target = {"a": {"b": [1]}}
        patched({"op": "add", "path": "/a/b/-", "value": 2}, target=target)
        assert target == {"a": {"b": [1]}}

    def test_only_what_was_looked_into_is_sorted(self):
        found = written(
            patched(
                {"op": "add", "path": "/z/new", "value": {"y": 1, "x": 2}},
                target={"z": {"b": {"q": 1, "p": 2}}, "a": 1},
            )
        )
        assert list(found) == ["a", "z"]
        assert [list(found["z"]), list(found["z"]["b"]), list(found["z"]["new"])] == [
            ["b", "new"],
            ["q", "p"],
            ["y", "x"],
        ]


class TestMerge:
    def test_nulls_go_but_those_that_stand_in_lists(self):
        patch = {"z": {"b": None, "c": {"d": None, "e": 1}}, "l": [None, {"f": None}]}
        assert merge(TARGET, patch) == {"z": {"a": [1, 2, 3], "c": {"e": 1}}, "n": None, "l": [None, {}]}

    def test_a_list_in_place_of_an_object_is_taken_as_it_is(self):
        assert merge({"a": {}}, {"a": [{"f": None}]}) == {"a": [{"f": None}]}

    def test_only_what_was_merged_is_sorted(self):
        found = written(merge({"z": {"b": 1, "a": 2}, "y": {"b": 1, "a": 2}}, {"y": {"c": 1}, "x": {"b": 1, "a": 2}}))
        assert [list(found), list(found["x"]), list(found["y"])] == [["x", "y", "z"], ["a", "b"], ["a", "b", "c"]]
        assert list(found["z"]) == ["b", "a"]


class TestLongLists:
    def test_ten_thousand_insertions_do_not_move_all_items_each(self):
        operations = [{"op": "add", "path": f"/l/{number % 3}", "value": number} for number in range(10_000)]
        with at_most(2):  # 6 s
            found = written(patched(*operations, target={"l": [1] * 400_000}))
        assert len(found["l"]) == 410_000

    def test_they_are_tested_copied_and_moved_as_others_are(self):
        items = [*range(LONG + 1)]
        operations: list[dict[str, Any]] = [
            {"op": "add", "path": "/l/0", "value": "first"},
            {"op": "test", "path": "/l", "value": ["first", *items]},
            {"op": "remove", "path": "/l/-1"},
            {"op": "copy", "from": "/l", "path": "/m"},
            {"op": "move", "from": "/l/1", "path": "/l/-"},
            {"op": "replace", "path": "/m/2", "value": "second"},
        ]
        found = written(patched(*operations, target={"l": items}))
        assert found == {"l": ["first", *items[1:-1], 0], "m": ["first", 0, "second", *items[2:-1]]}
        with pytest.raises(PatchError, match="invalid index"):
            patched({"op": "add", "path": f"/l/{len(items) + 1}", "value": 1}, target={"l": items})

    @given(
        steps=st.lists(st.tuples(st.sampled_from(["insert", "set", "delete"]), st.integers(0, 10**6))),
        size=st.integers(0, 2500),
    )
    def test_pieces_are_a_list(self, steps, size: int):
        items = [*range(size)]
        pieces = Pieces(items)
        for step, number in steps:
            if step == "insert":
                at = number % (len(items) + 1)
                items.insert(at, number)
                pieces.insert(at, number)
            elif items and step == "set":
                items[number % len(items)] = pieces[number % len(items)] = number
            elif items:
                at = number % len(items)
                del items[at], pieces[at]
        assert (json.dumps(written(pieces)), len(pieces)) == (json.dumps(items), len(items))
