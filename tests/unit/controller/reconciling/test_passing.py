"""An outage leaves no key waiting for long, and ten thousand keys do not storm a server that is away."""

from __future__ import annotations

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.passing import PassingFailures, is_passing
from btcctl.controller.reconciling.result import Result
from btcctl.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    ConnectionRefused,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    TerminalError,
    TooManyRequests,
    TransportError,
)
from btcctl.objects import ObjectKey
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from tests.unit.controller.support import key

KEY = key("a")
FIELDS = {"causes": [{"reason": "FieldManagerConflict", "message": "owned by another", "field": ".spec"}]}


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ConnectionRefused("refused"), True),
        (TransportError("reset"), True),
        (ServiceUnavailable(503), True),
        (ApiError(502), True),
        (Conflict(409, "Conflict"), True),
        (Conflict(409, "Conflict", details=FIELDS), False),
        (AlreadyExists(409, "AlreadyExists"), False),
        (TooManyRequests(429), False),
        (Forbidden(403), False),
        (NotFound(404), False),
        (ValueError("a bug"), False),
    ],
)
def test_some_failures_pass_and_some_are_the_keys_own(error: Exception, passes: bool):
    assert is_passing(error) == passes


class Failing:
    """Fails with these, one after the other; None is a success."""

    def __init__(self, *errors: Exception | None) -> None:
        self.clock = FakeClock()
        self.controller = Controller("net", self._reconcile, clock=self.clock)
        self._errors = list(errors)

    def _reconcile(self, _: ObjectKey) -> Result:
        error = self._errors.pop(0)
        if error is not None:
            raise error
        return Result()

    def delay(self) -> float | None:
        """Reconcile once; how long the key waits then."""
        self.controller.queue.add(KEY)
        self.controller.process_next()
        due = self.controller.queue.state_of(KEY).due_seconds
        self.controller.queue.cancel_delay(KEY)
        return due


@pytest.mark.parametrize("error", [ConnectionRefused("refused"), Conflict(409, "Conflict"), ServiceUnavailable(503)])
def test_a_key_that_failed_through_a_whole_outage_waits_two_seconds_at_most(error: Exception):
    failing = Failing(*[error] * 40)
    delays = [failing.delay() for _ in range(40)]
    assert delays[:3] == [0.005, 0.01, 0.02]
    assert max(each or 0.0 for each in delays) == delays[-1] == 2.0


def test_an_outage_does_not_lengthen_the_wait_after_the_next_failure_of_its_own():
    failing = Failing(*[ConnectionRefused("refused")] * 40, ValueError("a bug"))
    delays = [failing.delay() for _ in range(41)]
    assert delays[-1] == 0.005


@pytest.mark.parametrize(
    ("raised", "result", "due"),
    [
        ([Conflict(409, "Conflict"), ConnectionRefused("x")], "conflict", 0.005),
        ([ServiceUnavailable(503, retry_after=3.0), ServiceUnavailable(503, retry_after=9.0)], "error", 9.0),
        ([TerminalError("no"), TerminalError("never")], "terminal_error", None),
        ([TerminalError("no"), Conflict(409, "Conflict")], "conflict", 0.005),
        ([ExceptionGroup("inner", [DeadlineExceeded("late")]), Conflict(409, "Conflict")], "timeout", 0.005),
        ([Conflict(409, "Conflict"), ValueError("a bug")], "error", 0.005),
    ],
)
def test_what_a_task_group_raises_is_what_its_tasks_have(raised, result, due):
    failing = Failing(ExceptionGroup("unhandled errors in a TaskGroup", raised))
    assert failing.delay() == due
    last = failing.controller.journal.last(KEY)
    assert last is not None
    assert last.result == result


def test_a_bug_in_a_task_group_is_shown_with_all_that_failed_beside_it():
    failing = Failing(ExceptionGroup("unhandled errors", [Conflict(409, "Conflict"), ValueError("a bug")]))
    with capture_logs() as logs:
        failing.delay()
    [failed] = [each for each in logs if each["event"] == "reconcile failed"]
    assert failed["error"] == "ExceptionGroup: unhandled errors (2 sub-exceptions)"
    assert "ValueError: a bug" in failed["exception"]


def test_a_success_ends_the_count():
    refused = ConnectionRefused("refused")
    failing = Failing(refused, refused, None, refused)
    assert [failing.delay() for _ in range(4)] == [0.005, 0.01, None, 0.005]


def test_a_retry_after_is_waited_for_all_the_same():
    assert Failing(ServiceUnavailable(503, retry_after=30.0)).delay() == 30.0


def test_many_keys_together_are_tried_two_hundred_times_a_second():
    failures = PassingFailures()
    for number in range(10_000):
        for _ in range(20):
            delay = failures.delay(key(f"k{number}"))
    assert delay == 50.0
    for number in range(1, 10_000):
        failures.forget(key(f"k{number}"))
    assert failures.delay(key("k0")) == 2.0
