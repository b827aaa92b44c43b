"""What is counted, and how Prometheus reads it: hot paths only add plain numbers, samples are made when scraped.

Each package has its own collectors in a module `metrics`, under the names of client-go and controller-runtime, so that
their dashboards fit.
"""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

C = TypeVar("C", bound=Collector)


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


class BufferedHistogram:
    """Takes seconds from many threads without a lock they would queue up at; counts them later.

    Attributes:
        new: What is not counted yet. Append seconds; its owner calls `flush` now and then.
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


class Metrics:
    """Everything that one program counts, in a registry of its own. Thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._lock = threading.Lock()  # guards the parts
        self._parts: dict[type[Collector], Collector] = {}

    def part(self, kind: type[C]) -> C:
        """The collector of that class: made and registered by the first call, the same one from each.

            metrics.part(RequestMetrics).count(200, "GET", "example:6443")

        Args:
            kind: Can be called without arguments.
        """
        with self._lock:
            found = self._parts.get(kind)
            if not isinstance(found, kind):
                found = kind()
                self.registry.register(found)
                self._parts[kind] = found
            return found

    def text(self) -> bytes:
        """All samples in Prometheus' text format."""
        return generate_latest(self.registry)
