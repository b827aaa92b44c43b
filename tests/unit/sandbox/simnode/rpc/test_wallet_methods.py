from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from btcctl import codecs
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.payout import is_address, segwit_address
from btcctl.sandbox.simnode.chain.wallet import Wallets
from btcctl.sandbox.simnode.rpc.jsonrpc import RpcError
from btcctl.sandbox.simnode.rpc.server import wallet_of
from btcctl.sandbox.simnode.rpc.wallet_methods import WalletMethods, named_wallet
from btcctl.testing.clock import FakeClock

Call = Callable[..., Any]
ELSEWHERE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "blocks.txt", FakeClock())) as made:
        yield made


@pytest.fixture
def relayed() -> list[str]:
    return []


@pytest.fixture
def call(ledger: Ledger, tmp_path: Path, relayed: list[str]) -> Call:
    methods = WalletMethods(ledger, Wallets(tmp_path / "wallets", "bcrt"), lambda each: relayed.append(each.txid))
    table = {method.name: method for method in methods.table()}

    def call(name: str, *params: Any, wallet: str | None = None) -> Any:
        token = named_wallet.set(wallet)
        try:
            return json.loads(codecs.encode(table[name].handler(*table[name].arguments(list(params)))))
        finally:
            named_wallet.reset(token)

    return call


def error_of(call: Call, *args: Any, **options: Any) -> int:
    with pytest.raises(RpcError) as caught:
        call(*args, **options)
    return caught.value.code


def test_a_wallet_is_paid_by_blocks_and_can_spend_a_hundred_blocks_later(
    call: Call, ledger: Ledger, relayed: list[str]
) -> None:
    call("createwallet", "w")
    address = call("getnewaddress")
    for _ in range(101):
        ledger.generate(address)
    assert call("getbalance") == 50.0
    assert call("getbalances")["mine"] == {"trusted": 50.0, "untrusted_pending": 0.0, "immature": 5000.0}
    txid = call("sendtoaddress", ELSEWHERE, 1.5)
    assert relayed == [txid]
    assert call("getrawmempool") == [txid]
    assert 48.4 < call("getbalance") < 48.5
    block = ledger.generate(ELSEWHERE)
    assert len(block.transactions) == 1
    assert call("getmempoolinfo")["size"] == 0


def test_the_fee_is_that_of_the_rate_that_was_asked_for(call: Call, ledger: Ledger) -> None:
    call("createwallet", "w")
    address = call("getnewaddress")
    for _ in range(101):
        ledger.generate(address)
    call("sendtoaddress", ELSEWHERE, 1.0, None, None, None, None, None, None, None, 2)
    assert call("getmempoolinfo")["total_fee"] == pytest.approx(2 * (11 + 68 + 62) / 1e8)


def test_refusals_have_the_codes_of_a_real_node(call: Call) -> None:
    assert error_of(call, "getnewaddress") == -18
    call("createwallet", "a")
    assert error_of(call, "createwallet", "a") == -4
    assert error_of(call, "loadwallet", "a") == -35
    assert error_of(call, "loadwallet", "nonesuch") == -18
    assert error_of(call, "sendtoaddress", ELSEWHERE, 1.0) == -6
    assert error_of(call, "sendtoaddress", "x", 1.0) == -5
    assert error_of(call, "sendtoaddress", ELSEWHERE, -1.0) == -3
    call("createwallet", "b")
    assert error_of(call, "getbalance") == -19
    assert error_of(call, "getbalance", wallet="c") == -18
    assert call("getwalletinfo", wallet="b")["walletname"] == "b"


def test_a_wallet_outlives_its_node(call: Call, tmp_path: Path, ledger: Ledger) -> None:
    call("createwallet", "../w")
    ledger.generate(call("getnewaddress"))
    again = WalletMethods(ledger, Wallets(tmp_path / "wallets", "bcrt"), lambda _: None)
    table = {method.name: method for method in again.table()}
    assert table["listwallets"].handler() == []
    table["loadwallet"].handler("../w")
    assert json.loads(codecs.encode(table["getbalances"].handler()))["mine"]["immature"] == 50.0
    assert all(path.parent == tmp_path / "wallets" for path in tmp_path.rglob("*.txt") if path.name != "blocks.txt")


def test_the_addresses_that_are_made_are_addresses() -> None:
    # The example of BIP 173, and one that is all ones.
    example = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
    assert segwit_address("bcrt", example) == ELSEWHERE
    assert is_address(segwit_address("tb", b"\xff" * 20), "tb")


@pytest.mark.parametrize(("path", "wallet"), [("/", None), ("/wallet/", ""), ("/wallet/a%20b?x", "a b")])
def test_a_wallet_is_named_by_the_path(path: str, wallet: str | None) -> None:
    assert wallet_of(path) == wallet


def test_each_call_has_the_wallet_of_its_own_path() -> None:
    async def one(name: str) -> str | None:
        named_wallet.set(name)
        await asyncio.sleep(0)
        return named_wallet.get()

    async def both() -> list[str | None]:
        return await asyncio.gather(one("a"), one("b"))

    assert asyncio.run(both()) == ["a", "b"]
