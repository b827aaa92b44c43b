"""`btcctl status NAME`: what a network looks like right now, asked of every node."""

from __future__ import annotations

import argparse
import json
import sys
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
from btcctl.cli.network.parts import Page, Part
from btcctl.cli.network.timeline import Entry, Timeline
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.controller.writing.conditions import Condition

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
    """Each look in the place of the one before where there is a terminal, below it elsewhere."""
    timeline = Timeline()

    def page() -> Page:
        seen = _look(args, place, pool)
        timeline.look(SYSTEM_CLOCK.wall_time(), *seen)
        return _page(*seen, timeline.latest(_EVENTS))

    if screen.can_move():
        screen.draw_again_and_again(page, args.interval)
    while True:
        screen.console().print(page().whole(), "")
        sys.stdout.flush()
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
        screen.console().print(_page(network, view, events).whole())


def _page(
    network: BitcoinNetwork,
    view: NetworkView,
    events: Sequence[Mapping[str, Any]],
    timeline: Sequence[Entry] = (),
) -> Page:
    """All that is shown; with a timeline, that instead of the Events, which are in it."""
    return Page(_headline(network, view), list(_parts(network, view, events, timeline)))


def _parts(
    network: BitcoinNetwork, view: NetworkView, events: Sequence[Mapping[str, Any]], timeline: Sequence[Entry]
) -> Iterator[Part]:
    if view.nodes:
        yield Part("node", [_node_row(node, view.height) for node in view.nodes], _nodes, rank=0)
        head, rows = picture.links(view.nodes)
        legend = [picture.LEGEND] if head else []
        yield Part("link row", rows, lambda shown: ("LINKS", *head, *shown, *legend), rank=4)
    if tips := list(picture.chains(view)):
        yield Part("tip", tips, lambda shown: ("TIPS", *shown), rank=3)
    yield Part("condition", [_condition_row(each) for each in network.status.conditions], _conditions, rank=1)
    if timeline:
        yield Part("event", [_timeline_row(each) for each in timeline], _timeline, rank=2, keeps_last=True)
    elif events:
        yield Part("event", list(_event_rows(events)), _events, rank=2, keeps_last=True)


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


def _nodes(rows: Sequence[Sequence[Any]]) -> Iterator[Any]:
    header = ("NODE", "READY", "STATE", "HEIGHT", "TIP", "PEERS", "MEMPOOL", "RESTARTS", "VERSION", "ADDRESS")
    yield screen.table(header, rows, folded="VERSION", spare=("ADDRESS", "RESTARTS", "MEMPOOL", "PEERS", "TIP"))


def _node_row(node: NodeView, highest: int) -> list[Any]:
    ready = screen.good("yes" if node.is_ready else "no", is_good=node.is_ready)
    word = picture.state_of(node, highest)
    begin, restarts = [str(node.ordinal), ready, screen.good(word, is_good=word == "synced")], str(node.restarts)
    if not node.answers:
        return [*begin, "", "", "", "", restarts, screen.good(node.problem, is_good=False), node.address]
    tip, mempool = picture.short_hash(node.best), "" if node.mempool < 0 else str(node.mempool)
    return [*begin, str(node.height), tip, str(node.connections), mempool, restarts, node.version, node.address]


def _timeline(rows: Sequence[Sequence[Any]]) -> Iterator[Any]:
    yield screen.table(("TIME", "WHAT HAPPENED"), rows)


def _timeline_row(entry: Entry) -> Sequence[Any]:
    return entry.at.astimezone().strftime("%H:%M:%S"), screen.good(entry.what, is_good=entry.is_good)


def _conditions(rows: Sequence[Sequence[Any]]) -> Iterator[Any]:
    yield screen.table(("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"), rows, spare=("SINCE", "REASON"))


def _condition_row(condition: Condition) -> Sequence[Any]:
    since = age(condition.last_transition_time)
    return condition.type, condition.status, condition.reason, since, condition.message


def _events(rows: Sequence[Sequence[Any]]) -> Iterator[Any]:
    yield screen.table(("EVENT", "AGE", "MESSAGE"), rows, spare=("AGE",))


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
