"""What runs before a pod's containers, and beside them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from btcctl.objects import ObjectKey
from btcctl.sandbox.kubelet.exits import Exits, WatchedProcesses
from btcctl.sandbox.kubelet.pods.checks import Answer
from btcctl.sandbox.kubelet.pods.runner import PodRunner
from btcctl.sandbox.kubelet.pods.runtime import ContainerTools
from btcctl.testing.clock import FakeClock
from tests.unit.sandbox.fakes import FakeCommand, FakeProcesses

SIDECAR = {"name": "beside", "image": "x", "restartPolicy": "Always"}


class Scene:
    """A pod with one container, `main`, and what runs before it."""

    def __init__(self, directory: Path, *init: dict[str, Any], policy: str = "Always") -> None:
        self.clock, self.processes, self.answer = FakeClock(), FakeProcesses(), Answer(True)
        exits = Exits(lambda _: None)
        self.processes.on_exit = exits.ended
        tools = ContainerTools(
            processes=WatchedProcesses(ObjectKey("ns", "p"), self.processes, exits),
            command=lambda container, _: FakeCommand((container["name"],)),
            check=lambda *_: self.answer,
            event=lambda *_: None,
            clock=self.clock,
        )
        spec = {
            "restartPolicy": policy,
            "containers": [{"name": "main", "image": "x"}],
            "initContainers": [{"image": "x", **each} for each in init],
        }
        self.runner = PodRunner({"metadata": {"uid": "u"}, "spec": spec}, "127.9.0.2", directory, tools)
        self.runner.step()

    @property
    def running(self) -> list[str]:
        return [argv[0] for argv in self.processes.running.values()]

    def end(self, name: str, code: int = 0) -> None:
        (pid,) = (pid for pid, argv in self.processes.running.items() if argv == [name])
        self.processes.end(pid, code)
        self.runner.step()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.runner.step()


def test_one_runs_after_the_other_and_then_the_rest(tmp_path: Path):
    scene = Scene(tmp_path, {"name": "first"}, {"name": "second"})
    seen = [scene.running]
    for name in ("first", "second"):
        scene.end(name)
        seen.append(scene.running)
    assert seen == [["first"], ["second"], ["main"]]
    assert scene.runner.is_initialized
    assert scene.runner.seconds_to_next() is None


def test_until_then_the_rest_waits_for_it(tmp_path: Path):
    scene = Scene(tmp_path, {"name": "first"})
    assert [each.state for each in scene.runner.states()] == [{"waiting": {"reason": "PodInitializing"}}]
    assert scene.runner.seconds_to_next() is None


def test_one_that_fails_is_tried_again(tmp_path: Path):
    scene = Scene(tmp_path, {"name": "first"})
    scene.end("first", 1)
    assert scene.running == ["first"]
    scene.end("first", 1)
    assert (scene.running, scene.runner.seconds_to_next()) == ([], 10.0)
    scene.pass_time(10)
    assert scene.running == ["first"]


def test_one_that_fails_where_nothing_is_tried_again_is_the_end(tmp_path: Path):
    scene = Scene(tmp_path, {"name": "first"}, policy="Never")
    scene.end("first", 3)
    scene.pass_time(1000)
    assert scene.running == []
    assert [each.exit_code for each in scene.runner.init_states()] == [3]


def test_a_sidecar_goes_on_beside_the_rest_and_ends_after_it(tmp_path: Path):
    scene = Scene(tmp_path, SIDECAR, {"name": "last"}, policy="Never")
    assert scene.running == ["beside", "last"]
    scene.end("last")
    assert scene.running == ["beside", "main"]
    scene.end("main")
    assert scene.processes.signals == [(100, signal.SIGTERM)]
    scene.runner.step()
    assert not scene.runner.alive


@pytest.mark.parametrize("code", [0, 1])
def test_a_sidecar_that_ends_is_started_again(tmp_path: Path, code: int):
    scene = Scene(tmp_path, SIDECAR)
    scene.end("beside", code)
    assert sorted(scene.running) == ["beside", "main"]


def test_a_sidecar_that_has_not_started_holds_back_the_rest(tmp_path: Path):
    probe = {"startupProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1}}
    scene = Scene(tmp_path, {**SIDECAR, **probe})
    scene.answer = Answer(False, "refused")
    scene.pass_time(1)
    assert scene.running == ["beside"]
    scene.answer = Answer(True)
    scene.pass_time(1)
    assert scene.running == ["beside", "main"]


def test_a_pod_that_is_ended_before_its_containers_have_run_starts_none(tmp_path: Path):
    scene = Scene(tmp_path, {"name": "first"})
    scene.runner.end(5.0)
    scene.runner.step()
    assert (scene.running, scene.runner.alive) == ([], False)
