from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.bitcoin.chain import ChainView, NodeChain

NODES = st.dictionaries(
    st.integers(0, 5), st.builds(NodeChain, blocks=st.integers(0, 50), heard=st.integers(-1, 50)), max_size=6
)


@pytest.mark.parametrize(
    ("view", "synced", "lost"),
    [
        (ChainView({}, is_whole=True, remembered=0), set(), None),
        (ChainView({0: NodeChain(0), 1: NodeChain(0)}, is_whole=True, remembered=0), {0, 1}, None),
        (ChainView({0: NodeChain(100), 1: NodeChain(7)}, is_whole=True, remembered=100), {0}, None),
        (ChainView({1: NodeChain(0, heard=100)}, is_whole=False, remembered=0), set(), None),
        (ChainView({1: NodeChain(0)}, is_whole=False, remembered=100), set(), None),
        (ChainView({1: NodeChain(0)}, is_whole=True, remembered=100), {1}, 100),
        (ChainView({1: NodeChain(99)}, is_whole=False, remembered=100, is_waited_for=False), {1}, None),
        (ChainView({1: NodeChain(9, heard=99)}, is_whole=False, remembered=100, is_waited_for=False), set(), None),
    ],
    ids=[
        "nobody",
        "fresh",
        "one behind",
        "heard of more",
        "one may have more",
        "lost",
        "silent for long",
        "yet heard of",
    ],
)
def test_who_has_the_chain_and_whether_some_of_it_was_lost(view: ChainView, synced: set[int], lost: int | None) -> None:
    assert (view.synced, view.lost_from) == (synced, lost)


@given(NODES, st.booleans(), st.integers(0, 50))
def test_who_is_let_in_has_as_much_as_anybody_has_or_is_known_to_have_had(
    nodes: dict[int, NodeChain], is_whole: bool, remembered: int
) -> None:
    view = ChainView(nodes, is_whole, remembered)
    for ordinal in view.synced:
        assert all(nodes[ordinal].blocks >= max(other.blocks, other.heard) for other in nodes.values())
        assert is_whole or nodes[ordinal].blocks >= remembered
