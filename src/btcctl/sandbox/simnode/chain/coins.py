"""The outputs that the active chain has made and not spent.

Rules:
* a block's transactions count in their order; one that spends what is not there, or more than that, has no effect;
* `follow` undoes blocks that have left the active chain, the last first, and then takes in those that have come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from btcctl.sandbox.simnode.chain.block import GENESIS, Block, double_sha256, to_hex
from btcctl.sandbox.simnode.chain.chain import Chain
from btcctl.sandbox.simnode.chain.transaction import MATURITY_BLOCKS, OutPoint, Output, Transaction, decode, subsidy


@dataclass(frozen=True, slots=True)
class Coin:
    """An output that can be spent, or will be."""

    at: OutPoint
    output: Output
    height: int  #: of its block; one more than the tip's while it waits for one
    is_reward: bool = False

    def is_mature(self, tip_height: int) -> bool:
        """Whether it can be in a block on top of the tip."""
        return not self.is_reward or tip_height + 1 - self.height >= MATURITY_BLOCKS


@dataclass(slots=True)
class _Applied:
    """What a block has done."""

    hash: bytes
    made: list[OutPoint] = field(default_factory=list)
    spent: list[Coin] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)


class Coins:
    """Follows a chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._coins: dict[OutPoint, Coin] = {}
        self._applied = [_Applied(GENESIS.hash)]

    def __iter__(self) -> Iterator[Coin]:
        return iter(self._coins.values())

    def get(self, at: OutPoint) -> Coin | None:
        return self._coins.get(at)

    def follow(self) -> list[Transaction]:
        """Catch up with the chain; returns the transactions of blocks that have left it, the earliest first."""
        orphans: list[Transaction] = []
        while not self._is_active(len(self._applied) - 1):
            orphans[:0] = self._undo(self._applied.pop())
        for height in range(len(self._applied), self._chain.tip.height + 1):
            entry = self._chain.at(height)
            if entry is not None:
                self._applied.append(self._apply(entry.block, height))
        return orphans

    def _is_active(self, height: int) -> bool:
        entry = self._chain.at(height)
        return entry is not None and entry.hash == self._applied[height].hash

    def _apply(self, block: Block, height: int) -> _Applied:
        done, fees = _Applied(block.hash), 0
        for transaction in transactions_of(block):
            fee = self.fee(transaction, height)
            if fee is None:
                continue
            fees += fee
            done.transactions.append(transaction)
            done.spent += [self._coins.pop(each) for each in transaction.inputs]
            for index, output in enumerate(transaction.outputs):
                self._make(done, Coin(OutPoint(transaction.txid, index), output, height))
        reward = Output(reward_address(block), subsidy(height) + fees)
        if reward.amount:
            self._make(done, Coin(OutPoint(reward_txid(block), 0), reward, height, is_reward=True))
        return done

    def fee(self, transaction: Transaction, height: int) -> int | None:
        """What it leaves to the miner; None if it cannot stand in a block of that height."""
        coins = [self._coins.get(each) for each in transaction.inputs]
        there = [coin for coin in coins if coin is not None and coin.is_mature(height - 1)]
        left = sum(coin.output.amount for coin in there) - sum(output.amount for output in transaction.outputs)
        return left if len(there) == len(coins) and left >= 0 else None

    def _make(self, done: _Applied, coin: Coin) -> None:
        self._coins[coin.at] = coin
        done.made.append(coin.at)

    def _undo(self, done: _Applied) -> list[Transaction]:
        for coin in done.spent:
            self._coins[coin.at] = coin
        for at in done.made:
            self._coins.pop(at, None)
        return done.transactions


def transactions_of(block: Block) -> list[Transaction]:
    """Those that can be read; a block that was taken in has no others."""
    return [decode(text) for text in block.transactions]


def reward_txid(block: Block) -> str:
    return to_hex(double_sha256(block.coinbase))


def reward_address(block: Block) -> str:
    """Whom its coinbase names; "" if it is not of our making."""
    return block.coinbase[4:].partition(b"/")[0].decode("ascii", "replace")
