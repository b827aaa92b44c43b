"""What people see of a controller at work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.debugging import DebugPages
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.informers.factory import SharedInformerFactory
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.controller.support import key

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
CONFIG_MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a"},
    "data": {"password": "geheim"},
}


class Scene:
    """One controller with one worker; the reconcile of `stuck` hangs, that of `bad` fails."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(CONFIG_MAP, clock=self.clock)
        factory = SharedInformerFactory(self.client, clock=self.clock)
        self.informer = factory.informer(CONFIG_MAPS)
        self.controller = Controller("net", self.reconcile, workers=1, clock=self.clock)
        self.controller.watch(self.informer)
        self.manager = Manager(factory, [self.controller], clock=self.clock)
        self.pages = DebugPages(self.manager, self.clock)
        self.listed, self.begun, self.go_on = threading.Event(), threading.Event(), threading.Event()

    def reconcile(self, key: ObjectKey) -> Result:
        if key.name == CONFIG_MAP["metadata"]["name"]:
            self.listed.set()
        if key.name == "stuck":
            self.begun.set()
            self.hang_here()
        if key.name == "bad":
            raise ValueError("no answer from http://user:geheim@10.0.0.1/")
        return Result()

    def hang_here(self) -> None:
        self.go_on.wait(REAL_LIMIT_SECONDS)

    def page(self, path: str) -> Any:
        page = self.pages.page(path)
        assert page is not None
        assert "geheim" not in json.dumps(page)
        return page

    def run(self, *names: str) -> None:
        self.manager.start()
        assert self.listed.wait(REAL_LIMIT_SECONDS)
        for name in (*names, "stuck"):
            self.controller.queue.add(key(name))
        assert self.begun.wait(REAL_LIMIT_SECONDS)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.go_on.set()
    scene.manager.stop()


def test_a_key_that_is_worked_on_shows_for_how_long_and_where_its_worker_is(scene: Scene) -> None:
    scene.run()
    scene.clock.advance(7.0)
    found = scene.page("key/default/stuck")["net"]
    assert (found["state"], found["running_seconds"]) == ("running", 7.0)
    assert any(line.endswith("hang_here") for line in found["stack"])


def test_a_key_that_failed_shows_its_error_and_when_it_is_tried_again(scene: Scene) -> None:
    scene.run("bad")
    found = scene.page("key/default/bad")["net"]
    assert (found["state"], found["failures"], found["last"]["result"]) == ("delayed", 1, "error")
    assert found["next_try_seconds"] > 0
    assert found["last"]["error"].startswith("ValueError: no answer from http")


def test_the_queue_shows_every_key_with_what_is_left_to_do(scene: Scene) -> None:
    scene.run("bad", "good")
    scene.controller.queue.add(key("waiting"))
    found = scene.page("queue")["net"]
    assert (found["running"], found["delayed"], found["depth"]) == (1, 1, 1)
    states = {name: each["state"] for name, each in found["keys"].items()}
    assert states == {"default/stuck": "running", "default/bad": "delayed", "default/waiting": "queued"}


def test_an_informer_shows_what_it_holds_and_when_it_heard_last(scene: Scene) -> None:
    scene.run()
    scene.clock.advance(3.0)
    found = scene.page("informers")["configmaps"]
    assert (found["synced"], found["objects"], found["silent_seconds"]) == (True, 1, 3.0)


def test_without_an_election_it_leads(scene: Scene) -> None:
    assert scene.page("lead") == {"leads": True}


def test_with_one_it_leads_once_it_has_won(scene: Scene) -> None:
    elector = Elector(LeaseLock(scene.client, key("lease")), Fence(scene.clock), clock=scene.clock)
    pages = DebugPages(Manager(SharedInformerFactory(scene.client), [], elector=elector, clock=scene.clock))
    assert pages.page("lead") == {"leads": False}
    elector.leading.set()
    assert pages.page("lead") == {"leads": True}


def test_a_key_that_nobody_knows_is_idle(scene: Scene) -> None:
    assert scene.page("key/default/unknown")["net"]["state"] == "idle"


@pytest.mark.parametrize("path", ["", "else", "queue/x", "lead/x", "key/", "key"])
def test_there_are_no_other_pages(scene: Scene, path: str) -> None:
    assert scene.pages.page(path) is None
