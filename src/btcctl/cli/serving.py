"""What an operator serves of itself: the flags of metrics, health and debug pages, and the servers."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterator, Mapping

from btcctl.cli.flags import Flags
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.debugging import DebugPages
from btcctl.controller.health import live_checks, ready_checks
from btcctl.controller.journey import Journey
from btcctl.controller.leading import Service
from btcctl.controller.manager import Manager
from btcctl.controller.serving.protection import AccessReviews, Protection
from btcctl.controller.serving.status_server import Check, StatusServer, parse_address
from btcctl.errors import ConfigError
from btcctl.metrics import Metrics
from btcctl.rest.client import ApiClient

_HOSTS = ("localhost", "127.0.0.1")


def add_flags(flags: Flags) -> None:
    """Named as in operators that kubebuilder begins."""
    flags.value(
        "--metrics-bind-address",
        metavar="ADDRESS",
        default="",
        about="serve /metrics, /healthz and /readyz here, for example :8080; off by default",
    )
    flags.switch(
        "--metrics-secure",
        about="serve them by HTTPS, and the metrics to those alone whom the API server lets get the path /metrics",
    )
    flags.value(
        "--metrics-cert-dir",
        metavar="DIR",
        default="",
        about="tls.crt and tls.key for that, which somebody else renews; without it self-made, which nobody can verify",
    )
    flags.value(
        "--health-probe-bind-address",
        metavar="ADDRESS",
        default="",
        about="serve /healthz and /readyz here, too, and nothing else, for example :8081; off by default",
    )
    flags.switch(
        "--debug-endpoints",
        about="also serve /debug with the metrics, for btcctl debug: keys, errors, stacks; no bodies",
    )


def refuse_contradictions(args: argparse.Namespace) -> None:
    """
    Raises:
        ConfigError: Flags do not fit together, or an address is none.
    """
    for flag in ("debug_endpoints", "metrics_secure"):
        if getattr(args, flag) and not args.metrics_bind_address:
            raise ConfigError(f"--{flag.replace('_', '-')} needs --metrics-bind-address")
    if args.metrics_cert_dir and not args.metrics_secure:
        raise ConfigError("--metrics-cert-dir needs --metrics-secure")
    if args.debug_endpoints and args.metrics_secure:
        raise ConfigError("--debug-endpoints is for btcctl debug, which sends no token: leave out --metrics-secure")
    for address in filter(None, (args.metrics_bind_address, args.health_probe_bind_address)):
        parse_address(address)


def status_services(
    args: argparse.Namespace, manager: Manager, metrics: Metrics | None, ready: Mapping[str, Check], client: ApiClient
) -> Iterator[Service]:
    """What the flags ask for, to be served by the manager one after the other.

    Args:
        ready: Checks of readiness beside the manager's.
        client: Reviews who may see the metrics, whether this process leads or not.

    Raises:
        ConfigError: What it needs is not installed.
    """
    live, ready = live_checks(manager), {**ready_checks(manager), **ready}
    if args.metrics_bind_address:
        debug = DebugPages(manager, journey=Journey(manager)).page if args.debug_endpoints else None
        protection, keeper = _protection(args, client) if args.metrics_secure else (None, None)
        yield StatusServer(args.metrics_bind_address, metrics, live, ready, debug, protection)
        if keeper is not None:
            yield keeper  # what is served last begins first
    if args.health_probe_bind_address:
        yield StatusServer(args.health_probe_bind_address, None, live, ready)


def _protection(args: argparse.Namespace, client: ApiClient) -> tuple[Protection, Service]:
    """What protects the metrics, and who keeps its certificates."""
    if importlib.util.find_spec("cryptography") is None:
        raise ConfigError("--metrics-secure needs cryptography: pip install 'btcctl[tls]'")
    # Late: only who serves by HTTPS has what they import.
    from btcctl.certificates.identity import Identity  # noqa: PLC0415
    from btcctl.certificates.keepers import FileKeeper, MemoryKeeper  # noqa: PLC0415

    identity = Identity("metrics", SYSTEM_CLOCK)
    directory = args.metrics_cert_dir
    keeper = (
        FileKeeper(directory, identity, SYSTEM_CLOCK) if directory else MemoryKeeper(_HOSTS, identity, SYSTEM_CLOCK)
    )
    return Protection(lambda: identity.context, AccessReviews(client).refusal), keeper
