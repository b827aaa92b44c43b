"""`btcctl partition NAME 0,1|2` and `btcctl heal NAME`: written into `spec`, since the controller keeps the links."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Any

from btcctl.bitcoin.topology import groups_of
from btcctl.cli.network import target
from btcctl.errors import ConfigError

_GROUPS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*(\|\d+(-\d+)?(,\d+(-\d+)?)*)*", re.ASCII)
_MOST_NODES = 1000
_LEAST_SIDES = 2
_PATIENCE = "btcctl status {name} shows the links going"


def add_partition_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, _ = target.add_parser(
        commands,
        environ,
        "partition",
        partition,
        "split a network into groups that do not know each other",
        "Split a network: only nodes of one group are connected; those named nowhere are one more group. Written "
        "into spec.partition, so that it lasts until btcctl heal.",
    )
    parser.add_argument("name", type=target.parse_name, metavar="NAME", help="the network")
    parser.add_argument(
        "groups", type=parse_groups, metavar="GROUPS", help="ordinals, for example '0,1|2' or '0-2|3,4'"
    )
    return parser


def partition(args: argparse.Namespace) -> int:
    """Write it."""
    with target.opened(args) as place:
        nodes = place.networks.get(place.key(args.name)).spec.nodes
        beyond = sorted({each for group in args.groups for each in group if each >= nodes})
        if beyond:
            raise ConfigError(f"{args.name} has {_there(nodes)}; there is no node {beyond[0]}")
        sides = groups_of(args.groups, nodes)
        if len(sides) < _LEAST_SIDES:
            raise ConfigError(f"that leaves no node on another side: {args.name} has {_there(nodes)}")
        place.networks.patch_spec(place.key(args.name), {"partition": args.groups})
    shown = " | ".join(" ".join(map(str, group)) for group in sides)
    print(f"{args.name} is to be split: {shown}. {_PATIENCE.format(name=args.name)}")
    return 0


def add_heal_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, _ = target.add_parser(
        commands, environ, "heal", heal, "end a partition", "End a partition: all nodes may be connected again."
    )
    parser.add_argument("name", type=target.parse_name, metavar="NAME", help="the network")
    return parser


def heal(args: argparse.Namespace) -> int:
    """Take it out."""
    with target.opened(args) as place:
        place.networks.patch_spec(place.key(args.name), {"partition": None})
    print(f"{args.name} is to be whole again. btcctl wait {args.name} --for synced waits for it")
    return 0


def parse_groups(text: str) -> list[list[int]]:
    """`0,1|2` and `0-2|3`: groups of ordinals.

    Raises:
        argparse.ArgumentTypeError: It is none, or a node is in two groups.
    """
    plain = text.replace(" ", "")
    if not _GROUPS.fullmatch(plain):
        raise argparse.ArgumentTypeError(f"{text!r} names no groups of nodes: write '0,1|2' or '0-2|3,4'")
    groups = [sorted({each for part in group.split(",") for each in _range(part)}) for group in plain.split("|")]
    everything = [each for group in groups for each in group]
    twice = next((each for each in everything if everything.count(each) > 1), None)
    if twice is not None:
        raise argparse.ArgumentTypeError(f"node {twice} is in two groups")
    return groups


def _there(nodes: int) -> str:
    return f"nodes 0 to {nodes - 1}" if nodes else "no nodes"


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    low, high = int(first), int(last if dash else first)
    if not low <= high < low + _MOST_NODES:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of nodes")
    return range(low, high + 1)
