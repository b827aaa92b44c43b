"""The samples of controllers that a scrape sees, under the names dashboards know."""

from __future__ import annotations

from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, TerminalError
from btcctl.metrics import Metrics
from btcctl.objects import ObjectKey
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock


def sample(metrics: Metrics, sample_name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(sample_name, labels)


def test_a_lost_race_is_no_error_and_who_loses_eleven_in_a_row_fails():
    clock, metrics = FakeClock(), Metrics()

    def reconcile(_: ObjectKey) -> Result:
        raise Conflict(409, "Conflict")

    controller = Controller("net", reconcile, clock=clock, metrics=metrics)
    with capture_logs() as logs:
        for _ in range(11):
            controller.queue.add(ObjectKey("", "a"))
            controller.process_next()
    results = {
        result: sample(metrics, "controller_runtime_reconcile_total", controller="net", result=result)
        for result in ("conflict", "error")
    }
    assert results == {"conflict": 10, "error": 1}
    assert sample(metrics, "controller_runtime_reconcile_errors_total", controller="net") == 1
    lines = [(each["log_level"], each["event"]) for each in logs if "retry_in" in each]
    assert lines[:10] == [("info", "what was read has changed meanwhile")] * 10
    assert lines[10:] == [("warning", "reconcile failed")]


def test_reconciles_are_counted_by_their_result():
    clock, metrics = FakeClock(), Metrics()
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


def test_a_controller_that_did_nothing_shows_zeros():
    metrics = Metrics()
    Controller("net", lambda _: Result(), metrics=metrics)
    assert sample(metrics, "controller_runtime_reconcile_total", controller="net", result="error") == 0
    assert sample(metrics, "workqueue_depth", name="net", controller="net") == 0


def test_keys_that_nobody_is_to_work_at_yet_are_no_depth():
    metrics = Metrics()
    controller = Controller("net", lambda _: Result(), metrics=metrics)
    for name in ("a", "b", "c"):
        controller.queue.add(ObjectKey("", name))
    depths = [sample(metrics, "workqueue_depth", name="net", controller="net")]
    controller.process_next()
    depths.append(sample(metrics, "workqueue_depth", name="net", controller="net"))
    assert depths == [0, 2]
