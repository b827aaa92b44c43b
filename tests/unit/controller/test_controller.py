"""One controller: what comes after each outcome, how it starts, how it stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from structlog.contextvars import bind_contextvars, get_contextvars

from btcctl.controller.controller import Controller
from btcctl.controller.manager import Manager
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.result import Result
from btcctl.deadline import pending_calls, time_left
from btcctl.errors import CacheSyncError, TerminalError, TooManyRequests
from btcctl.informers.factory import SharedInformerFactory
from btcctl.metrics import Metrics
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from btcctl.threads import Runner
from tests.unit.controller.support import FakeCachingInformer, FakeInformer, key, kill, new_object

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang


class Reconciler:
    """Reports each call, and answers with the outcomes it was given, then with success."""

    def __init__(self, *outcomes: Result | BaseException | Callable[[], Result]) -> None:
        self._outcomes = list(outcomes)
        self._calls: SimpleQueue[ObjectKey] = SimpleQueue()

    def __call__(self, obj_key: ObjectKey) -> Result:
        self._calls.put(obj_key)
        outcome = self._outcomes.pop(0) if self._outcomes else Result()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome if isinstance(outcome, Result) or not callable(outcome) else outcome()

    def next(self) -> ObjectKey:
        return self._calls.get(timeout=REAL_LIMIT_SECONDS)

    def calls(self) -> int:
        """How many calls nobody has asked for."""
        return self._calls.qsize()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start(clock: FakeClock) -> Iterator[Callable[..., Controller]]:
    """Start a controller that is stopped at the end of the test."""
    started: list[Controller] = []

    def start_one(reconcile: Callable[[ObjectKey], Result], **kwargs) -> Controller:
        controller = Controller("net", reconcile, clock=clock, **kwargs)
        started.append(controller)
        controller.start()
        return controller

    yield start_one
    for each in started:
        each.stop(timeout=5.0)


def handle(reconcile: Reconciler, clock: FakeClock, *keys: ObjectKey, **how) -> Controller:
    """Reconcile keys until the queue is empty, in threads that have ended when this returns."""
    controller = Controller("net", reconcile, clock=clock, workers=1, **how)
    for each in keys:
        controller.queue.add(each)
    controller.start()
    for _ in keys:
        reconcile.next()
    controller.stop(timeout=5.0)
    return controller


def handle_one(reconcile: Reconciler, clock: FakeClock, *, times: int) -> Controller:
    """Reconcile a key, and again as soon as it may be, in this thread."""
    controller = Controller("net", reconcile, clock=clock)
    controller.queue.add(key("a"))
    for _ in range(times):
        clock.advance(1000.0)
        controller.process_next()
    return controller


def eventually_dead(controller: Controller) -> None:
    dead = threading.Event()
    controller.died.on_set(dead.set)
    assert dead.wait(REAL_LIMIT_SECONDS)


def test_a_key_is_reconciled_and_rests(clock, start):
    reconcile = Reconciler()
    controller = start(reconcile, workers=1)
    controller.queue.add(key("a"))
    assert reconcile.next() == key("a")
    clock.wait_until_blocked(threads=2)
    assert controller.idle()
    clock.advance(1e6)
    assert controller.idle()


def test_what_is_enqueued_before_the_start_is_reconciled_and_after_the_stop_it_is_not(clock):
    reconcile = Reconciler()
    controller = Controller("net", reconcile, clock=clock, workers=1)
    controller.enqueue(key("a"))
    controller.start()
    assert reconcile.next() == key("a")
    controller.stop(timeout=5.0)
    controller.enqueue(key("a"))
    assert reconcile.calls() == 0
    with pytest.raises(TypeError, match=r"must be ObjectKey\(namespace, name\)"):
        controller.enqueue("default/a")


@pytest.mark.parametrize(("background", "expected"), [(True, ["b", "a"]), (False, ["a", "b"])])
def test_a_poll_waits_behind_changes_unless_the_controller_has_no_background(background, expected):
    clock = FakeClock()
    reconciled: list[str] = []

    def reconcile(each: ObjectKey) -> Result:
        reconciled.append(each.name)
        return Result(requeue_after=30.0, background=True)

    controller = Controller("foos", reconcile, clock=clock, options=ControllerOptions(background=background))
    controller.queue.add(key("a"))
    controller.process_next()
    controller.queue.add_after(key("b"), 30.0)
    clock.advance(30.0)
    for _ in range(2):
        controller.process_next()
    assert reconciled == ["a", *expected]


def test_requeue_after_comes_back_when_due_and_forgets_earlier_failures(clock, start):
    reconcile = Reconciler(ValueError("once"), Result(requeue_after=30.0))
    controller = start(reconcile, workers=1)
    controller.queue.add(key("a"))
    reconcile.next()
    clock.wait_until_blocked(threads=2)
    assert controller.queue.num_requeues(key("a")) == 1
    clock.advance(0.005)
    reconcile.next()
    clock.wait_until_blocked(threads=2)
    assert controller.queue.num_requeues(key("a")) == 0
    clock.advance(30.0)
    assert reconcile.next() == key("a")


def test_a_failure_is_tried_again_with_growing_delays(clock, start):
    reconcile = Reconciler(ValueError("1"), ValueError("2"), ValueError("3"))
    controller = start(reconcile, workers=1)
    controller.queue.add(key("a"))
    for delay in (0.005, 0.01, 0.02):
        reconcile.next()
        clock.wait_until_blocked(threads=2)
        clock.advance(delay)
    reconcile.next()
    clock.wait_until_blocked(threads=2)
    assert controller.queue.num_requeues(key("a")) == 0


def test_a_server_that_asks_for_patience_gets_it(clock, start):
    reconcile = Reconciler(TooManyRequests(429, retry_after=7.0))
    controller = start(reconcile, workers=1)
    controller.queue.add(key("a"))
    reconcile.next()
    clock.wait_until_blocked(threads=2)
    clock.advance(6.9)
    assert controller.idle()
    clock.advance(0.1)
    assert reconcile.next() == key("a")


def test_a_terminal_error_rests_until_the_object_changes(clock, start):
    reconcile = Reconciler(TerminalError("spec.nodes is -1"))
    informer = FakeInformer(clock)
    controller = Controller("net", reconcile, clock=clock, workers=1)
    controller.watch(informer)
    controller.start()
    informer.add(new_object("a"))
    reconcile.next()
    clock.wait_until_blocked(threads=2)
    clock.advance(1e6)
    assert controller.idle()
    informer.update(new_object("a"), new_object("a", generation=2))
    assert reconcile.next() == key("a")
    controller.stop()


def test_a_terminal_error_forgets_earlier_failures(clock):
    controller = Controller("net", Reconciler(TerminalError("no")), clock=clock, workers=1)
    controller.queue.add_rate_limited(key("a"))
    controller.queue.add(key("a"))
    assert controller.queue.num_requeues(key("a")) == 1
    controller.start()
    controller.stop()
    assert controller.queue.num_requeues(key("a")) == 0


@pytest.mark.parametrize("nonsense", [lambda: None, lambda: True])
def test_a_reconcile_that_returns_no_result_counts_as_failed(clock, nonsense):
    controller = handle(Reconciler(nonsense), clock, key("a"))
    assert controller.queue.num_requeues(key("a")) == 1


def test_no_exception_kills_a_worker(clock):
    reconcile = Reconciler(ValueError(), RecursionError(), MemoryError(), KeyError("x"))
    controller = handle(reconcile, clock, *(key(name) for name in "abcde"))
    assert controller.healthy
    assert controller.queue.unknown_done == 0


def test_a_change_during_a_reconcile_leads_to_one_more(clock, start):
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> Result:
        entered.set()
        go_on.wait(REAL_LIMIT_SECONDS)
        return Result()

    reconcile = Reconciler(slow)
    controller = start(reconcile, workers=2)
    controller.queue.add(key("a"))
    entered.wait(REAL_LIMIT_SECONDS)
    controller.queue.add(key("a"))
    controller.queue.add(key("a"))
    assert reconcile.calls() == 1
    go_on.set()
    reconcile.next()
    reconcile.next()
    assert controller.queue.drain(REAL_LIMIT_SECONDS) == []
    assert reconcile.calls() == 0


def test_workers_start_only_when_every_watched_cache_is_filled(clock, start):
    reconcile = Reconciler()
    slow, quick = FakeInformer(clock, "slow", synced=False), FakeInformer(clock, "quick")
    controller = Controller("net", reconcile, clock=clock)
    controller.watch(quick)
    controller.watch(slow)
    controller.start()
    quick.add(new_object("a"))
    clock.wait_until_blocked()
    assert reconcile.calls() == 0
    slow.registration.sync()
    assert reconcile.next() == key("a")
    controller.stop()


def test_a_controller_whose_cache_never_fills_fails_and_says_why(clock):
    informer = FakeInformer(clock, "pods", synced=False)
    informer.cause = "list: 403 Forbidden: pods is forbidden"
    controller = Controller("net", Reconciler(), clock=clock, options=ControllerOptions(cache_sync_timeout=1.0))
    controller.watch(informer)
    controller.start()
    clock.wait_until_blocked()
    clock.advance(1.0)
    eventually_dead(controller)
    assert controller.why_dead().startswith("CacheSyncError: net: not synced within 1 s: pods: list: 403")
    assert not controller.healthy
    assert informer.registration.removed
    with pytest.raises(CacheSyncError, match="pods: list: 403 Forbidden"):
        controller.stop()
    controller.stop()  # raises once


def test_stopping_before_the_caches_are_filled_ends_at_once(clock):
    reconcile = Reconciler()
    informer = FakeInformer(clock, synced=False)
    controller = Controller("net", reconcile, clock=clock)
    controller.watch(informer)
    informer.add(new_object("a"))
    controller.start()
    clock.wait_until_blocked()
    controller.stop()
    assert reconcile.calls() == 0
    assert informer.registration.removed
    assert controller.healthy


def test_stopping_finishes_what_is_queued_and_running(clock):
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> Result:
        entered.set()
        go_on.wait(REAL_LIMIT_SECONDS)
        return Result(requeue_after=1.0)

    reconcile = Reconciler(slow)
    controller = Controller("net", reconcile, clock=clock, workers=1)
    controller.start()
    controller.queue.add(key("a"))
    entered.wait(REAL_LIMIT_SECONDS)
    controller.queue.add(key("b"))
    controller.queue.shut_down()  # as stop does first
    go_on.set()
    controller.stop(timeout=5.0)
    assert [reconcile.next(), reconcile.next()] == [key("a"), key("b")]
    assert reconcile.calls() == 0


def test_a_reconcile_that_does_not_end_is_named_and_does_not_hold_the_stop_up_for_ever(clock):
    entered, go_on = threading.Event(), threading.Event()

    def hang() -> Result:
        entered.set()
        go_on.wait(REAL_LIMIT_SECONDS)
        return Result()

    controller = Controller("net", Reconciler(hang), clock=clock, workers=1)
    controller.start()
    controller.queue.add(key("a"))
    entered.wait(REAL_LIMIT_SECONDS)
    with capture_logs() as logs, pytest.raises(TimeoutError, match="net-worker-0"):
        controller.stop(timeout=0.0)
    assert [each["keys"] for each in logs if "keys" in each] == [["default/a"]]
    go_on.set()


class SilentServer:
    """What reconciles call: it answers when it is asked to, or never."""

    def __init__(self) -> None:
        self.asked, self.answered = SimpleQueue(), threading.Event()

    def call(self) -> Result:
        time_left(30.0)
        calls = pending_calls()
        assert calls is not None
        with calls.breakable(self.answered.set):
            self.asked.put(None)
            assert self.answered.wait(REAL_LIMIT_SECONDS)
        return Result()


def stopping(controller: Controller, clock: FakeClock, seconds: float) -> Runner:
    """A thread that stops it, and waits already."""
    runner = Runner("stopping", lambda _: controller.stop(seconds))
    runner.start()
    while not controller.queue.is_shut_down:
        time.sleep(0.001)
    return runner


def pass_time(clock: FakeClock, seconds: float) -> None:
    """As a drain sees it, which looks four times a second whether a call hangs."""
    for _ in range(round(seconds / 0.25)):
        clock.wait_until_blocked()
        clock.advance(0.25)


def end_in_time(stop: Runner, clock: FakeClock) -> None:
    """Let time go by until `stop` has ended; not so fast that it could not keep pace."""
    while stop.is_alive():
        clock.advance(0.25)
        time.sleep(0.05)
    stop.stop()


@pytest.mark.parametrize(("seconds", "patience"), [(30.0, 3.0), (20.0, 2.0)])
def test_a_stop_waits_for_a_call_that_is_not_answered_for_a_share_of_its_time_only(clock, seconds, patience):
    server = SilentServer()
    controller = Controller("net", Reconciler(server.call), clock=clock, workers=1)
    controller.queue.add(key("a"))
    controller.queue.add(key("b"))
    controller.start()
    server.asked.get(timeout=REAL_LIMIT_SECONDS)
    with capture_logs() as logs:
        stop = stopping(controller, clock, seconds)
        pass_time(clock, patience - 0.25)
        assert not server.answered.is_set()
        end_in_time(stop, clock)
    assert clock.now() < seconds
    assert "reconcile failed" not in [each["event"] for each in logs]
    assert [each["keys"] for each in logs if each["event"] == "stopped with work left"] == [["default/a", "default/b"]]
    assert controller.queue.num_requeues(key("a")) == 0


def test_a_stop_without_time_breaks_off_what_is_still_waited_for(clock):
    server = SilentServer()
    controller = Controller("net", Reconciler(server.call), clock=clock, workers=1)
    controller.queue.add(key("a"))
    controller.start()
    server.asked.get(timeout=REAL_LIMIT_SECONDS)
    controller.stop(timeout=0.0)


def test_a_call_that_is_answered_in_that_time_brings_its_reconcile_to_an_end(clock):
    server = SilentServer()
    reconcile = Reconciler(server.call)
    controller = Controller("net", reconcile, clock=clock, workers=1)
    for name in ("a", "b"):
        controller.queue.add(key(name))
    controller.start()
    server.asked.get(timeout=REAL_LIMIT_SECONDS)
    stop = stopping(controller, clock, 30.0)
    pass_time(clock, 2.75)
    server.answered.set()
    stop.stop()
    assert (reconcile.next(), reconcile.next()) == (key("a"), key("b"))


def test_what_kills_a_worker_ends_the_controller_and_is_raised_from_stop(clock):
    controller = Controller("net", Reconciler(), clock=clock)
    kill(controller, SystemExit(3))
    assert controller.why_dead() == ""
    controller.start()
    controller.queue.add(key("a"))
    eventually_dead(controller)
    assert not controller.healthy
    assert "net-worker-" in controller.why_dead()
    assert "ended by SystemExit: 3" in controller.why_dead()
    with pytest.raises(SystemExit):
        controller.stop()


def test_stopping_a_controller_that_never_started_lets_its_informers_go(clock):
    informer = FakeInformer(clock)
    controller = Controller("net", Reconciler(), clock=clock)
    controller.watch(informer)
    controller.stop()
    controller.stop()
    assert informer.registration.removed


def test_stopping_waits_for_a_mapping_that_is_under_way(clock):
    informer = FakeInformer(clock)
    controller = Controller("net", Reconciler(), clock=clock)
    controller.watch(informer)
    controller.start()
    controller.stop()
    assert informer.registration.waits[-1] > 0.0


@pytest.mark.parametrize("is_started", [True, False])
def test_a_controller_that_was_stopped_is_not_started_again(clock, is_started):
    controller = Controller("net", Reconciler(), clock=clock)
    if is_started:
        controller.start()
    controller.stop()
    with pytest.raises(RuntimeError, match="controller net was stopped: to run it again, make a new one"):
        controller.start()


def test_a_watch_that_comes_after_the_start_is_refused(clock, start):
    controller = start(Reconciler())
    with pytest.raises(RuntimeError, match="net was started already: watch pods before that"):
        controller.watch(FakeInformer(clock, "pods"))


def test_a_reconcile_that_stops_what_it_runs_in_is_told_so_and_fails(clock):
    controller = Controller("net", Reconciler(lambda: controller.stop(9.0), lambda: manager.stop(9.0)), clock=clock)
    manager = Manager(SharedInformerFactory(FakeClient()), [controller])
    for _ in range(2):
        controller.queue.add(key("a"))
        controller.process_next()
        assert controller.journal.last(key("a")).error.startswith("RuntimeError: stop was called in a reconcile of net")
    manager.start()
    manager.stop()
    assert controller.healthy


def test_starting_twice_starts_once(clock, start):
    controller = start(Reconciler(), workers=1)
    controller.start()
    clock.wait_until_blocked(threads=2)
    assert sum(thread.name.startswith("net-worker") for thread in threading.enumerate()) == 1


def failures_of(logs: list[dict]) -> list[dict]:
    return [each for each in logs if each["event"] == "reconcile failed"]


def test_a_bug_shows_its_traceback_once_and_is_one_line_after_that(clock):
    def fail() -> Result:
        password = "hunter2"
        return {}["missing", len(password)]

    with capture_logs() as logs:
        handle(Reconciler(*[fail] * 3), clock, key("a"), key("b"))
        handle_one(Reconciler(*[fail] * 3), clock, times=3)
    first, other_key, again, *repeated = failures_of(logs)
    assert "in fail" in first["exception"]
    assert "hunter2" not in str(logs)
    assert [each["log_level"] for each in (first, other_key, again)] == ["error"] * 3
    assert [(each["log_level"], "exception" in each) for each in repeated] == [("warning", False)] * 2
    assert first | {"error": "KeyError: ('missing', 7)", "failures": 1, "retry_in": 0.005} == first


def test_another_error_of_the_same_key_shows_its_own_traceback(clock):
    with capture_logs() as logs:
        handle_one(Reconciler(ValueError("1"), ValueError("2"), ValueError("1")), clock, times=3)
    assert [each["log_level"] for each in failures_of(logs)] == ["error", "error", "warning"]


def test_a_refusal_of_the_server_needs_no_traceback(clock):
    with capture_logs() as logs:
        handle_one(Reconciler(TooManyRequests(429)), clock, times=1)
    assert [each["log_level"] for each in failures_of(logs)] == ["warning"]


def test_every_reconcile_logs_its_result_and_duration(clock):
    def take_2_seconds() -> Result:
        clock.advance(2.0)
        return Result(requeue_after=5.0)

    with capture_logs() as logs:
        handle(Reconciler(take_2_seconds, TerminalError("no")), clock, key("a"), key("b"))
    lines = [(each["result"], each["duration"]) for each in logs if each["event"] == "reconciled"]
    assert lines == [("requeue_after", 2.0), ("terminal_error", 0.0)]


def test_a_failure_names_the_reconcile_that_tries_again(clock, start):
    reconcile = Reconciler(ValueError("once"))
    with capture_logs() as logs:
        controller = start(reconcile, workers=1)
        controller.queue.add(key("a"))
        reconcile.next()
        clock.wait_until_blocked(threads=2)
        clock.advance(0.005)
        reconcile.next()
        clock.wait_until_blocked(threads=2)
    failed, second = (each for each in logs if each["event"] == "reconcile failed" or each.get("result") == "success")
    assert failed["reconcile_id"] != failed["retry_id"] == second["reconcile_id"]


def test_what_a_reconcile_binds_is_on_its_own_log_lines_only(clock):
    bound = []

    def bind() -> Result:
        bind_contextvars(uid="u1")
        bound.append(get_contextvars())
        return Result()

    def look() -> Result:
        bound.append(get_contextvars())
        return Result()

    handle(Reconciler(bind, look), clock, key("a"), key("b"))
    assert bound == [
        {"controller": "net", "key": "default/a", "reconcile_id": "net-1", "uid": "u1"},
        {"controller": "net", "key": "default/b", "reconcile_id": "net-2"},
    ]


def test_a_key_that_is_processed_in_the_callers_thread_leaves_its_log_lines_alone(clock):
    before = get_contextvars()
    handle_one(Reconciler(), clock, times=1)
    assert get_contextvars() == before


def test_a_reconcile_waits_until_the_cache_shows_what_the_last_one_wrote(clock, start):
    maps, informer = FakeClient().resource(CONFIG_MAPS), FakeCachingInformer(clock)

    def create_and_come_back() -> Result:
        maps.create({"metadata": {"name": "a", "namespace": "default"}})
        return Result(requeue_after=0.0)

    reconcile = Reconciler(create_and_come_back)
    controller = Controller("net", reconcile, clock=clock, workers=1)
    controller.watch(informer, type_=CONFIG_MAPS)
    controller.queue.add(key("a"))
    controller.start()
    assert reconcile.next() == key("a")
    clock.wait_until_blocked(threads=2)
    assert reconcile.calls() == 0
    informer.cache[key("a")] = maps.get(key("a"))
    clock.advance(0.02)
    assert reconcile.next() == key("a")
    controller.stop()


def test_what_a_stopping_controller_has_queued_does_not_wait_for_a_cache(clock):
    maps, informer = FakeClient().resource(CONFIG_MAPS), FakeCachingInformer(clock)
    entered, go_on = threading.Event(), threading.Event()

    def create() -> Result:
        maps.create({"metadata": {"name": "a", "namespace": "default"}})
        entered.set()
        go_on.wait(REAL_LIMIT_SECONDS)
        return Result()

    reconcile = Reconciler(create)
    controller = Controller("net", reconcile, clock=clock, workers=1)
    controller.watch(informer, type_=CONFIG_MAPS)
    controller.start()
    controller.queue.add(key("a"))
    entered.wait(REAL_LIMIT_SECONDS)
    controller.queue.add(key("a"))
    controller.queue.shut_down()  # as stop does first
    go_on.set()
    controller.stop()
    assert reconcile.calls() == 2


def test_a_reconcile_that_takes_too_long_gets_no_further_call_and_is_tried_again(clock):
    maps, metrics = FakeClient().resource(CONFIG_MAPS), Metrics()

    def slow() -> Result:
        maps.list()
        clock.advance(10.0)
        maps.list()
        return Result()

    how = ControllerOptions(workers=1, reconcile_timeout=10.0)
    with capture_logs() as logs:
        controller = handle(Reconciler(slow), clock, key("a"), options=how, metrics=metrics)
    assert controller.queue.num_requeues(key("a")) == 1
    assert [each["error"] for each in logs if "error" in each] == ["DeadlineExceeded: not done within 10 s"]
    counted = metrics.registry.get_sample_value("controller_runtime_reconcile_timeouts_total", {"controller": "net"})
    assert counted == 1


def test_an_initial_list_and_a_resync_wait_behind_changes(clock):
    reconcile, informer = Reconciler(), FakeInformer(clock)
    controller = Controller("net", reconcile, clock=clock, workers=1)
    controller.watch(informer)
    listed, resynced = new_object("listed", resourceVersion="1"), new_object("resynced", resourceVersion="2")
    informer.add(listed, in_initial_list=True)
    informer.update(resynced, resynced)
    informer.update(new_object("changed", resourceVersion="3"), new_object("changed", resourceVersion="4"))
    controller.start()
    assert [reconcile.next().name for _ in range(3)] == ["changed", "listed", "resynced"]
    controller.stop()


def test_without_a_background_all_keys_come_in_their_order(clock):
    reconcile, informer = Reconciler(), FakeInformer(clock)
    controller = Controller("net", reconcile, clock=clock, options=ControllerOptions(workers=1, background=False))
    controller.watch(informer)
    informer.add(new_object("listed"), in_initial_list=True)
    informer.add(new_object("added"))
    controller.start()
    assert [reconcile.next().name for _ in range(2)] == ["listed", "added"]
    controller.stop()


@pytest.mark.parametrize(
    "wrong", [{"workers": 0}, {"reconcile_timeout": 0.0}, {"cache_sync_timeout": -1.0}, {"own_writes_timeout": -1.0}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ControllerOptions(**wrong)


def test_no_workers_at_all_is_refused():
    with pytest.raises(ValueError, match="workers"):
        Controller("net", Reconciler(), workers=0)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_result_cannot_ask_for_the_past(seconds):
    with pytest.raises(ValueError, match="requeue_after"):
        Result(requeue_after=seconds)


def test_whether_it_is_a_poll_is_a_bool():
    with pytest.raises(TypeError, match="background is of type int"):
        Result(30.0, 1)  # type: ignore[arg-type]
