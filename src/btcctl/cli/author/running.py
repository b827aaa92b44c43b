"""`btcctl.run`: an operator as a program, with the flags of `btcctl run`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from btcctl import logging
from btcctl.app.app import App, AppOptions, Build, built
from btcctl.cli import serving
from btcctl.cli.flags import (
    Flags,
    Parser,
    cluster_config,
    parse_count,
    parse_duration,
    parse_namespace,
    parse_path,
)
from btcctl.clock import AWAKE_CLOCK
from btcctl.controller.manager import run_until_signal
from btcctl.errors import ApiError, BtcctlError, ConfigError, TransportError
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.leaderelection.metrics import LeaderCollector
from btcctl.metrics import Metrics
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.loading import load_contexts
from btcctl.rest.metrics import RequestMetrics
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.transport import Transport
from btcctl.webhooks.options import WebhookOptions

logger = logging.get_logger(__name__)

GRACE_SECONDS = 25.0  # below the 30 s that a pod is given to end


def run(build: Build, *, name: str, argv: Sequence[str] | None = None) -> NoReturn:
    """Run an operator as a program: parse flags, find the cluster, work until SIGTERM or Ctrl-C, exit.

    Exit status: 0 stopped as asked, 1 failed, 2 bad usage or configuration.

    Args:
        build: Adds controllers and services to the App that it is given.
        name: Of the operator: its field manager, its Lease, and what records its events.
        argv: What stands after the program's name; the process' if None.
    """
    sys.exit(main(build, name, argv))


def main(build: Build, name: str, argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """The same; returns the exit status."""
    args = _parser(name, environ).parse_args(argv)
    level = "debug" if args.verbose else args.log_level
    logging.configure(level, args.log_format, tracebacks=args.verbose)
    try:
        _run(build, name, args)
    except KeyboardInterrupt:
        return 130
    except BtcctlError as error:
        print(f"{name}: {logging.for_terminal(str(error))}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    return 0


def _parser(name: str, environ: Mapping[str, str] | None) -> argparse.ArgumentParser:
    parser = Parser(prog=name, description=f"Run the operator {name} until SIGTERM or Ctrl-C.")
    flags = Flags(parser, environ)
    flags.cluster()
    flags.value(
        "--clusters",
        parse=parse_path,
        metavar="FILE",
        about="look after the cluster of each context in this kubeconfig; its own things stay where it is",
    )
    flags.names(
        "--namespace",
        "-n",
        parse=parse_namespace,
        metavar="NAME",
        about="look after this namespace only; all by default",
    )
    flags.value("--workers", parse=parse_count(1, 64), default=2, metavar="N", about="parallel reconciles")
    flags.value(
        "--resync-period",
        parse=parse_duration,
        default=0.0,
        metavar="DURATION",
        about="how often everything is looked at again, ± 10 %; 0 is never",
    )
    serving.add_flags(flags)
    flags.value(
        "--webhook-bind-address", metavar="ADDRESS", default=":9443", about="serve the operator's webhooks here"
    )
    flags.value(
        "--webhook-service", metavar="NAME", default="", about=f"the Service that leads there; {name}-webhooks if empty"
    )
    flags.value(
        "--webhook-url",
        metavar="URL",
        default="",
        about="tell the API server this https:// address instead of a Service",
    )
    flags.value(
        "--webhook-cert-dir",
        metavar="DIR",
        default="",
        about="tls.crt, tls.key and ca.crt that somebody else renews, instead of a Secret of the operator's own",
    )
    flags.switch("--leader-elect", about="work only while holding a Lease, so that several copies can run")
    flags.value("--leader-elect-resource-name", metavar="NAME", default=name, about="the Lease")
    flags.value(
        "--leader-elect-resource-namespace",
        parse=parse_namespace,
        metavar="NAME",
        default="",
        about="where it is; the configuration's if empty",
    )
    flags.value("--log-level", choices=logging.LEVELS, default="info", about="the least level to log")
    flags.value(
        "--log-format", choices=("auto", "console", "json"), default="auto", about="auto is console on a terminal"
    )
    flags.switch("-v", "--verbose", about="log everything, and show tracebacks")
    return parser


def _run(build: Build, name: str, args: argparse.Namespace) -> None:
    serving.refuse_contradictions(args)
    others = {} if args.clusters is None else load_contexts(args.clusters)
    config = cluster_config(args)
    webhooks = WebhookOptions(
        args.webhook_bind_address,
        config.namespace,
        args.webhook_service,
        url=args.webhook_url,
        certificates=args.webhook_cert_dir,
    )
    metrics = Metrics()
    with _candidate(name, args, config, metrics) as candidate:
        fence = None if candidate is None else candidate.fence
        with contextlib.ExitStack() as open_clients:

            def connect(to: ClientConfig) -> ApiClient:
                client = ApiClient(_counted(HttpTransport(to, fence=fence), to.host, metrics), field_manager=name)
                return open_clients.enter_context(client)

            client = connect(config)
            logger.info("connected", server=config.host, server_version=_version_of(client))
            clusters = {context: connect(each) for context, each in others.items()}
            options = AppOptions(args.namespace, args.workers, args.resync_period, webhooks=webhooks)
            elector = None if candidate is None else candidate.elector
            copy_client = None if candidate is None else candidate.client
            app = App(
                client,
                name,
                options=options,
                metrics=metrics,
                elector=elector,
                copy_client=copy_client,
                clusters=clusters,
            )
            manager = built(build, app)
            for service in serving.status_services(args, manager, app.metrics, app.checks, client):
                manager.serve(service)
            run_until_signal(manager, grace_seconds=GRACE_SECONDS)


def _counted(transport: Transport, host: str, metrics: Metrics) -> Transport:
    requests = metrics.part(RequestMetrics)
    return CountingTransport(transport, requests.count, host, requests.time, retried=requests.count_retry)


@dataclass(frozen=True, slots=True)
class _Candidate:
    elector: Elector
    fence: Fence
    client: ApiClient


@contextlib.contextmanager
def _candidate(
    name: str, args: argparse.Namespace, config: ClientConfig, metrics: Metrics
) -> Iterator[_Candidate | None]:
    """What takes part in the election; None if no flag asks for one."""
    if not args.leader_elect:
        yield None
        return
    key = ObjectKey(args.leader_elect_resource_namespace or config.namespace, args.leader_elect_resource_name)
    # A connection of its own, without the fence and without retries: one call is one attempt.
    with ApiClient(HttpTransport(config, pool_size=1), field_manager=name, retries=RetryPolicy(attempts=1)) as client:
        fence = Fence(AWAKE_CLOCK)
        observer = metrics.part(LeaderCollector).leader(key.name)
        elector = Elector(LeaseLock(client, key), fence, clock=AWAKE_CLOCK, observer=observer)
        yield _Candidate(elector, fence, client)


def _version_of(client: ApiClient) -> str:
    try:
        return str(client.server_version().get("gitVersion", "unknown"))
    except TransportError as error:
        raise BtcctlError(f"{error}. Is the cluster up, and is this its address?") from error
    except ApiError as error:
        raise BtcctlError(f"the API server refuses us: {error}") from error
