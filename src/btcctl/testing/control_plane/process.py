"""One program of the control plane: started by the keeper, signalled and waited for by us."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.processes.keeper import Keeper
from btcctl.testing.control_plane.errors import ControlPlaneError

_LOOK_SECONDS = 0.002
_KILL_SECONDS = 5.0
_TAIL_LINES = 15


def own_proc() -> Path:
    """Where the kernel shows processes by the ids that we see."""
    return Path("/proc")


class Exits:
    """How processes ended, as the keeper reports it."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # guards the one below
        self._codes: dict[int, int] = {}

    def __call__(self, pid: int, code: int) -> None:
        with self._changed:
            self._codes[pid] = code
            self._changed.notify_all()

    def forget(self, pid: int) -> None:
        """A process of that number is about to be another."""
        with self._changed:
            self._codes.pop(pid, None)

    def wait(self, pid: int, timeout: float) -> int | None:
        """The exit code, or None if it is still running after `timeout` seconds."""
        deadline = self._clock.now() + timeout
        with self._changed:
            while pid not in self._codes:
                left = deadline - self._clock.now()
                if left <= 0:
                    return None
                self._clock.wait(self._changed, left)
            return self._codes[pid]


class Program:
    """A program that can be started again and again. Not for use by several threads at once.

    Args:
        keeper: Starts it, and ends it when we die.
        exits: What the keeper reports exits to.
        name: Of the program, and of its log.
        argv: Its command line.
        proc: Where the kernel shows processes by the ids that the keeper sees; asked once it runs.
    """

    def __init__(
        self, keeper: Keeper, exits: Exits, name: str, argv: Sequence[str], proc: Callable[[], Path] = own_proc
    ) -> None:
        self.name = name
        self._proc = proc
        self._keeper = keeper
        self._exits = exits
        self._argv = argv
        self._log = keeper.run_dir / f"{name}.log"
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """None if it does not run."""
        return None if self.exit_code is not None else self._pid

    @property
    def exit_code(self) -> int | None:
        """None if it runs or never has run; negative for the number of a signal."""
        return None if self._pid is None else self._exits.wait(self._pid, 0)

    def start(self) -> None:
        """Start it, if it does not run."""
        if self.pid is not None:
            return
        if self._pid is not None:
            self._exits.forget(self._pid)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self._keeper.run_dir)}
        self._pid = self._keeper.spawn(self._argv, environment, self._keeper.run_dir, self._log).pid

    def send(self, signum: signal.Signals) -> None:
        """Send a signal; one that does not run gets none."""
        if self.pid is not None:
            self._keeper.signal(self.pid, signum)

    def freeze(self, timeout: float = _KILL_SECONDS) -> None:
        """Send SIGSTOP, and wait until every thread stands still: until then it may still answer.

        Raises:
            ControlPlaneError: One still runs after `timeout` seconds.
        """
        pid = self.pid
        if pid is None:
            return
        self._keeper.signal(pid, signal.SIGSTOP)
        deadline = SYSTEM_CLOCK.now() + timeout
        while not _stands_still(self._proc(), pid):
            if SYSTEM_CLOCK.now() > deadline:
                raise ControlPlaneError(f"{self.name} did not stand still within {timeout} s of SIGSTOP")
            sleep(_LOOK_SECONDS)

    def end(self, signum: signal.Signals = signal.SIGKILL, timeout: float = _KILL_SECONDS) -> None:
        """Send a signal and wait for the end.

        Raises:
            ControlPlaneError: It still runs after `timeout` seconds.
        """
        pid = self.pid
        if pid is None:
            return
        self._keeper.signal(pid, signum)
        if self._exits.wait(pid, timeout) is None:
            raise ControlPlaneError(f"{self.name} did not end within {timeout} s of {signum.name}")

    def wait(self, timeout: float) -> int | None:
        """The exit code, or None if it is still running after `timeout` seconds, or never was started."""
        return None if self._pid is None else self._exits.wait(self._pid, timeout)

    def log(self) -> str:
        """All that it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def log_tail(self) -> str:
        """The last lines it has printed."""
        return "\n".join(self.log().splitlines()[-_TAIL_LINES:])


def _stands_still(proc: Path, pid: int) -> bool:
    """Whether every thread of a process is stopped (proc(5), the field after the name in parentheses)."""
    states = []
    for stat in (proc / f"{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            states.append(stat.read_text().rpartition(")")[2].split()[0])
    return bool(states) and set(states) <= {"T"}
