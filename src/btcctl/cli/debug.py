"""`btcctl debug`: asks a running operator what goes on in it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import urllib3

from btcctl.cli.flags import Flags
from btcctl.controller.serving.status_server import parse_address
from btcctl.errors import BtcctlError, ConfigError

SECONDS = 5.0


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "debug",
        help="what goes on in a running operator",
        description=(
            "Ask a running operator, started with --debug-endpoints and --metrics-bind-address: its queues, its "
            "informers, or one key: state, failures, next try, last error, and where its worker is. In a cluster: "
            "kubectl exec deployment/bitcoin-controller -- btcctl debug queue"
        ),
    )
    parser.add_argument("what", choices=("queue", "informers", "key"), help="what to show")
    parser.add_argument("key", nargs="?", default="", metavar="NS/NAME", help="of a network, with key")
    flags = Flags(parser, environ)
    flags.value(
        "--address",
        parse=parse_where,
        metavar="ADDRESS",
        default="127.0.0.1:8080",
        about="where the operator serves",
    )
    flags.switch("--json", about="print what the operator answers as it is")
    parser.set_defaults(command=show)
    return parser


def parse_where(text: str) -> str:
    """Where an operator serves, as an URL has it: "host:port"; of ":port" on this machine.

    Raises:
        argparse.ArgumentTypeError: It is no such address.
    """
    try:
        host, port = parse_address(text)
    except ConfigError:
        port = 0
    if not port:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write 127.0.0.1:8080, or :8080 for this machine")
    return f"[{host}]:{port}" if ":" in host else f"{host or '127.0.0.1'}:{port}"


def show(args: argparse.Namespace) -> int:
    """Fetch and print one page."""
    if (args.what == "key") != bool(args.key):
        raise ConfigError("say which: btcctl debug key NAMESPACE/NAME" if args.what == "key" else f"{args.key!r}?")
    page = fetch(args.address, f"key/{quote(args.key)}" if args.what == "key" else args.what)
    print(json.dumps(page, indent=2) if args.json else "\n".join(_LAYOUTS[args.what](page)))
    return 0


def fetch(address: str, page: str) -> dict[str, Any]:
    """One page of `/debug`.

    Args:
        address: As `parse_where` has it.

    Raises:
        BtcctlError: Nobody answers there, or nobody with such pages.
    """
    try:
        with urllib3.PoolManager(retries=False, timeout=SECONDS) as pools:
            answer = pools.request("GET", f"http://{address}/debug/{page}")
            if answer.status != 200:
                raise BtcctlError(f"{address} has no such page: was the operator started with --debug-endpoints?")
            found: dict[str, Any] = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise BtcctlError(f"{address}: {error}. Does an operator run with --metrics-bind-address there?") from error
    return found


def _queues(page: Mapping[str, Any]) -> Iterable[str]:
    for controller, queue in page.items():
        facts = {name: value for name, value in queue.items() if name != "keys"}
        yield f"{controller}: {_facts(facts)}"
        for key, state in queue["keys"].items():
            yield f"  {key}: {_key_line(state)}"


def _informers(page: Mapping[str, Any]) -> Iterable[str]:
    for name, facts in page.items():
        yield f"{name}: {_facts(facts)}"


def _key(page: Mapping[str, Any]) -> Iterable[str]:
    for controller, state in page.items():
        yield f"{controller}: {_key_line(state)}"
        yield from (f"  {line}" for line in state.get("stack", ()))


def _key_line(state: Mapping[str, Any]) -> str:
    own = _facts({name: value for name, value in state.items() if name not in {"last", "stack", "state"}})
    last = state.get("last")
    return f"{state['state']}, {own}" + (f"; last: {_facts(last)}" if last else "")


def _facts(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items() if value not in (None, ""))


_LAYOUTS = {"queue": _queues, "informers": _informers, "key": _key}
