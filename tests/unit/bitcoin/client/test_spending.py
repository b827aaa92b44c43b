from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.client.spending import (
    NOBODY,
    WALLET,
    NothingToSpend,
    mine_blocks,
    mining_address,
    spend,
    wallet_of,
)
from btcctl.bitcoin.rpc import InsufficientFunds, MethodNotFound, RpcError, WalletNotFound
from btcctl.errors import BtcctlError


class FakeNode:
    """A node with wallets on disk and in memory; None: one without wallets."""

    def __init__(self, loaded: list[str] | None, stored: tuple[str, ...] = (), *, coins: int = 1) -> None:
        self.loaded = loaded
        self.stored = {*stored, *(loaded or ())}
        self.coins = coins
        self.sent: list[dict[str, Any]] = []

    def call(self, method: str, *params: Any, **options: Any) -> Any:
        if self.loaded is None:
            raise MethodNotFound(-32601, "Method not found")
        return getattr(self, method)(*params, **options)

    def wallet(self, name: str) -> FakeNode:
        assert name in (self.loaded or [])
        return self

    def listwallets(self) -> list[str]:
        return list(self.loaded or [])

    def loadwallet(self, name: str) -> None:
        if name not in self.stored:
            raise WalletNotFound(-18, "Path does not exist")
        self.loaded = [*(self.loaded or []), name]

    def createwallet(self, name: str) -> None:
        if name in self.stored:
            raise RpcError(-4, "Database already exists")
        self.loaded = [*(self.loaded or []), name]

    def getnewaddress(self) -> str:
        return "bcrt1qnew"

    def sendtoaddress(self, *, named: dict[str, Any], retry: bool) -> str:
        assert not retry
        if not self.coins:
            raise InsufficientFunds(-6, "Insufficient funds")
        self.coins -= 1
        self.sent.append(named)
        return "txid"


@pytest.mark.parametrize("node", [FakeNode([WALLET, "mine"]), FakeNode([], (WALLET,)), FakeNode(["mine"])])
def test_a_wallet_is_there_whether_it_was_loaded_stored_or_not_made_yet(node: Any) -> None:
    wallet_of(node)
    assert node.loaded.count(WALLET) == 1


def test_blocks_pay_to_the_wallet_or_to_nobody_where_there_are_none() -> None:
    node: Any = FakeNode([])
    assert mining_address(node) == "bcrt1qnew"
    without: Any = FakeNode(None)
    assert mining_address(without) == NOBODY


def test_a_transaction_says_its_fee_and_an_empty_wallet_what_to_do() -> None:
    node: Any = FakeNode([WALLET], coins=1)
    assert spend(node, "net") == "txid"
    assert node.sent == [{"address": "bcrt1qnew", "amount": 0.001, "fee_rate": 2}]
    with pytest.raises(NothingToSpend, match="btcctl mine net 101"):
        spend(node, "net")


class Miner:
    """A node that answers generatetoaddress with something."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def call(self, method: str, *params: Any, retry: bool) -> Any:
        assert (method, params, retry) == ("generatetoaddress", (3, "address"), False)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"), [([], "mined no block"), ({}, "makes no sense"), (None, "makes no sense"), ([1], "no sense")]
)
def test_a_node_that_mines_nothing_is_not_asked_without_end(answer: Any, words: str) -> None:
    node: Any = Miner(answer)
    with pytest.raises(BtcctlError, match=words):
        mine_blocks(node, 3, "address")


def test_what_a_node_has_mined_is_told_though_it_is_less_than_was_asked_for() -> None:
    node: Any = Miner(["a", "b"])
    assert mine_blocks(node, 3, "address") == ["a", "b"]
