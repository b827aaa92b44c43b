"""The keeper's own program: starts processes, reports how they end, and never outlives its parent.

`keeper.py` runs this file as a script with `python -S -I`, so it imports the standard library
only, and quickly. It is a process because of two facts: a child asked to die with its parent
(PR_SET_PDEATHSIG) dies with the *thread* that forked it, and only a survivor can clear up after
a kill -9. Commands come as JSON lines on stdin; at its end every child is told to stop.

    {"spawn": 7, "argv": […], "env": {…}, "cwd": "…", "log": "…"}    answered by {"spawned": 7, "pid": 4711}
        … with "streams": [stdin, stdout, stderr] instead of "log": paths of pipes or of a terminal, null for none
    {"signal": 15, "pid": 4711, "group": false}
    {"exited": 4711, "code": 0}                                       reported; negative for signals
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import termios
from pathlib import Path
from typing import Any, NoReturn

LOCK_FILE = ".keeper"  # locked as long as the run directory is in use
_PR_SET_PDEATHSIG = 1
_CANNOT_START = 127  # as a shell says it


class Keeper:
    """Owns the children and, at the end, the removal of `run_dir`."""

    def __init__(self, run_dir: Path, grace_seconds: float) -> None:
        self._run_dir = run_dir
        self._grace_seconds = grace_seconds
        self._pid = os.getpid()
        self._children: set[int] = set()
        self._told_to_end = False

    def serve(self) -> None:
        """Obey until stdin ends or SIGTERM comes."""
        wake_read, wake_write = os.pipe()
        for end in (wake_read, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end)
        partial = b""
        while not self._told_to_end:
            readable, _, _ = select.select([0, wake_read], [], [])
            if wake_read in readable:
                os.read(wake_read, 65536)
                self._reap(os.WNOHANG)
            if 0 in readable:
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                *lines, partial = (partial + chunk).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))

    def end(self) -> None:
        """SIGTERM to all, SIGKILL to those that remain after the grace, then remove the directory."""
        signal.signal(signal.SIGALRM, lambda *_: self._signal_all(signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, self._grace_seconds)
        self._signal_all(signal.SIGTERM)
        while self._children:
            self._reap(0)
        shutil.rmtree(self._run_dir, ignore_errors=True)

    def _end(self, *_: object) -> None:
        self._told_to_end = True

    def _obey(self, command: dict[str, Any]) -> None:
        if "signal" not in command:
            self._spawn(command)
        elif command["pid"] in self._children:  # so it is not reaped, and its number not given to another process
            (os.killpg if command.get("group") else os.kill)(command["pid"], command["signal"])

    def _spawn(self, command: dict[str, Any]) -> None:
        # A signal between fork and exec would be handled by our handlers, in the child, and lost.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        streams: list[int] = []
        try:
            for number, path in enumerate(command.get("streams", ())):
                streams.append(_open_stream(path or os.devnull, os.O_WRONLY if number else os.O_RDONLY))
            pid = os.fork()
            if pid == 0:
                self._become(command, streams, mask)
            self._children.add(pid)
            _report({"spawned": command["spawn"], "pid": pid})
        except OSError as error:
            _report({"spawned": command["spawn"], "error": str(error)})
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for stream in streams:
                os.close(stream)

    def _become(self, command: dict[str, Any], streams: list[int], mask: set[Any]) -> NoReturn:
        """In the child: turn into the program, whose output goes to the end of its log, or to its streams."""
        try:
            os.setsid()
            _die_with_parent(self._pid)
            for number, stream in enumerate(streams or _log_streams(command["log"])):
                os.dup2(stream, number)
            if os.isatty(0):
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            os.chdir(command["cwd"])
            for signum in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(signum, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.execvpe(command["argv"][0], command["argv"], command["env"])  # noqa: S606
        except (OSError, ValueError, LookupError) as error:
            os.write(2, f"cannot start {command['argv'][0]}: {error}\n".encode())
        finally:
            os._exit(_CANNOT_START)  # two processes must never run on from here

    def _reap(self, options: int) -> None:
        while self._children:
            pid, status = os.waitpid(-1, options)
            if pid == 0:
                return
            self._children.discard(pid)
            _report({"exited": pid, "code": os.waitstatus_to_exitcode(status)})

    def _signal_all(self, signum: int) -> None:
        for pid in list(self._children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)


def _log_streams(path: str) -> list[int]:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return [os.open(os.devnull, os.O_RDONLY), log, log]


def _open_stream(path: str, mode: int) -> int:
    """Open a pipe whose other end is open, or fail: waiting for it would hold up everything."""
    stream = os.open(path, mode | os.O_NONBLOCK | os.O_NOCTTY)
    os.set_blocking(stream, True)
    return stream


def _die_with_parent(parent: int) -> None:
    """Be killed when the parent is; where there is no prctl, the end of stdin must do."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(_CANNOT_START)


def _report(report: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the parent is gone
        os.write(1, json.dumps(report).encode() + b"\n")


def main() -> None:
    for inherited in sys.argv[3:]:
        os.set_inheritable(int(inherited), False)  # ours, not our children's
    run_dir = Path(sys.argv[1])
    try:
        lock = os.open(run_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return  # whoever has started us was interrupted, and has cleared away already
    fcntl.flock(lock, fcntl.LOCK_EX)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keeper = Keeper(run_dir, float(sys.argv[2]))
    try:
        keeper.serve()
    finally:
        keeper.end()


if __name__ == "__main__":
    main()
