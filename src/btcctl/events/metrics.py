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
        """Called by the registry when it is scraped."""
        yield CounterMetricFamily(
            "events_dropped", "Events that found a queue full.", value=float(self._recorder.dropped)
        )
        yield CounterMetricFamily(
            "events_shortened", "Fields of events that were cut short.", value=float(self._recorder.shortened)
        )
        yield CounterMetricFamily(
            "events_suppressed", "Events about objects that had too many.", value=float(self._recorder.suppressed)
        )
