"""`btcctl logs NAME[/ORDINAL]`: what the nodes print."""

from __future__ import annotations

import argparse
import select
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

from btcctl.bitcoin.client.networks import Node
from btcctl.cli.flags import parse_count
from btcctl.cli.network import target
from btcctl.clock import sleep
from btcctl.errors import BtcctlError
from btcctl.threads import Runner, Stop

_POLL_SECONDS = 0.2
_STOP_SECONDS = 2.0


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands,
        environ,
        "logs",
        logs,
        "what the nodes print",
        "Print the log of a node, or of all nodes of a network, each line with its node's number.",
    )
    parser.add_argument("node", type=target.parse_node, metavar="NAME[/ORDINAL]", help="a network, or one node of it")
    flags.switch("--follow", "-f", about="go on until Ctrl-C")
    flags.value("--tail", parse=parse_count(0, 1_000_000), metavar="N", about="the last lines only")
    return parser


def logs(args: argparse.Namespace) -> int:
    """Print them."""
    with target.opened(args) as place:
        network = place.networks.get(place.key(args.node.name))
        ordinal = args.node.ordinal
        nodes = (
            place.networks.nodes(network, to_call=False)
            if ordinal is None
            else [place.networks.node(network, ordinal, to_call=False)]
        )
        if not nodes:
            raise target.none_runs(network)
        prefix = "{} " if ordinal is None else ""
        readers: list[tuple[Node, Callable[[], Any]]] = [
            (node, partial(place.networks.log, node, follow=args.follow, tail_lines=args.tail)) for node in nodes
        ]
        if args.follow:
            _follow(readers, prefix)
        else:
            for node, read in readers:
                _print(node, read, prefix)
    return 0


def _follow(readers: list[tuple[Node, Callable[[], Any]]], prefix: str) -> None:
    with ExitStack() as running, suppress(KeyboardInterrupt):
        runners = []
        for node, read in readers:
            lines = running.enter_context(read())
            runner = Runner(f"logs-{node.ordinal}", partial(_run, lines, prefix.format(node.ordinal)))
            running.callback(_end, runner, lines)
            runner.start()
            runners.append(runner)
        while any(runner.is_alive for runner in runners):
            if _has_left():
                raise BrokenPipeError
            sleep(_POLL_SECONDS)


def _has_left() -> bool:
    """Whether nobody reads our output any more: no write tells while nodes have nothing to say."""
    try:
        poll = select.poll()
        poll.register(sys.stdout, 0)
    except (OSError, ValueError):  # no file, as in tests
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _run(lines: Any, prefix: str, _stop: Stop) -> None:
    with suppress(BtcctlError, BrokenPipeError):  # broken off: by us, with the pod, or by who reads
        for line in lines:
            sys.stdout.write(f"{prefix}{line}\n")
            sys.stdout.flush()


def _end(runner: Runner, lines: Any) -> None:
    lines.interrupt()
    runner.stop(_STOP_SECONDS)


def _print(node: Node, read: Callable[[], Any], prefix: str) -> None:
    with read() as lines:
        for line in lines:
            print(f"{prefix.format(node.ordinal)}{line}")
