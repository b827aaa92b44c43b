"""Our side of the keeper: one child process that owns every other one."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.logging import get_logger
from btcctl.processes import keeper_process
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

GRACE_SECONDS = 5.0
SPAWN_SECONDS = 10.0


class KeeperError(BtcctlError):
    """The keeper is not running, or could not start a process."""


@dataclass(frozen=True, slots=True)
class ProcessHandle:
    """A process that was started.

    Attributes:
        pid: Its id, not given to another before `on_exit` has been called with it.
    """

    pid: int


class Keeper:
    """Starts processes that end with it, however it or this process ends.

    After `stop`, and after this process has died in any way, every process is told to end,
    killed if it does not, and the run directory removed. Callable from any thread.

    Args:
        run_dir: An existing directory for everything the processes leave behind; removed at the end.
        on_exit: Called with the process id and the exit code (negative for the number of a signal)
            of each process that has ended, in the keeper's thread, possibly before `spawn` returns.
            Must be quick.
        grace_seconds: Between SIGTERM and SIGKILL at the end.
        clock: What waiting for the keeper's answers is measured with.
        wrapper: A command line that the keeper's own is put behind. It hands on stdin, stdout and the exit, and ends
            last. Process ids are those that the keeper sees.
        inherits: Descriptors that stay open until the keeper has ended, too: locks of what its processes use.
    """

    def __init__(
        self,
        run_dir: Path,
        on_exit: Callable[[int, int], None] = lambda _pid, _code: None,
        *,
        grace_seconds: float = GRACE_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
        wrapper: Sequence[str] = (),
        inherits: Sequence[int] = (),
    ) -> None:
        self.run_dir = run_dir
        self._on_exit = on_exit
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._wrapper = wrapper
        self._inherits = inherits
        self._process: subprocess.Popen[bytes] | None = None
        self._runner = Runner("keeper", self.run, clock=clock)
        self._ids = itertools.count(1)
        self._changed = threading.Condition()  # guards the four below
        self._answers: dict[int, dict[str, Any]] = {}
        self._running: set[int] = set()
        self._stopping = False
        self._is_gone = True
        self._pipe = threading.Lock()  # serialises whole lines on the keeper's stdin; never held with the other

    def start(self) -> None:
        """Start the keeper. A second call does nothing.

        Raises:
            KeeperError: It cannot be started.
        """
        if self._process is not None:
            return
        inherited = map(str, self._inherits)
        script = [keeper_process.__file__, str(self.run_dir), str(self._grace_seconds), *inherited]
        try:
            # A session of its own: Ctrl-C in the terminal is for us only.
            self._process = subprocess.Popen(  # noqa: S603
                [*self._wrapper, sys.executable, "-S", "-I", *script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                pass_fds=self._inherits,
            )
        except OSError as error:
            raise KeeperError(f"cannot start the keeper: {error}") from error
        self._is_gone = False
        self._runner.start()

    @property
    def pid(self) -> int:
        """Of the keeper, or of its wrapper, as we see it.

        Raises:
            KeeperError: It was not started.
        """
        if self._process is None:
            raise KeeperError("the keeper is not running")
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False once it has ended: every process has ended with it, and no other can be started."""
        with self._changed:
            return not self._is_gone

    def stop(self, timeout: float = 2 * GRACE_SECONDS) -> None:
        """End every process, and the keeper. Safe to call twice, and before `start`.

        Args:
            timeout: Real seconds to wait; after that the keeper, and with it everything, is killed.
        """
        with self._changed:
            self._stopping = True
        if self._process is None:
            return
        with self._pipe:
            _close_quietly(self._process)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            logger.warning("the keeper did not end in time", seconds=timeout)
            self._process.kill()
            self._process.wait()
        self._runner.stop()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self.run_dir, ignore_errors=True)  # in case the keeper was killed

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log_path: Path) -> ProcessHandle:
        """Start a process in a session of its own.

        A program that does not exist shows as an exit with 127, and a line in the log.

        Args:
            argv: Program and arguments.
            env: The whole environment.
            cwd: Where it runs.
            log_path: Its output is appended here; made with mode 0600.

        Raises:
            KeeperError: The keeper is gone, or the system has no room for another process.
        """
        return self._spawn(argv, env, cwd, {"log": str(log_path)})

    def spawn_attached(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, streams: Sequence[Path | None]
    ) -> ProcessHandle:
        """Start a process in a session of its own, with streams whose other ends are held elsewhere.

        They are open when this returns.

        Args:
            streams: stdin, stdout and stderr: named pipes whose other ends are open, or a terminal,
                which becomes the session's; None for the null device.

        Raises:
            KeeperError: As `spawn`, and if a stream cannot be opened.
        """
        return self._spawn(argv, env, cwd, {"streams": [each and str(each) for each in streams]})

    def signal(self, pid: int, sig: int, *, group: bool = False) -> None:
        """Send a signal to one of our processes; one that has ended gets none, and that is no error.

        Args:
            group: Also to those that it has started itself, unless they have left its group.
        """
        with self._changed:
            if self._is_gone:
                return
        self._send({"signal": int(sig), "pid": pid, "group": group})

    def run(self, _stop: Stop) -> None:
        """Take in the keeper's reports until it ends."""
        assert self._process is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            self._take(json.loads(line))
        with self._changed:
            self._is_gone = True
            orphans, self._running = self._running, set()
            unexpected = not self._stopping
            self._changed.notify_all()
        if unexpected:
            logger.error("the keeper has died, and with it every process", processes=len(orphans))
        for pid in orphans:
            self._on_exit(pid, -signal.SIGKILL)

    def _spawn(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, outputs: Mapping[str, Any]
    ) -> ProcessHandle:
        request = next(self._ids)
        self._send({"spawn": request, "argv": list(argv), "env": dict(env), "cwd": str(cwd), **outputs})
        answer = self._answer(request)
        if "pid" not in answer:
            raise KeeperError(f"cannot start {argv[0]}: {answer['error']}")
        return ProcessHandle(answer["pid"])

    def _take(self, report: dict[str, Any]) -> None:
        if "exited" in report:
            with self._changed:
                self._running.discard(report["exited"])
            self._on_exit(report["exited"], report["code"])
            return
        with self._changed:
            self._answers[report["spawned"]] = report
            if "pid" in report:
                self._running.add(report["pid"])
            self._changed.notify_all()

    def _answer(self, request: int) -> dict[str, Any]:
        deadline = self._clock.now() + SPAWN_SECONDS
        with self._changed:
            while request not in self._answers:
                left = deadline - self._clock.now()
                if self._is_gone or left <= 0:
                    return {"error": "the keeper is gone" if self._is_gone else "the keeper does not answer"}
                self._clock.wait(self._changed, left)
            return self._answers.pop(request)

    def _send(self, command: dict[str, Any]) -> None:
        line = json.dumps(command).encode() + b"\n"
        with self._pipe:
            if self._process is None or self._process.stdin is None or self._process.stdin.closed:
                raise KeeperError("the keeper is not running")
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except OSError as error:
                raise KeeperError("the keeper is gone") from error


def _close_quietly(process: subprocess.Popen[bytes]) -> None:
    try:
        if process.stdin is not None:
            process.stdin.close()
    except OSError:
        pass  # it is gone already
