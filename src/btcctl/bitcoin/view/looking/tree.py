"""Which blocks of the chains are drawn, and how they hang together. Pure.

Drawn are the newest blocks of each branch, and those around each place where a branch parts from the highest one.
What lies between is skipped, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from btcctl.bitcoin.view.model import Block, Tip, Tree

#: Blocks below a tip that are drawn, and around a fork.
NEWEST: Final = 6
AROUND: Final = 2
#: Branches beyond these are not drawn.
MOST_TIPS: Final = 8


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a block; it never changes."""

    hash: str
    height: int
    parent: str = ""
    time: float = 0.0
    transactions: int = -1


@dataclass(frozen=True, slots=True)
class Branch:
    """The end of a chain.

    Attributes:
        nodes: The ordinals of those that are on it; () if none is.
        fork_height: Of the last block in common with the highest; -1 of the highest, or unknown.
    """

    tip: str
    height: int
    nodes: tuple[int, ...] = ()
    fork_height: int = -1


def heights_to_draw(branch: Branch, forks: Iterable[int]) -> list[int]:
    """Which heights of a branch's chain are drawn.

    Args:
        forks: Heights at which other branches part from the highest one; only of the highest are they looked at.
    """
    low = max(branch.fork_height, 0)
    wanted = set(range(max(low, branch.height - NEWEST + 1), branch.height + 1))
    for fork in [branch.fork_height] if branch.fork_height >= 0 else forks:
        wanted |= set(range(max(0, fork - AROUND + 1), min(branch.height, fork + AROUND) + 1))
    return sorted(wanted)


def draw(branches: Iterable[Branch], chains: Mapping[str, Mapping[int, str]], headers: Mapping[str, Header]) -> Tree:
    """The tree.

    Args:
        branches: The highest first.
        chains: By tip: the hashes of its chain, by height; those that are drawn.
        headers: By hash, as far as they are known.
    """
    blocks: dict[str, Block] = {}
    tips = []
    for branch in branches:
        tips.append(Tip(branch.tip, branch.height, list(branch.nodes), branch.fork_height))
        below: tuple[int, str] | None = None
        for height, hash_ in sorted({**chains.get(branch.tip, {}), branch.height: branch.tip}.items()):
            block = _block(hash_, height, below, headers.get(hash_))
            drawn = blocks.get(hash_)
            if drawn is None or (block.parent and (not drawn.parent or block.skipped < drawn.skipped)):
                blocks[hash_] = block
            below = (height, hash_)
    return Tree(sorted(blocks.values(), key=lambda block: (block.height, block.hash)), tips)


def _block(hash_: str, height: int, below: tuple[int, str] | None, header: Header | None) -> Block:
    parent, skipped = ("", 0) if below is None else (below[1], height - below[0] - 1)
    if header is None:
        return Block(hash_, height, parent, skipped)
    return Block(hash_, height, parent, skipped, header.time, header.transactions)
