"""A manager is asked to stop, or loses the lease, or a part of it dies, at every line that it passes."""

from __future__ import annotations

import threading

import pytest

from btcctl.controller import controller, leading, manager
from btcctl.controller.controller import Controller
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.errors import BtcctlError, LeaseLost, NotLeading
from btcctl.events import broadcaster, watcher_queue
from btcctl.events.recorder import EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers import factory, shared_informer
from btcctl.informers.factory import SharedInformerFactory
from btcctl.leaderelection import elector, release
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from btcctl.threads import Runner, Stop
from tests.sweep import Place, sweep
from tests.unit.controller.test_manager import Part
from tests.unit.leaderelection.support import TIMING, FakeLock, Server

MODULES = (manager, leading, controller, elector, release, factory, shared_informer, broadcaster, watcher_queue)
REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
THEIRS = LeaseRecord("b", 15, transitions=7)
CONFIG_MAP = {"metadata": {"name": "a", "namespace": "default"}}


class Scene:
    """All that a manager has: a server, caches, an elector, a recorder, a controller whose reconcile has effects."""

    def __init__(self) -> None:
        self.clock, self.log = FakeClock(), []
        client = FakeClient()
        client.resource(CONFIG_MAPS).create(CONFIG_MAP)
        self.lease = Server()
        self.lock = FakeLock(self.lease, self.clock)
        self.fence = Fence(self.clock)
        self.stop, self.renewed = Stop(self.clock), threading.Event()
        self.lock.before, self.lock.stored = self.on_call, self.on_stored
        self.elector = Elector(self.lock, self.fence, identity="a", clock=self.clock)
        self.recorder = EventRecorder(client, "net", self.clock)
        self.controller = Controller("net", self.reconcile, clock=self.clock)
        caches = SharedInformerFactory(client, clock=self.clock)
        self.controller.watch(caches.informer(CONFIG_MAPS))
        how = {"recorder": self.recorder, "elector": self.elector, "clock": self.clock}
        self.manager = Manager(caches, [self.controller], **how)
        self.manager.serve(Part("server", self.log))
        self.in_hand = 0
        self.wrong: list[str] = []
        self.error: BaseException | None = None

    def play(self) -> None:
        before = set(threading.enumerate())
        try:
            self.manager.run(self.stop)
        except (BtcctlError, TimeoutError) as error:
            self.error = error
        self.left = [
            each.name for each in threading.enumerate() if each not in before and each.name not in {"actor", "time"}
        ]

    def act(self) -> None:
        self.stop.set()
        self.renewed.set()  # if it never comes, it is not waited for

    def on_call(self, verb: str) -> None:
        if verb == "update":
            self.renewed.set()

    def on_stored(self, record: LeaseRecord) -> None:
        working = [each.name for each in threading.enumerate() if each.name.startswith("net")]
        if not record.holder and (self.in_hand or working):
            self.wrong.append(f"given back while {working} were at work")

    def reconcile(self, obj_key: ObjectKey) -> Result:
        self.in_hand += 1
        if not self.elector.leading.is_set():
            self.wrong.append("work before we lead")
        try:
            self.have_an_effect(obj_key)
            self.clock.advance(TIMING.retry_seconds)
            if not self.renewed.wait(5.0):  # the elector had not begun to wait yet when the clock moved
                self.clock.advance(TIMING.retry_seconds)
            assert self.renewed.wait(REAL_LIMIT_SECONDS)
            self.stop.set()  # the play is over
            return Result()
        finally:
            self.in_hand -= 1

    def have_an_effect(self, obj_key: ObjectKey) -> None:
        """As a transport has it."""
        self.fence.check()
        reference = ObjectReference("v1", "ConfigMap", obj_key.namespace, obj_key.name)
        self.recorder.event(reference, "Normal", "Looked", "at it")

    def check(self, place: Place | None) -> None:
        assert self.wrong == [], place
        assert self.left == [], place
        assert self.log == ["start server", "stop server"], place
        assert self.controller.queue.is_shut_down, place
        assert (self.controller.journal.running(), self.recorder.dropped) == ({}, 0), place
        with pytest.raises(NotLeading):
            self.fence.check()


class Stopped(Scene):
    def check(self, place: Place | None) -> None:
        super().check(place)
        assert self.error is None, place
        assert self.lease.record is None or self.lease.record.holder == "", place


class Robbed(Scene):
    """The process stands still until the lease has run out and another has it."""

    is_lost = False

    def play(self) -> None:
        with Runner("time", self.go_on):
            super().play()

    def go_on(self, stop: Stop) -> None:
        """Who wakes up late has to look at the clock again, so that must go on."""
        while not stop.wait(0.01):
            if self.is_lost:
                self.clock.advance(0.25)

    def act(self) -> None:
        held = self.lease.record
        self.clock.advance(TIMING.lease_seconds)
        if held is not None and held.holder == "a":
            self.lease.record, self.lease.version = THEIRS, 99
            self.is_lost = True
        if not self.elector.leading.is_set():
            self.stop.set()  # or it would wait for the lease for ever
        self.renewed.set()  # if it never comes, it is not waited for

    def have_an_effect(self, obj_key: ObjectKey) -> None:
        was_lost = self.is_lost
        super().have_an_effect(obj_key)
        if was_lost:
            self.wrong.append("an effect after another had the lease")

    def check(self, place: Place | None) -> None:
        super().check(place)
        if self.is_lost:
            assert self.lease.record == THEIRS, place
            assert self.error is None or isinstance(self.error, LeaseLost), place
            assert self.error is not None or self.stop.is_set(), place


class Bereaved(Scene):
    """A part dies."""

    def act(self) -> None:
        self.controller.died.set()
        self.renewed.set()  # if it never comes, it is not waited for

    def check(self, place: Place | None) -> None:
        super().check(place)
        assert self.error is None or "before its time" in str(self.error), place
        assert self.lease.record is None or self.lease.record.holder == "", place


@pytest.mark.timeout(600)  # hundreds of plays: 12 s on a quiet machine, 120 on a busy one
@pytest.mark.parametrize("scene", [Stopped, Robbed, Bereaved])
def test_an_end_at_any_line_leaves_no_thread_and_no_lease_and_lets_no_effect_begin(scene: type[Scene]) -> None:
    sweep(MODULES, scene, least=200)
