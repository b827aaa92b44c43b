"""One container of a pod: a process that is started, probed, restarted and ended."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import rfc3339
from btcctl.errors import BtcctlError
from btcctl.sandbox.kubelet.pods.checks import CheckTarget
from btcctl.sandbox.kubelet.pods.env import MissingReferenceError
from btcctl.sandbox.kubelet.pods.probes import ContainerProbes, ProbeSpec
from btcctl.sandbox.kubelet.pods.runtime import Command, ContainerPlace, ContainerTools, ImageMissing
from btcctl.sandbox.kubelet.pods.status import ContainerState

# The kubelet's own: at once the first time, then 10 s doubling to 5 min, forgotten after 10 min of running.
RESTART_BACKOFF = ExponentialBackoff(base=10.0, cap=300.0)
FORGIVEN_AFTER_SECONDS = 600.0

CONFIG_RETRY_SECONDS = 2.0  # a missing Secret is usually on its way
QUIET_POLL_SECONDS = 0.1
QUIET_LIMIT_SECONDS = 30.0  # a quiet restart that takes longer is no longer kept quiet

# Of a log, where a pod asks for that (kubecontainer, MaxContainerTerminationMessageLogLength and …LogLines).
_MESSAGE_BYTES = 2048
_MESSAGE_LINES = 80

_PROBE_NAMES = {"startupProbe": "Startup", "readinessProbe": "Readiness", "livenessProbe": "Liveness"}


class ContainerRunner:
    """Moves one container on, a step at a time; never called by two threads at once.

    Args:
        reported: What its pod's status says of it: it goes on from there.
    """

    def __init__(
        self,
        container: Mapping[str, Any],
        place: ContainerPlace,
        tools: ContainerTools,
        reported: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = str(container["name"])
        self._container = container
        self._place = place
        self._tools = tools
        self._pid: int | None = None
        self._target = CheckTarget(place.ip, container, {}, str(place.data_dir))
        self._probes = ContainerProbes({}, 0.0)
        self._state: dict[str, Any] = {"waiting": {"reason": place.waiting_reason}}
        self._last_state: dict[str, Any] = {}
        self._runs = 0
        self._crashes = 0  # in a row
        self._started_at = 0.0
        self._start_at: float | None = 0.0  # when to start (again); None: not at all
        self._ending = False  # for good
        self._kill_at: float | None = None  # the process was told to end, and has until then
        self._quiet_until: float | None = None  # a quiet restart is under way
        self._outgoing: int | None = None  # the process that it replaces
        if reported:
            self._go_on_from(reported)

    @property
    def alive(self) -> bool:
        """Whether there is a process that has not been seen to end."""
        return self._pid is not None

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return "terminated" in self._state

    @property
    def is_sidecar(self) -> bool:
        """Of an init container: whether it goes on beside the others."""
        return self._container.get("restartPolicy") == "Always"

    @property
    def lets_others_start(self) -> bool:
        """Of an init container: whether what comes after it may start."""
        if self.is_sidecar:
            return "running" in self._state and self._probes.started
        return self.is_over and self._state["terminated"]["exitCode"] == 0

    @property
    def grace_seconds(self) -> float:
        """Between SIGTERM and SIGKILL, where nobody says otherwise."""
        return self._place.grace_seconds

    @property
    def restarting_quietly(self) -> bool:
        return self._quiet_until is not None

    @property
    def pid(self) -> int | None:
        """Of its process; None while there is none."""
        return self._pid

    @property
    def surroundings(self) -> CheckTarget | None:
        """Where a command in the container is to run; None while there is no process."""
        return self._target if self.alive else None

    def log_path(self, *, previous: bool = False) -> Path:
        """The output of the last run, or of the one before it; the file may not exist."""
        return self._place.log_path(self._runs - (2 if previous else 1))

    def state(self) -> ContainerState:
        """What there is to report."""
        running = "running" in self._state
        return ContainerState(
            name=self.name,
            image=self._container.get("image", ""),
            state=self._state,
            last_state=self._last_state,
            restarts=max(0, self._runs - 1),
            started=running and self._probes.started,
            ready=running and self._probes.ready,
            container_id=self._container_id(),
            lets_others_start=self.lets_others_start,
        )

    def step(self) -> None:
        """Do everything that is due: notice an exit, start, kill, probe."""
        self._notice_exit()
        now = self._tools.clock.now()
        if self._pid is None:
            if self._start_at is not None and self._start_at <= now:
                self._start(now)
        elif self._kill_at is not None:
            if self._kill_at <= now:
                self._tools.processes.signal(self._pid, signal.SIGKILL)
                self._kill_at = float("inf")
        elif self._quiet_end_until(now) is None:
            self._ask_probes(now)

    def next_at(self) -> float | None:
        """Monotonic instant of the next thing to do, or None: nothing but an exit is expected."""
        if self._pid is None:
            return self._start_at
        if self._kill_at is not None:
            return None if self._kill_at == float("inf") else self._kill_at
        return self._quiet_end_until(self._tools.clock.now()) or self._probes.next_due_at()

    def end(self, grace_seconds: float) -> None:
        """Tell the process to end, and start no other; with 0 seconds the next step kills it."""
        self._ending = True
        self._start_at = None
        self._terminate(grace_seconds)

    def follow(self, container: Mapping[str, Any]) -> None:
        """Start again if the image is another one, at once."""
        if container.get("image") == self._container.get("image"):
            return
        self._container = container
        self._crashes = 0
        if self._pid is None and self._start_at is not None:
            self._start_at = self._tools.clock.now()
        self._terminate(self._place.grace_seconds)

    def restart_quietly(self) -> None:
        """Replace the process at the same address, in such a way that the state does not change."""
        if self._pid is None or self._kill_at is not None:
            return
        self._quiet_until = self._tools.clock.now() + QUIET_LIMIT_SECONDS
        self._outgoing = self._pid
        self._tools.processes.signal(self._pid, signal.SIGTERM)

    def _quiet_end_until(self, now: float) -> float | None:
        """Until when a process that is being replaced may take to end; what it answers is not the new one's."""
        is_awaited = self._quiet_until is not None and now < self._quiet_until and self._pid == self._outgoing
        return self._quiet_until if is_awaited else None

    def _go_on_from(self, reported: Mapping[str, Any]) -> None:
        self._runs = reported["restartCount"] + 1 if reported.get("containerID") else 0
        self._last_state = reported.get("lastState") or {}
        if "terminated" in (reported.get("state") or {}):
            self._state, self._start_at = reported["state"], None

    def _start(self, now: float) -> None:
        if not self._launch(self._place.log_path(self._runs)):
            self._start_at = now + CONFIG_RETRY_SECONDS
            return
        self._runs += 1
        self._started_at, self._start_at = now, None
        self._state = {"running": {"startedAt": self._now()}}
        self._probes = ContainerProbes(self._container, now)
        self._tools.event("Normal", "Started", f"Started container {self.name}")

    def _launch(self, log_path: Path) -> bool:
        """Start the process; if that cannot be, the state says why."""
        reason = "CreateContainerError"
        try:
            command = self._tools.command(self._container, self._place.data_dir)
            reason = "RunContainerError"
            self._spawn(command, log_path)
        except ImageMissing as error:
            self._cannot("ErrImagePull", str(error))
        except MissingReferenceError as error:
            self._cannot("CreateContainerConfigError", str(error))
        except (BtcctlError, OSError) as error:
            self._cannot(reason, str(error))
        return self._pid is not None

    def _spawn(self, command: Command, log_path: Path) -> None:
        for each in (self._place.directory, self._place.data_dir):
            each.mkdir(parents=True, exist_ok=True)
        command.write_files()
        self._target = CheckTarget(self._place.ip, self._container, command.env, str(self._place.data_dir))
        self._pid = self._tools.processes.spawn(command.argv, command.env, self._place.data_dir, log_path)

    def _cannot(self, reason: str, message: str) -> None:
        state = {"waiting": {"reason": reason, "message": message}}
        if state != self._state:
            self._state = state
            self._tools.event("Warning", "Failed", f"Error: {message}")

    def _notice_exit(self) -> None:
        code = None if self._pid is None else self._tools.processes.exit_code(self._pid)
        if code is None:
            return
        self._pid = None
        quiet = self._quiet_until is not None and self._kill_at is None
        self._kill_at = None
        if quiet and self._launch(self.log_path()):
            self._wait_for_quiet()
        else:
            self._quiet_until = None
            self._ended(code)

    def _wait_for_quiet(self) -> None:
        """Hold the probes' verdicts until the new process has answered one of them."""
        if self._probes.next_due_at() is None:
            self._quiet_until = None
        else:
            self._probes.ask_all_at(self._tools.clock.now() + QUIET_POLL_SECONDS)

    def _ended(self, code: int) -> None:
        terminated = self._terminated(128 - code if code < 0 else code)
        policy = self._place.restart_policy
        if self._ending or policy == "Never" or (policy == "OnFailure" and code == 0):
            self._state = {"terminated": terminated}
            return
        self._last_state = {"terminated": terminated}
        self._back_off(self._tools.clock.now())

    def _back_off(self, now: float) -> None:
        if now - self._started_at >= FORGIVEN_AFTER_SECONDS:
            self._crashes = 0
        delay = RESTART_BACKOFF.delay(self._crashes)
        self._crashes += 1
        self._start_at = now + delay
        message = f"back-off {delay:.0f}s restarting failed container={self.name}"
        self._state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        if delay:
            self._tools.event("Warning", "BackOff", f"Back-off restarting failed container {self.name}")

    def _terminated(self, exit_code: int) -> dict[str, Any]:
        falls_back = self._container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        said = _last_words(self.log_path()) if exit_code and falls_back else ""
        return {
            "exitCode": exit_code,
            "reason": "Completed" if exit_code == 0 else "Error",
            **({"message": said} if said else {}),
            "startedAt": self._state.get("running", {}).get("startedAt"),
            "finishedAt": self._now(),
            "containerID": self._container_id(),
        }

    def _ask_probes(self, now: float) -> None:
        for kind, probe in self._probes.due(now):
            self._ask(kind, probe)
        deadly = self._probes.must_die
        if deadly is not None:
            probe_name = _PROBE_NAMES[deadly].lower()
            message = f"Container {self.name} failed {probe_name} probe, will be restarted"
            self._tools.event("Normal", "Killing", message)
            self._terminate(self._place.grace_seconds)

    def _ask(self, kind: str, probe: ProbeSpec) -> None:
        answer = self._tools.check(probe, self._target)
        now = self._tools.clock.now()
        if self._quiet_until is not None and not answer.ok and now < self._quiet_until:
            self._probes.ask_all_at(now + QUIET_POLL_SECONDS)
            return
        self._quiet_until = None
        self._probes.record(kind, answer.ok, now)
        if not answer.ok:
            self._tools.event("Warning", "Unhealthy", f"{_PROBE_NAMES[kind]} probe failed: {answer.message}")

    def _terminate(self, grace_seconds: float) -> None:
        """A second call can only shorten the grace."""
        if self._pid is None:
            return
        kill_at = self._tools.clock.now() + grace_seconds
        if self._kill_at is None and grace_seconds > 0:
            self._tools.processes.signal(self._pid, signal.SIGTERM)
        if self._kill_at is None or kill_at < self._kill_at < float("inf"):
            self._kill_at = kill_at

    def _container_id(self) -> str:
        """Of the last run: the same after a quiet restart, and "" before the first."""
        return f"process://{self._place.directory.parent.name}/{self.name}/{self._runs - 1}" if self._runs else ""

    def _now(self) -> str:
        return rfc3339(self._tools.clock.wall_time())


def _last_words(log: Path) -> str:
    """The end of a log; "" if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _MESSAGE_BYTES))
            end = file.read(_MESSAGE_BYTES)
    except OSError:
        return ""
    lines = end.splitlines(keepends=True)[-_MESSAGE_LINES:]
    return b"".join(lines).decode("utf-8", "ignore")
