"""Wallets: named lists of addresses, kept in a file each. Whose an address is, is all that they know."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from btcctl.errors import BtcctlError
from btcctl.sandbox.simnode.chain.coins import Coin
from btcctl.sandbox.simnode.chain.mempool import Mempool
from btcctl.sandbox.simnode.chain.payout import segwit_address
from btcctl.sandbox.simnode.chain.transaction import Output, Transaction, make

_DUST = 294  # what bitcoind does not make of a change to a segwit address
_MOST_INPUTS = 500


class InsufficientFunds(BtcctlError):
    """The wallet has too little that can be spent."""


def is_settled(coin: Coin, tip_height: int) -> bool:
    """Whether a wallet spends it: a reward one block later than it could (COINBASE_MATURITY + 1 in wallet.cpp)."""
    return coin.is_mature(tip_height - 1)


class Wallet:
    """One wallet.

    Args:
        path: A file with an address a line; made if there is none.
        prefix: Of segwit addresses of the chain.
    """

    def __init__(self, path: Path, prefix: str) -> None:
        self._path = path
        self._prefix = prefix
        path.touch()
        self._addresses = dict.fromkeys(path.read_text(encoding="ascii").split())

    def __contains__(self, coin: Coin) -> bool:
        return coin.output.address in self._addresses

    def new_address(self) -> str:
        address = segwit_address(self._prefix, secrets.token_bytes(20))
        self._addresses[address] = None
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{address}\n")
        return address

    def mine(self, coins: Iterable[Coin]) -> Iterator[Coin]:
        return (coin for coin in coins if coin in self)

    def pay(self, mempool: Mempool, tip_height: int, output: Output, fee_rate: float) -> Transaction:
        """A transaction that pays, with change to a new address; it does not wait in the mempool yet.

        Args:
            fee_rate: In the smallest unit for each virtual byte.

        Raises:
            InsufficientFunds: There is too little.
        """
        candidates = sorted(self.mine(mempool.spendable()), key=lambda coin: coin.output.amount, reverse=True)
        chosen: list[Coin] = []
        for coin in candidates[:_MOST_INPUTS]:
            if not is_settled(coin, tip_height):
                continue
            chosen.append(coin)
            change = self._change(chosen, output, fee_rate)
            if change >= 0:
                outputs = [output, *([Output(self.new_address(), change)] if change > _DUST else [])]
                return make([each.at for each in chosen], outputs)
        raise InsufficientFunds("Insufficient funds")

    @staticmethod
    def _change(chosen: list[Coin], output: Output, fee_rate: float) -> int:
        size = make([coin.at for coin in chosen], [output, output]).virtual_bytes
        return sum(coin.output.amount for coin in chosen) - output.amount - round(size * fee_rate)


class Wallets:
    """Those of a node.

    Args:
        directory: Made when the first is.
        prefix: Of segwit addresses of the chain.
    """

    def __init__(self, directory: Path, prefix: str) -> None:
        self._directory = directory
        self._prefix = prefix
        self.loaded: dict[str, Wallet] = {}

    def exists(self, name: str) -> bool:
        return self._path(name).exists()

    def load(self, name: str) -> Wallet:
        """Load it, or make it."""
        self._directory.mkdir(parents=True, exist_ok=True)
        wallet = self.loaded[name] = Wallet(self._path(name), self._prefix)
        return wallet

    def _path(self, name: str) -> Path:
        return self._directory / f"{name.encode().hex() or 'unnamed'}.txt"
