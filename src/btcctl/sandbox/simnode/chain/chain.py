"""The tree of blocks, and its branch with the most work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from btcctl.errors import BtcctlError
from btcctl.sandbox.simnode.chain.block import GENESIS, WORK_PER_BLOCK, Block, double_sha256

_MEDIAN_SPAN = 11  # BIP 113
_FUTURE_SECONDS = 2 * 60 * 60
_DENSE_LOCATOR = 10


class InvalidBlock(BtcctlError):
    """A block breaks a rule; whoever sent it lies or is confused."""


class UnknownParent(InvalidBlock):
    """The block before this one has not been seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A block in its place."""

    block: Block
    height: int
    work: int  #: of the whole branch from genesis to here

    @property
    def hash(self) -> bytes:
        return self.block.hash


class Chain:
    """Every valid block seen. The active chain is the branch with the most work; of two equals, the first seen.

    Invariant: `_active[h]` is the active entry of height h, and each one's parent is the one before it.
    """

    def __init__(self) -> None:
        genesis = Entry(GENESIS, 0, WORK_PER_BLOCK)
        self._entries = {genesis.hash: genesis}
        self._active = [genesis]
        self._leaves = {genesis.hash: genesis}
        self.size_bytes = GENESIS.size_bytes

    @property
    def tip(self) -> Entry:
        return self._active[-1]

    def find(self, hash_: bytes) -> Entry | None:
        return self._entries.get(hash_)

    def at(self, height: int) -> Entry | None:
        """The active block of that height."""
        return self._active[height] if 0 <= height < len(self._active) else None

    def is_active(self, entry: Entry) -> bool:
        return self.at(entry.height) is entry

    def add(self, block: Block, now: int | None = None) -> bool:
        """Take a block in; the active chain moves if it now ends the branch with the most work.

        Args:
            block: Any block.
            now: Seconds since 1970, to refuse blocks from the future; None believes them.

        Returns:
            False if the block was known.

        Raises:
            UnknownParent: The block before it is not known.
            InvalidBlock: It breaks a rule.
        """
        if block.hash in self._entries:
            return False
        parent = self._entries.get(block.previous)
        if parent is None:
            raise UnknownParent(f"{block.hash_hex}: the block before it is not known")
        self._check(block, parent, now)
        entry = Entry(block, parent.height + 1, parent.work + WORK_PER_BLOCK)
        self._entries[entry.hash] = entry
        self._leaves.pop(parent.hash, None)
        self._leaves[entry.hash] = entry
        self.size_bytes += block.size_bytes
        if entry.work > self.tip.work:
            self._activate(entry)
        return True

    def leaves(self) -> list[Entry]:
        """The end of every branch, highest first."""
        return sorted(self._leaves.values(), key=lambda entry: entry.height, reverse=True)

    def fork_of(self, entry: Entry) -> Entry:
        """The last active block at or before `entry`."""
        return next(each for each in self._back_from(entry) if self.is_active(each))

    def median_time(self, entry: Entry) -> int:
        """Median of the times of the last 11 blocks up to `entry`, in seconds since 1970."""
        times = [each.block.time for each, _ in zip(self._back_from(entry), range(_MEDIAN_SPAN), strict=False)]
        return sorted(times)[len(times) // 2]

    def locator(self) -> list[bytes]:
        """Hashes of the active chain, tip first, ever sparser, genesis last: enough to find a fork."""
        hashes: list[bytes] = []
        height, step = self.tip.height, 1
        while height > 0:
            hashes.append(self._active[height].hash)
            if len(hashes) >= _DENSE_LOCATOR:
                step *= 2
            height -= step
        return [*hashes, GENESIS.hash]

    def after(self, locator: Sequence[bytes], limit: int) -> list[Block]:
        """At most `limit` active blocks above the first locator entry that is on the active chain."""
        known = (self._entries.get(hash_) for hash_ in locator)
        start = next((entry.height for entry in known if entry is not None and self.is_active(entry)), 0)
        return [entry.block for entry in self._active[start + 1 : start + 1 + limit]]

    def _check(self, block: Block, parent: Entry, now: int | None) -> None:
        if not block.has_proof_of_work():
            raise InvalidBlock(f"{block.hash_hex}: its hash does not meet the target")
        if block.merkle_root != double_sha256(block.content):
            raise InvalidBlock(f"{block.hash_hex}: the merkle root is not that of its content")
        if block.claimed_height != parent.height + 1:
            raise InvalidBlock(f"{block.hash_hex}: claims height {block.claimed_height}, not {parent.height + 1}")
        if block.time <= self.median_time(parent):
            raise InvalidBlock(f"{block.hash_hex}: not later than the median of the blocks before it")
        if now is not None and block.time > now + _FUTURE_SECONDS:
            raise InvalidBlock(f"{block.hash_hex}: more than two hours in the future")

    def _activate(self, tip: Entry) -> None:
        branch: list[Entry] = []
        for entry in self._back_from(tip):
            if self.is_active(entry):
                break
            branch.append(entry)
        del self._active[branch[-1].height :]
        self._active.extend(reversed(branch))

    def _back_from(self, entry: Entry) -> Iterator[Entry]:
        at: Entry | None = entry
        while at is not None:
            yield at
            at = self._entries.get(at.block.previous)
