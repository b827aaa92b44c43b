"""The containers of one pod, at one address, from start to end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from btcctl.clock import Clock
from btcctl.sandbox.kubelet.pods.container import ContainerRunner
from btcctl.sandbox.kubelet.pods.runtime import ContainerPlace, ContainerTools
from btcctl.sandbox.kubelet.pods.status import ContainerState, waiting_reason


class PodRunner:
    """Runs one pod. Never called by two threads at once.

    Args:
        pod: The pod's body; if its status tells of containers that have run, they go on from there.
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
        status = pod.get("status") or {}
        self.containers = [
            self._container(pod["spec"], each, volumes or {}, tools, status.get("containerStatuses"))
            for each in pod["spec"]["containers"]
        ]
        self._init = [
            self._container(pod["spec"], each, volumes or {}, tools, status.get("initContainerStatuses"))
            for each in pod["spec"].get("initContainers") or ()
        ]
        self._sidecars = [each for each in self._init if each.is_sidecar]
        self.is_initialized = not self._init  #: what runs before the others has ended, or goes on beside them

    @property
    def all_containers(self) -> list[ContainerRunner]:
        """Init containers come last: who names none means the first of the others."""
        return [*self.containers, *self._init]

    @property
    def alive(self) -> bool:
        """Whether a process of the pod has not been seen to end."""
        return any(each.alive for each in self.all_containers)

    @property
    def restarting_quietly(self) -> bool:
        return any(each.restarting_quietly for each in self.containers)

    def pids(self) -> list[int]:
        """Of the processes that run now. May be asked by any thread: each is one read."""
        return [each.pid for each in self.all_containers if each.pid is not None]

    def states(self) -> list[ContainerState]:
        """Of all but the init containers."""
        return [each.state() for each in self.containers]

    def init_states(self) -> list[ContainerState]:
        return [each.state() for each in self._init]

    def step(self) -> None:
        """Do everything that is due."""
        for each in self._at_work():
            each.step()
        if self.is_initialized and self._sidecars and all(each.is_over for each in self.containers):
            for each in self._sidecars:
                each.end(each.grace_seconds)
                each.step()

    def _at_work(self) -> Iterator[ContainerRunner]:
        """Init containers one after the other, each until it has ended well, or has started if it goes on beside the
        others; then the others.
        """
        if not self.is_initialized and not self.ending:
            for each in self._init:
                yield each
                if not each.lets_others_start:
                    return
            self.is_initialized = True
        else:
            yield from self._init if self.ending else self._sidecars
        yield from self.containers

    def seconds_to_next(self) -> float | None:
        """When to step again, unless a process ends before; None: only then."""
        instants = [instant for each in self._at_work() if (instant := each.next_at()) is not None]
        return max(0.0, min(instants) - self._clock.now()) if instants else None

    def end(self, grace_seconds: float) -> None:
        """End every process, by SIGTERM first; a second call can only shorten the grace."""
        self.ending = True
        for each in self.all_containers:
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

    def _container(
        self,
        spec: Mapping[str, Any],
        container: Mapping[str, Any],
        volumes: Mapping[str, Path],
        tools: ContainerTools,
        statuses: Sequence[Mapping[str, Any]] | None,
    ) -> ContainerRunner:
        reported = next((each for each in statuses or () if each["name"] == container["name"]), None)
        return ContainerRunner(container, self._place(spec, container, volumes), tools, reported)

    def _place(
        self, spec: Mapping[str, Any], container: Mapping[str, Any], volumes: Mapping[str, Path]
    ) -> ContainerPlace:
        policy, is_init = spec.get("restartPolicy", "Always"), container in (spec.get("initContainers") or ())
        if is_init:  # to have ended well is the end of one, but for those that go on beside the others
            policy = container.get("restartPolicy") or ("Never" if policy == "Never" else "OnFailure")
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
            restart_policy=policy,
            waiting_reason=waiting_reason(spec),
            grace_seconds=float(spec.get("terminationGracePeriodSeconds", 30)),
        )
