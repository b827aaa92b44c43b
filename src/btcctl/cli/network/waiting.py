"""`btcctl wait NAME --for ready|synced|height=N`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Any

from btcctl.bitcoin.client.view import NetworkView, look
from btcctl.bitcoin.findings import REFUSED_AS_IT_IS
from btcctl.bitcoin.types import READY, BitcoinNetwork
from btcctl.cli.flags import parse_duration
from btcctl.cli.network import screen, target
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.errors import BtcctlError

_POLL_SECONDS = 0.25
_GOAL = re.compile(r"ready|synced|height=\d{1,9}", re.ASCII)


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands,
        environ,
        "wait",
        wait,
        "wait until a network is ready, has one tip, or has a height",
        "Wait until\n"
        "  ready       the controller has seen the network as its spec wants it, and all is well\n"
        "  synced      all nodes answer and have the same tip\n"
        "  height=N    all nodes answer and have N blocks or more\n"
        "and exit with 0; with 1 if that takes longer than --timeout, and at once where nothing can come of it:\n"
        "the network is suspended, has no nodes, is being deleted, or its spec is refused.",
    )
    parser.add_argument("name", type=target.parse_name, metavar="NAME", help="the network")
    flags.value(
        "--for", dest="goal", parse=parse_goal, default="ready", metavar="GOAL", about="ready, synced or height=N"
    )
    flags.value("--timeout", parse=parse_duration, default=120.0, metavar="DURATION", about="give up after this")
    return parser


def wait(args: argparse.Namespace) -> int:
    """Look until it is so.

    Raises:
        BtcctlError: Not in time, or never; says what is missing.
    """
    deadline = SYSTEM_CLOCK.now() + args.timeout
    with target.opened(args) as place, screen.progress(f"waiting for {args.name}", None) as tell:
        while True:
            network = place.networks.get(place.key(args.name))
            if obstacle := why_never(network):
                raise BtcctlError(f"{args.name} will never {_having(args.goal)}: {obstacle}")
            missing = _missing(place, network, args.goal)
            if not missing:
                break
            tell(0, missing)
            if SYSTEM_CLOCK.now() >= deadline:
                raise BtcctlError(f"{args.name} is not {args.goal} after {args.timeout:g} s: {missing}")
            sleep(_POLL_SECONDS)
    print(f"{args.name} is {args.goal}" if "=" not in args.goal else f"{args.name} has {args.goal}")
    return 0


def _having(goal: str) -> str:
    return f"have {goal}" if "=" in goal else f"be {goal}"


def parse_goal(text: str) -> str:
    """What to wait for.

    Raises:
        argparse.ArgumentTypeError: Something else.
    """
    if not _GOAL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: wait for ready, synced or height=N")
    return text


def why_never(network: BitcoinNetwork) -> str:
    """Why no wait helps, whatever it is for, until somebody changes the network; "" if one may."""
    if network.metadata.deletion_timestamp is not None:
        return "it is being deleted"
    if not network.spec.running_nodes:
        return "spec.suspend is true" if network.spec.suspend else "spec.nodes is 0"
    ready = network.status.condition(READY)
    is_current = network.status.observed_generation >= network.metadata.generation
    if ready is not None and is_current and ready.reason in REFUSED_AS_IT_IS:
        return f"{ready.reason}: {ready.message}"
    return ""


def _missing(place: target.Place, network: BitcoinNetwork, goal: str) -> str:
    """What is not so yet; "" if it is."""
    if goal == "ready":
        return not_ready(network)
    return not_there(look(place.networks.nodes(network)), network.spec.running_nodes, goal)


def not_ready(network: BitcoinNetwork) -> str:
    """Why a network is not ready; "" if it is, and the controller has seen its latest spec."""
    if network.status.observed_generation < network.metadata.generation:
        return "the controller has not seen the latest change yet"
    ready = network.status.condition(READY)
    if ready is None:
        return "no controller has looked at it yet"
    return "" if ready.status == "True" else f"{ready.reason}: {ready.message}"


def not_there(view: NetworkView, wanted: int, goal: str) -> str:
    """What keeps a network from having one tip, or the height that the goal names; "" if nothing does."""
    answering = sum(node.answers for node in view.nodes)
    if answering < wanted:
        return f"{answering} of {wanted} nodes answer"
    if not view.nodes:
        return "no node runs"
    if goal == "synced":
        return "" if view.is_synced else f"{len(view.tips)} tips"
    height = int(goal.partition("=")[2])
    lowest = min(node.height for node in view.nodes)
    return "" if lowest >= height else f"the lowest node has height {lowest}"
