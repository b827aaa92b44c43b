from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.bitcoin.chain import NodeChain
from btcctl.bitcoin.forks import Batch, Forks, ForkView, last_common
from btcctl.bitcoin.rpc import Call, RpcUnavailable


class Chains:
    """Nodes with chains of letters: `aab` has block 1 and 2 of branch a, and 3 of branch b."""

    def __init__(self, *chains: str) -> None:
        self._chains = [[chain[:height] for height in range(len(chain) + 1)] for chain in chains]
        self.asked = 0

    @property
    def seen(self) -> dict[int, NodeChain]:
        return {n: NodeChain(len(chain) - 1, best_block=f"#{chain[-1]}") for n, chain in enumerate(self._chains)}

    def batch_of(self, ordinal: int) -> Batch:
        def batch(calls: Sequence[Call]) -> list[Any]:
            self.asked += 1
            return [f"#{self._chains[ordinal][params[0]]}" for _, params in calls]

        return batch

    def view(self, forks: Forks | None = None) -> ForkView:
        return (forks or Forks()).view(self.seen, self.batch_of)


def test_nodes_at_one_block_are_on_one_chain_and_are_not_asked() -> None:
    nodes = Chains("aaa", "aaa", "aaa")
    assert (nodes.view(), nodes.asked) == (ForkView(1), 0)


def test_a_node_that_is_behind_is_on_no_branch_of_its_own() -> None:
    assert Chains("aaaa", "aa", "").view() == ForkView(1)


def test_who_is_behind_on_the_shorter_branch_is_on_no_branch_of_its_own_either() -> None:
    assert Chains("aabbb", "aacc", "aac", "aab").view() == ForkView(2, 2, frozenset({1, 2}))


def test_the_deepest_fork_is_what_the_shorter_branch_would_give_up() -> None:
    assert Chains("aabbb", "aacc", "ad", "aabb").view() == ForkView(3, 2, frozenset({1, 2}))


def test_two_branches_of_one_height_are_a_fork_too() -> None:
    assert Chains("ab", "ac").view() == ForkView(2, 1, frozenset({1}))


def test_the_same_blocks_are_compared_once() -> None:
    nodes, forks = Chains("ab", "ac"), Forks()
    nodes.view(forks)
    asked = nodes.asked
    assert (nodes.view(forks).deepest, nodes.asked) == (1, asked)


def test_without_nodes_there_is_no_tip() -> None:
    assert Chains().view() == ForkView()


def test_a_node_that_fails_meanwhile_is_not_taken_for_a_fork() -> None:
    def fail(_calls: Sequence[Call]) -> list[Any]:
        raise RpcUnavailable("gone")

    assert Forks().view(Chains("ab", "ac").seen, lambda _: fail) == ForkView(1)


@given(st.integers(0, 3000), st.data())
def test_the_last_common_block_is_found_in_few_calls(top: int, data: st.DataObject) -> None:
    fork = data.draw(st.integers(0, top))
    asked = []

    def node(name: str) -> Batch:
        def batch(calls: Sequence[Call]) -> list[Any]:
            asked.append(len(calls))
            return [f"{name if params[0] > fork else ''}{params[0]}" for _, params in calls]

        return batch

    assert last_common(top, node("a"), node("b")) == fork
    assert len(asked) <= 12


@pytest.mark.parametrize("top", [0, 1])
def test_the_shortest_chains_can_be_compared(top: int) -> None:
    nodes = Chains("a" * top, "b" * top)
    assert nodes.view().deepest == top
