"""Reads out of the nodes what the tree of chains needs: few calls, and none for what is known.

One node on each tip is asked: for the hashes of the heights that are drawn, and for the headers of blocks that were
not seen before. Blocks never change, so all of them are remembered, as long as there are not too many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from cachetools import LRUCache

from btcctl import codecs
from btcctl.bitcoin.forks import Batch, last_common
from btcctl.bitcoin.rpc import Call, RpcClient, RpcFailure
from btcctl.bitcoin.view.looking.tree import MOST_TIPS, Branch, Header, draw, heights_to_draw
from btcctl.bitcoin.view.model import Tree
from btcctl.errors import DeadlineExceeded
from btcctl.logging import get_logger

logger = get_logger(__name__)

_MAX_REMEMBERED: Final = 20_000
#: Branches that nobody is on are drawn as long as they end so close to the highest block, and so many at most.
_STALE_BLOCKS: Final = 50
_STALE_BRANCHES: Final = 4

TipsByOrdinal = Mapping[int, tuple[int, str]]  #: height and hash of each node that answers
ClientOf = Callable[[int], RpcClient | None]


class _HeaderInfo(msgspec.Struct, gc=False):
    hash: str
    height: int
    time: int = 0
    previousblockhash: str = ""
    nTx: int = -1  # noqa: N815  as the node says it


class _ChainTip(msgspec.Struct, gc=False):
    height: int
    hash: str
    branchlen: int
    status: str = ""


class Chains:
    """Of one network. Used by one thread at a time."""

    def __init__(self) -> None:
        self._headers: LRUCache[str, Header] = LRUCache(_MAX_REMEMBERED)
        self._commons: LRUCache[tuple[str, str], int] = LRUCache(_MAX_REMEMBERED)

    def tree(self, tips: TipsByOrdinal, client_of: ClientOf) -> Tree:
        """Draw what the nodes have now.

        Args:
            tips: Of the nodes that answered.
            client_of: A node's RPC; None if there is none any more.
        """
        nodes: dict[tuple[int, str], list[int]] = defaultdict(list)
        for ordinal, tip in sorted(tips.items()):
            nodes[tip].append(ordinal)
        found = sorted(nodes, reverse=True)[:MOST_TIPS]
        if not found:
            return Tree()
        batches = {tip: _batch_of(client_of, nodes[tip]) for tip in found}
        branches = self._branches(found, nodes, batches)
        stale = self._stale(branches[0], batches[found[0]], {each.tip for each in branches})
        forks = [each.fork_height for each in (*branches, *stale) if each.fork_height >= 0]
        chains = {
            each.tip: self._chain(each, heights_to_draw(each, forks), batches.get((each.height, each.tip)))
            for each in branches
        }
        for each in stale:
            chains[each.tip] = self._stale_chain(each, chains[branches[0].tip])
        return draw([*branches, *stale], chains, self._headers)

    def _branches(
        self,
        found: Sequence[tuple[int, str]],
        nodes: Mapping[tuple[int, str], Sequence[int]],
        batches: Mapping[tuple[int, str], Batch],
    ) -> list[Branch]:
        """One for each tip that nodes are on. A tip that merely is behind has its own height as the fork's."""
        top = found[0]
        branches = [Branch(top[1], top[0], tuple(nodes[top]))]
        for tip in found[1:]:
            fork = self._common(top, tip, batches)
            branches.append(Branch(tip[1], tip[0], tuple(nodes[tip]), fork))
        return branches

    def _common(self, top: tuple[int, str], tip: tuple[int, str], batches: Mapping[tuple[int, str], Batch]) -> int:
        pair = (top[1], tip[1])
        if pair not in self._commons:
            try:
                self._commons[pair] = last_common(tip[0], batches[top], batches[tip])
            except (RpcFailure, DeadlineExceeded) as error:
                logger.debug("two chains cannot be compared", error=str(error))
                return -1
        return self._commons[pair]

    def _stale(self, top: Branch, batch: Batch, known: set[str]) -> list[Branch]:
        """Branches that a node on the highest knows, and nobody is on."""
        try:
            (said,) = batch([("getchaintips", ())])
            tips: list[_ChainTip] = codecs.convert(said, list[_ChainTip])
        except (RpcFailure, DeadlineExceeded, msgspec.ValidationError) as error:
            logger.debug("a node does not tell its chains' ends", error=str(error))
            return []
        others = [each for each in tips if each.hash not in known and each.branchlen > 0 and each.status != "active"]
        close = [each for each in others if each.height >= top.height - _STALE_BLOCKS and each.height <= top.height]
        newest = sorted(close, key=lambda each: (-each.height, each.hash))[:_STALE_BRANCHES]
        try:
            self._read([each.hash for each in newest], batch)
        except (RpcFailure, DeadlineExceeded) as error:
            logger.debug("a block that nobody is on cannot be read", error=str(error))
        return [Branch(each.hash, each.height, (), each.height - each.branchlen) for each in newest]

    def _chain(self, branch: Branch, heights: Sequence[int], batch: Batch | None) -> dict[int, str]:
        """The hashes of a branch's chain at some heights; their headers are read, too."""
        if batch is None:
            return self._walked(branch, heights)
        try:
            self._read([branch.tip], batch)
            hashes = self._walked(branch, heights)
            missing = [height for height in heights if height not in hashes]
            calls: list[Call] = [("getblockhash", (height,)) for height in missing]
            hashes |= dict(zip(missing, map(str, batch(calls) if calls else ()), strict=True))
            self._read([*hashes.values()], batch)
        except (RpcFailure, DeadlineExceeded) as error:  # its chain became shorter, or it does not answer any more
            logger.debug("blocks cannot be read", error=str(error))
            return self._walked(branch, heights)
        return hashes

    def _read(self, hashes: Sequence[str], batch: Batch) -> None:
        """Of those that are not known yet."""
        calls: list[Call] = [("getblockheader", (each,)) for each in hashes if each not in self._headers]
        for said in batch(calls) if calls else ():
            try:
                info = codecs.convert(said, _HeaderInfo)
            except msgspec.ValidationError as error:
                logger.debug("a header makes no sense", error=str(error))
                continue
            self._headers[info.hash] = Header(
                info.hash, info.height, info.previousblockhash, float(info.time), info.nTx
            )

    def _walked(self, branch: Branch, heights: Sequence[int]) -> dict[int, str]:
        """From the tip downwards, as far as headers are known: a block that was added costs one call."""
        found, hash_ = {branch.height: branch.tip}, branch.tip
        while (header := self._headers.get(hash_)) is not None and header.height > min(heights):
            hash_ = header.parent
            found[header.height - 1] = hash_
        return {height: each for height, each in found.items() if height in heights}

    def _stale_chain(self, branch: Branch, of_top: Mapping[int, str]) -> dict[int, str]:
        heights = [*range(branch.fork_height, branch.height + 1)]
        walked = self._walked(branch, heights_to_draw(branch, ())) if heights else {}
        fork = {branch.fork_height: of_top[branch.fork_height]} if branch.fork_height in of_top else {}
        return {**walked, **fork}


def _batch_of(client_of: ClientOf, ordinals: Sequence[int]) -> Batch:
    """Asks the first of the nodes that there is."""
    client = next((found for each in ordinals if (found := client_of(each)) is not None), None)
    return _nobody if client is None else client.batch


def _nobody(calls: Sequence[Call]) -> list[Any]:
    raise RpcGone("the node is gone")


class RpcGone(RpcFailure):
    """There is nobody to ask."""
