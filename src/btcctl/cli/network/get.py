"""`btcctl get [NAME]`: the networks in a table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from btcctl.bitcoin.types import READY, decode_status
from btcctl.cli.network import screen, target
from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import ConfigError
from btcctl.objects import Object

_HEADER = ("NAME", "NODES", "READY", "HEIGHT", "STATUS", "AGE")


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands, environ, "get", get, "the networks, in a table", "List networks, as their status in the cluster says."
    )
    parser.add_argument("name", nargs="?", type=target.parse_name, metavar="NAME", help="one network only")
    flags.switch("--all-namespaces", "-A", about="of all namespaces")
    parser.add_argument("--output", "-o", choices=("table", "json", "name"), default="table", help="how to print them")
    return parser


def get(args: argparse.Namespace) -> int:
    """Print them.

    Raises:
        ConfigError: One network of all namespaces is asked for.
    """
    if args.name and args.all_namespaces:
        raise ConfigError(f"{args.name} may be in several namespaces: say by -n which, or leave NAME or -A out")
    with target.opened(args) as place:
        if args.name:
            found = [place.networks.object(place.key(args.name))]
        else:
            found = place.networks.all("" if args.all_namespaces else place.namespace)
    if args.output == "json":
        print(json.dumps({"kind": "List", "apiVersion": "v1", "items": [each.body() for each in found]}, indent=2))
    elif args.output == "name":
        sys.stdout.writelines(f"{each.name}\n" for each in found)
    elif found:
        _print_table(found, with_namespace=args.all_namespaces)
    else:
        print("no networks" if args.all_namespaces else f"no networks in namespace {place.namespace}")
    return 0


def _print_table(networks: Sequence[Object], *, with_namespace: bool) -> None:
    header = ("NAMESPACE", *_HEADER) if with_namespace else _HEADER
    rows = [([each.namespace] if with_namespace else []) + _row(each) for each in networks]
    screen.console().print(screen.table(header, rows))


def _row(network: Object) -> list[Any]:
    body, status = network.body(), decode_status(network)
    ready = status.condition(READY)
    reason = "Pending" if ready is None else ready.reason
    return [
        network.name,
        str((body.get("spec") or {}).get("nodes", "")),
        str(status.ready_nodes),
        str(status.height),
        screen.good(reason, is_good=ready is not None and ready.status == "True"),
        age(str(body["metadata"].get("creationTimestamp", ""))),
    ]


def age(since: str) -> str:
    """How long ago a time was, as kubectl says it: 41s, 5m3s, 2h10m, 3d4h."""
    try:
        seconds = int((SYSTEM_CLOCK.wall_time() - datetime.fromisoformat(since)).total_seconds())
    except ValueError:
        return "?"
    seconds = max(0, seconds)
    for limit, large, small, names in ((3600, 60, 1, "ms"), (86400, 3600, 60, "hm"), (float("inf"), 86400, 3600, "dh")):
        if seconds < 120:
            return f"{seconds}s"
        if seconds < limit:
            rest = seconds % large // small
            return f"{seconds // large}{names[0]}" + (f"{rest}{names[1]}" if rest else "")
    return "?"
