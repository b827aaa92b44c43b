"""Elections as Prometheus sees them, under client-go's names."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class LeaderMetrics:
    """Observes one elector, which adds from its own thread."""

    def __init__(self, name: str) -> None:
        self.name = name  #: of the lease
        self.is_leading = False
        self.slow_paths = 0  #: renewals that had to read first


class LeaderCollector(Collector):
    """All electors of a program; `metrics.part(LeaderCollector).leader("lease")` observes one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the leaders
        self._leaders: dict[str, LeaderMetrics] = {}

    def leader(self, name: str) -> LeaderMetrics:
        """The observer for the elector of the lease of that name; the same one on every call."""
        with self._lock:
            return self._leaders.setdefault(name, LeaderMetrics(name))

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        with self._lock:
            leaders = list(self._leaders.values())
        status = GaugeMetricFamily("leader_election_master_status", "1 while we lead, 0 otherwise.", labels=["name"])
        slow = CounterMetricFamily(
            "leader_election_slowpath", "Renewals of a lease that had to read it first.", labels=["name"]
        )
        for each in leaders:
            status.add_metric([each.name], float(each.is_leading))
            slow.add_metric([each.name], each.slow_paths)
        yield from (status, slow)
