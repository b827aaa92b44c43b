"""What the running of containers needs from outside: processes, commands, answers to probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from btcctl.clock import Clock
from btcctl.errors import BtcctlError
from btcctl.sandbox.kubelet.pods.checks import Answer, CheckTarget
from btcctl.sandbox.kubelet.pods.probes import ProbeSpec


class ImageMissing(BtcctlError):
    """Nobody has said what an image stands for."""


class Command(Protocol):
    """What to run."""

    @property
    def argv(self) -> Sequence[str]: ...

    @property
    def env(self) -> Mapping[str, str]:
        """The whole environment."""

    def write_files(self) -> None:
        """Write what must be there before the start."""


class ProcessHandle(Protocol):
    @property
    def pid(self) -> int: ...


class Processes(Protocol):
    """Whoever owns the processes: the keeper."""

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log_path: Path) -> ProcessHandle:
        """Start a process whose output goes to the end of a file."""

    def spawn_attached(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, streams: Sequence[Path | None]
    ) -> ProcessHandle:
        """Start a process whose streams somebody else holds the other ends of."""

    def signal(self, pid: int, sig: int, *, group: bool = False) -> None:
        """Send a signal; a process that is gone is no error."""


class PodProcesses(Protocol):
    """The processes of one pod."""

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log_path: Path) -> int:
        """Start one; returns its id."""

    def signal(self, pid: int, sig: int) -> None: ...

    def exit_code(self, pid: int) -> int | None:
        """The exit status (negative for a signal's number), once; None while it runs."""


@dataclass(frozen=True, slots=True)
class ContainerTools:
    """What a container's runner is given; the kubelet fills it in."""

    processes: PodProcesses
    command: Callable[[Mapping[str, Any], Path], Command]  #: for a container and its data directory
    check: Callable[[ProbeSpec, CheckTarget], Answer]
    event: Callable[[str, str, str], None]  #: type, reason, message
    clock: Clock


@dataclass(frozen=True, slots=True)
class ContainerPlace:
    """Where and how a container runs, for the whole life of its pod."""

    ip: str
    directory: Path  #: its own: the data directory and the logs are in it
    restart_policy: str = "Always"
    grace_seconds: float = 30.0  #: between SIGTERM and SIGKILL when a probe ends it
    waiting_reason: str = "ContainerCreating"  #: before its first run
    volume: Path | None = None  #: what is mounted as its data directory, and outlives the pod; None for nothing

    @property
    def data_dir(self) -> Path:
        return self.directory / "data" if self.volume is None else self.volume

    def log_path(self, run: int) -> Path:
        """The output of the n-th run, counted from 0."""
        return self.directory / f"{run}.log"
