"""Methods of wallets and of the transactions that wait."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import msgspec

from btcctl.sandbox.simnode.chain.coins import Coin
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.mempool import Refused
from btcctl.sandbox.simnode.chain.payout import is_address
from btcctl.sandbox.simnode.chain.transaction import COIN, Output, Transaction
from btcctl.sandbox.simnode.chain.wallet import InsufficientFunds, Wallet, Wallets, is_settled
from btcctl.sandbox.simnode.rpc.jsonrpc import INVALID_ADDRESS_OR_KEY, INVALID_PARAMETER, TYPE_ERROR, RpcError
from btcctl.sandbox.simnode.rpc.signatures import Method, Parameter

# rpc/protocol.h of Bitcoin Core
WALLET_ERROR, INSUFFICIENT_FUNDS, WALLET_NOT_FOUND, WALLET_NOT_SPECIFIED, WALLET_ALREADY_LOADED = -4, -6, -18, -19, -35
VERIFY_REJECTED = -26
DEFAULT_FEE_RATE = 20.0  # sat/vB, bitcoind's -fallbackfee as the sandbox has it for real nodes

#: The wallet that the path of the request names; None: it names none.
named_wallet: ContextVar[str | None] = ContextVar("named_wallet", default=None)


class WalletMethods:
    """Wallet and mempool.

    Args:
        ledger: The chain, and what waits for it.
        wallets: This node's.
        relay: Tells the peers about a new transaction.
        prefix: Of segwit addresses of the chain.
    """

    def __init__(
        self, ledger: Ledger, wallets: Wallets, relay: Callable[[Transaction], None], prefix: str = "bcrt"
    ) -> None:
        self._ledger = ledger
        self._wallets = wallets
        self._relay = relay
        self._prefix = prefix

    def table(self) -> list[Method]:
        name = Parameter("wallet_name", "string")
        verbose = Parameter("verbose", "bool", is_required=False)
        optional = [Parameter(each, "bool", is_required=False) for each in ("disable_private_keys", "blank")]
        label = [Parameter(each, "string", is_required=False) for each in ("label", "address_type")]
        return [
            Method("getmempoolinfo", "How many transactions wait.", self._mempool_info, group="Blockchain"),
            Method("getrawmempool", "The transactions that wait.", self._raw_mempool, [verbose], "Blockchain"),
            Method("createwallet", "Make a wallet, and load it.", self._create, [name, *optional], "Wallet"),
            Method("loadwallet", "Load a wallet.", self._load, [Parameter("filename", "string")], "Wallet"),
            Method("listwallets", "The wallets that are loaded.", lambda: list(self._wallets.loaded), group="Wallet"),
            Method("getnewaddress", "An address of the wallet.", self._new_address, label, "Wallet"),
            Method("getbalance", "What the wallet can spend.", self._balance, group="Wallet"),
            Method("getbalances", "What the wallet has, by how sure it is.", self._balances, group="Wallet"),
            Method("getwalletinfo", "The state of the wallet.", self._wallet_info, group="Wallet"),
            Method("sendtoaddress", "Pay; returns the transaction's id.", self._send, _SEND_PARAMETERS, "Wallet"),
        ]

    def _mempool_info(self) -> dict[str, Any]:
        mempool = self._ledger.mempool
        size = sum(each.virtual_bytes for each in mempool)
        return {"loaded": True, "size": len(mempool), "bytes": size, "usage": size, "total_fee": _amount(mempool.fees)}

    def _raw_mempool(self, verbose: bool | None) -> list[str]:
        if verbose:
            raise RpcError(INVALID_PARAMETER, "a simulated node lists the transactions' ids alone")
        return [each.txid for each in self._ledger.mempool]

    def _create(self, name: str, disable_private_keys: bool | None, blank: bool | None) -> dict[str, Any]:
        if self._wallets.exists(name):
            raise RpcError(WALLET_ERROR, f"Wallet file verification failed. Failed to create database path '{name}'.")
        self._wallets.load(name)
        return {"name": name}

    def _load(self, name: str) -> dict[str, Any]:
        if name in self._wallets.loaded:
            raise RpcError(WALLET_ALREADY_LOADED, f'Wallet "{name}" is already loaded.')
        if not self._wallets.exists(name):
            raise RpcError(WALLET_NOT_FOUND, f"Wallet file verification failed. Path '{name}' does not exist.")
        self._wallets.load(name)
        return {"name": name}

    def _wallet(self) -> Wallet:
        name, loaded = named_wallet.get(), self._wallets.loaded
        if name is not None:
            if name not in loaded:
                raise RpcError(WALLET_NOT_FOUND, "Requested wallet does not exist or is not loaded")
            return loaded[name]
        if not loaded:
            raise RpcError(WALLET_NOT_FOUND, _NONE_LOADED)
        if len(loaded) > 1:
            raise RpcError(WALLET_NOT_SPECIFIED, _SEVERAL_LOADED)
        return next(iter(loaded.values()))

    def _new_address(self, label: str | None, address_type: str | None) -> str:
        return self._wallet().new_address()

    def _balance(self) -> msgspec.Raw:
        return _amount(self._sums()["trusted"])

    def _balances(self) -> dict[str, Any]:
        tip = self._ledger.chain.tip
        sums = {name: _amount(amount) for name, amount in self._sums().items()}
        return {"mine": sums, "lastprocessedblock": {"hash": tip.block.hash_hex, "height": tip.height}}

    def _wallet_info(self) -> dict[str, Any]:
        wallet = self._wallet()
        name = next(each for each, loaded in self._wallets.loaded.items() if loaded is wallet)
        sums = self._sums()
        return {
            "walletname": name,
            "balance": _amount(sums["trusted"]),
            "unconfirmed_balance": _amount(sums["untrusted_pending"]),
            "immature_balance": _amount(sums["immature"]),
            "private_keys_enabled": True,
        }

    def _sums(self) -> dict[str, int]:
        coins = list(self._wallet().mine(self._ledger.mempool.spendable()))
        mature = [coin for coin in coins if self._is_mature(coin)]
        # All that waits is believed: there are no signatures that could be wrong.
        return {
            "trusted": _sum(mature),
            "untrusted_pending": 0,
            "immature": _sum(coin for coin in coins if not self._is_mature(coin)),
        }

    def _is_mature(self, coin: Coin) -> bool:
        return is_settled(coin, self._ledger.chain.tip.height)

    def _send(self, address: str, amount: float, *rest: Any) -> str:
        fee_rate = rest[_FEE_RATE - 2]
        if not is_address(address, self._prefix):
            raise RpcError(INVALID_ADDRESS_OR_KEY, f"Invalid address: {address}")
        if not 0 < amount <= 21e6:
            raise RpcError(TYPE_ERROR, "Invalid amount for send")
        rate = DEFAULT_FEE_RATE if fee_rate is None else float(fee_rate)
        mempool, tip = self._ledger.mempool, self._ledger.chain.tip
        try:
            transaction = self._wallet().pay(mempool, tip.height, Output(address, round(amount * COIN)), rate)
            mempool.add(transaction)
        except InsufficientFunds as error:
            raise RpcError(INSUFFICIENT_FUNDS, str(error)) from error
        except Refused as error:
            raise RpcError(VERIFY_REJECTED, str(error)) from error
        self._relay(transaction)
        return transaction.txid


_NONE_LOADED = (
    "No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet. (Note: A default "
    "wallet is no longer automatically created)"
)
_SEVERAL_LOADED = (
    "Multiple wallets are loaded. Please select which wallet to use by requesting the RPC through the "
    "/wallet/<walletname> URI path."
)
# In bitcoind's order (wallet/rpc/spend.cpp); but for address, amount and fee_rate without effect.
_SEND_PARAMETERS = [
    Parameter("address", "string"),
    Parameter("amount", "number"),
    *(Parameter(each, "string", is_required=False) for each in ("comment", "comment_to")),
    *(Parameter(each, "bool", is_required=False) for each in ("subtractfeefromamount", "replaceable")),
    Parameter("conf_target", "number", is_required=False),
    Parameter("estimate_mode", "string", is_required=False),
    Parameter("avoid_reuse", "bool", is_required=False),
    Parameter("fee_rate", "number", is_required=False),
]
_FEE_RATE = 9


def _sum(coins: Any) -> int:
    return sum(coin.output.amount for coin in coins)


def _amount(satoshis: int) -> msgspec.Raw:
    """As bitcoind writes it: with eight places."""
    return msgspec.Raw(f"{satoshis // COIN}.{satoshis % COIN:08d}".encode())
