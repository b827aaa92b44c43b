"""`btcctl rpc NAME[/ORDINAL] METHOD [ARGS]` and `btcctl mine NAME [N]`: calls of single nodes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from btcctl.bitcoin.client import spending, values
from btcctl.bitcoin.client.arguments import by_name, by_position
from btcctl.bitcoin.client.networks import Node
from btcctl.cli.flags import parse_count, parse_duration
from btcctl.cli.network import screen, target

_BLOCKS_PER_CALL = 20  # so that a bar moves, and Ctrl-C is heard
_MOST_BLOCKS = 1_000_000


def add_rpc_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands,
        environ,
        "rpc",
        call,
        "call a node's JSON-RPC",
        "Call a method of a node, and print its result as bitcoin-cli does: arguments are typed as there, numbers are "
        "left as they are.",
    )
    parser.add_argument(
        "node", type=target.parse_node, metavar="NAME[/ORDINAL]", help="the first that is ready if no ordinal"
    )
    parser.add_argument("method", metavar="METHOD", help="for example getblockchaininfo; help lists them")
    arguments = parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG", help="its arguments")
    arguments.required = False  # or a METHOD that is missing is said to miss its ARG, too
    flags.switch("--named", about="arguments are name=value")
    flags.value("--wallet", metavar="NAME", about="one of the node's wallets, if it has several")
    flags.value("--timeout", parse=parse_duration, default=60.0, metavar="DURATION", about="for the whole call")
    return parser


def call(args: argparse.Namespace) -> int:
    """Call, and print the result."""
    convert = by_name if args.named else by_position
    params = convert(args.method, args.arguments)
    with target.opened(args) as place:
        node = target.first_answering(place, place.networks.get(place.key(args.node.name)), args.node.ordinal)
        rpc = node.client() if args.wallet is None else node.client().wallet(args.wallet)
        result = rpc.call_json(args.method, values.compact(params).encode(), timeout=args.timeout)
    text = values.shown(values.parse(result))
    if text:
        print(text)
    return 0


def add_mine_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands,
        environ,
        "mine",
        mine,
        "mine blocks",
        f"Mine blocks at once, on a chain without difficulty (regtest). They pay to the wallet {spending.WALLET!r} of "
        "the node, which is made if need be; a hundred blocks later `btcctl tx` can spend it.",
    )
    parser.add_argument("name", type=target.parse_name, metavar="NAME", help="the network")
    parser.add_argument(
        "count",
        nargs="?",
        type=parse_count(1, _MOST_BLOCKS),
        default=1,
        metavar="N",
        help="how many blocks; 1 if not given",
    )
    flags.value(
        "--on",
        parse=parse_count(0, 999),
        metavar="ORDINAL",
        about="which node mines; the first that is ready if not given",
    )
    flags.value("--to", parse=parse_address, metavar="ADDRESS", about="pay to this address")
    return parser


def mine(args: argparse.Namespace) -> int:
    """Mine, and print the last block's hash and height."""
    with target.opened(args) as place:
        network = place.networks.get(place.key(args.name))
        node = target.first_answering(place, network, args.on)
        address = args.to or spending.mining_address(node.client())
        hashes = _mine(node, args.count, address)
        height = node.client().call("getblockcount")
    blocks = "block" if len(hashes) == 1 else "blocks"
    print(f"node {node.ordinal} mined {len(hashes)} {blocks}: height {height}, tip {hashes[-1]}")
    return 0


def parse_address(text: str) -> str:
    """An address: a node says whether it is one of its chain.

    Raises:
        argparse.ArgumentTypeError: It is empty, as a variable of a shell that is not set.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no address")
    return text


def _mine(node: Node, count: int, address: str) -> list[str]:
    hashes: list[str] = []
    with screen.progress(f"mining on node {node.ordinal}", count) as tell:
        while len(hashes) < count:
            some = min(_BLOCKS_PER_CALL, count - len(hashes))
            hashes += spending.mine_blocks(node.client(), some, address)
            tell(len(hashes), f"{len(hashes)}/{count}")
    return hashes
