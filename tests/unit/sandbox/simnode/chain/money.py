"""A ledger with money in it, for tests."""

from __future__ import annotations

from pathlib import Path

from btcctl.sandbox.simnode.chain.coins import Coin
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.transaction import COIN, Output, Transaction, make
from btcctl.testing.clock import FakeClock

ALICE, BOB, NOBODY = "alice", "bob", "nobody"


def ledger(directory: Path, name: str = "blocks", *, blocks: int = 0, pays: str = ALICE) -> Ledger:
    """One whose blocks pay to `pays`."""
    made = Ledger(directory / f"{name}.txt", FakeClock())
    for _ in range(blocks):
        made.generate(pays)
    return made


def coins_of(owner: str, books: Ledger) -> list[Coin]:
    """What somebody could spend, the oldest first."""
    found = [coin for coin in books.mempool.spendable() if coin.output.address == owner]
    return sorted(found, key=lambda coin: coin.height)


def payment(coin: Coin, to: str = BOB, *, fee: int = 1000) -> Transaction:
    return make([coin.at], [Output(to, coin.output.amount - fee)])


def balance(owner: str, books: Ledger) -> float:
    return sum(coin.output.amount for coin in coins_of(owner, books)) / COIN
