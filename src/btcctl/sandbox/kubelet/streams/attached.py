"""Commands that run beside a container's process for `kubectl exec`, with our ends of their streams."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import struct
import tempfile
import termios
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from btcctl.apiserver.streaming.ends import End
from btcctl.apiserver.streaming.hooks import ExecOptions
from btcctl.sandbox.kubelet.exits import Exits
from btcctl.sandbox.kubelet.pods.checks import CheckTarget
from btcctl.sandbox.kubelet.pods.programs import located
from btcctl.sandbox.kubelet.pods.runtime import Processes

_END_OF_TRANSMISSION = b"\x04"  # what Ctrl-D sends


class AttachedProcess:
    """A command with the environment and in the directory of a container's process.

    Args:
        where: The container.
        directory: An existing one, for the named pipes.

    Raises:
        BtcctlError: It cannot be started.
    """

    def __init__(
        self, options: ExecOptions, where: CheckTarget, directory: Path, processes: Processes, exits: Exits
    ) -> None:
        self.stdin: End | None = None
        self.stdout: End | None = None
        self.stderr: End | None = None
        self._processes = processes
        self._exits = exits
        self._code: int | None = None
        env = {**where.env, "TERM": "xterm"} if options.tty else where.env
        with ExitStack() as undo:
            self._pipes = Path(tempfile.mkdtemp(prefix="exec-", dir=directory))
            undo.callback(self._close_ends)
            with ExitStack() as far:
                streams = self._open_terminal(options, far) if options.tty else self._open_pipes(options)
                command = located(options.command, env)
                self._pid = processes.spawn_attached(command, env, Path(where.directory), streams).pid
            undo.pop_all()

    def exit_code(self) -> int | None:
        """Its exit status, negative for the number of a signal; None while it runs."""
        if self._code is None:
            self._code = self._exits.take(self._pid)
        return self._code

    def finish_stdin(self) -> None:
        """Let it read the end of its input."""
        if self.stdin is None:
            return
        if self.stdin is self.stdout:
            self.stdin.write(_END_OF_TRANSMISSION)
        else:
            self.stdin.finish()

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal its size; nothing without one."""
        if self.stdout is not None and self.stdout is self.stdin and not self.stdout.ended:
            with suppress(OSError, struct.error):
                fcntl.ioctl(self.stdout.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        """End it if it still runs, and close our ends. Idempotent."""
        if self.exit_code() is None:
            self._code = -signal.SIGKILL
            self._processes.signal(self._pid, signal.SIGKILL, group=True)
            self._exits.forget(self._pid)
        self._close_ends()

    def _open_pipes(self, options: ExecOptions) -> Sequence[Path | None]:
        """Named, since the process is not our child: the keeper opens the far ends."""
        # A pipe opened to read and write waits for nobody, and has a writer until it is closed.
        self.stdin = self._pipe("stdin", os.O_RDWR) if options.stdin else None
        self.stdout = self._pipe("stdout", os.O_RDONLY) if options.stdout else None
        self.stderr = self._pipe("stderr", os.O_RDONLY) if options.stderr else None
        ends = (("stdin", self.stdin), ("stdout", self.stdout), ("stderr", self.stderr))
        return [self._pipes / name if end is not None else None for name, end in ends]

    def _pipe(self, name: str, mode: int) -> End:
        path = self._pipes / name
        os.mkfifo(path, 0o600)
        return End(os.open(path, mode | os.O_NONBLOCK))

    def _open_terminal(self, options: ExecOptions, far: ExitStack) -> Sequence[Path | None]:
        ours, theirs = os.openpty()
        far.callback(os.close, theirs)  # once the process has it too: a terminal that nobody has open has ended
        self.stdout = End(ours)
        self.stdin = self.stdout if options.stdin else None
        path = Path(os.ttyname(theirs))
        return [path, path, path]

    def _close_ends(self) -> None:
        for end in (self.stdin, self.stdout, self.stderr):
            if end is not None:
                end.close()
        shutil.rmtree(self._pipes, ignore_errors=True)
