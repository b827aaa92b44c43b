"""Work queues as Prometheus sees them, under client-go's names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from btcctl.metrics import BufferedHistogram
from btcctl.workqueue.queue import WorkQueue

# component-base's workqueue buckets: ExponentialBuckets(10e-9, 10, 12).
QUEUE_BUCKETS = tuple(10.0**exponent for exponent in range(-8, 4))


class QueueMetrics:
    """Observes one work queue.

    `depth` rises when a key becomes dirty, even while it is being processed, and falls when a
    worker gets it; a key's time in the queue counts from its first add, as in client-go.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting = BufferedHistogram(QUEUE_BUCKETS)
        self._working = BufferedHistogram(QUEUE_BUCKETS)
        self.waited = self._waiting.new.append
        self.worked = self._working.new.append
        self._queue: WorkQueue[Any] | None = None
        self._adds = 0.0
        self._is_worked = True

    def watch(self, queue: WorkQueue[Any]) -> None:
        """Called once, by the queue: it is read when it is scraped."""
        self._queue = queue

    def idle_until_called(self) -> Callable[[], None]:
        """Show no depth until what is returned is called: nobody is to take keys from the queue yet."""
        self._is_worked = False

        def begin() -> None:
            self._is_worked = True

        return begin

    def flush(self) -> None:
        """Count what has been noted: see `BufferedHistogram`."""
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
        families.depth.add_metric(labels, state.depth if self._is_worked else 0)
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


class QueueCollector(Collector):
    """All queues of a program; `metrics.part(QueueCollector).queue("foos")` observes one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the queues
        self._queues: dict[str, QueueMetrics] = {}

    def queue(self, name: str) -> QueueMetrics:
        """The observer for the queue of that name; the same one on every call."""
        with self._lock:
            return self._queues.setdefault(name, QueueMetrics(name))

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        with self._lock:
            queues = list(self._queues.values())
        families = QueueFamilies()
        for queue in queues:
            queue.add_to(families)
        yield from families
