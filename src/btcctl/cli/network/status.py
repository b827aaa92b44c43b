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
from btcctl.bitcoin.topology import groups_of
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.cli.flags import parse_duration
from btcctl.cli.network import picture, screen, target
from btcctl.cli.network.get import age
from btcctl.cli.network.timeline import Entry, Timeline
from btcctl.clock import SYSTEM_CLOCK, sleep

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
    parser.add_argument("name", type=target.parse_name, metavar="NAME", help="the network")
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
            if not args.watch:
                _print(args, *_look(args, place, pool))
                return 0
            with suppress(KeyboardInterrupt):  # how it ends
                (_watch if args.output == "text" else _print_on)(args, place, pool)
        return 0
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

    timeline = Timeline()
    with Live(console=screen.console(), auto_refresh=False) as live:
        while True:
            seen = _look(args, place, pool)
            timeline.look(SYSTEM_CLOCK.wall_time(), *seen)
            live.update(_page(*seen, timeline.latest(_EVENTS)), refresh=True)
            sleep(args.interval)


def _print_on(args: argparse.Namespace, place: target.Place, pool: ThreadPool) -> None:
    while True:
        _print(args, *_look(args, place, pool))
        sleep(args.interval)


def _print(
    args: argparse.Namespace, network: BitcoinNetwork, view: NetworkView, events: Sequence[Mapping[str, Any]]
) -> None:
    if args.output == "json":
        print(json.dumps(_json(network, view, events), indent=2), flush=True)
    else:
        screen.console().print(_page(network, view, events))


def _page(
    network: BitcoinNetwork,
    view: NetworkView,
    events: Sequence[Mapping[str, Any]],
    timeline: Sequence[Entry] = (),
) -> Any:
    """All that is shown; with a timeline, that instead of the Events, which are in it."""
    from rich.console import Group  # noqa: PLC0415  late, as in `screen`

    parts: list[Any] = [_headline(network, view)]
    if view.nodes:
        legend = [picture.LEGEND] if len(view.nodes) <= picture.MOST_DRAWN else []
        parts += ["", _nodes(view), "", "LINKS", *picture.links(view.nodes), *legend]
    if tips := list(picture.chains(view)):
        parts += ["", "TIPS", *tips]
    parts += ["", _conditions(network)]
    if timeline:
        parts += ["", screen.table(("TIME", "WHAT HAPPENED"), map(_timeline_row, timeline))]
    elif events:
        parts += ["", screen.table(("EVENT", "AGE", "MESSAGE"), _event_rows(events), spare=("AGE",))]
    return Group(*parts)


def _headline(network: BitcoinNetwork, view: NetworkView) -> str:
    name, spec = f"{network.namespace}/{network.name}", network.spec
    if not view.nodes and not spec.running_nodes:
        resting = f"suspended, none of {spec.nodes} nodes runs" if spec.suspend else "no nodes are asked for"
        return f"{name}: {resting}{_sides(network)}"
    answering = sum(node.answers for node in view.nodes)
    tips = len(view.branches)
    fork = f", {tips} tips" if tips > 1 else ""
    height = f", height {view.height}{fork}" if answering else ""
    return f"{name}: {answering} of {spec.running_nodes} nodes answer{height}{_sides(network)}"


def _sides(network: BitcoinNetwork) -> str:
    groups = groups_of(network.spec.partition, network.spec.nodes)
    return f", split: {' | '.join(' '.join(map(str, group)) for group in groups)}" if groups else ""


def _nodes(view: NetworkView) -> Any:
    header = ("NODE", "READY", "STATE", "HEIGHT", "TIP", "PEERS", "MEMPOOL", "RESTARTS", "VERSION", "ADDRESS")
    rows = [_node_row(node, view.height) for node in view.nodes]
    return screen.table(header, rows, folded="VERSION", spare=("ADDRESS", "RESTARTS", "MEMPOOL", "PEERS", "TIP"))


def _node_row(node: NodeView, highest: int) -> list[Any]:
    ready = screen.good("yes" if node.is_ready else "no", is_good=node.is_ready)
    word = picture.state_of(node, highest)
    begin, restarts = [str(node.ordinal), ready, screen.good(word, is_good=word == "synced")], str(node.restarts)
    if not node.answers:
        return [*begin, "", "", "", "", restarts, screen.good(node.problem, is_good=False), node.address]
    tip, mempool = picture.short_hash(node.best), "" if node.mempool < 0 else str(node.mempool)
    return [*begin, str(node.height), tip, str(node.connections), mempool, restarts, node.version, node.address]


def _timeline_row(entry: Entry) -> Sequence[Any]:
    return entry.at.astimezone().strftime("%H:%M:%S"), screen.good(entry.what, is_good=entry.is_good)


def _conditions(network: BitcoinNetwork) -> Any:
    conditions = network.status.conditions
    rows = [[c.type, c.status, c.reason, age(c.last_transition_time), c.message] for c in conditions]
    return screen.table(("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"), rows, spare=("SINCE", "REASON"))


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
