"""`btcctl view`: a page that shows networks live."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btcctl.bitcoin.operator import require_definition
from btcctl.cli import debug
from btcctl.cli.flags import Flags, cluster_config, parse_duration, parse_namespace, parse_path
from btcctl.cli.leading import IN_CLUSTER, LEASE, NAMESPACE
from btcctl.cli.network import reaching
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.serving.status_server import parse_address
from btcctl.controller.signals import catching_signals
from btcctl.deadline import limited_to
from btcctl.errors import (
    ConfigError,
    DeadlineExceeded,
    InternalError,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
)
from btcctl.logging import for_terminal, get_logger
from btcctl.named_files import read_once
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.secret import Secret
from btcctl.threads import Stop

if TYPE_CHECKING:
    from btcctl.bitcoin.view.hub import Hub
    from btcctl.bitcoin.view.looking.followed import Looking
    from btcctl.bitcoin.view.operator.inside import Inside

logger = get_logger(__name__)

BIND = "127.0.0.1:0"
FIELD_MANAGER = "btcctl-view"
_LEAST_SECONDS = 0.1
_FIRST_SECONDS = 5.0  # until the page is there, whether the API server answers or not
_LATER = (TransportError, DeadlineExceeded, TooManyRequests, InternalError, ServiceUnavailable, ServerTimeout)
_MOST_TOKEN_BYTES = 1000


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "view",
        help="a page that shows networks live",
        description=(
            "Serve a page that shows networks, nodes, links, chains, events and the operator's own work as they "
            "change, and print its address. Whoever has the address may look, and act with your rights: it holds a "
            "random token, and leads to this machine only. Ends with Ctrl-C."
        ),
    )
    flags = Flags(parser, environ)
    flags.cluster()
    flags.names(
        "--namespace", "-n", parse=parse_namespace, metavar="NAME", about="show the networks of this namespace only"
    )
    flags.switch("--read-only", about="show, and do nothing")
    flags.value("--bind", metavar="ADDRESS", default=BIND, about="where to listen; port 0 picks a free one")
    flags.names("--allow-host", metavar="NAME", about="a host name, beside localhost, by which the page may be opened")
    flags.value(
        "--token-file", parse=parse_path, metavar="FILE", about="the token to use, instead of a new one each time"
    )
    flags.value(
        "--interval", parse=parse_duration, default=1.0, metavar="DURATION", about="how often each node is asked"
    )
    flags.switch("--no-rpc", about="read no Secrets and ask no nodes: show what the status says of them")
    flags.value(
        "--operator",
        parse=_parse_operator,
        metavar="ADDRESS",
        default="",
        about="where the operator serves its debug pages; by port-forward to the pod that holds its Lease if not given",
    )
    reaching.add_flag(flags)
    parser.set_defaults(command=show)
    return parser


def _parse_operator(text: str) -> str:
    return debug.parse_where(text) if text else ""


def show(args: argparse.Namespace) -> int:
    """Serve until a signal.

    Raises:
        ConfigError: A flag is wrong, the token file is no token, or the packages are not here.
    """
    host, port = parse_address(args.bind)
    if args.interval < _LEAST_SECONDS:
        raise ConfigError(f"--interval {args.interval:g} s is too little: {_LEAST_SECONDS:g} s or more")
    token = read_token(args.token_file)
    config = cluster_config(args)
    try:
        # Only here: an operator has no use for them, and not the packages that they need.
        from btcctl.bitcoin.view.looking.followed import Looking  # noqa: PLC0415
        from btcctl.bitcoin.view.serving.guard import new_token  # noqa: PLC0415
        from btcctl.bitcoin.view.serving.web_server import WebServer  # noqa: PLC0415
        from btcctl.bitcoin.view.view import View, ViewOptions  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(f"no {error.name} here: the page needs pip install 'btcctl[view]'") from error
    via = reaching.chosen(args.rpc_via, config)
    with (
        closing(ApiClient(HttpTransport(config), field_manager=FIELD_MANAGER)) as client,
        reaching.forwarding("auto", config) as forward,
    ):
        _require_definition(client, args.namespace)
        looking = Looking(tuple(args.namespace), args.interval, not args.no_rpc, via, forward)
        options = ViewOptions(config.host, args.read_only, looking=looking)
        with _looking_inside(args, config, client, looking) as inside:
            view = View(client, options, inside)
            server = WebServer(view, token or new_token(), host=host, port=port, names=tuple(args.allow_host))
            _serve(view, server, is_given=token is not None)
    return 0


def _require_definition(client: ApiClient, namespaces: Sequence[str]) -> None:
    """What is wrong for good is said at once; a server that cannot answer now may do so later: the page says so."""
    try:
        with limited_to(_FIRST_SECONDS, SYSTEM_CLOCK):
            for namespace in namespaces or ("",):
                require_definition(client, namespace)
    except _LATER as error:
        print(f"btcctl view: {for_terminal(str(error))}. The page shows the networks once it answers", file=sys.stderr)


def _serve(view: Any, server: Any, *, is_given: bool) -> None:
    stop = Stop()
    with catching_signals(lambda _: stop.set()), contextlib.ExitStack() as running:
        server.start()  # first: that a port is taken is known at once
        running.callback(server.stop)
        running.callback(view.stop)
        view.start()
        if is_given:
            print(f"serving on port {server.port}; the token is that of --token-file", flush=True)
        else:
            print(f"open         {server.address}", flush=True)
        server.died.on_set(stop.set)
        stop.wait()


@contextlib.contextmanager
def _looking_inside(
    args: argparse.Namespace, config: ClientConfig, client: ApiClient, looking: Looking
) -> Iterator[Any]:
    from btcctl.bitcoin.view.operator.debug_pages import ForwardedPages  # noqa: PLC0415  late, as above
    from btcctl.bitcoin.view.operator.inside import Inside  # noqa: PLC0415

    if args.operator:
        fetch = partial(debug.fetch, args.operator)

        def at_address(hub: Hub) -> Inside:
            return Inside(hub, fetch, where=args.operator)

        yield at_address
        return
    if looking.forward is None:
        yield lambda hub: Inside(hub, None, why_not="say where the operator serves its debug pages: --operator")
        return
    namespace = config.namespace if config.source == IN_CLUSTER else NAMESPACE
    with closing(ForwardedPages(client, looking.forward, ObjectKey(namespace, LEASE))) as pages:
        yield lambda hub: Inside(hub, pages.fetch, where="the pod that holds the Lease")


def read_token(path: Path | None) -> Secret | None:
    """The token in a file, without white space around it; None if there is none to read.

    Raises:
        ConfigError: It cannot be read, or is too long to be one.
    """
    if path is None:
        return None
    try:
        text = read_once(path, _MOST_TOKEN_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"--token-file {path}: {reason}") from None
    return Secret(text.strip())
