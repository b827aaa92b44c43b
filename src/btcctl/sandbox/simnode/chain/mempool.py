"""Transactions that wait for a block, in an order in which each can follow those before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from btcctl.errors import BtcctlError
from btcctl.sandbox.simnode.chain.chain import Chain
from btcctl.sandbox.simnode.chain.coins import Coin, Coins
from btcctl.sandbox.simnode.chain.transaction import OutPoint, Transaction

MOST = 5000  #: transactions; a real node's limit is 300 MB


class Refused(BtcctlError):
    """A transaction cannot wait here: says why, in bitcoind's words."""


class Mempool:
    """Invariant: every transaction spends coins of the chain, or outputs of those before it, and none twice."""

    def __init__(self, chain: Chain, coins: Coins) -> None:
        self._chain = chain
        self._coins = coins
        self._waiting: dict[str, Transaction] = {}
        self._fees: dict[str, int] = {}
        self._spent: set[OutPoint] = set()
        self._made: dict[OutPoint, Coin] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._waiting.values())

    def __contains__(self, txid: object) -> bool:
        return txid in self._waiting

    @property
    def fees(self) -> int:
        return sum(self._fees.values())

    def add(self, transaction: Transaction) -> bool:
        """Let it wait; False if it does already.

        Raises:
            Refused: It cannot.
        """
        txid = transaction.txid
        if txid in self._waiting:
            return False
        if len(self._waiting) >= MOST:
            raise Refused("mempool full")
        if any(each in self._spent for each in transaction.inputs):
            raise Refused("txn-mempool-conflict")
        coins = [self.coin(each) for each in transaction.inputs]
        there = [coin for coin in coins if coin is not None]
        if len(there) < len(coins):
            raise Refused("bad-txns-inputs-missingorspent")
        if not all(coin.is_mature(self._chain.tip.height) for coin in there):
            raise Refused("bad-txns-premature-spend-of-coinbase")
        fee = sum(coin.output.amount for coin in there) - sum(output.amount for output in transaction.outputs)
        if fee < 0:
            raise Refused("bad-txns-in-belowout")
        self._keep(txid, transaction, fee)
        return True

    def coin(self, at: OutPoint) -> Coin | None:
        """An output of the chain or of a waiting transaction, whether one spends it or not."""
        return self._coins.get(at) or self._made.get(at)

    def spendable(self) -> Iterator[Coin]:
        """What no waiting transaction spends."""
        for coins in (self._coins, self._made.values()):
            yield from (coin for coin in coins if coin.at not in self._spent)

    def follow(self) -> None:
        """Catch up with the chain: what is in a block now, or contradicts one, waits no longer."""
        orphans = self._coins.follow()
        if orphans or self._waiting:
            self._refill([*orphans, *self._waiting.values()])

    def _refill(self, candidates: Iterable[Transaction]) -> None:
        self._waiting, self._fees, self._spent, self._made = {}, {}, set(), {}
        for each in candidates:
            try:
                self.add(each)
            except Refused:
                continue

    def _keep(self, txid: str, transaction: Transaction, fee: int) -> None:
        self._waiting[txid], self._fees[txid] = transaction, fee
        self._spent.update(transaction.inputs)
        for index, output in enumerate(transaction.outputs):
            at = OutPoint(txid, index)
            self._made[at] = Coin(at, output, self._chain.tip.height + 1)
