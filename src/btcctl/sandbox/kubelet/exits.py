"""Who has ended, and how: brought by the keeper in its thread, taken by the kubelet in another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from btcctl.objects import ObjectKey
from btcctl.sandbox.kubelet.pods.runtime import Processes


class Exits:
    """Exit codes by process id, each taken once.

    Args:
        wake: Called with the pod's key when one of its processes has ended; must be quick.
    """

    def __init__(self, wake: Callable[[ObjectKey], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()  # guards the three below
        self._keys: dict[int, ObjectKey] = {}
        self._codes: dict[int, int] = {}
        self._forgotten: set[int] = set()  # their codes are wanted by nobody

    def expect(self, pid: int, key: ObjectKey) -> None:
        """Say whose process that is; it may have ended already."""
        with self._lock:
            self._keys[pid] = key
            ended = pid in self._codes
        if ended:
            self._wake(key)

    def ended(self, pid: int, code: int) -> None:
        """Take note of an exit. From any thread.

        Args:
            code: The exit status; negative for the number of a signal.
        """
        with self._lock:
            if pid in self._forgotten:
                self._forgotten.discard(pid)
                return
            self._codes[pid] = code
            key = self._keys.get(pid)
        if key is not None:
            self._wake(key)

    def take(self, pid: int) -> int | None:
        """The exit code, or None: it is still running. Forgets the process."""
        with self._lock:
            code = self._codes.pop(pid, None)
            if code is not None:
                self._keys.pop(pid, None)
            return code

    def forget(self, pid: int) -> None:
        """Say that nobody will take the code of a process that was started, and whose code was not taken.

        Its number may be given to another one later.
        """
        with self._lock:
            if self._codes.pop(pid, None) is None:
                self._forgotten.add(pid)


class WatchedProcesses:
    """The processes of one pod, whose exits wake up its key."""

    def __init__(self, key: ObjectKey, processes: Processes, exits: Exits) -> None:
        self._key = key
        self._processes = processes
        self._exits = exits

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log_path: Path) -> int:
        pid = self._processes.spawn(argv, env, cwd, log_path).pid
        self._exits.expect(pid, self._key)
        return pid

    def signal(self, pid: int, sig: int) -> None:
        self._processes.signal(pid, sig)

    def exit_code(self, pid: int) -> int | None:
        return self._exits.take(pid)
