"""Each check turns red for its cause, and green again when that has gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.health import WEDGED_SECONDS, live_checks, ready_checks
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Forbidden
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.reflector.statistics import MAX_SILENCE_SECONDS
from btcctl.informers.sharing.notifications import HandlerFuncs
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.resources import CONFIG_MAPS
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.controller.support import key, kill
from tests.unit.leaderelection.support import FakeLock, Server

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang


class Scene:
    """A manager over a fake server, one informer, one controller whose reconcile can be made to hang."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(clock=self.clock)
        self.factory = SharedInformerFactory(self.client, clock=self.clock)
        self.informer = self.factory.informer(CONFIG_MAPS)
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.controller = Controller("net", self.reconcile, workers=1, clock=self.clock)
        self.controller.watch(self.informer)
        self.manager = Manager(self.factory, [self.controller], clock=self.clock)
        self.checks: dict[str, Any] = {**live_checks(self.manager), **ready_checks(self.manager)}

    def reconcile(self, _: object) -> Result:
        self.begun.set()
        self.go_on.wait(REAL_LIMIT_SECONDS)
        return Result()

    def red(self) -> dict[str, str]:
        found = {name: check() for name, check in self.checks.items()}
        return {name: why for name, why in found.items() if why}


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.go_on.set()
    scene.manager.stop()


def test_a_cache_that_is_not_filled_yet(scene: Scene) -> None:
    assert scene.red() == {"caches": "configmaps (not started)"}
    scene.manager.start()
    assert scene.informer.wait_for_sync(REAL_LIMIT_SECONDS)
    assert scene.red() == {}


def test_a_watch_that_is_silent_for_too_long(scene: Scene) -> None:
    scene.manager.start()
    assert scene.informer.wait_for_sync(REAL_LIMIT_SECONDS)
    scene.clock.advance(MAX_SILENCE_SECONDS)
    assert "nothing heard for 300 s" in scene.red()["watches"]
    scene.client.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    assert scene.begun.wait(REAL_LIMIT_SECONDS)
    assert scene.red() == {}


def test_a_worker_that_is_stuck(scene: Scene) -> None:
    scene.manager.start()
    scene.controller.queue.add(key("a"))
    assert scene.begun.wait(REAL_LIMIT_SECONDS)
    scene.clock.advance(WEDGED_SECONDS)
    assert "workers" not in scene.red()
    scene.clock.advance(1.0)
    assert scene.red()["workers"] == "net: 1 stuck, one for 301 s"
    scene.go_on.set()
    scene.controller.queue.drain(REAL_LIMIT_SECONDS)
    assert "workers" not in scene.red()


def test_a_dead_thread_until_another_process_takes_its_place(scene: Scene) -> None:
    kill(scene.controller, SystemExit(3))
    scene.manager.start()
    scene.controller.queue.add(key("a"))
    assert scene.controller.died.wait(REAL_LIMIT_SECONDS)
    assert scene.red()["threads"] == "controller net: thread net-worker-0 ended by SystemExit: 3"
    with pytest.raises(SystemExit):
        scene.manager.stop()
    assert "threads" not in Scene().red()


def test_a_handlers_thread_that_has_ended(scene: Scene) -> None:
    listener = scene.informer.add_handler(HandlerFuncs()).listener
    listener.deliver = lambda _: {}["missing"]  # what a handler raises does not end it
    scene.client.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    scene.manager.start()
    assert scene.informer.died.wait(REAL_LIMIT_SECONDS)
    assert scene.red()["threads"] == "informer configmaps: thread listener-configmaps-2 ended by KeyError: 'missing'"
    scene.go_on.set()
    with pytest.raises(KeyError):
        scene.manager.stop()


def test_no_rights_on_the_lease_make_the_program_unready_and_not_unhealthy() -> None:
    clock = FakeClock()
    lock = FakeLock(Server(), clock, failures=[Forbidden(403, "Forbidden", "no")])
    elector = Elector(lock, Fence(clock), clock=clock)
    manager = Manager(SharedInformerFactory(FakeClient(clock=clock), clock=clock), [], elector=elector, clock=clock)
    elector.step()
    assert "grant get, create and update on leases" in ready_checks(manager)["election"]()
    assert live_checks(manager)["lease"]() == ""
