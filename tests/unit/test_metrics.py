"""Histograms, and the parts that a program's metrics are made of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from btcctl.metrics import Histogram, Metrics
from btcctl.testing import capture_logs


class Cows(Collector):
    def __init__(self) -> None:
        self.milked = 0

    def collect(self) -> list[Metric]:
        return [GaugeMetricFamily("cows_milked", "Cows.", value=self.milked)]


def test_a_part_is_made_once_and_scraped():
    metrics = Metrics()
    metrics.part(Cows).milked += 1
    metrics.part(Cows).milked += 1
    assert b"cows_milked 2.0" in metrics.text()
    assert b"cows_milked" not in Metrics().text()


class Broken(Collector):
    def collect(self) -> list[Metric]:
        raise SystemExit("no samples")


class Unprintable(Collector):
    def collect(self) -> list[Metric]:
        family = GaugeMetricFamily("goats", "Goats.")
        family.add_metric([], None)  # type: ignore[arg-type]
        return [family]


def test_a_collector_that_raises_hides_no_other_and_is_logged():
    metrics = Metrics()
    metrics.registry.register(Broken())
    metrics.registry.register(Unprintable())
    metrics.part(Cows).milked += 1
    with capture_logs() as logs, ThreadPoolExecutor(1) as pool:
        texts = [pool.submit(metrics.text).result() for _ in range(3)]
    assert all(b"cows_milked 1.0" in text for text in texts)
    assert [(each["collector"], each["failures"]) for each in logs] == [
        *(("Broken", 1), ("Unprintable", 1), ("Broken", 2), ("Unprintable", 2))
    ]


def test_a_collector_that_was_taken_out_is_not_scraped():
    metrics, cows = Metrics(), Cows()
    metrics.registry.register(cows)
    metrics.registry.unregister(cows)
    assert metrics.text() == b""


def test_a_part_that_many_threads_ask_for_at_once_is_one():
    metrics = Metrics()
    with ThreadPoolExecutor(8) as pool:
        assert len({id(part) for part in pool.map(metrics.part, [Cows] * 200)}) == 1


def test_a_value_on_a_bound_belongs_to_that_bucket():
    histogram = Histogram([1.0, 2.0])
    for seconds in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.observe(seconds)
    assert histogram.buckets() == [("1.0", 2.0), ("2.0", 4.0), ("+Inf", 5.0)]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 100.0])))
def test_many_at_once_count_as_they_would_one_by_one(seconds: list[float]) -> None:
    together, alone = Histogram([1.0, 2.0]), Histogram([1.0, 2.0])
    together.observe_many(list(seconds))
    for each in seconds:
        alone.observe(each)
    assert together.buckets() == alone.buckets()
    assert together.total_seconds == alone.total_seconds
