"""`python -m btcctl.sandbox.bitcoincli`: what `bitcoin-cli` is in the sandbox's pods.

Exit status: 0 · what the node's error code is without its sign, in eight bits · 1 for everything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from btcctl.bitcoin.client.arguments import NotJson, by_name, by_position
from btcctl.bitcoin.client.values import shown
from btcctl.sandbox.bitcoincli import commands
from btcctl.sandbox.bitcoincli.errors import CliError, NodeError, UsageError
from btcctl.sandbox.bitcoincli.node import Node
from btcctl.sandbox.bitcoincli.settings import Settings, load_settings, parse_command_line

VERSION = "btcctl sandbox RPC client, in the place of bitcoin-cli"
HELP = f"""\
{VERSION}

Usage: bitcoin-cli [options] <command> [params]
or:    bitcoin-cli [options] -named <command> [name=value]...
or:    bitcoin-cli [options] help
or:    bitcoin-cli [options] help <command>

Options: -conf= -datadir= -rpcconnect= -rpcport= -rpcuser= -rpcpassword= -rpccookiefile= -rpcwallet= -rpcclienttimeout=
-rpcwait -rpcwaittimeout= -named -stdin -stdinrpcpass -regtest -signet -testnet4 -chain= -getinfo -generate -addrinfo
-version -help. They mean what they mean for Bitcoin Core's bitcoin-cli. There is no -netinfo: ask getpeerinfo.
"""
WALLET_NOT_SPECIFIED = -19
_WHICH_WALLET = (
    ' Or for the CLI, specify the "-rpcwallet=<walletname>" option before the command (run "bitcoin-cli -h" for help '
    'or "bitcoin-cli listwallets" to see which wallets are currently loaded).'
)
_COMMANDS = {"getinfo": commands.get_info, "generate": commands.generate, "addrinfo": commands.address_info}
# Bitcoin Core says no more than that its client has something else (rpc/mining.cpp).
_REPLACED = {
    "generate": (
        "Use instead: bitcoin-cli -regtest generatetoaddress {0} ADDRESS, or, with a wallet "
        "(bitcoin-cli -regtest createwallet NAME), bitcoin-cli -regtest -generate {0}"
    )
}


def main(argv: Sequence[str], environ: Mapping[str, str], stdin: TextIO) -> int:
    """Run one command; prints on stdout, or on stderr what went wrong."""
    words: list[str] = []
    try:
        options, words = parse_command_line(argv)
        if "version" in options or "help" in options:
            print(VERSION if "version" in options else HELP)  # noqa: T201
            return 0
        text = shown(_run(options, words, environ, stdin))
    except NodeError as error:
        _complain(f"error code: {error.code}\nerror message:\n{error.message}{_hint(error.code, words)}")
        return abs(error.code) & 0xFF
    except (CliError, NotJson) as error:
        _complain(str(error) if isinstance(error, UsageError) else f"error: {error}")
        return 1
    if text:
        print(text)  # noqa: T201
    return 0


def _run(options: Mapping[str, str], words: Sequence[str], environ: Mapping[str, str], stdin: TextIO) -> Any:
    if "stdinrpcpass" in options:
        options = {**options, "rpcpassword": stdin.readline().rstrip("\n")}
    settings = load_settings(options, environ)
    if settings.is_on("stdin"):
        words = [*words, *(each.removesuffix("\n") for each in stdin)]
    special = next((command for name, command in _COMMANDS.items() if settings.is_on(name)), None)
    if special is not None:
        return special(Node(settings), words)
    if not words:
        raise CliError("too few parameters (need at least command)")
    return _call(settings, words[0], words[1:])


def _call(settings: Settings, method: str, words: Sequence[str]) -> Any:
    params = by_name(method, words) if settings.is_on("named") else by_position(method, words)
    return Node(settings).call(method, params)


def _hint(code: int, words: Sequence[str]) -> str:
    if code == WALLET_NOT_SPECIFIED:
        return _WHICH_WALLET
    method, *rest = [*words, ""]
    return "\n" + _REPLACED[method].format(rest[0] or "N") if method in _REPLACED else ""


def _complain(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], os.environ, sys.stdin))
    except BrokenPipeError:
        os._exit(1)  # whoever read our output has left
    except KeyboardInterrupt:
        os._exit(130)
