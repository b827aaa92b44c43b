"""Transactions: what they spend and what they make, without signatures: what says that it may spend is believed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from btcctl import codecs
from btcctl.sandbox.simnode.chain.block import double_sha256, to_hex

COIN = 100_000_000  #: in the smallest unit, a satoshi
FIRST_SUBSIDY = 50 * COIN
HALVING_BLOCKS = 150  # regtest's: chainparams.cpp of Bitcoin Core, nSubsidyHalvingInterval
MATURITY_BLOCKS = 100  # so many blocks on top before a reward can be spent (COINBASE_MATURITY)
MOST_COINS = 21_000_000 * COIN
#: What a transaction like ours has on a real node; fees are reckoned by it.
VIRTUAL_BYTES_BASE, VIRTUAL_BYTES_IN, VIRTUAL_BYTES_OUT = 11, 68, 31


class OutPoint(NamedTuple):
    """An output of a transaction."""

    txid: str
    number: int


class Output(msgspec.Struct, frozen=True, array_like=True):
    address: str
    amount: int


class Transaction(msgspec.Struct, frozen=True, array_like=True):
    """One transaction.

    Attributes:
        salt: Tells it from others that spend and make the same.
    """

    inputs: tuple[OutPoint, ...]
    outputs: tuple[Output, ...]
    salt: str = ""

    @property
    def txid(self) -> str:
        return to_hex(double_sha256(codecs.encode(self)))

    @property
    def virtual_bytes(self) -> int:
        return VIRTUAL_BYTES_BASE + VIRTUAL_BYTES_IN * len(self.inputs) + VIRTUAL_BYTES_OUT * len(self.outputs)

    def encode(self) -> str:
        """In hexadecimal: what goes over the wire and into blocks."""
        return codecs.encode(self).hex()


_decoder: msgspec.json.Decoder[Transaction] = codecs.decoder_of(Transaction)


def decode(text: str) -> Transaction:
    """The reverse of `Transaction.encode`.

    Raises:
        ValueError: The text is none, or spends or makes nothing that can be.
    """
    try:
        transaction = _decoder.decode(bytes.fromhex(text))
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a transaction: {text[:40]!r}") from error
    amounts = [output.amount for output in transaction.outputs]
    if not transaction.inputs or not amounts or min(amounts) <= 0 or sum(amounts) > MOST_COINS:
        raise ValueError(f"{transaction.txid} moves nothing that can be")
    if len(set(transaction.inputs)) < len(transaction.inputs):
        raise ValueError(f"{transaction.txid} spends an output twice")
    return transaction


def make(inputs: Sequence[OutPoint], outputs: Sequence[Output]) -> Transaction:
    """A new one, unlike any other."""
    return Transaction(tuple(inputs), tuple(outputs), secrets.token_hex(8))


def subsidy(height: int) -> int:
    """What a block of that height makes."""
    return FIRST_SUBSIDY >> (height // HALVING_BLOCKS) if height else 0
