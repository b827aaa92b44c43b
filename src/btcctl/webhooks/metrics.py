"""Webhooks as Prometheus sees them, under controller-runtime's names."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from btcctl.clock import SYSTEM_CLOCK
from btcctl.metrics import Histogram

# prometheus/client_golang's DefBuckets, which controller-runtime leaves as they are.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class WebhookMetrics(Collector):
    """All hooks of a program. Thread-safe."""

    def __init__(self) -> None:
        self.expiry: Callable[[], datetime | None] = lambda: None  #: of the certificate
        self._lock = threading.Lock()  # guards what follows
        self._codes: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}
        self._active: Counter[str] = Counter()

    @contextmanager
    def counting(self, path: str) -> Iterator[Callable[[int], None]]:
        """Count one question. Within, the status that it is answered with is told to what is returned."""
        began = SYSTEM_CLOCK.now()
        code = 500

        def answered(status: int) -> None:
            nonlocal code
            code = status

        with self._lock:
            self._active[path] += 1
        try:
            yield answered
        finally:
            with self._lock:
                self._active[path] -= 1
                self._codes[path, code] += 1
                self._seconds.setdefault(path, Histogram(LATENCY_BUCKETS)).observe(SYSTEM_CLOCK.now() - began)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        total = CounterMetricFamily(
            "controller_runtime_webhook_requests", "Questions by status.", labels=["webhook", "code"]
        )
        seconds = HistogramMetricFamily(
            "controller_runtime_webhook_latency_seconds", "Seconds per answer.", labels=["webhook"]
        )
        active = GaugeMetricFamily(
            "controller_runtime_webhook_requests_in_flight", "Questions under way.", labels=["webhook"]
        )
        with self._lock:
            for (path, code), count in self._codes.items():
                total.add_metric([path, str(code)], count)
            for path, each in self._seconds.items():
                seconds.add_metric([path], each.buckets(), each.total_seconds)
            for path, number in self._active.items():
                active.add_metric([path], number)
        yield from (total, seconds, active)
        expiry = self.expiry()
        if expiry is not None:
            yield GaugeMetricFamily(
                "btcctl_webhook_certificate_expiry_timestamp_seconds",
                "When the certificate ends, in seconds since 1970.",
                value=expiry.timestamp(),
            )
