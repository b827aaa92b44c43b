"""The operator as `btcctl run` has it, but for its RPC port and its schedule.

`python -m benchmarks.scale.controller KUBECONFIG RPC_PORT METRICS_PORT POLL FASTER`: POLL is the longest time between
two looks at a network; it, and all else that comes round, comes round FASTER times as often. Deadlines stay what they
are. Each write is a line on standard output.
"""

from __future__ import annotations

import re
import sys
import time

from prometheus_client import Gauge

from btcctl import ApiClient, Metrics, StatusServer, live_checks, load_config, ready_checks, run_until_signal
from btcctl.bitcoin.operator import FIELD_MANAGER, OperatorOptions, build_operator
from btcctl.bitcoin.refusals import RefusalNotingTransport, Refusals
from btcctl.logging import configure
from btcctl.rest.http import HttpTransport
from btcctl.rest.metrics import RequestMetrics
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.transport import Request, Response

_REASON = re.compile(r'"reason":"(\w+)"')


class CountingWrites(CountingTransport):
    """Also counts the requests that may change something: a review of access is POSTed, and is a question."""

    writes = 0

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        if not request.is_read:
            self.writes += 1
            reasons = _REASON.findall(bytes(request.body or b"").decode())
            print("wrote", f"{time.monotonic():.1f}", request.method, request.path, *reasons, flush=True)
        return super().request(request, timeout=timeout, breaker=breaker)


def main() -> None:
    kubeconfig, rpc_port, metrics_port, poll, faster = sys.argv[1:]
    configure("warning")
    config, metrics = load_config(environ={"KUBECONFIG": kubeconfig}), Metrics()
    requests, refusals = metrics.part(RequestMetrics), Refusals()
    transport = CountingWrites(HttpTransport(config), requests.count, config.host, requests.time)
    Gauge("bench_writes", "requests that may change something", registry=metrics.registry).set_function(
        lambda: transport.writes
    )
    client = ApiClient(RefusalNotingTransport(transport, refusals), field_manager=FIELD_MANAGER)
    high, often = float(poll), float(faster)
    options = OperatorOptions(
        rpc_port=int(rpc_port),
        poll_min_seconds=min(2.0, high) / often,
        poll_max_seconds=high / often,
        resync_seconds=OperatorOptions().resync_seconds / often,
    )
    manager = build_operator(client, options, metrics=metrics, refusals=refusals)
    manager.serve(StatusServer(f"127.0.0.1:{metrics_port}", metrics, live_checks(manager), ready_checks(manager)))
    run_until_signal(manager, grace_seconds=10.0)


if __name__ == "__main__":
    main()
