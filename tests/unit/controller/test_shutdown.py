"""A controller is asked to stop at every line that it passes, in each of its threads."""

from __future__ import annotations

import threading
from collections import Counter

from btcctl.controller import controller
from btcctl.controller.controller import Controller
from btcctl.controller.keys import sources
from btcctl.controller.reconciling import own_writes, processing
from btcctl.controller.reconciling.result import Result
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from btcctl.threads import Runner, Stop
from btcctl.workqueue import delayed, queue, rate_limited
from tests.sweep import Place, sweep
from tests.unit.controller import support
from tests.unit.controller.support import FakeCachingInformer, new_object

MODULES = (controller, sources, processing, own_writes, queue, rate_limited, delayed, support)
REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
DELAY_SECONDS = 30.0
LOOK_SECONDS = 0.25  # a drain looks so often whether a call hangs
# How often each is reconciled if nothing comes in between.
CALLS = {"good": 1, "failing": 2, "late": 2, "writing": 2}


class WorkersClock(FakeClock):
    """What a worker waits for, or who waits for a cache, has come at once; a drain takes no time."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        is_drain = timeout is not None and (timeout > DELAY_SECONDS or timeout == LOOK_SECONDS)
        if timeout is None or is_drain:
            return super().wait(condition, timeout)
        self.advance(timeout)
        return False


class SlowInformer(FakeCachingInformer):
    """Has its initial list when it is asked for the second time why it has not, and never shows a write."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, synced=False)
        self.asked = 0

    def why_unsynced(self) -> str:
        self.asked += 1
        if self.asked == 2:
            self.registration.sync()
        return "slow"

    def get(self, obj_key: ObjectKey) -> Object | None:
        return None


class Scene:
    """A controller with four keys, from its start to its end."""

    def __init__(self) -> None:
        self.clock = WorkersClock()
        self.maps = FakeClient().resource(CONFIG_MAPS)
        self.stop, self.is_over = Stop(), threading.Event()
        self.informer = SlowInformer(self.clock)
        self.controller = Controller("net", self.reconcile, clock=self.clock)
        self.controller.watch(self.informer, type_=CONFIG_MAPS)
        self.lock = threading.Lock()  # guards the three below
        self.calls: Counter[str] = Counter()
        self.in_hand: set[ObjectKey] = set()
        self.wrong: list[str] = []
        self.logs: list[dict] = []

    def play(self) -> None:
        for name in CALLS:
            self.informer.add(new_object(name))
        with (
            capture_logs() as self.logs,
            Runner("net", lambda _: self.controller.run(self.stop, drain_seconds=2 * DELAY_SECONDS)),
        ):
            assert self.is_over.wait(REAL_LIMIT_SECONDS)
            self.stop.set()

    def act(self) -> None:
        self.stop.set()
        self.is_over.set()

    def reconcile(self, obj_key: ObjectKey) -> Result:
        with self.lock:
            if obj_key in self.in_hand:
                self.wrong.append("two workers have one key")
            self.in_hand.add(obj_key)
            self.calls[obj_key.name] += 1
            is_first = self.calls[obj_key.name] == 1
        try:
            return getattr(self, obj_key.name)(obj_key) if is_first else Result()
        finally:
            with self.lock:
                self.in_hand.remove(obj_key)
                if self.calls == CALLS:
                    self.is_over.set()

    def good(self, _: ObjectKey) -> Result:
        return Result()

    def failing(self, _: ObjectKey) -> Result:
        raise ValueError

    def late(self, _: ObjectKey) -> Result:
        return Result(requeue_after=DELAY_SECONDS)

    def writing(self, obj_key: ObjectKey) -> Result:
        self.maps.create({"metadata": {"name": obj_key.name, "namespace": obj_key.namespace}})
        return Result(requeue_after=0.0)

    def check(self, place: Place | None) -> None:
        assert self.wrong == [], place
        assert [each.name for each in threading.enumerate() if each.name.startswith("net")] == [], place
        assert self.informer.registration.removed, place
        assert (self.controller.journal.running(), self.in_hand) == ({}, set()), place
        assert self.controller.queue.unknown_done == 0, place
        assert "stopped with work left" not in [each["event"] for each in self.logs], place
        if self.calls:  # what was queued is finished once workers have begun
            assert set(self.calls) == set(CALLS), place
            assert (self.controller.idle(), self.controller.queue.keys()) == (True, []), place


def test_a_stop_at_any_line_finishes_what_is_queued_and_leaves_nothing_behind() -> None:
    sweep(MODULES, Scene, least=150)
