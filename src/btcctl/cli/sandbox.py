"""`btcctl sandbox`: a local cluster with a network on it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv6Network
from types import FrameType
from typing import TYPE_CHECKING, Any

from btcctl.cli.flags import Flags, parse_count, parse_path
from btcctl.clock import sleep
from btcctl.controller.serving.status_server import parse_address
from btcctl.errors import BtcctlError, ConfigError
from btcctl.interrupts import end_at_once

if TYPE_CHECKING:
    from btcctl.sandbox.session import Session

MIN_CHECKED_NODES = 2
_POLL_SECONDS = 0.2
_FEWEST_ADDRESSES = 16


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "sandbox",
        help="a local cluster with a living network: no Kubernetes, no Docker",
        description=(
            "Start an API server, controllers of workloads, a node runner that makes every pod a process on "
            "its own loopback address, the operator, and a network. It stays up until Ctrl-C, and leaves nothing "
            "behind but what --state keeps. The nodes are Bitcoin Core if a bitcoind is found, simulated otherwise."
        ),
    )
    flags = Flags(parser, environ)
    flags.value("--nodes", parse=parse_count(1, 50), metavar="N", about="nodes of the network, 1 to 50; by default 3")
    flags.switch("--check", about="tell the whole story, print what was seen, and exit 0 or 1")
    flags.value(
        "--with", dest="manifests", parse=parse_path, metavar="FILE", about="manifests to apply after the start"
    )
    flags.value(
        "--state",
        parse=parse_path,
        metavar="DIR",
        about="keep objects, chains and the way in here, and go on from what is there; by default nothing is kept",
    )
    flags.value(
        "--kubeconfig-out", parse=parse_path, metavar="FILE", about="write the kubeconfig here; it stays afterwards"
    )
    flags.value(
        "--bitcoind",
        parse=parse_path,
        metavar="PATH",
        about="the bitcoind to run, instead of one on PATH; `auto`: one on PATH, else what `make bitcoind` has fetched",
    )
    flags.switch("--simulated", about="simulated nodes, even if there is a bitcoind on PATH")
    flags.switch("--no-view", about="serve no page that shows all this live")
    flags.value(
        "--view-bind", metavar="ADDRESS", default="127.0.0.1:0", about="where to serve it; port 0 picks a free one"
    )
    flags.switch("--no-operator", about="leave the network to an operator of yours, for example `btcctl run`")
    flags.names(
        "--run",
        metavar="IMAGE=COMMAND",
        about="what containers of an image run; IMAGE without a tag stands for every tag",
    )
    flags.value(
        "--control-plane",
        choices=("embedded", "real"),
        default="embedded",
        about="the API server: our own, or kube-apiserver and etcd, as `make controlplane` builds them",
    )
    flags.value(
        "--pod-network",
        parse=_parse_network,
        metavar="CIDR",
        about="give pods the addresses of this IPv6 network, which must be this machine's; by default 127.x.y.z",
    )
    flags.value(
        "--authorization",
        choices=("none", "rbac"),
        default="none",
        about="rbac: whoever is not the admin may do what roles and bindings allow; a real API server always says so",
    )
    parser.set_defaults(command=run_sandbox)
    return parser


def run_sandbox(args: argparse.Namespace) -> int:
    """Bring everything up; check it, or wait for Ctrl-C; take everything down."""
    try:
        # Only here: an operator in a cluster has no use for it, and not the packages it needs.
        with end_at_once():
            from btcctl.sandbox.cluster.cluster import ClusterOptions  # noqa: PLC0415
            from btcctl.sandbox.session import SandboxOptions, Session  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(f"no {error.name} here: the sandbox needs pip install 'btcctl[sandbox]'") from error
    if args.check and args.nodes is not None and args.nodes < MIN_CHECKED_NODES:
        raise ConfigError(f"--check needs --nodes {MIN_CHECKED_NODES} or more: a lone node has nobody to learn from")
    if args.check and args.no_operator:
        raise ConfigError("--check tells what the sandbox's operator does: it contradicts --no-operator")
    if args.check and args.state is not None:
        raise ConfigError("--check tells its story on a network of its own: it contradicts --state")
    options = SandboxOptions(
        nodes=args.nodes,
        manifests=tuple([args.manifests] if args.manifests else []),
        kubeconfig_out=args.kubeconfig_out,
        bitcoind=args.bitcoind,
        simulated=args.simulated,
        control_plane=args.control_plane,
        run=tuple(args.run),
        operator=not args.no_operator,
        state=args.state,
        pod_network=args.pod_network,
        view=None if args.no_view or args.check else parse_address(args.view_bind),
    )
    guarded = ClusterOptions(is_guarded=args.authorization == "rbac")
    try:
        with _terminated_like_interrupted(), Session(options, say=say, cluster_options=guarded) as session:
            if args.check:
                return _check(session)
            _play(session, waits=not args.no_operator)
            return 0
    except KeyboardInterrupt:
        say("\nInterrupted, and cleared away.")
        raise


def _parse_network(text: str) -> IPv6Network:
    try:
        network = IPv6Network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no IPv6 network: {error}") from None
    if network.num_addresses < _FEWEST_ADDRESSES:
        raise ValueError(
            f"{network} has {network.num_addresses} addresses; a sandbox wants {_FEWEST_ADDRESSES} or more"
        )
    return network


def _check(session: Session) -> int:
    from btcctl.sandbox.demonstration.check import CheckFailed  # noqa: PLC0415  late, as above

    try:
        session.check()
    except CheckFailed as error:
        say(f"FAILED  {error}")
        return 1
    say("PASSED")
    return 0


def _play(session: Session, *, waits: bool) -> None:
    if waits:
        session.show_progress()
    say(session.advice())
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            sleep(_POLL_SECONDS)
            session.raise_failures()
    say("\nStopping.")


def say(line: str) -> None:
    """Print at once: people watch, and pipes buffer.

    Raises:
        BtcctlError: Nobody can read it. Whatever is said afterwards goes nowhere.
    """
    try:
        print(line, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written there at the end
        gone = isinstance(error, BrokenPipeError)
        why = "whoever read it has left" if gone else f"stdout: {error.strerror or error}"
        raise BtcctlError(f"cannot say where it is, so it ends: {why}") from None


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends the sandbox as Ctrl-C does; a second signal of either kind ends it at once.

    Ending at once is safe: the keeper notices, and clears everything away.
    """
    has_come = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal has_come
        has_come = True
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: sys.exit(130))
        raise KeyboardInterrupt

    before: dict[int, Callable[..., Any] | int | None] = {}
    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, interrupt)
    try:
        yield
    except (ImportError, SystemError) as error:  # what C code makes of an interrupt while it loads something
        if not has_come:
            raise
        raise KeyboardInterrupt from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
