"""Requests to the API server as Prometheus sees them, under client-go's names."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from btcctl.metrics import Histogram

# component-base's rest_client_request_duration_seconds.
REQUEST_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


class RequestMetrics(Collector):
    """Counts requests to the API server. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the three below
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._retries: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[tuple[str, str], Histogram] = {}

    def time(self, method: str, host: str, seconds: float) -> None:
        """Note how long an answer took."""
        with self._lock:
            self._seconds.setdefault((method, host), Histogram(REQUEST_BUCKETS)).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        requests = CounterMetricFamily(
            "rest_client_requests", "Requests by status code, method and host.", labels=["code", "method", "host"]
        )
        seconds = HistogramMetricFamily(
            "rest_client_request_duration_seconds", "Seconds until the answer.", labels=["verb", "host"]
        )
        retries = CounterMetricFamily(
            "rest_client_request_retries",
            "Requests sent again, by the status code they came back with, verb and host.",
            labels=["code", "verb", "host"],
        )
        with self._lock:
            for labels, count in self._counts.items():
                requests.add_metric(labels, count)
            for labels, count in self._retries.items():
                retries.add_metric(labels, count)
            for names, histogram in self._seconds.items():
                seconds.add_metric(names, histogram.buckets(), histogram.total_seconds)
        yield from (requests, retries, seconds)

    def count(self, code: int | str, method: str, host: str) -> None:
        """Count an answer; `code` is "<error>" if there was none, as in client-go."""
        with self._lock:
            self._counts[str(code), method, host] += 1

    def count_retry(self, code: int | str, method: str, host: str) -> None:
        """Count a request that is sent again because it was answered with `code`."""
        with self._lock:
            self._retries[str(code), method, host] += 1
