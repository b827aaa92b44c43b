"""Counts events that were dropped, suppressed or cut short."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from btcctl.events.recorder import EventRecorder


class EventMetrics(Collector):
    """Registers with a Prometheus registry; reads the recorder's counts when scraped."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped. Of several clusters each sample says which."""
        recorder, of_clusters = self._recorder, self._recorder.by_cluster()
        has_clusters = len(of_clusters) > 1
        counts = of_clusters if has_clusters else {"": (recorder.dropped, recorder.suppressed)}
        labels = ["cluster"] if has_clusters else []
        dropped = CounterMetricFamily("events_dropped", "Events that found a queue full.", labels=labels)
        suppressed = CounterMetricFamily("events_suppressed", "Events about objects that had too many.", labels=labels)
        for cluster, (lost, swallowed) in counts.items():
            dropped.add_metric([cluster] if has_clusters else [], lost)
            suppressed.add_metric([cluster] if has_clusters else [], swallowed)
        yield from (dropped, suppressed)
        yield CounterMetricFamily(
            "events_shortened", "Fields of events that were cut short.", value=float(self._recorder.shortened)
        )
