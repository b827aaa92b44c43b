from __future__ import annotations

import pytest

from btcctl.apiserver.schemas.correlation import Correlated

OPEN = {"type": "object", "additionalProperties": {"type": "integer"}}
KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a", "b"],
    "items": {"type": "object", "properties": {name: {"type": "integer"} for name in "abc"}},
}


@pytest.mark.parametrize(
    ("new", "old", "same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": True}, False),
    ],
)
def test_maps_are_equal_in_all_their_keys(new, old, same):
    assert Correlated(OPEN, new, old).equal() is same


def test_items_are_found_by_all_their_keys():
    old = [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 2}]
    found = Correlated(KEYED, [{"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 2}], old)
    assert found.index(0).old == old[1]
    assert found.index(1) is None


def test_keyed_lists_are_equal_in_any_order():
    items = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert Correlated(KEYED, items[::-1], items).equal()
    assert not Correlated(KEYED, items[:1], items).equal()
