"""One container of a pod, started, probed, restarted and ended."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from btcctl.errors import ConfigError
from btcctl.objects import ObjectKey
from btcctl.sandbox.kubelet.exits import Exits, WatchedProcesses
from btcctl.sandbox.kubelet.pods.checks import Answer
from btcctl.sandbox.kubelet.pods.container import ContainerRunner
from btcctl.sandbox.kubelet.pods.env import MissingReferenceError
from btcctl.sandbox.kubelet.pods.runtime import ContainerPlace, ContainerTools
from btcctl.testing.clock import FakeClock
from tests.unit.sandbox.fakes import FakeCommand, FakeProcesses

READINESS = {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1}}
LIVENESS = {"livenessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1, "failureThreshold": 1}}


class Scene:
    """A container, and all that happens to it."""

    def __init__(
        self, directory: Path, *, policy: str = "Always", reported: dict[str, Any] | None = None, **container: Any
    ) -> None:
        self.clock = FakeClock(now=1000.0)
        self.processes = FakeProcesses()
        exits = Exits(lambda _: None)
        self.processes.on_exit = exits.ended
        self.events: list[str] = []
        self.messages: list[str] = []
        self.answer = Answer(True)
        self.command_error: Exception | None = None
        tools = ContainerTools(
            processes=WatchedProcesses(ObjectKey("ns", "p"), self.processes, exits),
            command=self.command,
            check=lambda *_: self.answer,
            event=self.event,
            clock=self.clock,
        )
        place = ContainerPlace("127.9.0.2", directory / "pod" / "c", restart_policy=policy, grace_seconds=30)
        self.runner = ContainerRunner({"name": "c", "image": "img", **container}, place, tools, reported)

    def command(self, container: Any, data_dir: Path) -> FakeCommand:
        if self.command_error is not None:
            raise self.command_error
        return FakeCommand(("run", container["name"]))

    def event(self, type_: str, reason: str, message: str) -> None:
        self.events.append(reason)
        self.messages.append(message)

    @property
    def pid(self) -> int:
        (pid,) = self.processes.running
        return pid

    def pass_time(self, seconds: float) -> None:
        """Step whenever something is due."""
        until = self.clock.now() + seconds
        while (next_at := self.runner.next_at()) is not None and next_at <= until:
            self.clock.advance(max(0.0, next_at - self.clock.now()))
            self.runner.step()
        self.clock.advance(until - self.clock.now())

    def crash(self, code: int = 1) -> None:
        self.processes.end(self.pid, code)
        self.runner.step()

    def what(self) -> str:
        (what,) = self.runner.state().state
        return what


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def probed(tmp_path: Path) -> Scene:
    """Running and ready."""
    scene = Scene(tmp_path, **READINESS)
    scene.runner.step()
    scene.pass_time(1.0)
    assert scene.runner.state().ready
    return scene


def test_the_first_step_starts_the_process(scene):
    assert scene.what() == "waiting"
    scene.runner.step()
    state = scene.runner.state()
    assert state.state == {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    assert (state.ready, state.started, state.restarts) == (True, True, 0)
    assert scene.events == ["Started"]
    assert scene.processes.running == {100: ["run", "c"]}


def test_a_container_is_ready_when_its_probe_says_so(tmp_path):
    scene = Scene(tmp_path, **READINESS)
    scene.answer = Answer(False, "connection refused")
    scene.runner.step()
    scene.pass_time(1.0)
    assert not scene.runner.state().ready
    assert scene.messages[-1] == "Readiness probe failed: connection refused"
    scene.answer = Answer(True)
    scene.pass_time(1.0)
    assert scene.runner.state().ready


def test_a_process_that_ends_is_started_again_at_once_the_first_time(scene):
    scene.runner.step()
    scene.crash(code=3)
    state = scene.runner.state()
    assert (scene.what(), state.restarts) == ("running", 1)
    assert state.last_state["terminated"]["exitCode"] == 3
    assert state.last_state["terminated"]["reason"] == "Error"


def test_a_process_that_keeps_ending_is_started_ever_later(scene):
    scene.runner.step()
    scene.crash()
    delays = []
    for _ in range(7):
        scene.crash()
        assert scene.runner.state().state["waiting"]["reason"] == "CrashLoopBackOff"
        delays.append(scene.runner.next_at() - scene.clock.now())
        scene.pass_time(delays[-1])
    assert delays == [10, 20, 40, 80, 160, 300, 300]
    assert "BackOff" in scene.events


def test_crashes_are_forgiven_after_ten_minutes_of_running(scene):
    scene.runner.step()
    scene.crash()
    scene.clock.advance(600)
    scene.crash()
    assert scene.what() == "running"


def test_a_signal_counts_as_128_and_its_number(scene):
    scene.runner.step()
    scene.processes.end(scene.pid, -signal.SIGKILL)
    scene.runner.step()
    assert scene.runner.state().last_state["terminated"]["exitCode"] == 137


@pytest.mark.parametrize(
    ("policy", "code", "what"),
    [("Never", 1, "terminated"), ("OnFailure", 0, "terminated"), ("OnFailure", 1, "running")],
)
def test_the_restart_policy_is_heeded(tmp_path, policy, code, what):
    scene = Scene(tmp_path, policy=policy)
    scene.runner.step()
    scene.crash(code)
    assert scene.what() == what


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MissingReferenceError('secret "s" not found'), "CreateContainerConfigError"),
        (ConfigError("no such image"), "CreateContainerError"),
    ],
)
def test_what_keeps_a_container_from_starting_is_said_once_and_tried_again(scene, error, reason):
    scene.command_error = error
    scene.runner.step()
    scene.pass_time(10.0)
    assert scene.runner.state().state == {"waiting": {"reason": reason, "message": str(error)}}
    assert scene.events == ["Failed"]
    scene.command_error = None
    scene.pass_time(2.0)
    assert (scene.what(), scene.runner.state().restarts) == ("running", 0)


def test_a_process_that_cannot_be_started_is_tried_again(scene):
    scene.processes.failure = ConfigError("the keeper is gone")
    scene.runner.step()
    assert scene.runner.state().state["waiting"]["reason"] == "RunContainerError"
    scene.pass_time(2.0)
    assert scene.what() == "running"


def test_a_failed_liveness_probe_ends_the_process_and_another_one_starts(tmp_path):
    scene = Scene(tmp_path, **LIVENESS)
    scene.runner.step()
    scene.answer = Answer(False, "statuscode: 500")
    scene.pass_time(0.5)
    assert scene.events[-2:] == ["Unhealthy", "Killing"]
    assert scene.processes.signals == [(100, signal.SIGTERM)]
    scene.runner.step()
    assert (scene.what(), scene.runner.state().restarts) == ("running", 1)


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(scene):
    scene.processes.stubborn = True
    scene.runner.step()
    scene.runner.end(5.0)
    scene.pass_time(4.9)
    assert scene.processes.signals == [(100, signal.SIGTERM)]
    scene.pass_time(0.1)
    assert scene.processes.signals[-1] == (100, signal.SIGKILL)
    scene.runner.step()
    assert (scene.what(), scene.runner.alive, scene.runner.next_at()) == ("terminated", False, None)


def test_a_process_that_was_killed_is_waited_for_without_a_timer(scene):
    scene.processes.signal = lambda pid, sig: None  # the process is stuck in the kernel
    scene.runner.step()
    scene.runner.end(0.0)
    scene.runner.step()
    assert (scene.runner.alive, scene.runner.next_at()) == (True, None)


def test_without_grace_there_is_no_sigterm(scene):
    scene.runner.step()
    scene.runner.end(0.0)
    scene.runner.step()
    assert scene.processes.signals == [(100, signal.SIGKILL)]


def test_a_second_end_can_only_shorten_the_grace(scene):
    scene.processes.stubborn = True
    scene.runner.step()
    scene.runner.end(30.0)
    scene.runner.end(60.0)
    assert scene.runner.next_at() == scene.clock.now() + 30
    scene.runner.end(2.0)
    assert scene.runner.next_at() == scene.clock.now() + 2


def test_what_was_told_to_end_does_not_start_again(scene):
    scene.runner.end(1.0)
    scene.runner.step()
    assert (scene.processes.running, scene.runner.next_at()) == ({}, None)


def test_a_quiet_restart_changes_the_process_and_not_the_state(probed):
    before = probed.runner.state()
    probed.runner.restart_quietly()
    probed.runner.step()
    assert probed.pid == 101
    assert probed.runner.restarting_quietly
    assert probed.runner.state() == before
    assert probed.processes.logs[0] == probed.processes.logs[1]


def test_until_the_new_process_answers_failures_do_not_count(probed):
    before = probed.runner.state()
    events = [*probed.events]
    probed.runner.restart_quietly()
    probed.answer = Answer(False, "connection refused")
    probed.runner.step()
    probed.pass_time(20.0)
    assert probed.runner.restarting_quietly
    probed.answer = Answer(True)
    probed.pass_time(0.2)
    assert not probed.runner.restarting_quietly
    assert (probed.runner.state(), probed.events) == (before, events)


def test_what_a_process_answers_that_is_being_replaced_is_not_the_new_one_s_answer(probed):
    before = probed.runner.state()
    probed.processes.stubborn = True
    probed.runner.restart_quietly()
    probed.pass_time(3.0)
    probed.processes.end(100, 0)
    probed.runner.step()
    assert (probed.pid, probed.runner.restarting_quietly, probed.runner.state()) == (101, True, before)


def test_a_process_that_does_not_end_for_a_quiet_restart_is_asked_how_it_is_after_a_while(probed):
    probed.processes.stubborn = True
    probed.runner.restart_quietly()
    probed.answer = Answer(False, "hangs")
    probed.pass_time(40.0)
    assert not probed.runner.restarting_quietly
    assert not probed.runner.state().ready


def test_a_quiet_restart_that_takes_too_long_is_no_longer_kept_quiet(probed):
    probed.runner.restart_quietly()
    probed.answer = Answer(False, "connection refused")
    probed.runner.step()
    probed.pass_time(40.0)
    assert not probed.runner.restarting_quietly
    assert not probed.runner.state().ready


def test_a_container_that_shall_end_does_so_in_the_middle_of_a_quiet_restart(scene):
    scene.processes.stubborn = True
    scene.runner.step()
    scene.runner.restart_quietly()
    scene.runner.end(5.0)
    scene.pass_time(5.0)
    scene.runner.step()
    assert (scene.runner.alive, scene.what(), scene.processes.running) == (False, "terminated", {})


def test_a_process_that_is_being_ended_is_not_restarted_quietly(tmp_path):
    scene = Scene(tmp_path, **LIVENESS)
    scene.processes.stubborn = True
    scene.runner.step()
    scene.answer = Answer(False, "ill")
    scene.pass_time(0.5)
    scene.runner.restart_quietly()
    assert not scene.runner.restarting_quietly


def test_without_probes_a_quiet_restart_is_over_with_the_start(scene):
    scene.runner.step()
    scene.runner.restart_quietly()
    scene.runner.step()
    assert (scene.pid, scene.runner.restarting_quietly) == (101, False)


def test_a_new_process_that_crashes_in_a_quiet_restart_is_not_kept_quiet(scene):
    scene.runner.step()
    scene.runner.restart_quietly()
    scene.command_error = ConfigError("no such image")
    scene.runner.step()
    assert scene.runner.state().last_state["terminated"]["exitCode"] == 143
    assert not scene.runner.restarting_quietly


def test_each_run_has_a_log_of_its_own(scene):
    scene.runner.step()
    scene.crash()
    assert scene.processes.logs == [scene.runner.log_path(previous=True), scene.runner.log_path()]


def test_another_image_is_started_on_the_same_data_at_once(scene):
    scene.runner.step()
    first = scene.pid
    scene.runner.follow({"name": "c", "image": "another"})
    assert (first, signal.SIGTERM) in scene.processes.signals
    scene.runner.step()
    assert scene.pid != first
    assert (scene.runner.state().image, scene.runner.state().restarts) == ("another", 1)


def test_the_same_image_is_left_running(scene):
    scene.runner.step()
    scene.runner.follow({"name": "c", "image": "img"})
    assert scene.processes.signals == []


class TestAContainerThatHasRunBefore:
    """On a node that has come back."""

    LAST: ClassVar = {"terminated": {"exitCode": 255, "reason": "Unknown"}}

    def scene(self, directory: Path, state: dict[str, Any], policy: str = "Always") -> Scene:
        reported = {"state": state, "lastState": self.LAST, "restartCount": 2, "containerID": "process://u/c/2"}
        return Scene(directory, policy=policy, reported=reported)

    def test_counts_on_and_writes_a_log_of_its_own(self, tmp_path):
        scene = self.scene(tmp_path, {"waiting": {"reason": "ContainerCreating"}})
        scene.runner.step()
        state = scene.runner.state()
        assert (state.restarts, state.last_state) == (3, self.LAST)
        assert [path.name for path in scene.processes.logs] == ["3.log"]
        assert scene.runner.log_path(previous=True).name == "2.log"

    def test_does_not_run_again_if_it_has_ended_for_good(self, tmp_path):
        ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
        scene = self.scene(tmp_path, ended, policy="OnFailure")
        scene.runner.step()
        assert (scene.runner.state().state, scene.processes.running) == (ended, {})
        assert scene.runner.log_path().name == "2.log"


FALLBACK = {"terminationMessagePolicy": "FallbackToLogsOnError"}


def crashed(tmp_path: Path, said: str, code: int = 1, **container: Any) -> dict[str, Any]:
    """What is reported of a container that has ended with these words."""
    scene = Scene(tmp_path, **container)
    scene.runner.step()
    scene.runner.log_path().parent.mkdir(parents=True, exist_ok=True)
    scene.runner.log_path().write_text(said, encoding="utf-8")
    scene.crash(code)
    ended: dict[str, Any] = scene.runner.state().last_state["terminated"]
    return ended


def test_what_a_container_said_last_is_told_where_its_pod_asks_for_that(tmp_path):
    said = "starting\nError: Prune mode is incompatible with -txindex.\n"
    assert crashed(tmp_path, said, **FALLBACK)["message"] == said
    assert "message" not in crashed(tmp_path / "file", said)
    assert "message" not in crashed(tmp_path / "well", said, code=0, **FALLBACK)


def test_of_a_long_log_the_end_alone_is_told_as_a_kubelet_does(tmp_path):
    lines = "".join(f"line {number}\n" for number in range(200))
    assert crashed(tmp_path, lines, **FALLBACK)["message"] == "".join(f"line {n}\n" for n in range(120, 200))
    assert len(crashed(tmp_path / "wide", "é" * 3000, **FALLBACK)["message"].encode()) <= 2048


def test_a_log_that_cannot_be_read_tells_nothing(tmp_path):
    scene = Scene(tmp_path, **FALLBACK)
    scene.runner.step()
    scene.crash(1)
    assert "message" not in scene.runner.state().last_state["terminated"]
