from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from btcctl.sandbox.simnode.p2p.added_nodes import AddedNodes
from btcctl.sandbox.simnode.p2p.addresses import parse_endpoint

SPELLINGS = ["1.2.3.4", "1.2.3.4:18444", "::ffff:1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "a", "a:18444", ""]


def test_adding_compares_addresses() -> None:
    added = AddedNodes(["1.2.3.4"])
    assert [added.add(each) for each in ("1.2.3.4", "1.2.3.4:18444", "::ffff:1.2.3.4")] == [False] * 3
    assert [added.add(each) for each in ("1.2.3.4:5", "", "a", "a:18444")] == [True] * 4
    assert list(added) == ["1.2.3.4", "1.2.3.4:5", "", "a", "a:18444"]


def test_removing_compares_strings() -> None:
    added = AddedNodes(["1.2.3.4"])
    assert not added.remove("1.2.3.4:18444")
    assert added.remove("1.2.3.4")
    assert not added.remove("1.2.3.4")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(SPELLINGS))))
def test_no_address_is_ever_listed_twice(steps: list[tuple[bool, str]]) -> None:
    added = AddedNodes()
    for adds, name in steps:
        before = list(added)
        changed = added.add(name) if adds else added.remove(name)
        assert changed == (list(added) != before)
        assert (name in added) == (adds and (changed or name in before))
    endpoints = [endpoint for endpoint in map(parse_endpoint, added) if endpoint]
    assert len(set(endpoints)) == len(endpoints)
    assert len(set(added)) == len(list(added))
