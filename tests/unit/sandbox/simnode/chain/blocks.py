"""Blocks for tests."""

from __future__ import annotations

from btcctl.sandbox.simnode.chain.block import GENESIS, Block, mine

SPACING_SECONDS = 60


def branch(length: int, name: str = "a", *, on: Block = GENESIS, height: int = 0) -> list[Block]:
    """`length` blocks on top of `on`, which stands at `height`; names tell branches apart."""
    blocks = [on]
    for above in range(1, length + 1):
        tip = blocks[-1]
        blocks.append(mine(tip.hash, height + above, tip.time + SPACING_SECONDS, name.encode()))
    return blocks[1:]
