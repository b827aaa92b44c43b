"""`btcctl tx NAME --rate R`: transactions, so that blocks are not empty."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Any

from btcctl.bitcoin.client import spending
from btcctl.bitcoin.rpc import MethodNotFound, RpcClient
from btcctl.cli.flags import parse_count
from btcctl.cli.network import screen, target
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.errors import BtcctlError

_RATE = re.compile(r"[0-9]{1,5}(\.[0-9]{1,9})?|\.[0-9]{1,9}")


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands,
        environ,
        "tx",
        send,
        "make transactions",
        f"Send small amounts within the wallet {spending.WALLET!r} of a node, which btcctl mine has paid to, until "
        "--count of them are sent, or Ctrl-C.",
    )
    parser.add_argument("name", type=target.parse_name, metavar="NAME", help="the network")
    flags.value("--rate", parse=parse_rate, default=1.0, metavar="R", about="transactions per second")
    flags.value("--count", parse=parse_count(1, 10_000_000), metavar="N", about="end after so many")
    flags.value(
        "--on",
        parse=parse_count(0, 999),
        metavar="ORDINAL",
        about="the node whose wallet spends; the first that is ready if not given",
    )
    return parser


def send(args: argparse.Namespace) -> int:
    """Send them, evenly over time.

    Raises:
        NothingToSpend: The wallet is empty.
    """
    sent = 0
    with target.opened(args) as place, screen.progress("sending", args.count) as tell:
        network = place.networks.get(place.key(args.name))
        node = target.first_answering(place, network, args.on)
        wallet = _wallet(node.client(), node.ordinal)
        began = SYSTEM_CLOCK.now()
        try:
            while args.count is None or sent < args.count:
                txid = spending.spend(wallet, args.name)
                sent += 1
                tell(sent, f"{sent} {txid[:16]}…")
                sleep(max(0.0, began + sent / args.rate - SYSTEM_CLOCK.now()))
        except KeyboardInterrupt:
            pass  # how it ends without --count
    print(f"node {node.ordinal} sent {sent} {'transactions' if sent != 1 else 'transaction'}")
    return 0


def parse_rate(text: str) -> float:
    """More than 0, at most 10,000 per second.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    rate = float(text) if _RATE.fullmatch(text) else 0.0
    if not 0 < rate <= 10_000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no rate: more than 0 and at most 10000 a second, for example 0.5"
        )
    return rate


def _wallet(node: RpcClient, ordinal: int) -> RpcClient:
    try:
        return spending.wallet_of(node)
    except MethodNotFound as error:
        raise BtcctlError(f"node {ordinal} has no wallets, so that it cannot spend") from error
