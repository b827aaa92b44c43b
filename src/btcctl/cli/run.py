"""`btcctl run`: the operator."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from btcctl.bitcoin.dry_run import read_only
from btcctl.bitcoin.operator import FIELD_MANAGER, NodeAccess, OperatorOptions, build_operator
from btcctl.bitcoin.refusals import RefusalNotingTransport, Refusals
from btcctl.cli import leading, serving
from btcctl.cli.dry_run import Diffs, run_once
from btcctl.cli.flags import Flags, cluster_config, parse_count, parse_duration, parse_namespace
from btcctl.cli.network import reaching
from btcctl.controller.manager import run_until_signal
from btcctl.controller.signals import catching_signals
from btcctl.errors import ApiError, BtcctlError, ConfigError, TransportError
from btcctl.logging import get_logger
from btcctl.metrics import Metrics
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.metrics import RequestMetrics
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.dry_run import DryRunTransport
from btcctl.rest.transport.transport import Fence, Transport
from btcctl.threads import Stop

logger = get_logger(__name__)

GRACE_SECONDS = 25.0  # below the 30 s that a pod is given to end


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "run",
        help="run the operator until SIGTERM or Ctrl-C",
        description=(
            "Run the operator. It finds the cluster by --kubeconfig, $KUBECONFIG, the service account of the pod it "
            "runs in, or ~/.kube/config, in that order. The first SIGTERM or Ctrl-C lets running reconciles finish; "
            "a second one ends the process at once. Beside a cluster it refuses to start while another holds the Lease."
        ),
    )
    flags = Flags(parser, environ)
    flags.cluster()
    flags.names("--namespace", "-n", parse=parse_namespace, metavar="NAME", about="look after this namespace only")
    flags.switch("--all-namespaces", "-A", about="look after all namespaces; this is the default")
    flags.value("--workers", parse=parse_count(1, 64), default=2, metavar="N", about="parallel reconciles")
    flags.value(
        "--resync-period",
        parse=parse_duration,
        default=600.0,
        metavar="DURATION",
        about="how often every network is looked at again, ± 10 %; 0 is never",
    )
    flags.value(
        "--node-image",
        parse=_parse_image,
        metavar="IMAGE",
        default=OperatorOptions().node_image,
        about="the image of the nodes",
    )
    flags.value(
        "--poll-min", parse=parse_duration, default=2.0, metavar="DURATION", about="first look while nodes are joining"
    )
    flags.value(
        "--poll-max", parse=parse_duration, default=30.0, metavar="DURATION", about="look at settled nodes this often"
    )
    serving.add_flags(flags)
    flags.switch("--dry-run", about="print what would be written and called, as diffs, once; then end")
    reaching.add_flag(flags)
    leading.add_flags(flags)
    parser.set_defaults(command=run_operator)
    return parser


def _parse_image(text: str) -> str:
    if not text or any(each.isspace() for each in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no image; write NAME:TAG or REGISTRY/NAME:TAG")
    return text


def run_operator(args: argparse.Namespace) -> int:
    """Find the cluster, build the operator, run it until a signal."""
    _refuse_contradictions(args)
    with catching_signals(_end_at_once, (signal.SIGTERM,)):  # PID 1 of a container has no default for it
        return _run(args)


def _end_at_once(number: int) -> None:
    """Nothing was begun yet that would have to be ended, and the main thread may hang in a call."""
    logger.info("stopped before the operator was started", signal=signal.Signals(number).name)
    os._exit(0)


def _run(args: argparse.Namespace) -> int:
    config = cluster_config(args)
    options = OperatorOptions(
        namespaces=args.namespace,
        workers=args.workers,
        resync_seconds=args.resync_period,
        node_image=args.node_image,
        poll_min_seconds=args.poll_min,
        poll_max_seconds=args.poll_max,
        rpc_via=reaching.chosen(args.rpc_via, config),
    )
    logger.info("configuration", server=config.host, source=config.source, **_shown(args, options))
    if args.dry_run:
        return _run_dry(config, options)
    with contextlib.closing(ApiClient(HttpTransport(config, pool_size=1), field_manager=FIELD_MANAGER)) as client:
        logger.info("connected", server_version=_server_version(client))
    metrics, refusals = Metrics(), Refusals()
    with (
        reaching.forwarding(options.rpc_via, config) as forward,
        leading.candidacy(args, config, metrics) as candidate,
    ):
        fence = None if candidate is None else candidate.fence
        transport = RefusalNotingTransport(_counted(config, metrics, fence), refusals)
        with contextlib.closing(ApiClient(transport, field_manager=FIELD_MANAGER)) as client:
            elector = None if candidate is None else candidate.elector
            access = NodeAccess(fence, forward)
            manager = build_operator(
                client, options, metrics=metrics, elector=elector, access=access, refusals=refusals
            )
            ready = {"rights": refusals.problem}
            for service in serving.status_services(args, manager, metrics, ready, client):
                manager.serve(service)
            run_until_signal(manager, grace_seconds=GRACE_SECONDS)
    return 0


def _counted(config: ClientConfig, metrics: Metrics, fence: Fence | None) -> Transport:
    requests = metrics.part(RequestMetrics)
    transport = HttpTransport(config, fence=fence)
    return CountingTransport(transport, requests.count, config.host, requests.time, retried=requests.count_retry)


def _run_dry(config: ClientConfig, options: OperatorOptions) -> int:
    """Takes no part in an election: nothing is written."""
    diffs = Diffs(lambda text: print(text, flush=True))
    with (
        reaching.forwarding(options.rpc_via, config) as forward,
        contextlib.closing(
            ApiClient(DryRunTransport(HttpTransport(config), diffs.write), field_manager=FIELD_MANAGER)
        ) as client,
    ):
        _server_version(client)
        options = replace(options, in_background=False)
        access = NodeAccess(None, forward, lambda rpc_for: read_only(rpc_for, diffs.call))
        manager = build_operator(client, options, access=access)
        stop = Stop()
        with catching_signals(lambda _: stop.set()):
            is_complete = run_once(manager, stop)
    print(f"{diffs.count} in all" if diffs.count else "nothing to do", file=sys.stderr)
    return 0 if is_complete else 1


def _refuse_contradictions(args: argparse.Namespace) -> None:
    if args.namespace and args.all_namespaces:
        raise ConfigError(f"--namespace {args.namespace[0]} and --all-namespaces contradict each other")
    if args.dry_run and args.take_over:
        raise ConfigError("--dry-run takes nothing over")
    serving.refuse_contradictions(args)
    if not 0 < args.poll_min <= args.poll_max:
        raise ConfigError(
            f"--poll-min {args.poll_min:g} s must be more than 0 and at most --poll-max {args.poll_max:g} s"
        )


def _server_version(client: ApiClient) -> str:
    try:
        return str(client.server_version().get("gitVersion", "unknown"))
    except TransportError as error:
        raise BtcctlError(f"{error}. Is the cluster up, and is this its address?") from error
    except ApiError as error:
        raise BtcctlError(f"the API server refuses us: {error}") from error


def _shown(args: argparse.Namespace, options: OperatorOptions) -> dict[str, object]:
    return {
        **asdict(options),
        "metrics_bind_address": args.metrics_bind_address or "off",
        "metrics_secure": args.metrics_secure,
        "health_probe_bind_address": args.health_probe_bind_address or "off",
    }
