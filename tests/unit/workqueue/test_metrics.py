"""The samples of queues that a scrape sees, under the names dashboards know."""

from __future__ import annotations

import itertools

import pytest

from btcctl.metrics import Metrics
from btcctl.testing.clock import FakeClock
from btcctl.workqueue.metrics import QueueCollector, QueueMetrics
from btcctl.workqueue.queue import WorkQueue

QUEUE = {"name": "net", "controller": "net"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def observed(metrics: Metrics, clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock, "net", observer=metrics.part(QueueCollector).queue("net"))


def sample(metrics: Metrics, sample_name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(sample_name, labels)


def test_depth_counts_a_key_from_its_add_even_while_it_is_processed(clock, metrics):
    queue = observed(metrics, clock)
    depths = []
    for step in (lambda: queue.add("a"), queue.get, lambda: queue.add("a"), lambda: queue.done("a"), queue.get):
        step()
        depths.append(sample(metrics, "workqueue_depth", **QUEUE))
    assert depths == [1, 0, 1, 1, 0]
    assert sample(metrics, "workqueue_adds_total", **QUEUE) == 2


def test_waiting_and_working_times_are_measured_from_the_first_add(clock, metrics):
    queue = observed(metrics, clock)
    queue.add("a")
    clock.advance(2.0)
    queue.add("a")
    clock.advance(3.0)
    queue.get()
    clock.advance(7.0)
    assert sample(metrics, "workqueue_unfinished_work_seconds", **QUEUE) == 7.0
    assert sample(metrics, "workqueue_longest_running_processor_seconds", **QUEUE) == 7.0
    queue.done("a")
    assert sample(metrics, "workqueue_queue_duration_seconds_sum", **QUEUE) == 5.0
    assert sample(metrics, "workqueue_work_duration_seconds_sum", **QUEUE) == 7.0
    assert sample(metrics, "workqueue_work_duration_seconds_count", **QUEUE) == 1
    assert sample(metrics, "workqueue_unfinished_work_seconds", **QUEUE) == 0.0


def test_a_key_added_while_it_is_processed_has_waited_since_then(clock, metrics):
    queue = observed(metrics, clock)
    queue.add("a")
    queue.get()
    queue.add("a")
    clock.advance(4.0)
    queue.done("a")
    clock.advance(3.0)
    queue.get()
    assert sample(metrics, "workqueue_queue_duration_seconds_sum", **QUEUE) == 7.0


def test_every_delay_counts_as_a_retry(clock, metrics):
    queue = observed(metrics, clock)
    queue.add_after("a", 0.0)
    queue.add_after("b", 5.0)
    assert sample(metrics, "workqueue_retries_total", **QUEUE) == 2


def test_notes_are_counted_long_before_they_are_many(clock):
    counts: list[int] = []

    class Watch(QueueMetrics):
        def flush(self) -> None:
            super().flush()
            counts.append(keys)

    queue: WorkQueue[int] = WorkQueue(clock, observer=Watch("net"))
    for keys in range(5000):
        queue.add(keys)
        queue.done(queue.get())
    assert max(after - before for before, after in itertools.pairwise([0, *counts, 5000])) < 2000


def test_more_keys_than_are_counted_at_once_are_all_counted(clock, metrics):
    queue = observed(metrics, clock)
    for key in range(2500):
        queue.add(str(key))
        clock.advance(1.0)
        queue.done(queue.get())
    assert sample(metrics, "workqueue_adds_total", **QUEUE) == 2500
    assert sample(metrics, "workqueue_queue_duration_seconds_bucket", le="1.0", **QUEUE) == 2500
    assert sample(metrics, "workqueue_queue_duration_seconds_bucket", le="0.1", **QUEUE) == 0
    assert sample(metrics, "workqueue_queue_duration_seconds_sum", **QUEUE) == 2500.0
    assert sample(metrics, "workqueue_work_duration_seconds_count", **QUEUE) == 2500


def test_two_sets_of_metrics_do_not_mix(clock, metrics):
    observed(metrics, clock).add("a")
    assert sample(Metrics(), "workqueue_adds_total", **QUEUE) is None


def test_the_text_is_what_prometheus_reads(clock, metrics):
    observed(metrics, clock).add("a")
    assert b'workqueue_adds_total{controller="net",name="net"} 1.0' in metrics.text()
