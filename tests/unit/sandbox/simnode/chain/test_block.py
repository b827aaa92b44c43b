from __future__ import annotations

import pytest

from btcctl.sandbox.simnode.chain.block import GENESIS, WORK_PER_BLOCK, Block, from_hex, mine, to_hex
from tests.unit.sandbox.simnode.chain.blocks import branch


def test_genesis_is_regtests() -> None:
    assert GENESIS.hash_hex == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    assert GENESIS.has_proof_of_work()
    assert WORK_PER_BLOCK == 2


def test_a_mined_block_survives_encoding() -> None:
    block = mine(GENESIS.hash, 1, 1_700_000_000, b"somebody")
    again = Block.decode(block.encode())
    assert again == block
    assert again.hash == block.hash
    assert (again.claimed_height, again.has_proof_of_work()) == (1, True)
    assert len(block.header) == 80


@pytest.mark.parametrize("text", ["", ".", "zz.00", "00.00", GENESIS.header.hex(), f"{'00' * 80}.", "ü.ü"])
def test_what_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Block.decode(text)


def test_hashes_are_written_reversed() -> None:
    assert from_hex(to_hex(GENESIS.hash)) == GENESIS.hash
    with pytest.raises(ValueError, match="not a block hash"):
        from_hex("00")


def test_blocks_of_two_names_differ() -> None:
    assert branch(1, "a") != branch(1, "b")
