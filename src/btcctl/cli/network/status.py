"""`btcctl status NAME`: what a network looks like right now, asked of every node."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from btcctl.bitcoin.client.networks import event_time
from btcctl.bitcoin.client.view import NetworkView, NodeView, look
from btcctl.bitcoin.passes import ThreadPool
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.cli.flags import parse_duration
from btcctl.cli.network import picture, screen, target
from btcctl.cli.network.get import age
from btcctl.clock import sleep

_EVENTS = 8
_THREADS = 16


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser, flags = target.add_parser(
        commands,
        environ,
        "status",
        show,
        "a network's nodes, heights, links, tips, conditions and last events",
        "Ask every node of a network what it has, and show it beside what the controller says.",
    )
    parser.add_argument("name", metavar="NAME", help="the network")
    flags.switch("--watch", "-w", about="again and again, until Ctrl-C")
    flags.value("--interval", parse=parse_duration, default=2.0, metavar="DURATION", about="between two looks")
    parser.add_argument("--output", "-o", choices=("text", "json"), default="text", help="how to print it")
    return parser


def show(args: argparse.Namespace) -> int:
    """Look once, or again and again."""
    pool = ThreadPool("status", _THREADS)
    pool.start()
    try:
        with target.opened(args) as place:
            if args.watch and args.output == "text":
                with suppress(KeyboardInterrupt):
                    _watch(args, place, pool)
                return 0
            while True:
                _print(args, *_look(args, place, pool))
                if not args.watch:
                    return 0
                sleep(args.interval)
    finally:
        pool.stop()


def _look(
    args: argparse.Namespace, place: target.Place, pool: ThreadPool
) -> tuple[BitcoinNetwork, NetworkView, list[dict[str, Any]]]:
    network = place.networks.get(place.key(args.name))
    view = look(place.networks.nodes(network), pool.run_all)
    return network, view, place.networks.events(network)[-_EVENTS:]


def _watch(args: argparse.Namespace, place: target.Place, pool: ThreadPool) -> None:
    from rich.live import Live  # noqa: PLC0415  late, as in `screen`

    with Live(console=screen.console(), auto_refresh=False) as live:
        while True:
            live.update(_page(*_look(args, place, pool)), refresh=True)
            sleep(args.interval)


def _print(
    args: argparse.Namespace, network: BitcoinNetwork, view: NetworkView, events: Sequence[Mapping[str, Any]]
) -> None:
    if args.output == "json":
        print(json.dumps(_json(network, view, events), indent=2), flush=True)
    else:
        screen.console().print(_page(network, view, events))


def _page(network: BitcoinNetwork, view: NetworkView, events: Sequence[Mapping[str, Any]]) -> Any:
    from rich.console import Group  # noqa: PLC0415  late, as in `screen`

    parts: list[Any] = [_headline(network, view), "", _nodes(view)]
    for title, lines in (("LINKS", picture.links(view.nodes)), ("TIPS", picture.chains(view))):
        drawn = list(lines)
        if drawn:
            parts += ["", title, *drawn]
    parts += ["", _conditions(network)]
    if events:
        parts += ["", screen.table(("EVENT", "AGE", "MESSAGE"), _event_rows(events))]
    return Group(*parts)


def _headline(network: BitcoinNetwork, view: NetworkView) -> str:
    answering = sum(node.answers for node in view.nodes)
    tips = len(view.tips)
    fork = f", {tips} tips" if tips > 1 else ""
    height = f"height {view.height}{fork}" if answering else "no node answers"
    return f"{network.namespace}/{network.name}: {answering} of {network.spec.running_nodes} nodes answer, {height}"


def _nodes(view: NetworkView) -> Any:
    header = ("NODE", "READY", "HEIGHT", "TIP", "PEERS", "VERSION", "ADDRESS")
    return screen.table(header, [_node_row(node) for node in view.nodes])


def _node_row(node: NodeView) -> list[Any]:
    ready = screen.good("yes" if node.is_ready else "no", is_good=node.is_ready)
    if not node.answers:
        return [str(node.ordinal), ready, "", "", "", screen.good(node.problem, is_good=False), node.address]
    tip, peers = picture.short_hash(node.best), str(node.connections)
    return [str(node.ordinal), ready, str(node.height), tip, peers, node.version, node.address]


def _conditions(network: BitcoinNetwork) -> Any:
    rows = [[each.type, each.status, each.reason, each.message] for each in network.status.conditions]
    return screen.table(("CONDITION", "STATUS", "REASON", "MESSAGE"), rows)


def _event_rows(events: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Any]]:
    for each in events:
        reason = screen.good(str(each.get("reason", "")), is_good=each.get("type") != "Warning")
        yield reason, age(event_time(each)), str(each.get("message", ""))


def _json(network: BitcoinNetwork, view: NetworkView, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    conditions = [
        {"type": each.type, "status": each.status, "reason": each.reason, "message": each.message}
        for each in network.status.conditions
    ]
    happened = [
        {"time": event_time(each), **{name: each.get(name, "") for name in ("type", "reason", "message")}}
        for each in events
    ]
    return {
        "name": network.name,
        "namespace": network.namespace,
        "wantedNodes": network.spec.running_nodes,
        **view.to_json(),
        "conditions": conditions,
        "events": happened,
    }
