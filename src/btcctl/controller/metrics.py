"""Controllers as Prometheus sees them, under controller-runtime's names."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from btcctl.metrics import Histogram

# controller-runtime's pkg/internal/controller/metrics, ReconcileTime.
RECONCILE_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60),
)

#: How a reconcile ends. A terminal error or a timeout counts as "error" too, as in controller-runtime; what was broken
#: off because the controller stops counts as nothing. A "conflict" is a lost race for an object, and no error unless
#: there are many in a row; controller-runtime counts it as one.
RESULTS = ("success", "error", "requeue_after", "conflict", "terminal_error", "timeout", "interrupted")


class OwnWriteCounts(Protocol):
    """See `btcctl.controller.reconciling.own_writes.OwnWrites`."""

    waits: int
    timeouts: int


class ControllerMetrics:
    """Observes one controller. Thread-safe.

    Attributes:
        own_writes: Counted elsewhere, read when it is scraped.
        waiting: Says how many keys of each cluster wait; {} if there is but one cluster.
    """

    def __init__(self, name: str, workers: int, waiting: Callable[[], Mapping[str, int]] = dict) -> None:
        self.name = name
        self.workers = workers
        self.active = 0
        self.results: Counter[tuple[str, str]] = Counter()  #: by cluster, and one of RESULTS
        self.seconds = Histogram(RECONCILE_BUCKETS)
        self.own_writes: OwnWriteCounts | None = None
        self.waiting = waiting
        self._lock = threading.Lock()  # guards everything above

    def started(self) -> None:
        with self._lock:
            self.active += 1

    def finished(self, result: str, seconds: float, cluster: str = "") -> None:
        """Count a reconcile of a key of `cluster` that ended with one of RESULTS."""
        with self._lock:
            self.active -= 1
            self.results[cluster, result] += 1
            self.seconds.observe(seconds)


class ControllerCollector(Collector):
    """All controllers of a program. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the controllers
        self._controllers: dict[str, ControllerMetrics] = {}

    def controller(self, name: str, workers: int, waiting: Callable[[], Mapping[str, int]] = dict) -> ControllerMetrics:
        """The observer for the controller of that name; the same one on every call."""
        with self._lock:
            return self._controllers.setdefault(name, ControllerMetrics(name, workers, waiting))

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        with self._lock:
            controllers = list(self._controllers.values())
        yield from _families(controllers)


def _families(controllers: Sequence[ControllerMetrics]) -> Iterator[Metric]:
    labels = ["controller"]
    seconds = HistogramMetricFamily(
        "controller_runtime_reconcile_time_seconds", "Seconds per reconcile.", labels=labels
    )
    most = GaugeMetricFamily("controller_runtime_max_concurrent_reconciles", "Workers.", labels=labels)
    active = GaugeMetricFamily("controller_runtime_active_workers", "Workers that are busy.", labels=labels)
    waits = CounterMetricFamily(
        "btcctl_own_write_waits", "Keys that waited for a cache to show what they wrote.", labels=labels
    )
    vain = CounterMetricFamily("btcctl_own_write_timeouts", "Those that waited in vain.", labels=labels)
    for each in controllers:
        waits.add_metric([each.name], each.own_writes.waits if each.own_writes else 0)
        vain.add_metric([each.name], each.own_writes.timeouts if each.own_writes else 0)
        seconds.add_metric([each.name], each.seconds.buckets(), each.seconds.total_seconds)
        most.add_metric([each.name], each.workers * max(1, len(each.waiting())))
        active.add_metric([each.name], each.active)
    yield from _result_families(controllers)
    yield from (waits, vain, seconds, most, active)


def _result_families(controllers: Sequence[ControllerMetrics]) -> Iterator[Metric]:
    """Of several clusters one sample for each; the label `cluster` is there only then."""
    waiting = {each.name: each.waiting() for each in controllers}
    has_clusters = any(waiting.values())
    labels = ["controller", "cluster"] if has_clusters else ["controller"]
    total = CounterMetricFamily("controller_runtime_reconcile", "Reconciles by result.", labels=[*labels, "result"])
    errors = CounterMetricFamily("controller_runtime_reconcile_errors", "Reconciles that failed.", labels=labels)
    terminal = CounterMetricFamily(
        "controller_runtime_terminal_reconcile_errors", "Failures that are not tried again.", labels=labels
    )
    timeouts = CounterMetricFamily(
        "controller_runtime_reconcile_timeouts", "Reconciles that took too long.", labels=labels
    )
    held = GaugeMetricFamily(
        "btcctl_cluster_waiting_keys", "Keys that wait for their cluster's caches, or workers.", labels=labels
    )
    for each in controllers:
        for cluster in waiting[each.name] or {"": 0}:
            values = [each.name, cluster] if has_clusters else [each.name]
            given_up = each.results[cluster, "terminal_error"]
            failed = each.results[cluster, "error"] + each.results[cluster, "timeout"] + given_up
            for result in ("success", "requeue_after", "conflict"):
                total.add_metric([*values, result], each.results[cluster, result])
            total.add_metric([*values, "error"], failed)
            errors.add_metric(values, failed)
            terminal.add_metric(values, given_up)
            timeouts.add_metric(values, each.results[cluster, "timeout"])
            if has_clusters:
                held.add_metric(values, waiting[each.name].get(cluster, 0))
    yield from (total, errors, terminal, timeouts, *([held] if has_clusters else []))
