"""How many chains the nodes are on, and how deep the deepest fork is.

Asks only if nodes are at different blocks, and about the same two blocks once: at two nodes, for the hashes of some
heights at a time, until the last block is known that both chains have.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache

from btcctl.bitcoin.chain import NodeChain
from btcctl.bitcoin.rpc import Call, RpcFailure
from btcctl.errors import DeadlineExceeded
from btcctl.logging import get_logger

logger = get_logger(__name__)

#: Beyond so many blocks at which nodes are, the others are not compared.
MAX_TIPS: Final = 8
_HEIGHTS_AT_A_TIME = 16
_MAX_REMEMBERED = 10_000

Batch = Callable[[Sequence[Call]], list[Any]]  #: of one node's RPC client


@dataclass(frozen=True, slots=True)
class ForkView:
    """How the chains of a network's nodes differ.

    Attributes:
        tips: The ends of all branches that nodes are on; a node that is merely behind on one is on none of its own.
        deepest: The most blocks that nodes would give up if all went over to the highest chain; 0 if nobody would.
        forked: The ordinals of nodes that would.
    """

    tips: int = 0
    deepest: int = 0
    forked: frozenset[int] = frozenset()


NO_FORKS: Final = ForkView()


class Forks:
    """Thread-safe. Remembers which blocks were compared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the one below
        self._depths: LRUCache[tuple[str, str], int] = LRUCache(_MAX_REMEMBERED)

    def view(self, chains: Mapping[int, NodeChain], batch_of: Callable[[int], Batch]) -> ForkView:
        """Compare the chains.

        Args:
            chains: By ordinal, of the nodes that answered.
            batch_of: A node's RPC, by ordinal.
        """
        at = {chain.best_block: ordinal for ordinal, chain in sorted(chains.items(), reverse=True) if chain.best_block}
        tips = sorted(at, key=lambda tip: (-chains[at[tip]].blocks, tip))
        if not tips:
            return NO_FORKS
        ends, depths = [tips[0]], {}
        for tip in tips[1:MAX_TIPS]:
            try:
                below = [self._depth(chains, at[end], at[tip], batch_of) for end in ends]
            except (RpcFailure, DeadlineExceeded) as error:
                logger.debug("two chains cannot be compared", error=str(error))
                continue
            depths[tip] = below[0]
            if all(below):
                ends.append(tip)
        forked = {tip for tip, depth in depths.items() if depth}
        ordinals = frozenset(ordinal for ordinal, chain in chains.items() if chain.best_block in forked)
        return ForkView(len(ends), max(depths.values(), default=0), ordinals)

    def _depth(self, chains: Mapping[int, NodeChain], high: int, low: int, batch_of: Callable[[int], Batch]) -> int:
        """How many blocks of the lower chain the higher one does not have."""
        pair = (chains[high].best_block, chains[low].best_block)
        with self._lock:
            known = self._depths.get(pair)
        if known is not None:
            return known
        top = chains[low].blocks
        depth = top - last_common(top, batch_of(high), batch_of(low))
        with self._lock:
            self._depths[pair] = depth
        return depth


def last_common(top: int, one: Batch, other: Batch) -> int:
    """The greatest height up to `top` at which two nodes have the same block; they have it at 0.

    Raises:
        RpcFailure: A node does not answer, or its chain has become shorter.
    """
    same, differs = 0, top + 1
    heights = _close_to(top)
    while heights:
        calls: list[Call] = [("getblockhash", (height,)) for height in heights]
        pairs = zip(heights, one(calls), other(calls), strict=True)
        matches = {height for height, ours, theirs in pairs if ours == theirs}
        same = max(matches | {same})
        differs = min({height for height in heights if height > same and height not in matches} | {differs})
        heights = _between(same, differs)
    return same


def _close_to(top: int) -> list[int]:
    """The top, and then further and further below: most forks are short."""
    return sorted({top - 2**step + 1 for step in range(_HEIGHTS_AT_A_TIME) if top - 2**step + 1 > 0})


def _between(low: int, high: int) -> list[int]:
    """Heights in between, evenly; none if there are none."""
    step = max(1, (high - low) // (_HEIGHTS_AT_A_TIME + 1))
    return list(range(low + step, high, step))
