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

from btcctl.errors import is_of_program, type_name
from btcctl.logging import get_logger

logger = get_logger(__name__)

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


class _Registry(CollectorRegistry):
    """Knows its collectors one by one: what one of them raises must not hide the samples of the others."""

    def __init__(self) -> None:
        self._registered: dict[Collector, None] = {}  # each step on it is atomic
        self._failures: dict[Collector, int] = {}
        super().__init__(auto_describe=False)

    def register(self, collector: Collector) -> None:
        super().register(collector)
        self._registered[collector] = None

    def unregister(self, collector: Collector) -> None:
        super().unregister(collector)
        self._registered.pop(collector, None)
        self._failures.pop(collector, None)

    def text(self) -> bytes:
        return b"".join(map(self._text_of, [*self._registered]))

    def _text_of(self, collector: Collector) -> bytes:
        try:
            return generate_latest(collector)
        except BaseException as error:  # foreign code
            if is_of_program(error):
                raise
            failures = self._failures[collector] = self._failures.get(collector, 0) + 1
            if failures & (failures - 1) == 0:  # it is asked every few seconds
                name = type_name(collector)
                logger.exception("a collector of metrics failed", collector=name, failures=failures)
            return b""


class Metrics:
    """Everything that one program counts, in a registry of its own. Thread-safe."""

    def __init__(self) -> None:
        self._registry = _Registry()
        self.registry: CollectorRegistry = self._registry
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
        """All samples in Prometheus' text format. A collector that raises is left out, and logged."""
        return self._registry.text()
