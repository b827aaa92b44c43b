"""Turns the pods of the one node into processes, and reports how they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import BtcctlError, ConfigError, Conflict, NotFound
from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.shared_informer import SharedInformer
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.sandbox.kubelet.accounts import Accounts, ApiPlace
from btcctl.sandbox.kubelet.addresses import AddressPool
from btcctl.sandbox.kubelet.claims import BOUND, claims_of, volume_directory
from btcctl.sandbox.kubelet.exits import Exits, WatchedProcesses
from btcctl.sandbox.kubelet.images import Images
from btcctl.sandbox.kubelet.local_programs import ContainerPlace, LocalPrograms
from btcctl.sandbox.kubelet.pods.checks import Answer, CheckTarget, run_check
from btcctl.sandbox.kubelet.pods.env import EnvSources, resolve_env, translate_paths
from btcctl.sandbox.kubelet.pods.probes import ProbeSpec
from btcctl.sandbox.kubelet.pods.runner import PodRunner
from btcctl.sandbox.kubelet.pods.runtime import Command, ContainerTools, Processes
from btcctl.sandbox.kubelet.pods.status import HOST_IP, PodFacts, build_status, is_over
from btcctl.sandbox.kubelet.pods.volumes import FILLED
from btcctl.sandbox.kubelet.restarts import RestartRequests
from btcctl.sandbox.kubelet.streams.access import PodAccess
from btcctl.sandbox.kubelet.streams.log_times import LogTimes
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

# Turns a pod, one of its containers, the resolved environment, the pod's address and the
# container's data directory into what to run.
CommandFor = Callable[[Mapping[str, Any], Mapping[str, Any], dict[str, str], str, Path], Command]

STALE_RETRY_SECONDS = 0.1  # our copy of the pod is old: the new one is on its way
REPORT_RETRY_SECONDS = 1.0  # the API server did not take a status
CLAIM_RETRY_SECONDS = 0.5  # a claim is bound at once where there is one
ADMISSION_RETRY_SECONDS = 10.0  # somebody else has our ports
RESTART_SECONDS = 30.0
_MOUNTED = {"emptyDir", "persistentVolumeClaim", *FILLED}
RETRY_CAP_SECONDS = 5.0  # a person is watching


@dataclass(frozen=True, slots=True)
class KubeletOptions:
    """How pods are run."""

    node_name: str
    pods_dir: Path
    volumes_dir: Path  #: what claims have, by namespace and name
    command_for: CommandFor
    workers: int = 4  #: a probe that gets no answer holds one up for its timeout
    check: Callable[[ProbeSpec, CheckTarget], Answer] = run_check
    images: Images = field(default_factory=Images)  #: asked before `command_for`
    api: ApiPlace | None = None  #: what pods are told of the API server


class Kubelet:
    """A controller of pods whose effects are processes.

    The runner of a pod is touched only by the worker that has the pod's key.

    Args:
        client: Reads Secrets and ConfigMaps, writes status, deletes what has ended.
        pods: A cache of all pods.
        processes: Starts and signals processes; must call `exits.ended` for each that ends.
        addresses: Gives each pod its own.
        recorder: Takes what `kubectl describe pod` shows.
        options: How pods are run.
    """

    def __init__(
        self,
        *,
        client: ApiClient,
        pods: Lister,
        processes: Processes,
        addresses: AddressPool,
        recorder: EventRecorder,
        options: KubeletOptions,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
        self.controller = Controller(
            "kubelet", self.reconcile, workers=options.workers, clock=clock, rate_limiter=rate_limiter
        )
        self.exits = Exits(self.controller.queue.add)
        self._client = client
        self._cache = pods
        self._processes = processes
        self._addresses = addresses
        self._recorder = recorder
        self._options = options
        self._clock = clock
        self._pods = client.resource(PODS)
        self._programs = LocalPrograms(Accounts(client), options.api)
        self._runners: dict[ObjectKey, PodRunner] = {}
        self._restarts = RestartRequests(clock)
        self.log_times = LogTimes(self._logs, clock)  #: a service of its own: to be started and stopped
        self.access = PodAccess(self._runners.get, processes, self.exits, self.log_times, clock)

    def watch(self, pods: SharedInformer) -> None:
        """Look at each pod that changes. Before the controller starts."""
        self.controller.watch(pods)

    def reconcile(self, key: ObjectKey) -> Result:
        """Take every step with one pod that is due."""
        pod = self._cache.get(key)
        runner = self._runners.get(key)
        if runner is not None and (pod is None or pod.uid != runner.uid):
            return self._end_orphan(key, runner)
        body = None if pod is None else pod.body()
        if pod is None or body is None or body["spec"].get("nodeName") != self._options.node_name:
            return Result()
        if pod.deletion_timestamp is not None:
            return self._end(pod, body, runner)
        return self._run(pod, body, runner)

    def _logs(self) -> list[Path]:
        """The logs of all containers, of the run now and of the one before. From any thread."""
        runners = list(self._runners.values())
        containers = [container for runner in runners for container in runner.all_containers]
        return [each.log_path(previous=previous) for each in containers for previous in (False, True)]

    def address(self, key: ObjectKey) -> str | None:
        """The pod's address, or None: it does not run here."""
        runner = self._runners.get(key)
        return None if runner is None else runner.ip

    def signal(self, key: ObjectKey, number: int) -> list[int]:
        """Send a signal to the pod's processes; returns their numbers.

        Raises:
            ConfigError: The pod does not run here.
        """
        runner = self._runners.get(key)
        pids = [] if runner is None else runner.pids()
        if not pids:
            raise ConfigError(f"pod {key} does not run on {self._options.node_name}")
        for pid in pids:
            self._processes.signal(pid, number)
        return pids

    def restart_quietly(self, key: ObjectKey, timeout: float = RESTART_SECONDS) -> None:
        """Replace the pod's processes at the same address; its status does not change meanwhile.

        Returns once the new process has answered a probe, or has started if the pod has none.

        Args:
            timeout: Seconds.

        Raises:
            ConfigError: The pod does not run here.
            TimeoutError: The new process has not answered in time.
        """
        if key not in self._runners:
            raise ConfigError(f"pod {key} does not run on {self._options.node_name}")
        self._restarts.ask(key)
        self.controller.queue.add(key)
        if not self._restarts.wait(key, timeout):
            raise TimeoutError(f"pod {key} has not answered within {timeout:g} s of its restart")

    def _run(self, pod: Object, body: Mapping[str, Any], runner: PodRunner | None) -> Result:
        if is_over(body) and (runner is None or not runner.alive):
            if runner is None:  # it ended before we began: its logs may be asked for
                self._runners[pod.key] = self._runner(pod, body, body["status"].get("podIP", ""), {})
            return Result()
        if runner is None:
            volumes = self._volumes(pod, body)
            if volumes is None:
                return Result(requeue_after=CLAIM_RETRY_SECONDS)
            runner = self._admit(pod, body, volumes)
        if runner is None:
            return Result(requeue_after=ADMISSION_RETRY_SECONDS)
        runner.follow(body)
        if self._restarts.begin(pod.key):
            runner.restart_quietly()
        runner.step()
        if not runner.restarting_quietly:
            self._restarts.finish(pod.key)
        retry = self._report(body, runner)
        waits = [each for each in (retry, runner.seconds_to_next()) if each is not None]
        return Result(requeue_after=min(waits, default=None))

    def _volumes(self, pod: Object, body: Mapping[str, Any]) -> dict[str, Path] | None:
        """The directories of the pod's claims, by the volume's name; None while one of them has none."""
        found = {}
        for volume, name in claims_of(body).items():
            key = ObjectKey(pod.namespace, name)
            claim = self._read(PERSISTENT_VOLUME_CLAIMS, pod.namespace, name)
            if claim is None or (claim.get("status") or {}).get("phase") != BOUND:
                if claim is None:
                    why = f'persistentvolumeclaim "{name}" not found'
                    self._recorder.event(ObjectReference.of(PODS, pod), WARNING, "FailedMount", why)
                logger.debug("pod waits for a claim", claim=str(key))
                return None
            found[volume] = volume_directory(self._options.volumes_dir, key)
        return found

    def _admit(self, pod: Object, body: Mapping[str, Any], volumes: Mapping[str, Path]) -> PodRunner | None:
        """Give the pod an address and a directory; None if there is no address to give."""
        reference = ObjectReference.of(PODS, pod)
        try:
            ip = self._addresses.allocate(_tcp_ports(body))
        except ConfigError as error:
            logger.warning("no address", error=str(error))
            self._recorder.event(reference, WARNING, "FailedCreatePodSandBox", str(error))
            return None
        runner = self._runners[pod.key] = self._runner(pod, body, ip, volumes)
        for each in unsupported(body):
            self._recorder.event(reference, WARNING, "Unsupported", f"the sandbox ignores {each}")
        logger.info("pod admitted", ip=ip)
        return runner

    def _runner(self, pod: Object, body: Mapping[str, Any], ip: str, volumes: Mapping[str, Path]) -> PodRunner:
        directory = self._options.pods_dir / directory_name(pod)
        tools = ContainerTools(
            processes=WatchedProcesses(pod.key, self._processes, self.exits),
            command=partial(self._command, body, ip, volumes, directory),
            check=self._options.check,
            event=partial(self._recorder.event, ObjectReference.of(PODS, pod)),
            clock=self._clock,
        )
        return PodRunner(body, ip, directory, tools, volumes)

    def _command(
        self,
        pod: Mapping[str, Any],
        ip: str,
        volumes: Mapping[str, Path],
        directory: Path,
        container: Mapping[str, Any],
        data_dir: Path,
    ) -> Command:
        metadata = pod["metadata"]
        sources = EnvSources(
            secret=partial(self._read, SECRETS, metadata["namespace"]),
            config_map=partial(self._read, CONFIG_MAPS, metadata["namespace"]),
        )
        fields = {"status.podIP": ip, "status.podIPs": ip, "status.hostIP": HOST_IP}
        hostname = {"HOSTNAME": pod["spec"].get("hostname") or metadata["name"]}
        env = {**hostname, **resolve_env(pod, container, sources, fields)}
        program = self._options.images.find(container["image"])
        if program is not None:
            place = ContainerPlace(pod, container, env, ip, data_dir, directory, volumes, sources, fields)
            return self._programs.command(program, place)
        env = translate_paths(env, container, volumes)
        return self._options.command_for(pod, container, env, ip, data_dir)

    def _read(self, type_: ResourceType, namespace: str, name: str) -> dict[str, Any] | None:
        try:
            return self._client.resource(type_).get(ObjectKey(namespace, name)).body()
        except NotFound:
            return None

    def _report(self, body: Mapping[str, Any], runner: PodRunner) -> float | None:
        """Write the status if it has changed; return after how many seconds to try again, or None."""
        now = rfc3339(self._clock.wall_time())
        facts = PodFacts(runner.ip, runner.states(), now, runner.init_states(), is_initialized=runner.is_initialized)
        status = build_status(body, facts)
        if status == body.get("status"):
            return None
        try:
            self._pods.update_status({**body, "status": status})
        except NotFound:
            return None  # the cache will say so
        except Conflict:
            return STALE_RETRY_SECONDS
        except BtcctlError as error:  # probes and restarts must not wait for the API server
            logger.warning("status not written", error=str(error))
            return REPORT_RETRY_SECONDS
        return None

    def _end(self, pod: Object, body: Mapping[str, Any], runner: PodRunner | None) -> Result:
        """End the pod's processes with grace; then, and only then, let the API server forget it."""
        if runner is not None:
            if not runner.ending:
                grace = body["metadata"].get("deletionGracePeriodSeconds", 30)
                reference = ObjectReference.of(PODS, pod)
                self._recorder.event(reference, NORMAL, "Killing", f"Stopping pod {pod.name}")
                runner.end(float(grace))
            runner.step()
            if runner.alive:
                return Result(requeue_after=runner.seconds_to_next())
        try:
            self._pods.delete(pod.key, uid=pod.uid, grace_period_seconds=0)
        except (NotFound, Conflict):
            logger.debug("the pod is gone already")
        self._forget(pod.key)
        return Result()

    def _end_orphan(self, key: ObjectKey, runner: PodRunner) -> Result:
        """The pod went without waiting for us, and perhaps another one has its name: no grace."""
        if not runner.ending or runner.alive:
            runner.end(0.0)
            runner.step()
        if runner.alive:
            return Result(requeue_after=runner.seconds_to_next())
        self._forget(key)
        return self.reconcile(key)

    def _forget(self, key: ObjectKey) -> None:
        runner = self._runners.pop(key, None)
        self._restarts.cancel(key)
        if runner is not None:
            shutil.rmtree(runner.directory, ignore_errors=True)
            logger.info("pod ended", ip=runner.ip)


def directory_name(pod: Object) -> str:
    """Of a pod, among the pods' directories."""
    return f"{pod.namespace}_{pod.name}_{pod.uid}"


def _tcp_ports(pod: Mapping[str, Any]) -> list[int]:
    containers = (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ()))
    ports = [port for container in containers for port in container.get("ports") or []]
    return [port["containerPort"] for port in ports if port.get("protocol", "TCP") == "TCP"]


def unsupported(pod: Mapping[str, Any]) -> list[str]:
    """What of a pod has no effect here, and would be missed."""
    spec = pod["spec"]
    volumes = [each["name"] for each in spec.get("volumes") or [] if not _MOUNTED & each.keys()]
    return [f"the volume {name}: nothing is mounted" for name in volumes]
