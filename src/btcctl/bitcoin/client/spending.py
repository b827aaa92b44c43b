"""A wallet on a node, and transactions out of it, so that blocks are not empty."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from btcctl import codecs
from btcctl.bitcoin.rpc import InsufficientFunds, MethodNotFound, RpcClient, RpcError, RpcUnavailable, WalletNotFound
from btcctl.errors import BtcctlError

WALLET: Final = "btcctl"
#: For nodes without wallets. Nobody has its key: the example of BIP 173, with regtest's prefix.
NOBODY: Final = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
AMOUNT: Final = 0.001  # BTC
FEE_RATE: Final = 2  # sat/vB; a new chain has nothing to estimate one from
_ALREADY_LOADED = -35  # rpc/protocol.h: RPC_WALLET_ALREADY_LOADED
_WALLET_ERROR = -4  # also: the wallet exists already


class NothingToSpend(BtcctlError):
    """The wallet has no coins that can be spent; says how to get some."""


class NothingMined(BtcctlError):
    """The node has mined no block; says why that may be."""


def mine_blocks(node: RpcClient, count: int, address: str) -> list[str]:
    """Mine at once; returns the blocks' hashes, fewer than asked for if the node stops.

    Raises:
        NothingMined: Not one.
    """
    hashes = _texts(node.call("generatetoaddress", count, address, retry=False), "generatetoaddress")
    if not hashes:
        raise NothingMined("it mined no block: it is stopping, or its chain is one that takes work")
    return hashes


def mining_address(node: RpcClient) -> str:
    """Where blocks are to pay: to the node's wallet, or to nobody if the node has no wallets."""
    try:
        return str(wallet_of(node).call("getnewaddress"))
    except MethodNotFound:
        return NOBODY


def wallet_of(node: RpcClient) -> RpcClient:
    """Our wallet on a node: loaded, or made.

    Raises:
        MethodNotFound: The node has no wallets.
    """
    if WALLET not in _texts(node.call("listwallets"), "listwallets"):
        try:
            node.call("loadwallet", WALLET)
        except WalletNotFound:
            node.call("createwallet", WALLET)
        except RpcError as error:
            if error.code not in {_ALREADY_LOADED, _WALLET_ERROR}:
                raise
    return node.wallet(WALLET)


def spend(wallet: RpcClient, name: str) -> str:
    """Send a little to a new address of the same wallet; returns the transaction's id.

    Args:
        name: Of the network, for advice.

    Raises:
        NothingToSpend: There is nothing to send.
    """
    address = wallet.call("getnewaddress")
    asked: dict[str, Any] = {"address": address, "amount": AMOUNT, "fee_rate": FEE_RATE}
    try:
        return str(wallet.call("sendtoaddress", named=asked, retry=False))
    except InsufficientFunds as error:
        raise NothingToSpend(
            f"wallet {WALLET!r} has nothing to spend: btcctl mine {name} 101 gives it coins, and btcctl mine {name} "
            "makes room for more transactions that depend on each other"
        ) from error


def _texts(result: Any, method: str) -> list[str]:
    try:
        texts: list[str] = codecs.convert(result, list[str])
        return texts
    except msgspec.ValidationError as error:
        raise RpcUnavailable(f"its answer to {method} makes no sense: {error}") from error
