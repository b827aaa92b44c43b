"""Whatever a reconcile or its rate limiter does is the failure of one call; the worker goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.failures import Tracebacks, retry_after_of, traceback_of
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict
from btcctl.metrics import Metrics
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from tests.unit.controller.support import key

KEY = key("a")
NAN, INF = float("nan"), float("inf")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise TypeError("no text")

    __repr__ = __str__


class Hostile(Exception):
    @property
    def retry_after(self) -> float:
        raise SystemExit("asked")

    @property
    def __class__(self) -> type:
        raise KeyError("class")


class Unhashable(type):
    def __hash__(cls) -> int:
        raise TypeError("classes of this kind have no hash")


class OfUnhashable(Exception, metaclass=Unhashable):
    pass


class Silent(Exception):
    """Nothing can be asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)


class Limited(Exception):
    def __init__(self, retry_after: Any) -> None:
        super().__init__("slow down")
        self.retry_after = retry_after


def after_one_call(reconcile: Callable[..., Any], **how: Any) -> Controller:
    """A controller that has reconciled one key, in this thread."""
    controller = Controller("net", reconcile, clock=FakeClock(), **how)
    controller.queue.add(KEY)
    try:
        controller.process_next()
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__} got out") from None  # some of them would end the test run
    return controller


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(_: object) -> Result:
        raise error

    return fail


class OfAnAuthor(Conflict):
    """An error of ours, but for what ours are made with."""

    def __init__(self) -> None:
        Exception.__init__(self, "the quota is used up")


GROUP = partial(BaseExceptionGroup, "all", [SystemExit(1), Unprintable()])
RAISED = [
    *(Unprintable, Hostile, asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit, StopIteration),
    *(RecursionError, MemoryError, GROUP, OfAnAuthor, OfUnhashable, Silent),
]


@pytest.mark.parametrize("make", RAISED)
def test_whatever_a_reconcile_raises_has_its_key_tried_again(make):
    error = make()
    controller = after_one_call(raising(error))
    assert controller.queue.state_of(KEY).due_seconds == 0.005
    last = controller.journal.last(KEY)
    assert (last.result, last.error.split(":")[0]) == ("error", type(error).__name__)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (7, 7.0),
        (0.5, 0.5),
        ("7", 7.0),
        (timedelta(seconds=7), 7.0),
        (86_400, 600.0),
        (INF, 600.0),
        (10**400, 600.0),
        ("9" * 400, 600.0),
        (timedelta.max, 600.0),
        (-5, 0.0),
        (NAN, 0.0),
        (None, 0.0),
        ("soon", 0.0),
        (object(), 0.0),
        ([7], 0.0),
    ],
)
def test_what_an_error_asks_for_is_kept_to_within_reason(asked, seconds):
    assert retry_after_of(Limited(asked)) == seconds
    due = after_one_call(raising(Limited(asked))).queue.state_of(KEY).due_seconds
    assert due == max(seconds, 0.005)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned None, not a Result: end it with `return Result()`"),
        (30.0, "returned float, not a Result; to come back later, `Result(requeue_after=30.0)`"),
        (True, "returned bool, not a Result"),
        (Result, "returned the class Result: write `return Result()`"),
    ],
)
def test_a_reconcile_that_returns_something_else_is_told_what_to_return(returned, words):
    assert after_one_call(lambda _: returned).journal.last(KEY).error == f"TypeError: reconcile {words}"


def call(function: Callable[..., Any], obj_key: object) -> Any:
    return function(obj_key)


def test_a_reconcile_that_returns_a_coroutine_is_told_to_be_a_coroutine_function():
    async def reconcile(_: object) -> Result:
        return Result()

    assert "coroutine" in after_one_call(partial(call, reconcile)).journal.last(KEY).error


class AsyncReconciler:
    async def __call__(self, _: object) -> Result:
        return Result()


async def async_reconcile(_: object, __: object = None) -> Result:
    return Result()


@pytest.mark.parametrize("reconcile", [async_reconcile, partial(async_reconcile, 1), AsyncReconciler()])
def test_whatever_is_a_coroutine_function_runs_in_an_event_loop(reconcile):
    assert after_one_call(reconcile).journal.last(KEY).result == "success"


@pytest.mark.parametrize("reconcile", [None, "reconcile", Result()])
def test_what_cannot_be_called_is_refused_at_once(reconcile):
    with pytest.raises(TypeError, match="must be a function of a key"):
        Controller("net", reconcile)


@pytest.mark.parametrize("name", ["", None, 7])
def test_a_controller_needs_a_name(name):
    with pytest.raises(ValueError, match="needs a name"):
        Controller(name, lambda _: Result())


@pytest.mark.parametrize("workers", [True, 1.0, "2", None])
def test_a_number_of_workers_is_an_int(workers):
    with pytest.raises(TypeError, match="workers"):
        ControllerOptions(workers=workers)


@pytest.mark.parametrize("name", ["cache_sync_timeout", "reconcile_timeout", "own_writes_timeout"])
@pytest.mark.parametrize(
    ("seconds", "error"), [("5", TypeError), (timedelta(seconds=5), TypeError), (NAN, ValueError), (-1, ValueError)]
)
def test_a_timeout_is_a_number_of_seconds(name, seconds, error):
    with pytest.raises(error, match=f"{name} is"):
        ControllerOptions(**{name: seconds})


@pytest.mark.parametrize("seconds", [INF, 1e300])
def test_a_timeout_that_never_comes_is_right(seconds):
    how = ControllerOptions(cache_sync_timeout=seconds, reconcile_timeout=seconds, own_writes_timeout=seconds)
    assert after_one_call(lambda _: Result(), options=how).journal.last(KEY).result == "success"


@pytest.mark.parametrize("seconds", [0, 0.0])
def test_a_key_that_comes_back_at_once_all_the_time_comes_back_slower_and_slower(seconds):
    controller = Controller("net", lambda _: Result(requeue_after=seconds), clock=(clock := FakeClock()))
    controller.queue.add(KEY)
    delays = []
    for _ in range(4):
        controller.process_next()
        delays.append(controller.queue.state_of(KEY).due_seconds)
        clock.advance(delays[-1])
    assert delays == pytest.approx([0.005, 0.01, 0.02, 0.04])


def test_no_key_comes_back_within_less_than_5_ms():
    assert after_one_call(lambda _: Result(requeue_after=1e-12)).queue.state_of(KEY).due_seconds == 0.005


@pytest.mark.parametrize("seconds", [NAN, INF, -1, -1e300, 10**400])
def test_a_result_that_could_never_be_met_is_refused_at_once(seconds):
    with pytest.raises(ValueError, match=r"requeue_after is .*, must be 0 or more seconds, and finite"):
        Result(requeue_after=seconds)


@pytest.mark.parametrize("seconds", ["5", timedelta(seconds=5), True, [5], 5j])
def test_a_result_takes_numbers_only(seconds):
    with pytest.raises(TypeError, match="requeue_after is of type"):
        Result(requeue_after=seconds)


def test_a_result_in_ten_thousand_years_is_right():
    controller = after_one_call(lambda _: Result(requeue_after=1e300))
    assert controller.queue.state_of(KEY).due_seconds == 1e300
    assert Result(requeue_after=5).requeue_after == 5.0


class BrokenLimiter:
    def delay(self, _: object) -> float:
        raise SystemExit("no delay")

    forget = num_requeues = delay


@pytest.mark.parametrize("reconcile", [raising(ValueError()), lambda _: Result(requeue_after=0)])
def test_a_rate_limiter_that_raises_is_said_and_the_key_waits_a_second(reconcile):
    with capture_logs() as logs:
        controller = after_one_call(reconcile, rate_limiter=BrokenLimiter())
    assert controller.queue.state_of(KEY).due_seconds == 1.0
    assert "SystemExit: no delay" in [each["error"] for each in logs if each["event"] == "the rate limiter failed"]


def test_a_rate_limiter_that_cannot_forget_spoils_no_success():
    assert after_one_call(lambda _: Result(), rate_limiter=BrokenLimiter()).journal.last(KEY).result == "success"


def failure(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def test_an_error_whose_text_always_differs_shows_ten_tracebacks_of_a_key():
    tracebacks = Tracebacks()
    assert [bool(tracebacks.take(KEY, failure(f"at {second}"))) for second in range(20)] == [True] * 10 + [False] * 10


def test_if_more_keys_fail_than_are_remembered_an_error_is_shown_once_and_not_with_every_try():
    tracebacks, error = Tracebacks(), failure("the same")
    shown = [bool(tracebacks.take(key(str(number)), error)) for number in range(10_050)]
    assert shown == [True] * 10_000 + [False] * 50
    assert tracebacks.take(key("new"), failure("another"))


def recursion() -> BaseException:
    try:
        return recursion()
    except RecursionError as error:
        return error


@pytest.mark.parametrize("make", [recursion, partial(failure, "x" * 100_000)])
def test_a_traceback_has_an_end(make):
    assert len(traceback_of(make())) < 20_000


def test_a_traceback_blanks_credentials_and_does_not_need_a_message():
    assert "hunter2" not in traceback_of(failure("https://me:hunter2@host said no"))
    assert "Unprintable" in traceback_of(Unprintable())


@pytest.mark.parametrize("no_key", ["default/a", ("default", "a"), 1])
def test_what_is_no_key_is_said_and_dropped_and_the_worker_goes_on(no_key):
    reconciled: list[object] = []
    controller = Controller("net", lambda key: reconciled.append(key) or Result(), metrics=Metrics())
    for each in (no_key, KEY):
        controller.queue.add(each)
    with capture_logs() as logs:
        for _ in range(2):
            controller.process_next()
    assert reconciled == [KEY]
    assert [each["type"] for each in logs if "is no key" in each["event"]] == [type(no_key).__name__]


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_rate_limiter_that_says_at_once_lets_no_key_that_fails_spin(seconds):
    class Hasty(BrokenLimiter):
        def delay(self, _: object) -> float:
            return seconds

        forget = num_requeues = delay

    controller = after_one_call(raising(ValueError()), rate_limiter=Hasty())
    assert controller.queue.state_of(KEY).due_seconds == 0.005
