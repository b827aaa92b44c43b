"""Any number that is given as a duration is either right or refused at once: nothing spins, nothing overflows."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from btcctl import (
    CONFIG_MAPS,
    AppOptions,
    ClientConfig,
    Controller,
    EventRecorder,
    HandlerFuncs,
    HttpTransport,
    Manager,
    Result,
    SharedInformerFactory,
)
from btcctl.backoff import ExponentialBackoff, TokenBucket, jittered
from btcctl.clock import MAX_WAIT_SECONDS, SYSTEM_CLOCK, Clock, check_seconds, sleep
from btcctl.controller.lives.timers import Timer
from btcctl.controller.options import ControllerOptions
from btcctl.deadline import limited_to, time_left
from btcctl.errors import ConfigError
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.cache.lister import Lister
from btcctl.informers.options import ReflectorOptions
from btcctl.leaderelection.election import Timing
from btcctl.rest.limits import ReadLimits, StreamLimits
from btcctl.rest.retry import RetryPolicy
from btcctl.testing import FakeClient
from btcctl.testing.clock import FakeClock
from btcctl.threads import Latch, Runner
from btcctl.workqueue.queue import WorkQueue
from btcctl.workqueue.rate_limiters import FastSlowRateLimiter

LONG = [math.inf, 1e300, MAX_WAIT_SECONDS + 1]
CLOCKS = [SYSTEM_CLOCK, FakeClock()]

REFUSING: list[Callable[[float], object]] = [
    lambda seconds: check_seconds("x", seconds),
    lambda seconds: ControllerOptions(cache_sync_timeout=seconds),
    lambda seconds: ControllerOptions(own_writes_timeout=seconds),
    lambda seconds: ControllerOptions(reconcile_timeout=seconds),
    lambda seconds: ReflectorOptions(min_watch_seconds=seconds),
    lambda seconds: ReflectorOptions(initial_seconds=seconds),
    lambda seconds: ReadLimits(idle_seconds=seconds),
    lambda seconds: StreamLimits(1.0, lifetime_seconds=seconds),
    lambda seconds: RetryPolicy(total_seconds=seconds),
    lambda seconds: ExponentialBackoff(seconds, 1000.0),
    lambda seconds: ExponentialBackoff(1.0, seconds),
    lambda seconds: ExponentialBackoff(1.0, 1.0, factor=seconds),
    lambda seconds: ExponentialBackoff(1.0, 1.0, jitter=seconds),
    lambda seconds: FastSlowRateLimiter(1.0, seconds, 1),
    lambda seconds: TokenBucket(seconds, 1),
    lambda seconds: SharedInformerFactory(FakeClient(), resync_seconds=seconds),
    lambda seconds: AppOptions(resync_seconds=seconds),
    lambda seconds: Timer(1.0, Lister(Indexer("pods")), SYSTEM_CLOCK, jitter=seconds),
]


@pytest.mark.parametrize("make", REFUSING)
@pytest.mark.parametrize("seconds", [math.nan, -1.0])
def test_an_option_that_is_no_duration_is_refused(make: Callable[[float], object], seconds: float) -> None:
    with pytest.raises(ValueError, match=r"is nan|is -1|nan|-1"):
        make(seconds)


@pytest.mark.parametrize("make", REFUSING)
@pytest.mark.parametrize("seconds", [True, "5", timedelta(seconds=5), Decimal(5)])
def test_an_option_that_is_no_number_is_refused(make: Callable[[Any], object], seconds: object) -> None:
    with pytest.raises(TypeError):
        make(seconds)


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_a_lease_of_no_duration_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigError, match="lease duration"):
        Timing(lease_seconds=seconds)


@pytest.mark.parametrize("seconds", LONG)
def test_no_watch_is_asked_to_last_longer_than_a_server_can_count(seconds: float) -> None:
    with pytest.raises(ValueError, match="max_watch_seconds"):
        ReflectorOptions(max_watch_seconds=seconds)


@pytest.mark.parametrize("seconds", LONG)
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_wait_may_be_longer_than_the_platform_counts(clock: Clock, seconds: float) -> None:
    latch, woken = Latch(clock), []
    runner = Runner("waiter", lambda _: woken.append(latch.wait(seconds)), clock=clock)
    runner.start()
    latch.set()
    runner.stop(seconds)
    assert woken == [True]


def test_a_wait_that_was_cut_short_is_not_over() -> None:
    class Impatient(threading.Condition):
        """Its waits end at once, as after MAX_WAIT_SECONDS."""

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == MAX_WAIT_SECONDS
            return False

    condition = Impatient()
    with condition:
        assert SYSTEM_CLOCK.wait(condition, math.inf)
        assert not SYSTEM_CLOCK.wait(condition, MAX_WAIT_SECONDS)


def test_the_fake_clock_cuts_long_waits_short_like_the_real_one() -> None:
    clock, condition, still_waiting = FakeClock(), threading.Condition(), []

    def wait(_stop: object) -> None:
        with condition:
            still_waiting.append(clock.wait(condition, math.inf))

    with Runner("waiter", wait):
        clock.wait_until_blocked()
        clock.advance(MAX_WAIT_SECONDS)
    assert still_waiting == [True]


@pytest.mark.parametrize("make", [lambda cap: ExponentialBackoff(1.0, cap), lambda rate: TokenBucket(rate, 1)])
def test_what_paces_others_knows_an_end(make: Callable[[float], object]) -> None:
    with pytest.raises(ValueError, match="inf"):
        make(math.inf)


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_does_not_wait_for_nan_seconds(clock: Clock) -> None:
    condition = threading.Condition()
    with condition, pytest.raises(ValueError, match="NaN"):
        clock.wait(condition, math.nan)


@pytest.mark.parametrize("clock", CLOCKS)
def test_nobody_waits_for_nan_seconds(clock: Clock) -> None:
    waits: list[Callable[[float], object]] = [
        Latch(clock).wait,
        lambda seconds: sleep(seconds, clock),
        Runner("never started", lambda _: None, clock=clock).stop,
        WorkQueue[str](clock).drain,
        lambda seconds: limited_to(seconds, clock).__enter__(),
    ]
    for wait in waits:
        with pytest.raises(ValueError, match="NaN"):
            wait(math.nan)


def stops(part: Any) -> Callable[[float], object]:
    stop: Callable[[float], object] = part.stop
    return stop


def waits_of_parts() -> list[Callable[[float], object]]:
    """Of all that a program may wait for; nothing was started."""
    client = FakeClient()
    factory, recorder = SharedInformerFactory(client), EventRecorder(client, "net")
    informer = factory.informer(CONFIG_MAPS)
    registration = informer.add_handler(HandlerFuncs())
    controller = Controller("net", lambda _: Result())
    return [
        *map(stops, (factory, informer, recorder, controller, Manager(factory, [controller]))),
        *(factory.wait_for_sync, factory.require_sync, informer.wait_for_sync, registration.wait_for_sync),
        *(recorder.flush, registration.remove, lambda seconds: factory.forget(informer, seconds)),
        FakeClock().advance,
    ]


@pytest.mark.parametrize("number", range(len(waits_of_parts())))
def test_whatever_is_waited_for_is_a_number_of_seconds(number: int) -> None:
    for wrong, error in ((math.nan, ValueError), (timedelta(seconds=5), TypeError)):
        with pytest.raises(error, match=r"NaN|nan|total_seconds"):
            waits_of_parts()[number](wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_number_that_no_float_can_hold_is_for_ever_or_refused(clock: Clock) -> None:
    latch = Latch(clock)
    latch.set()
    assert latch.wait(10**400)
    assert not Latch(clock).wait(-(10**400))
    for refused in (
        lambda: ControllerOptions(cache_sync_timeout=10**400),
        lambda: WorkQueue[str]().add_after("a", 10**400),
    ):
        with pytest.raises(ValueError, match=r"more than can be counted|must be a finite number"):
            refused()


@pytest.mark.parametrize(
    "make",
    [
        lambda given: RetryPolicy(attempts=given),
        lambda given: HttpTransport(ClientConfig("http://127.0.0.1:9"), pool_size=given),
    ],
)
@pytest.mark.parametrize("given", [0, -1, math.nan, "5", None, True])
def test_a_count_that_is_none_is_refused(make: Callable[[Any], object], given: object) -> None:
    with pytest.raises(ValueError, match="must be an int, 1 or more"):
        make(given)


@pytest.mark.parametrize("make", [RetryPolicy, ReflectorOptions])
def test_a_back_off_is_more_than_a_number(make: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=r"backoff is of type float, must be an ExponentialBackoff"):
        make(backoff=5.0)


def test_a_fake_clock_knows_no_time_that_nothing_comes_after() -> None:
    clock = FakeClock()
    with pytest.raises(ValueError, match="inf"):
        clock.advance(math.inf)
    assert clock.now() == 0.0


def test_a_runner_that_cannot_be_waited_for_was_not_asked_to_stop() -> None:
    with Runner("works on", lambda stop: stop.wait()) as runner:
        with pytest.raises(ValueError, match="NaN"):
            runner.stop(math.nan)
        assert runner.is_alive()


def test_an_infinite_deadline_is_none() -> None:
    with limited_to(math.inf, FakeClock()):
        assert time_left(30.0) == 30.0


def test_an_infinite_period_has_no_jitter() -> None:
    assert jittered(math.inf, 0.1) == math.inf
