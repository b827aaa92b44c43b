from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.bitcoin.chain import ChainInfo, ChainView, NodeChain

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


@pytest.mark.parametrize(
    ("parts", "blocks", "has_volumes", "synced"),
    [
        ([{0, 1}, {2, 3}], (110, 110, 105, 104), False, {0, 1, 2}),
        ([{0, 1}, {2}], (110, 110, 0), False, {0, 1, 2}),  # what two nodes have is not lost with one of them
        ([{0}, {1}, {2}], (110, 105, 0), False, {0}),  # one after the other would be replaced, and all lost
        ([{0, 1}, {2}], (0, 0, 110), False, {0, 1, 2}),
        ([{0, 1}, {2}, {3}], (100, 100, 110, 0), False, {0, 1, 2}),  # only node 2 has the network's height
        ([{0}, {1}, {2}], (110, 105, 0), True, {0, 1, 2}),
        ([{0, 1}], (110, 105, 7), False, {0}),  # node 2 is in no part: it is on its way out
    ],
)
def test_nodes_that_are_kept_apart_cannot_have_each_others_blocks(
    parts: list[set[int]], blocks: tuple[int, ...], has_volumes: bool, synced: set[int]
) -> None:
    nodes = {ordinal: NodeChain(height) for ordinal, height in enumerate(blocks)}
    view = ChainView(nodes, True, 110, parts=[frozenset(part) for part in parts], has_volumes=has_volumes)
    assert view.synced == synced


@given(NODES, st.booleans(), st.integers(0, 50))
def test_who_is_let_in_has_as_much_as_anybody_has_or_is_known_to_have_had(
    nodes: dict[int, NodeChain], is_whole: bool, remembered: int
) -> None:
    view = ChainView(nodes, is_whole, remembered)
    for ordinal in view.synced:
        assert all(nodes[ordinal].blocks >= max(other.blocks, other.heard) for other in nodes.values())
        assert is_whole or nodes[ordinal].blocks >= remembered


def test_what_a_node_calls_its_block_holds_no_orders_for_a_terminal() -> None:
    assert ChainInfo(bestblockhash="ab\x1b[2J").chain_of_node.best_block == "ab\N{REPLACEMENT CHARACTER}[2J"
