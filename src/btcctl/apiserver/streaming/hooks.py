"""What whoever runs the pods provides, for the API server to serve their logs, commands and ports."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from btcctl.apiserver.streaming.ends import End
from btcctl.objects import ObjectKey


class LogFollower(Protocol):
    """A log that grows."""

    def read(self) -> bytes | None:
        """What has come since the last call, perhaps b""; None: nothing more will come."""


class PodProcess(Protocol):
    """A command that runs in a pod, and our ends of its streams; None for those not asked for.

    With a terminal, `stdin` and `stdout` are the same end.
    """

    stdin: End | None
    stdout: End | None
    stderr: End | None

    def exit_code(self) -> int | None:
        """Its exit status, negative for the number of a signal; None while it runs."""

    def finish_stdin(self) -> None:
        """Let it read the end of its input."""

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal its size."""

    def close(self) -> None:
        """End it if it still runs, and close the ends. Idempotent."""


@dataclass(frozen=True, slots=True)
class ExecOptions:
    """What to run, and which of its streams are wanted."""

    command: Sequence[str]
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


# Given the pod, one of its containers, and the query: all there is, or for `follow=true` perhaps
# what is to come; None for no log.
PodLogs = Callable[[ObjectKey, str, Mapping[str, list[str]]], bytes | LogFollower | None]
# Given the pod and one of its containers; None: it does not run here.
PodExec = Callable[[ObjectKey, str, ExecOptions], PodProcess | None]
# Given the pod and a port: a connection, or the OSError of having none; None: the pod does not run here.
PodConnect = Callable[[ObjectKey, int], socket.socket | None]


@dataclass(slots=True)
class PodHooks:
    """Each may be missing: then the requests that need it are answered 501."""

    logs: PodLogs | None = None
    exec: PodExec | None = None
    connect: PodConnect | None = None
