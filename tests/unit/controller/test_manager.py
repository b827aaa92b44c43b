"""The order of starting and stopping, and who notices a death."""

from __future__ import annotations

import os
import signal
import threading
from queue import SimpleQueue

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.manager import Manager, run_until_signal
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.result import Result
from btcctl.controller.signals import catching_signals
from btcctl.errors import BtcctlError, CacheSyncError
from btcctl.testing.clock import FakeClock
from btcctl.threads import Latch, Runner, Stop
from tests.unit.controller.support import FakeInformer, key, kill

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang


class Part:
    """Logs what is done to it."""

    def __init__(self, name: str, log: list[str], failure: BaseException | None = None) -> None:
        self.name = name
        self.log = log
        self.failure = failure
        self.informers: list[FakeInformer] = []
        self.died = Latch()
        self.timeouts: list[float] = []

    def start(self) -> None:
        self.log.append(f"start {self.name}")

    def stop(self, timeout: float = 10.0) -> None:
        self.log.append(f"stop {self.name}")
        self.timeouts.append(timeout)
        if self.failure is not None:
            raise self.failure


class LoggingController(Controller):
    def __init__(self, name: str, log: list[str]) -> None:
        super().__init__(name, lambda _: Result())
        self.log = log

    def start(self) -> None:
        self.log.append(f"start {self.name}")
        super().start()

    def stop(self, timeout: float = 10.0) -> None:
        self.log.append(f"stop {self.name}")
        super().stop(timeout)


def test_starts_caches_then_recorder_then_controllers_and_stops_in_reverse():
    log: list[str] = []
    controllers = [LoggingController("one", log), LoggingController("two", log)]
    manager = Manager(Part("caches", log), controllers, recorder=Part("recorder", log))
    manager.start()
    manager.start()
    assert log == ["start caches", "start recorder", "start one", "start two"]
    log.clear()
    manager.stop()
    manager.stop()
    assert log == ["stop two", "stop one", "stop recorder", "stop caches"]


def test_a_part_that_fails_to_stop_does_not_keep_the_others_from_being_stopped():
    log: list[str] = []
    manager = Manager(Part("caches", log, OSError("later")), [], recorder=Part("recorder", log, TimeoutError("first")))
    manager.start()
    with pytest.raises(OSError, match="later") as raised:
        manager.stop()
    assert str(raised.value.__context__) == "first"
    assert log[-2:] == ["stop recorder", "stop caches"]


@pytest.mark.parametrize("broken", range(3))
def test_a_part_that_does_not_start_ends_what_was_started_before_it(broken):
    log: list[str] = []
    parts = [Part(name, log) for name in ("server", "caches", "recorder")]
    parts[broken].start = lambda: (_ for _ in ()).throw(OSError("address in use"))  # type: ignore[method-assign]
    manager = Manager(parts[1], [], recorder=parts[2])
    manager.serve(parts[0])
    with pytest.raises(OSError, match="in use"):
        manager.run(Stop())
    started = [part.name for part in parts[:broken]]
    assert log == [*(f"start {name}" for name in started), f"stop {parts[broken].name}"] + [
        f"stop {name}" for name in reversed(started)
    ]


def test_parts_share_the_time_there_is_for_stopping():
    clock = FakeClock()
    caches, recorder = Part("caches", []), Part("recorder", [])
    recorder.stop = lambda timeout: clock.advance(timeout - 4.0)  # type: ignore[method-assign]
    manager = Manager(caches, [], recorder=recorder, clock=clock)
    manager.start()
    manager.stop(timeout=30.0)
    assert caches.timeouts == [4.0]


class Recorder(Part):
    """Tells whether it gets on."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__("recorder", [])
        self.clock = clock
        self.seconds = seconds

    def finish(self, timeout: float, patience: float) -> None:
        self.timeouts += [timeout, patience]
        self.clock.advance(self.seconds)


class HangingElector(Part):
    """Its last call is not answered."""

    def __init__(self) -> None:
        super().__init__("elector", [], TimeoutError("hangs"))
        self.leading, self.lost, self.answer_seconds = Latch(), Latch(), 0.0

    def problem(self) -> str:
        return ""

    def resign(self) -> None:
        """Nothing to note."""

    def abandon(self) -> None:
        self.log.append("abandon")


@pytest.mark.parametrize(("seconds", "patience"), [(0.0, 1.6), (0.9, 0.7), (20.0, 0.7)])
def test_an_api_server_that_does_not_answer_is_no_failure_and_takes_no_two_seconds(seconds, patience):
    clock, elector = FakeClock(), HangingElector()
    recorder, caches = Recorder(clock, seconds), Part("caches", [])
    manager = Manager(caches, [], recorder=recorder, elector=elector, clock=clock)
    manager.start()
    manager.stop(timeout=30.0)
    assert recorder.timeouts == [29.3, 0.9]
    assert elector.timeouts == [pytest.approx(patience)]
    assert "abandon" not in elector.log
    assert caches.log == ["start caches", "stop caches"]


def test_the_last_events_and_the_lease_have_their_share_however_long_the_work_takes():
    clock, work = FakeClock(), Part("work", [])
    work.stop = clock.advance  # type: ignore[method-assign]
    recorder, elector = Recorder(clock, 0.9), HangingElector()
    manager = Manager(Part("caches", []), [], recorder=recorder, elector=elector, services=[work], clock=clock)
    manager.start()
    manager.stop(timeout=10.0)
    assert clock.now() == pytest.approx(8.4 + 0.9)
    assert elector.timeouts == [pytest.approx(0.7)]


def test_a_slow_server_has_the_time_that_giving_the_lease_back_takes_if_there_is_so_much():
    clock, work = FakeClock(), Part("work", [])
    work.stop = clock.advance  # type: ignore[method-assign]
    recorder, elector = Recorder(clock, 0.9), HangingElector()
    elector.answer_seconds = 3.0
    manager = Manager(Part("caches", []), [], recorder=recorder, elector=elector, services=[work], clock=clock)
    manager.start()
    manager.stop(timeout=20.0)
    assert clock.now() == pytest.approx(20.0 - 12.0)
    assert elector.timeouts == [pytest.approx(12.0)]


@pytest.mark.parametrize("has_elector", [False, True])
def test_controllers_stop_together(has_elector):
    asked: list[str] = []

    class Asked(Controller):
        def begin_stop(self, timeout: float = 10.0) -> None:
            asked.append(f"ask {self.name}")
            super().begin_stop(timeout)

        def stop(self, timeout: float = 10.0) -> None:
            asked.append(f"stop {self.name}")
            super().stop(timeout)

    controllers = [Asked(name, lambda _: Result()) for name in ("a", "b")]
    elector = HangingElector() if has_elector else None
    manager = Manager(Part("caches", []), controllers, elector=elector)
    manager.start()
    if elector is not None:
        elector.leading.set()
    manager.stop(timeout=5.0)
    assert asked.index("ask a") < asked.index("stop b")
    assert asked.index("ask b") < asked.index("stop a")


def test_runs_until_asked_to_stop():
    log: list[str] = []
    stop = Stop()
    stop.set()
    Manager(Part("caches", log), []).run(stop)
    assert log == ["start caches", "stop caches"]


def test_a_worker_that_dies_ends_the_manager_and_is_raised():
    controller = Controller("net", lambda _: Result())
    kill(controller, SystemExit(3))
    log: list[str] = []
    controller.queue.add(key("a"))
    with pytest.raises(SystemExit):
        Manager(Part("caches", log), [controller], clock=FakeClock()).run(Stop())
    assert log == ["start caches", "stop caches"]


def test_a_cache_that_never_fills_ends_the_manager_and_is_raised():
    clock = FakeClock()
    informer = FakeInformer(clock, "pods", synced=False)
    controller = Controller("net", lambda _: Result(), clock=clock, options=ControllerOptions(cache_sync_timeout=0.0))
    controller.watch(informer)
    manager = Manager(Part("caches", []), [controller])
    with pytest.raises(CacheSyncError, match="pods"):
        manager.run(Stop())
    assert not manager.healthy


def test_an_informer_that_died_makes_the_manager_unhealthy_and_ends_it_at_once():
    caches = Part("caches", [])
    informer = FakeInformer(FakeClock(), "pods")
    caches.informers = [informer]
    manager = Manager(caches, [], clock=FakeClock())  # nobody moves it
    informer.last_error = BtcctlError("a list failed, and will be tried again")
    assert manager.healthy
    informer.death = "thread reflector-pods ended by KeyError: 'x'"
    assert manager.dead() == ["informer pods: thread reflector-pods ended by KeyError: 'x'"]
    assert not manager.healthy
    caches.died.set()
    with pytest.raises(BtcctlError, match="before its time"):
        manager.run(Stop())


def test_informers_whose_server_is_silent_are_named():
    clock = FakeClock()
    caches = Part("caches", [])
    caches.informers = [FakeInformer(clock, "pods"), FakeInformer(clock, "nodes")]
    manager = Manager(caches, [], clock=clock)
    assert manager.silent() == []
    caches.informers[1].silence = "nothing heard for 300 s"
    assert manager.silent() == ["nodes (nothing heard for 300 s)"]


def test_two_controllers_of_one_name_are_refused():
    twins = [Controller("net", lambda _: Result()), Controller("net", lambda _: Result())]
    with pytest.raises(ValueError, match="two controllers are called net"):
        Manager(Part("caches", []), twins)


def test_a_manager_that_was_stopped_is_not_started_again():
    manager = Manager(Part("caches", []), [])
    manager.start()
    manager.stop()
    with pytest.raises(RuntimeError, match="was stopped"):
        manager.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_stops_the_manager_and_the_handlers_are_put_back(number):
    log: list[str] = []
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    caches = Part("caches", log)
    caches.start = lambda: os.kill(os.getpid(), number)  # type: ignore[method-assign]
    run_until_signal(Manager(caches, []))
    assert log == ["stop caches"]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_every_signal_is_handed_over_and_others_are_left_alone():
    numbers: SimpleQueue[int] = SimpleQueue()
    with catching_signals(numbers.put):
        for number in (signal.SIGTERM, signal.SIGWINCH, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        received = [numbers.get(timeout=REAL_LIMIT_SECONDS) for _ in range(3)]
    assert received == [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]


def test_an_error_in_the_block_puts_the_handlers_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyError), catching_signals(lambda _: None):
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_can_only_be_caught_in_the_main_thread():
    def run(_: Stop) -> None:
        with pytest.raises(RuntimeError, match="main thread"):
            run_until_signal(Manager(Part("caches", []), []))
        done.set()

    done = threading.Event()
    with Runner("not-main", run):
        assert done.wait(REAL_LIMIT_SECONDS)
