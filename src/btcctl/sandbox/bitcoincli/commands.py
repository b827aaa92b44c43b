"""What the program does beyond single calls: -getinfo, -generate, -addrinfo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from btcctl.bitcoin.client.arguments import by_position
from btcctl.bitcoin.client.values import Number
from btcctl.sandbox.bitcoincli.errors import CliError, NodeError
from btcctl.sandbox.bitcoincli.node import Node

_NETWORKS = ("ipv4", "ipv6", "onion", "i2p", "cjdns")


def get_info(node: Node, words: Sequence[str]) -> str:
    """`-getinfo`: the network, the chain and the wallets on a page."""
    if words:
        raise CliError("-getinfo takes no arguments")
    network, chain = node.call("getnetworkinfo"), node.call("getblockchaininfo")
    lines = [
        f"Chain: {chain['chain']}",
        f"Blocks: {chain['blocks']}",
        f"Headers: {chain['headers']}",
        f"Verification progress: {float(chain['verificationprogress']):.4%}",
        f"Difficulty: {chain['difficulty']}",
        "",
        f"Network: in {network['connections_in']}, out {network['connections_out']}, total {network['connections']}",
        f"Version: {network['version']}",
        f"Time offset (s): {network['timeoffset']}",
        f"Proxies: {', '.join(sorted({each['proxy'] for each in network['networks'] if each['proxy']})) or 'n/a'}",
        f"Min tx relay fee rate (BTC/kvB): {network['relayfee']}",
        "",
        *_wallet_lines(node),
        f"Warnings: {_warnings(network['warnings'])}",
    ]
    return "\n".join(lines)


def generate(node: Node, words: Sequence[str]) -> dict[str, Any]:
    """`-generate [N [MAXTRIES]]`: blocks for a new address of the wallet."""
    if len(words) > 2:
        raise CliError("too many arguments (maximum 2 for nblocks and maxtries)")
    count, *tries = [*words] or ["1"]
    address = node.call("getnewaddress")
    blocks = node.call("generatetoaddress", by_position("generatetoaddress", [count, address, *tries]))
    return {"address": address, "blocks": blocks}


def address_info(node: Node, words: Sequence[str]) -> dict[str, Any]:
    """`-addrinfo`: how many addresses of nodes are known, by network."""
    if words:
        raise CliError("-addrinfo takes no arguments")
    found = [each["network"] for each in node.call("getnodeaddresses", [Number(0)])]
    counts = {name: found.count(name) for name in _NETWORKS}
    return {"addresses_known": {**counts, "total": sum(counts.values())}}


def _wallet_lines(node: Node) -> Iterator[str]:
    try:
        wallets = node.call("listwallets") if node.wallet is None else [node.wallet]
    except NodeError:  # a node without wallets
        return
    if len(wallets) == 1:
        yield from _one_wallet(node, wallets[0])
    elif wallets:
        balances = {name: node.call("getbalances", wallet=name)["mine"]["trusted"] for name in wallets}
        width = max(map(len, balances.values()))
        yield "Balances"
        yield from (f"{amount:>{width}} {_named(name)}" for name, amount in balances.items())
        yield ""
        yield f"Total balance: {sum(map(float, balances.values())):.8f}"
        yield ""


def _one_wallet(node: Node, name: str) -> Iterator[str]:
    info = node.call("getwalletinfo", wallet=name)
    yield f"Wallet: {_named(name)}"
    with suppress(KeyError):
        yield f"Keypool size: {info['keypoolsize']}"
        yield f"Transaction fee rate (-paytxfee) (BTC/kvB): {info['paytxfee']}"
    yield ""
    yield f"Balance: {node.call('getbalances', wallet=name)['mine']['trusted']}"
    yield ""


def _named(wallet: str) -> str:
    return wallet or '""'


def _warnings(warnings: Any) -> str:
    return (warnings if isinstance(warnings, str) else "\n".join(warnings)) or "(none)"
