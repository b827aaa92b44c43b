from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from btcctl.sandbox.simnode.chain.block import GENESIS
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.rpc.chain_methods import ChainMethods, SimulatedChain
from btcctl.sandbox.simnode.rpc.jsonrpc import RpcError
from btcctl.testing.clock import FakeClock
from tests.unit.sandbox.simnode.chain.blocks import branch

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


class Chain:
    """The methods over a ledger, called by name."""

    def __init__(self, directory: Path) -> None:
        self.announced = 0
        self.clock = FakeClock()
        self.ledger = Ledger(directory / "blocks", self.clock)
        self._table = {
            method.name: method
            for method in ChainMethods(self.ledger, self._announce, self.clock, ["simulated"]).table()
        }

    def call(self, name: str, *params: Any) -> Any:
        method = self._table[name]
        result = method.handler(*method.arguments(list(params)))
        return asyncio.run(result) if name == "generatetoaddress" else result

    def _announce(self) -> None:
        self.announced += 1


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    chain = Chain(tmp_path)
    yield chain
    chain.ledger.close()


def test_genesis_is_described_as_bitcoin_core_does(chain: Chain) -> None:
    info = chain.call("getblockchaininfo")
    assert info["initialblockdownload"] is True
    assert 0 < info["verificationprogress"] < 1e-5
    assert (info["bits"], info["target"], info["warnings"]) == ("207fffff", "7fffff" + "0" * 58, ["simulated"])


def test_a_fresh_tip_is_full_progress(chain: Chain) -> None:
    chain.call("generatetoaddress", 1, ADDRESS)
    assert chain.call("getblockchaininfo")["verificationprogress"] == 1


def test_mining_returns_the_hashes_and_announces_the_last(chain: Chain) -> None:
    hashes = chain.call("generatetoaddress", 101, ADDRESS)
    assert [chain.call("getblockhash", height) for height in range(1, 102)] == hashes
    assert chain.call("getbestblockhash") == hashes[-1]
    assert chain.announced == 2


@pytest.mark.parametrize("blocks", [0, -1])
def test_mining_nothing_returns_nothing(chain: Chain, blocks: int) -> None:
    assert chain.call("generatetoaddress", blocks, ADDRESS) == []


def test_mining_two_hours_into_the_future_is_an_error(chain: Chain) -> None:
    chain.call("generatetoaddress", 1, ADDRESS)
    chain.clock.advance(-3 * 60 * 60)
    with pytest.raises(RpcError, match="two hours in the future"):
        chain.call("generatetoaddress", 20, ADDRESS)


@pytest.mark.parametrize("height", [-1, 1, 10**12])
def test_a_height_nobody_has_is_out_of_range(chain: Chain, height: int) -> None:
    with pytest.raises(RpcError, match="Block height out of range"):
        chain.call("getblockhash", height)


def test_a_header_of_a_losing_branch_has_no_confirmations(chain: Chain) -> None:
    losing, winning = branch(1, "b"), branch(2, "c")
    for block in (*losing, *winning):
        chain.ledger.add(block)
    header = chain.call("getblockheader", losing[0].hash_hex)
    assert (header["confirmations"], "nextblockhash" in header) == (-1, False)
    first = chain.call("getblockheader", winning[0].hash_hex)
    assert (first["previousblockhash"], first["nextblockhash"]) == (GENESIS.hash_hex, winning[1].hash_hex)
    assert [tip["status"] for tip in chain.call("getchaintips")] == ["active", "valid-fork"]


@pytest.mark.parametrize(("text", "message"), [("zz" * 32, "must be hexadecimal"), ("00" * 32, "Block not found")])
def test_a_hash_nobody_has_is_refused(chain: Chain, text: str, message: str) -> None:
    with pytest.raises(RpcError, match=message):
        chain.call("getblockheader", text)


def test_on_another_chain_blocks_are_not_mined_at_will_and_addresses_are_its_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "blocks", FakeClock())
    methods = ChainMethods(ledger, lambda: None, FakeClock(), [], SimulatedChain("signet", "51"))
    generate = next(each for each in methods.table() if each.name == "generatetoaddress").handler
    assert (methods.blockchain_info()["chain"], methods.blockchain_info()["signet_challenge"]) == ("signet", "51")
    assert asyncio.run(generate(1, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", None)) == []
    with pytest.raises(RpcError, match="Invalid address"):
        asyncio.run(generate(1, ADDRESS, None))
    ledger.close()
