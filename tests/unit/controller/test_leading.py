"""Who leads works; who waits is ready to; who loses the lease ends at once."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.errors import LeaseLost, NotLeading
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop
from tests.unit.controller.support import FakeInformer, key
from tests.unit.controller.test_manager import Part
from tests.unit.leaderelection.support import FakeLock, Server

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang


class Scene:
    """A manager with one controller, whose reconcile tells of each key."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.server = Server()
        self.lock = FakeLock(self.server, self.clock)
        self.fence = Fence(self.clock)
        self.pause = 2.0
        self.elector = Elector(
            self.lock, self.fence, identity="a", clock=self.clock, uniform=lambda _low, _high: self.pause
        )
        self.log: list[str] = []
        self.reconciled: SimpleQueue[ObjectKey] = SimpleQueue()
        self.controller = Controller("net", self.reconcile)
        self.informer = FakeInformer(self.clock)
        self.controller.watch(self.informer)
        parts = {"recorder": Part("recorder", self.log), "elector": self.elector}
        self.manager = Manager(Part("caches", self.log), [self.controller], clock=self.clock, **parts)

    def reconcile(self, key: ObjectKey) -> Result:
        self.reconciled.put(key)
        return Result()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_controllers_start_once_we_lead(scene: Scene) -> None:
    scene.controller.queue.add(key("a"))
    scene.manager.start()
    assert scene.reconciled.get(timeout=REAL_LIMIT_SECONDS) == key("a")
    assert scene.server.record.holder == "a"
    scene.manager.stop()


def test_a_standby_has_its_caches_filled_and_does_nothing_else(scene: Scene) -> None:
    scene.server.record = LeaseRecord("b", 15)
    scene.controller.queue.add(key("a"))
    scene.manager.start()
    scene.clock.wait_until_blocked(2)  # who waits for the lease, and the elector that has asked for it
    assert scene.log == ["start caches", "start recorder"]
    assert scene.reconciled.empty()
    scene.manager.stop()
    assert scene.reconciled.empty()
    assert scene.lock.calls == ["get"]


def test_the_lease_is_given_back_after_the_work_and_before_the_caches_end(scene: Scene) -> None:
    scene.manager.start()
    assert scene.elector.leading.wait()
    scene.lock.before = lambda verb: scene.log.append(f"lease {verb}")
    scene.log.clear()
    scene.manager.stop()
    assert scene.log == ["stop recorder", "lease get", "lease update", "stop caches"]
    assert scene.server.record.holder == ""


def test_work_that_ignores_the_stop_keeps_the_lease_from_being_given_back(scene: Scene) -> None:
    stop = scene.controller.stop

    def stop_in_vain(timeout: float) -> None:
        stop(timeout)
        raise TimeoutError("net is still at work")

    scene.controller.stop = stop_in_vain  # type: ignore[method-assign]
    scene.manager.start()
    assert scene.elector.leading.wait()
    with pytest.raises(TimeoutError, match="still at work"):
        scene.manager.stop()
    assert scene.server.record.holder == "a"
    with pytest.raises(NotLeading):
        scene.fence.check()


def lose_it(scene: Scene) -> None:
    """To b, who takes it as soon as we lead; we hear of it at the next renewal, which is then."""
    scene.pause = 0.0

    def take() -> None:
        scene.server.record, scene.server.version = LeaseRecord("b", 15), 9

    scene.elector.leading.on_set(take)


def test_losing_the_lease_ends_the_manager_without_giving_it_back(scene: Scene) -> None:
    stop = Stop(scene.clock)
    lose_it(scene)
    with pytest.raises(LeaseLost, match="taken by b"):
        scene.manager.run(stop)
    assert scene.server.record == LeaseRecord("b", 15)
    assert not scene.manager.healthy


def test_who_is_asked_to_stop_in_time_ends_well_although_the_lease_runs_out_meanwhile(scene: Scene) -> None:
    stop = Stop(scene.clock)

    def last_words(timeout: float) -> None:
        scene.clock.advance(10.0)

    scene.manager.recorder.stop = last_words  # type: ignore[method-assign]
    scene.elector.leading.on_set(stop.set)
    scene.manager.run(stop)
    assert scene.server.record.holder == "a"


def test_who_loses_the_lease_waits_for_nobody(scene: Scene) -> None:
    caches = scene.manager.factory
    lose_it(scene)
    with pytest.raises(LeaseLost):
        scene.manager.run(Stop(scene.clock), grace_seconds=30.0)
    assert caches.timeouts == [1.0]


def test_who_loses_the_lease_ends_while_the_clock_stands_still(scene: Scene) -> None:
    ended = threading.Event()

    def run(_: Stop) -> None:
        with pytest.raises(LeaseLost):
            scene.manager.run(Stop(scene.clock))
        ended.set()

    lose_it(scene)
    with Runner("manager", run):
        assert ended.wait(REAL_LIMIT_SECONDS / 2)


def test_a_deadline_that_passes_while_the_elector_hangs_ends_the_manager(scene: Scene) -> None:
    hang = threading.Event()
    scene.manager.start()
    assert scene.elector.leading.wait()
    scene.lock.before = lambda _: hang.wait(REAL_LIMIT_SECONDS)
    scene.clock.wait_until_blocked()
    scene.clock.advance(10.0)
    assert not scene.manager.healthy
    hang.set()
    with pytest.raises(LeaseLost):
        scene.manager.stop()
