"""From a watch event to the write it led to, and what people see of that: logs, health, debug, over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import urllib3

from btcctl import Controller, Manager, ObjectKey, Result, SharedInformerFactory
from btcctl import logging as our_logging
from btcctl.controller.debugging import DebugPages
from btcctl.controller.health import live_checks, ready_checks
from btcctl.controller.serving.status_server import StatusServer
from btcctl.events.recorder import EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks.api_sink import log_event
from btcctl.metrics import Metrics
from btcctl.resources import CONFIG_MAPS
from tests.integration.api_servers import ApiServer
from tests.integration.apiserver.test_process import config_map
from tests.integration.support import eventually


class Scene:
    """A controller that labels every ConfigMap; `stuck` it does not get done with."""

    def __init__(self, server: ApiServer) -> None:
        client = server.client()
        self.config_maps = client.resource(CONFIG_MAPS, server.namespace)
        self.namespace = server.namespace
        metrics = Metrics()
        factory = SharedInformerFactory(client, namespace=server.namespace)
        self.go_on = threading.Event()
        self.controller = Controller("labels", self.reconcile, metrics=metrics)
        self.controller.watch(factory.informer(CONFIG_MAPS))
        self.recorder = EventRecorder(client, "labels", watchers=(log_event,))
        self.manager = Manager(factory, [self.controller], recorder=self.recorder)
        self.server = StatusServer(
            "127.0.0.1:0",
            metrics,
            live_checks(self.manager, wedged_seconds=0.2),
            ready_checks(self.manager),
            DebugPages(self.manager).page,
        )
        self.manager.serve(self.server)

    def reconcile(self, key: ObjectKey) -> Result:
        if key.name == "stuck":
            self.wait_here()
        elif key.name == "bad":
            raise ValueError("no good")
        else:
            labelled = self.config_maps.patch(key, {"metadata": {"labels": {"seen": "yes"}}})
            self.recorder.event(ObjectReference.of(CONFIG_MAPS, labelled), "Normal", "Labelled", "seen: yes")
        return Result()

    def wait_here(self) -> None:
        self.go_on.wait(100.0)

    def add(self, name: str) -> None:
        self.config_maps.create(config_map(name))

    def debug(self, *args: str) -> str:
        done = btcctl_debug(*args, "--address", f"127.0.0.1:{self.server.port}")
        assert done.returncode == 0, done.stderr
        return done.stdout


def btcctl_debug(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "btcctl", "debug", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def logs() -> StringIO:
    """Everything that is logged, as in a pod."""
    stream = StringIO()
    our_logging.configure("debug", "json", stream=stream)
    return stream


@pytest.fixture
def scene(logs: StringIO, api_server: ApiServer) -> Iterator[Scene]:
    scene = Scene(api_server)
    scene.manager.start()
    try:
        yield scene
    finally:
        scene.go_on.set()
        scene.manager.stop()


def entries(logs: StringIO, **wanted: Any) -> list[dict[str, Any]]:
    *lines, _ = logs.getvalue().split("\n")
    found = [json.loads(line) for line in lines]
    return [each for each in found if all(each.get(name) == value for name, value in wanted.items())]


def test_one_id_leads_from_the_watch_event_to_the_write_and_to_the_event_about_it(scene: Scene, logs: StringIO) -> None:
    scene.add("traced")
    change = eventually(lambda: entries(logs, event="change", key=f"{scene.namespace}/traced"))[0]
    assert change["version"]

    def writes() -> list[dict[str, Any]]:
        return entries(logs, event="api write", reconcile_id=change["reconcile_id"])

    patch, event = eventually(lambda: writes() if len(writes()) == 2 else None)
    assert (patch["method"], patch["path"].rpartition("/")[2], patch["status"]) == ("PATCH", "traced", 200)
    assert (event["method"], event["path"].rpartition("/")[2], event["status"]) == ("POST", "events", 201)
    # The event is sent by another thread, which may be done before the reconcile is.
    eventually(lambda: {"reconciled", "event"} <= story_of(logs, change["reconcile_id"]))
    assert "data" not in patch


def story_of(logs: StringIO, reconcile_id: str) -> set[str]:
    return {each["event"] for each in entries(logs, reconcile_id=reconcile_id)}


def test_a_worker_that_is_stuck_turns_health_red_and_green_again(scene: Scene) -> None:
    assert eventually(lambda: scene_get(scene, "/readyz") == "ok")
    scene.add("stuck")
    eventually(lambda: "[-]workers failed: labels: 1 stuck" in scene_get(scene, "/healthz?verbose"))
    scene.go_on.set()
    eventually(lambda: scene_get(scene, "/healthz") == "ok")


def test_people_see_where_a_stuck_worker_is_and_why_a_key_fails(scene: Scene) -> None:
    scene.add("stuck")
    scene.add("bad")
    eventually(scene.controller.journal.running)
    eventually(lambda: scene.controller.queue.num_requeues(ObjectKey(scene.namespace, "bad")) >= 2)
    stuck = scene.debug("key", f"{scene.namespace}/stuck")
    assert "running" in stuck
    assert "wait_here" in stuck
    bad = scene.debug("key", f"{scene.namespace}/bad")
    assert "ValueError: no good" in bad
    assert "failures" in bad
    assert f"{scene.namespace}/stuck: running" in scene.debug("queue")
    assert json.loads(scene.debug("informers", "--json"))["configmaps"]["synced"] is True


def test_asking_where_nobody_answers_says_so() -> None:
    done = btcctl_debug("queue", "--address", "127.0.0.1:1")
    assert done.returncode == 1
    assert "Does an operator run" in done.stderr


@pytest.mark.parametrize("args", [["key"], ["queue", "a/b"]])
def test_a_question_that_makes_no_sense_is_a_usage_error(args: list[str]) -> None:
    assert btcctl_debug(*args).returncode == 2


def scene_get(scene: Scene, path: str) -> str:
    with urllib3.PoolManager(retries=False, timeout=60.0) as pools:
        return pools.request("GET", f"http://127.0.0.1:{scene.server.port}{path}").data.decode()
