"""Counters under the names of client-go and controller-runtime, so that their dashboards fit.

Hot paths only add plain integers; `Metrics` turns them into Prometheus samples when scraped.
"""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

# component-base's workqueue buckets: ExponentialBuckets(10e-9, 10, 12).
QUEUE_BUCKETS = tuple(10.0**exponent for exponent in range(-8, 4))

# controller-runtime's pkg/internal/controller/metrics, ReconcileTime.
RECONCILE_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60),
)

# component-base's rest_client_request_duration_seconds.
REQUEST_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

#: How a reconcile ends. A terminal error or a timeout counts as "error" too, as in controller-runtime.
RESULTS = ("success", "error", "requeue_after", "terminal_error", "timeout")


class Histogram:
    """Counts seconds into buckets. Not thread-safe: its owner holds a lock."""

    def __init__(self, buckets: Sequence[float]) -> None:
        self.total_seconds = 0.0
        self._bounds = buckets
        self._counts = [0] * (len(buckets) + 1)

    def observe(self, seconds: float) -> None:
        self.total_seconds += seconds
        self._counts[bisect_left(self._bounds, seconds)] += 1

    def observe_many(self, seconds: list[float]) -> None:
        """Sorts `seconds`: then a look per bucket is enough, and much cheaper than one per observation."""
        self.total_seconds += sum(seconds)
        seconds.sort()
        begin = 0
        for bucket, bound in enumerate(self._bounds):
            end = bisect_right(seconds, bound, begin)
            self._counts[bucket] += end - begin
            begin = end
        self._counts[-1] += len(seconds) - begin

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound and cumulative count, as Prometheus wants them."""
        labels = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        return list(zip(labels, map(float, itertools.accumulate(self._counts)), strict=True))


class LaterHistogram:
    """Takes seconds from many threads without a lock they would queue up at; counts them later.

    Attributes:
        new: What is not counted yet. Append seconds; somebody has to call `flush` now and then.
    """

    def __init__(self, buckets: Sequence[float]) -> None:
        self.new: list[float] = []
        self._counted = Histogram(buckets)
        self._lock = threading.Lock()  # guards what is counted

    def flush(self) -> None:
        """Count what is new, unless another thread is just doing that."""
        if self._lock.acquire(blocking=False):
            try:
                self._count()
            finally:
                self._lock.release()

    def read(self) -> tuple[list[tuple[str, float]], float]:
        """The buckets, and the sum of all seconds."""
        with self._lock:
            self._count()
            return self._counted.buckets(), self._counted.total_seconds

    def _count(self) -> None:
        taken = self.new[:]
        del self.new[: len(taken)]  # what came meanwhile stands behind
        self._counted.observe_many(taken)


class WatchedQueue(Protocol):
    """What is read of a queue when it is scraped."""

    def statistics(self) -> QueueState: ...


class QueueState(Protocol):
    """See `btcctl.workqueue.state.QueueStatistics`."""

    @property
    def depth(self) -> int: ...

    @property
    def retries(self) -> int: ...

    @property
    def running_seconds(self) -> tuple[float, ...]: ...


class QueueMetrics:
    """Observes one work queue.

    `depth` rises when a key becomes dirty, even while it is being processed, and falls when a
    worker gets it; a key's time in the queue counts from its first add, as in client-go.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting = LaterHistogram(QUEUE_BUCKETS)
        self._working = LaterHistogram(QUEUE_BUCKETS)
        self.waited = self._waiting.new.append
        self.worked = self._working.new.append
        self._queue: WatchedQueue | None = None
        self._adds = 0.0

    def watch(self, queue: WatchedQueue) -> None:
        self._queue = queue

    def flush(self) -> None:
        self._waiting.flush()
        self._working.flush()

    def add_to(self, families: QueueFamilies) -> None:
        """Add this queue's samples."""
        if self._queue is None:
            return
        state, labels = self._queue.statistics(), [self.name, self.name]
        waiting, working = self._waiting.read(), self._working.read()
        # Every add is in the queue or has been waited for. A get between the two looks must not make it shrink.
        self._adds = max(self._adds, waiting[0][-1][1] + state.depth)
        families.depth.add_metric(labels, state.depth)
        families.adds.add_metric(labels, self._adds)
        families.retries.add_metric(labels, state.retries)
        families.waiting.add_metric(labels, *waiting)
        families.working.add_metric(labels, *working)
        families.unfinished.add_metric(labels, sum(state.running_seconds))
        families.longest.add_metric(labels, max(state.running_seconds, default=0.0))


class QueueFamilies:
    """What client-go says of its queues."""

    def __init__(self) -> None:
        labels = ["name", "controller"]
        self.depth = GaugeMetricFamily("workqueue_depth", "Keys that need work.", labels=labels)
        self.adds = CounterMetricFamily("workqueue_adds", "Keys added.", labels=labels)
        self.retries = CounterMetricFamily("workqueue_retries", "Keys held back until later.", labels=labels)
        self.waiting = HistogramMetricFamily("workqueue_queue_duration_seconds", "How long keys waited.", labels=labels)
        self.working = HistogramMetricFamily("workqueue_work_duration_seconds", "How long keys took.", labels=labels)
        self.unfinished = GaugeMetricFamily(
            "workqueue_unfinished_work_seconds", "Seconds of work in progress, summed up.", labels=labels
        )
        self.longest = GaugeMetricFamily(
            "workqueue_longest_running_processor_seconds", "Age of the oldest work in progress.", labels=labels
        )

    def __iter__(self) -> Iterator[Metric]:
        return iter(vars(self).values())


class OwnWriteCounts(Protocol):
    """See `btcctl.controller.reconciling.own_writes.OwnWrites`."""

    waits: int
    timeouts: int


class ControllerMetrics:
    """Observes one controller. Thread-safe.

    Attributes:
        own_writes: Counted elsewhere, read when it is scraped.
    """

    def __init__(self, name: str, workers: int) -> None:
        self.name = name
        self.workers = workers
        self.active = 0
        self.results: Counter[str] = Counter()
        self.seconds = Histogram(RECONCILE_BUCKETS)
        self.own_writes: OwnWriteCounts | None = None
        self._lock = threading.Lock()  # guards everything above

    def started(self) -> None:
        with self._lock:
            self.active += 1

    def finished(self, result: str, seconds: float) -> None:
        """Count a reconcile that ended with one of RESULTS."""
        with self._lock:
            self.active -= 1
            self.results[result] += 1
            self.seconds.observe(seconds)


class RequestMetrics:
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

    def families(self) -> Iterator[Metric]:
        """client-go's names."""
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


class LeaderMetrics:
    """Observes one elector, which adds from its own thread."""

    def __init__(self, name: str) -> None:
        self.name = name  #: of the lease
        self.is_leading = False
        self.slow_paths = 0  #: renewals that had to read first


class Metrics(Collector):
    """Everything that is counted, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = RequestMetrics()
        self._lock = threading.Lock()  # guards the three below
        self._queues: dict[str, QueueMetrics] = {}
        self._controllers: dict[str, ControllerMetrics] = {}
        self._leaders: dict[str, LeaderMetrics] = {}
        self.registry.register(self)

    def queue(self, name: str) -> QueueMetrics:
        """The observer for the queue of that name; the same one on every call."""
        with self._lock:
            return self._queues.setdefault(name, QueueMetrics(name))

    def controller(self, name: str, workers: int) -> ControllerMetrics:
        """The observer for the controller of that name; the same one on every call."""
        with self._lock:
            return self._controllers.setdefault(name, ControllerMetrics(name, workers))

    def leader(self, name: str) -> LeaderMetrics:
        """The observer for the elector of the lease of that name; the same one on every call."""
        with self._lock:
            return self._leaders.setdefault(name, LeaderMetrics(name))

    def text(self) -> bytes:
        """All samples in Prometheus' text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        with self._lock:
            queues, controllers = list(self._queues.values()), list(self._controllers.values())
            leaders = list(self._leaders.values())
        yield from _queue_families(queues)
        yield from _controller_families(controllers)
        yield from _leader_families(leaders)
        yield from self.requests.families()


def _queue_families(queues: Iterable[QueueMetrics]) -> QueueFamilies:
    families = QueueFamilies()
    for queue in queues:
        queue.add_to(families)
    return families


def _controller_families(controllers: Iterable[ControllerMetrics]) -> Iterator[Metric]:
    labels = ["controller"]
    total = CounterMetricFamily(
        "controller_runtime_reconcile", "Reconciles by result.", labels=["controller", "result"]
    )
    errors = CounterMetricFamily("controller_runtime_reconcile_errors", "Reconciles that failed.", labels=labels)
    terminal = CounterMetricFamily(
        "controller_runtime_terminal_reconcile_errors", "Failures that are not tried again.", labels=labels
    )
    timeouts = CounterMetricFamily(
        "controller_runtime_reconcile_timeouts", "Reconciles that took too long.", labels=labels
    )
    waits = CounterMetricFamily(
        "btcctl_own_write_waits", "Keys that waited for a cache to show what they wrote.", labels=labels
    )
    vain = CounterMetricFamily("btcctl_own_write_timeouts", "Those that waited in vain.", labels=labels)
    seconds = HistogramMetricFamily(
        "controller_runtime_reconcile_time_seconds", "Seconds per reconcile.", labels=labels
    )
    most = GaugeMetricFamily("controller_runtime_max_concurrent_reconciles", "Workers.", labels=labels)
    active = GaugeMetricFamily("controller_runtime_active_workers", "Workers that are busy.", labels=labels)
    for each in controllers:
        given_up = each.results["terminal_error"]
        failed = each.results["error"] + each.results["timeout"] + given_up
        for result in ("success", "requeue_after"):
            total.add_metric([each.name, result], each.results[result])
        total.add_metric([each.name, "error"], failed)
        errors.add_metric([each.name], failed)
        terminal.add_metric([each.name], given_up)
        timeouts.add_metric([each.name], each.results["timeout"])
        waits.add_metric([each.name], each.own_writes.waits if each.own_writes else 0)
        vain.add_metric([each.name], each.own_writes.timeouts if each.own_writes else 0)
        seconds.add_metric([each.name], each.seconds.buckets(), each.seconds.total_seconds)
        most.add_metric([each.name], each.workers)
        active.add_metric([each.name], each.active)
    yield from (total, errors, terminal, timeouts, waits, vain, seconds, most, active)


def _leader_families(leaders: Iterable[LeaderMetrics]) -> Iterator[Metric]:
    status = GaugeMetricFamily("leader_election_master_status", "1 while we lead, 0 otherwise.", labels=["name"])
    slow = CounterMetricFamily(
        "leader_election_slowpath", "Renewals of a lease that had to read it first.", labels=["name"]
    )
    for each in leaders:
        status.add_metric([each.name], float(each.is_leading))
        slow.add_metric([each.name], each.slow_paths)
    yield from (status, slow)
