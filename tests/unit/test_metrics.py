"""The samples a scrape sees, under the names dashboards know."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import TerminalError
from btcctl.metrics import Histogram, Metrics, QueueMetrics
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.transport import Request
from btcctl.testing.clock import FakeClock
from btcctl.workqueue.queue import WorkQueue
from tests.unit.rest.fakes import JumpingClock, ScriptedTransport, answer, status

QUEUE = {"name": "net", "controller": "net"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def observed(metrics: Metrics, clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock, "net", observer=metrics.queue("net"))


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


def test_reconciles_are_counted_by_their_result(clock, metrics):
    outcomes = iter([Result(), Result(requeue_after=60.0), TerminalError("no"), Result(), ValueError("broken")])

    def reconcile(_: ObjectKey) -> Result:
        clock.advance(0.25)
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    controller = Controller("net", reconcile, clock=clock, workers=1, metrics=metrics)
    for name in "abcde":
        controller.queue.add(ObjectKey("", name))
    controller.start()
    assert controller.queue.drain(10.0) == []
    controller.stop()
    results = {
        result: sample(metrics, "controller_runtime_reconcile_total", controller="net", result=result)
        for result in ("success", "requeue_after", "error")
    }
    assert results == {"success": 2, "requeue_after": 1, "error": 2}
    assert sample(metrics, "controller_runtime_reconcile_errors_total", controller="net") == 2
    assert sample(metrics, "controller_runtime_terminal_reconcile_errors_total", controller="net") == 1
    assert sample(metrics, "controller_runtime_reconcile_time_seconds_bucket", controller="net", le="0.2") == 0
    assert sample(metrics, "controller_runtime_reconcile_time_seconds_bucket", controller="net", le="0.25") == 5
    assert sample(metrics, "controller_runtime_max_concurrent_reconciles", controller="net") == 1
    assert sample(metrics, "controller_runtime_active_workers", controller="net") == 0


def test_a_controller_that_did_nothing_shows_zeros(metrics):
    Controller("net", lambda _: Result(), metrics=metrics)
    assert sample(metrics, "controller_runtime_reconcile_total", controller="net", result="error") == 0
    assert sample(metrics, "workqueue_depth", **QUEUE) == 0


def test_requests_are_counted_by_code_method_and_host(metrics):
    metrics.requests.count(200, "GET", "h:6443")
    metrics.requests.count(200, "GET", "h:6443")
    metrics.requests.count("<error>", "PUT", "h:6443")
    assert sample(metrics, "rest_client_requests_total", code="200", method="GET", host="h:6443") == 2
    assert sample(metrics, "rest_client_requests_total", code="<error>", method="PUT", host="h:6443") == 1


def test_requests_that_are_sent_again_are_counted_by_what_they_came_back_with(metrics):
    host = {"host": "h:6443", "verb": "GET"}
    later, unready = status(429, Retry_After="1"), status(503, Retry_After="1")
    transport = ScriptedTransport(later, unready, later, answer())
    counting = CountingTransport(transport, metrics.requests.count, "h:6443", retried=metrics.requests.count_retry)
    ApiClient(counting, clock=JumpingClock()).call(Request("GET", "/x"))
    assert sample(metrics, "rest_client_request_retries_total", code="429", **host) == 2
    assert sample(metrics, "rest_client_request_retries_total", code="503", **host) == 1
    assert sample(metrics, "rest_client_requests_total", code="200", method="GET", host="h:6443") == 1


def test_two_sets_of_metrics_do_not_mix(clock, metrics):
    observed(metrics, clock).add("a")
    assert sample(Metrics(), "workqueue_adds_total", **QUEUE) is None


def test_the_text_is_what_prometheus_reads(clock, metrics):
    observed(metrics, clock).add("a")
    assert b'workqueue_adds_total{controller="net",name="net"} 1.0' in metrics.text()


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


def test_the_lead_is_a_gauge_under_client_gos_name():
    metrics = Metrics()
    leader = metrics.leader("the-lease")
    assert 'leader_election_master_status{name="the-lease"} 0.0' in metrics.text().decode()
    leader.is_leading, leader.slow_paths = True, 2
    text = metrics.text().decode()
    assert 'leader_election_master_status{name="the-lease"} 1.0' in text
    assert 'leader_election_slowpath_total{name="the-lease"} 2.0' in text


def test_the_seconds_of_requests_are_a_histogram_by_verb_and_host():
    metrics = Metrics()
    metrics.requests.time("GET", "host", 0.05)
    text = metrics.text().decode()
    assert 'rest_client_request_duration_seconds_bucket{host="host",le="0.025",verb="GET"} 0.0' in text
    assert 'rest_client_request_duration_seconds_bucket{host="host",le="0.1",verb="GET"} 1.0' in text
