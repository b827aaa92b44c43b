"""How the API server gets at the pods of this node: their logs, their containers, their ports."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from btcctl.apiserver.streaming.hooks import ExecOptions, PodHooks
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.sandbox.kubelet.exits import Exits
from btcctl.sandbox.kubelet.pods.container import ContainerRunner
from btcctl.sandbox.kubelet.pods.runner import PodRunner
from btcctl.sandbox.kubelet.pods.runtime import Processes
from btcctl.sandbox.kubelet.pods.status import NO_DEBUGGERS
from btcctl.sandbox.kubelet.streams.attached import AttachedProcess
from btcctl.sandbox.kubelet.streams.log_times import LogTimes
from btcctl.sandbox.kubelet.streams.logs import TRUE, LogOptions, LogTail, first_value, read_log

_CONNECT_SECONDS = 2.0


class PodAccess:
    """Read-only to the runners, which belong to the kubelet's workers; called from any thread.

    Args:
        runner_of: The runner of a pod; None: it does not run here.
        times: When the lines of logs were written.
    """

    def __init__(
        self,
        runner_of: Callable[[ObjectKey], PodRunner | None],
        processes: Processes,
        exits: Exits,
        times: LogTimes,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._runner_of = runner_of
        self._processes = processes
        self._exits = exits
        self._times = times
        self._clock = clock

    def serve(self, hooks: PodHooks) -> None:
        """Answer for all pods from now on."""
        hooks.logs, hooks.exec, hooks.connect = self.logs, self.exec, self.connect

    def logs(self, key: ObjectKey, container: str, query: Mapping[str, Any]) -> bytes | LogTail | None:
        """What `kubectl logs` shows, or None: there is no such pod here.

        Args:
            container: "" means the pod's only, or first, one.
            query: The request's, which was checked.
        """
        found = self._container(key, container)
        if found is None:
            return None if self._runner_of(key) is None else f"{NO_DEBUGGERS}\n".encode()
        previous = first_value(query, "previous") in TRUE
        path = found.log_path(previous=previous)
        options = LogOptions.of(query, self._clock.wall_time())
        self._times.look()  # what came since the last look is from now
        instant_of = partial(self._times.instant_of, path)
        if previous or first_value(query, "follow") not in TRUE:
            return read_log(path, options, instant_of)

        def is_over() -> bool:
            return self._container(key, container) is not found or not found.alive or found.log_path() != path

        return LogTail(path, options, instant_of, is_over)

    def exec(self, key: ObjectKey, container: str, options: ExecOptions) -> AttachedProcess | None:
        """Run a command beside a container's process; None: that does not run here.

        Raises:
            OSError: It cannot be started.
        """
        runner, found = self._runner_of(key), self._container(key, container)
        where = None if found is None else found.surroundings
        if runner is None or where is None:
            return None
        try:
            return AttachedProcess(options, where, runner.directory, self._processes, self._exits)
        except BtcctlError as error:
            raise OSError(str(error)) from error

    def connect(self, key: ObjectKey, port: int) -> socket.socket | None:
        """A connection to a port of a pod; None: it does not run here.

        Raises:
            OSError: Nobody listens there.
        """
        runner = self._runner_of(key)
        if runner is None:
            return None
        try:
            return socket.create_connection((runner.ip, port), timeout=_CONNECT_SECONDS)
        except OSError as error:
            raise OSError(f"{runner.ip} port {port}: {error.strerror or error}") from error

    def _container(self, key: ObjectKey, name: str) -> ContainerRunner | None:
        runner = self._runner_of(key)
        containers = [] if runner is None else runner.all_containers
        return next((each for each in containers if name in ("", each.name)), None)
