"""Wallets and transactions: a simulated node answers as Bitcoin Core does, as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from btcctl.bitcoin import Credentials, RpcClient, RpcConnections, RpcError
from btcctl.bitcoin.rpc import InsufficientFunds
from tests.integration.sandbox.nodes import ADDRESS, ENV, RPC_PORT, farm_of, real_bitcoind
from tests.integration.support import eventually

CREDENTIALS = Credentials(ENV["BC_RPC_USER"], ENV["BC_RPC_PASSWORD"])


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RpcClient, RpcClient]]:
    """Two nodes that know each other."""
    bitcoind = real_bitcoind() if request.param == "real" else None
    with farm_of(bitcoind, tmp_path) as farm, closing(RpcConnections(RPC_PORT, read_seconds=60.0)) as connections:
        one, other = farm.start(2)
        one.call("addnode", other.ip, "onetry")
        yield connections.client(one.ip, CREDENTIALS), connections.client(other.ip, CREDENTIALS)


def error_of(node: RpcClient, method: str, *params: object) -> int:
    with pytest.raises(RpcError) as caught:
        node.call(method, *params)
    return caught.value.code


def test_coins_are_mined_spent_relayed_and_confirmed(pair: tuple[RpcClient, RpcClient]) -> None:
    one, other = pair
    one.call("createwallet", "w")
    with pytest.raises(InsufficientFunds):
        one.call("sendtoaddress", named={"address": ADDRESS, "amount": 1, "fee_rate": 2})
    one.call("generatetoaddress", 101, one.call("getnewaddress"))
    assert one.call_json("getbalance", b"[]") == "50.00000000"
    assert one.call("getbalances")["mine"]["immature"] == 5000
    eventually(lambda: other.call("getblockcount") == 101)
    txid = one.call("sendtoaddress", ADDRESS, named={"amount": 1.25, "fee_rate": 2})
    assert one.call("getrawmempool") == [txid]
    eventually(lambda: other.call("getrawmempool") == [txid])
    (block,) = other.call("generatetoaddress", 1, ADDRESS)
    assert other.call("getblock", block)["tx"][1:] == [txid]
    eventually(lambda: one.call("getmempoolinfo")["size"] == 0)
    assert 98.7 < one.wallet("w").call("getbalance") < 98.75


def test_errors_have_the_same_codes(pair: tuple[RpcClient, RpcClient]) -> None:
    one, _ = pair
    assert error_of(one, "getnewaddress") == -18
    one.call("createwallet", "a")
    assert error_of(one, "createwallet", "a") == -4
    assert error_of(one, "loadwallet", "a") == -35
    assert error_of(one, "loadwallet", "nonesuch") == -18
    assert error_of(one, "sendtoaddress", "nonsense", 1) == -5
    assert error_of(one, "sendtoaddress", ADDRESS, -1) == -3
    one.call("createwallet", "b")
    assert error_of(one, "getbalance") == -19
    assert error_of(one.wallet("c"), "getbalance") == -18
    assert one.wallet("a").call("getwalletinfo")["walletname"] == "a"
    assert error_of(one, "generate", 101) == -1
    assert error_of(one, "generate") == -32601
