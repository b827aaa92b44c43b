"""The containers of one pod, at one address, from start to end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btcctl.clock import Clock
from btcctl.sandbox.kubelet.pods.container import ContainerRunner
from btcctl.sandbox.kubelet.pods.runtime import ContainerPlace, ContainerTools
from btcctl.sandbox.kubelet.pods.status import ContainerState


class PodRunner:
    """Runs one pod. Never called by two threads at once.

    Args:
        pod: The pod's body.
        ip: The pod's address, for its whole life.
        directory: Its own; the caller removes it in the end.
        tools: What the containers need.
        volumes: The directories of those of the pod's volumes that outlive it, by name.
    """

    def __init__(
        self,
        pod: Mapping[str, Any],
        ip: str,
        directory: Path,
        tools: ContainerTools,
        volumes: Mapping[str, Path] | None = None,
    ) -> None:
        self.uid = str(pod["metadata"]["uid"])
        self.ip = ip
        self.directory = directory
        self.ending = False
        self._clock: Clock = tools.clock
        self.containers = [
            ContainerRunner(container, self._place(pod["spec"], container, volumes or {}), tools)
            for container in pod["spec"]["containers"]
        ]

    @property
    def alive(self) -> bool:
        """Whether a process of the pod has not been seen to end."""
        return any(each.alive for each in self.containers)

    @property
    def restarting_quietly(self) -> bool:
        return any(each.restarting_quietly for each in self.containers)

    def pids(self) -> list[int]:
        """Of the processes that run now. May be asked by any thread: each is one read."""
        return [each.pid for each in self.containers if each.pid is not None]

    def states(self) -> list[ContainerState]:
        return [each.state() for each in self.containers]

    def step(self) -> None:
        """Do everything that is due."""
        for each in self.containers:
            each.step()

    def seconds_to_next(self) -> float | None:
        """When to step again, unless a process ends before; None: only then."""
        instants = [instant for each in self.containers if (instant := each.next_at()) is not None]
        return max(0.0, min(instants) - self._clock.now()) if instants else None

    def end(self, grace_seconds: float) -> None:
        """End every process, by SIGTERM first; a second call can only shorten the grace."""
        self.ending = True
        for each in self.containers:
            each.end(grace_seconds)

    def follow(self, pod: Mapping[str, Any]) -> None:
        """Start again what has another image than it was started with: all of a running pod that can change."""
        wanted = {each["name"]: each for each in pod["spec"]["containers"]}
        for each in self.containers:
            each.follow(wanted[each.name])

    def restart_quietly(self) -> None:
        """Replace every process at the same address, in such a way that no state changes."""
        for each in self.containers:
            each.restart_quietly()

    def _place(
        self, spec: Mapping[str, Any], container: Mapping[str, Any], volumes: Mapping[str, Path]
    ) -> ContainerPlace:
        mounts = container.get("volumeMounts") or []
        mounted = [
            volumes[each["name"]] / each.get("subPath", "")
            for each in mounts
            if each["name"] in volumes and not each.get("readOnly")
        ]
        return ContainerPlace(
            ip=self.ip,
            directory=self.directory / container["name"],
            volume=next(iter(mounted), None),
            restart_policy=spec.get("restartPolicy", "Always"),
            grace_seconds=float(spec.get("terminationGracePeriodSeconds", 30)),
        )
