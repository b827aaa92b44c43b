"""The chain, kept on disk, what waits for it, and the clock that mining and catching up need."""

from __future__ import annotations

import itertools
import secrets
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.sandbox.simnode.chain.block import Block, mine
from btcctl.sandbox.simnode.chain.block_file import BlockFile
from btcctl.sandbox.simnode.chain.chain import Chain, InvalidBlock
from btcctl.sandbox.simnode.chain.coins import Coins
from btcctl.sandbox.simnode.chain.mempool import Mempool
from btcctl.sandbox.simnode.chain.transaction import decode

BLOCK_TRANSACTIONS = 2000  # about a full block of small ones
_STALE_TIP_SECONDS = 24 * 60 * 60


class Ledger:
    """A Chain whose blocks survive a restart.

    Args:
        path: The block file; read in full here.
        clock: For the times of mined blocks.
    """

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self.chain = Chain()
        self._clock = clock
        self._file = BlockFile(path)
        self._extra_nonces = itertools.count(1)
        self._is_catching_up = True
        for block in self._file.read():
            try:
                self.chain.add(block)
            except InvalidBlock:
                continue  # the peers have better ones
        self.mempool = Mempool(self.chain, Coins(self.chain))
        self.mempool.follow()

    def add(self, block: Block) -> bool:
        """Take in a block from a peer; False if it was known.

        Raises:
            InvalidBlock: It breaks a rule, or its parent is not known.
        """
        for text in block.transactions:
            try:
                decode(text)
            except ValueError as error:
                raise InvalidBlock(f"{block.hash_hex}: {error}") from error
        is_new = self.chain.add(block, self._now())
        if is_new:
            self._file.append(block)
            self.mempool.follow()
        return is_new

    def generate(self, address: str) -> Block:
        """Mine one block on top of the tip."""
        tip = self.chain.tip
        time = max(self._now(), self.chain.median_time(tip) + 1)
        extra = f"{address}/{secrets.token_hex(4)}/{next(self._extra_nonces)}"
        waiting = itertools.islice(self.mempool, BLOCK_TRANSACTIONS)
        block = mine(tip.hash, tip.height + 1, time, extra.encode("ascii"), tuple(each.encode() for each in waiting))
        self.add(block)
        return block

    def is_initial_download(self) -> bool:
        """True until the tip has once been younger than a day, as bitcoind's `initialblockdownload`."""
        if self._is_catching_up:
            self._is_catching_up = self.tip_age_seconds() > _STALE_TIP_SECONDS
        return self._is_catching_up

    def tip_age_seconds(self) -> int:
        """How long ago the best block was made, by its own time."""
        return self._now() - self.chain.tip.block.time

    def close(self) -> None:
        self._file.close()

    def _now(self) -> int:
        return int(self._clock.wall_time().timestamp())
