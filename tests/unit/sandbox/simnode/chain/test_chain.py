from __future__ import annotations

import dataclasses
import itertools
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.sandbox.simnode.chain.block import GENESIS, Block, mine
from btcctl.sandbox.simnode.chain.chain import Chain, InvalidBlock, UnknownParent
from tests.unit.sandbox.simnode.chain.blocks import SPACING_SECONDS, branch


def chain_of(*blocks: Block) -> Chain:
    chain = Chain()
    for block in blocks:
        chain.add(block)
    return chain


def active(chain: Chain) -> list[Block]:
    entries = (chain.at(height) for height in range(chain.tip.height + 1))
    return [entry.block for entry in entries if entry is not None]


def test_a_longer_branch_takes_over_from_the_fork_on() -> None:
    common = branch(2)
    losing = branch(2, "b", on=common[-1], height=2)
    winning = branch(3, "c", on=common[-1], height=2)
    chain = chain_of(*common, *losing, *winning)
    assert active(chain) == [GENESIS, *common, *winning]
    assert [chain.is_active(entry) for entry in chain.leaves()] == [True, False]
    assert chain.fork_of(chain.leaves()[1]).block == common[-1]


def test_of_two_equal_branches_the_first_seen_stays() -> None:
    first, second = branch(2, "b"), branch(2, "c")
    assert chain_of(*first, *second).tip.block == first[-1]
    assert chain_of(*second, *first).tip.block == second[-1]


def test_a_block_is_new_once() -> None:
    chain = Chain()
    (block,) = branch(1)
    assert [chain.add(block), chain.add(block), chain.add(GENESIS)] == [True, False, False]


def test_a_block_without_its_parent_is_refused() -> None:
    with pytest.raises(UnknownParent):
        Chain().add(branch(2)[1])


def spoiled(block: Block, **changes: object) -> Block:
    return dataclasses.replace(block, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (next(each for n in range(9) if not (each := spoiled(branch(1)[0], nonce=n)).has_proof_of_work()), "target"),
        (mine(GENESIS.hash, 7, GENESIS.time + 1, b""), "claims height 7"),
        (mine(GENESIS.hash, 1, GENESIS.time, b""), "median"),
        (mine(GENESIS.hash, 1, GENESIS.time + 8000, b""), "future"),
    ],
)
def test_a_block_that_breaks_a_rule_is_refused(block: Block, reason: str) -> None:
    with pytest.raises(InvalidBlock, match=reason):
        Chain().add(block, now=GENESIS.time)


def test_a_block_whose_coinbase_was_exchanged_is_refused() -> None:
    with pytest.raises(InvalidBlock, match="merkle root"):
        Chain().add(spoiled(branch(1)[0], coinbase=branch(1, "b")[0].coinbase))


def test_the_median_time_is_that_of_the_last_eleven() -> None:
    chain = chain_of(*branch(20))
    assert chain.median_time(chain.tip) == chain.tip.block.time - 5 * SPACING_SECONDS
    genesis = chain.at(0)
    assert genesis is not None
    assert chain.median_time(genesis) == GENESIS.time


def test_a_locator_grows_sparse_and_ends_at_genesis() -> None:
    chain = chain_of(*branch(300))
    locator = chain.locator()
    assert (locator[0], locator[-1]) == (chain.tip.hash, GENESIS.hash)
    assert len(locator) < 25


@cache
def tree() -> tuple[Block, ...]:
    """A fixed tree: a trunk of six, and a branch of up to four from each of its blocks."""
    trunk = [GENESIS, *branch(6, "trunk")]
    twigs = [block for height, fork in enumerate(trunk) for block in branch(4, f"t{height}", on=fork, height=height)]
    return (*trunk[1:], *twigs)


def work_of(block: Block, known: dict[bytes, Block]) -> int:
    return 0 if block == GENESIS else 1 + work_of(known[block.previous], known)


@given(st.permutations(range(len(tree()))), st.integers(0, len(tree())))
def test_whatever_the_order_the_active_chain_has_the_most_work(order: list[int], kept: int) -> None:
    chain, known = Chain(), {GENESIS.hash: GENESIS}
    best: list[Block] = [GENESIS]
    waiting = [tree()[index] for index in order][:kept]
    while ready := [block for block in waiting if block.previous in known]:
        block = ready[0]
        waiting.remove(block)
        chain.add(block)
        known[block.hash] = block
        most = max(work_of(each, known) for each in known.values())
        if work_of(best[0], known) < most:
            best = [block]
        assert chain.tip.block == best[0]
        blocks = active(chain)
        assert all(above.previous == below.hash for below, above in itertools.pairwise(blocks))
    for block in waiting:
        with pytest.raises(UnknownParent):
            chain.add(block)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 30), st.integers(1, 7))
def test_two_chains_become_one_by_asking_with_locators(ours: int, theirs: int, common: int, limit: int) -> None:
    shared = branch(common)
    tip = shared[-1] if shared else GENESIS
    our_chain = chain_of(*shared, *branch(ours, "b", on=tip, height=common))
    their_chain = chain_of(*shared, *branch(theirs, "c", on=tip, height=common))
    locator = our_chain.locator()
    while blocks := their_chain.after(locator, limit):
        for block in blocks:
            our_chain.add(block)
        locator = [blocks[-1].hash, *our_chain.locator()]
    assert our_chain.find(their_chain.tip.hash) is not None
    assert our_chain.tip.work == max(our_chain.tip.work, their_chain.tip.work)
