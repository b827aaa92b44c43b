"""A local cluster: API server, controllers of workloads, scheduler, kubelet, started and stopped together."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Network
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer, ListenError
from btcctl.apiserver.requests.messages import RequestAttributes
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.streaming.hooks import PodHooks
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.manager import Manager
from btcctl.errors import ConfigError
from btcctl.events.recorder import EventRecorder
from btcctl.informers.factory import SharedInformerFactory
from btcctl.named_files import read_file
from btcctl.objects import ObjectKey
from btcctl.processes.keeper import Keeper
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.credentials import Credentials
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Fence
from btcctl.sandbox.cluster.access import Access
from btcctl.sandbox.cluster.keys import ClusterKeys
from btcctl.sandbox.cluster.node import ensure_node
from btcctl.sandbox.cluster.outage import settle
from btcctl.sandbox.cluster.state import State
from btcctl.sandbox.controllers.claim_keeper import build_claim_controller
from btcctl.sandbox.controllers.disruption import build_disruption_controller
from btcctl.sandbox.controllers.endpoints import build_endpoint_controller
from btcctl.sandbox.controllers.jobs.job import build_job_controller
from btcctl.sandbox.controllers.replicas.deployment import build_deployment_controller
from btcctl.sandbox.controllers.replicas.replica_set import build_replica_set_controller
from btcctl.sandbox.controllers.scheduler import build_scheduler
from btcctl.sandbox.controllers.stateful.statefulset import build_statefulset_controller
from btcctl.sandbox.kubelet.accounts import ApiPlace
from btcctl.sandbox.kubelet.addresses import AddressPool
from btcctl.sandbox.kubelet.images import Images
from btcctl.sandbox.kubelet.kubelet import CommandFor, Kubelet, KubeletOptions

STOP_SECONDS = 3.0
KEEPER_GRACE_SECONDS = 1.5  # a node ends within 0.2 s of SIGTERM; what does not is killed in time for STOP_SECONDS
SYNC_SECONDS = 10.0
_SERVER_STOP_SECONDS = 1.0

#: What turns workloads into pods, by the name under which it writes Events.
WORKLOADS = {
    "statefulset-controller": build_statefulset_controller,
    "replicaset-controller": build_replica_set_controller,
    "deployment-controller": build_deployment_controller,
    "job-controller": build_job_controller,
}
COMPONENTS = (*WORKLOADS, "default-scheduler", "kubelet")


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """What may be chosen; every default is good.

    Attributes:
        node_name: Of the one Node.
        port: Of the API server; 0 picks a free one.
        server: Use this API server instead of one of our own (`kubectl logs` does not work then).
        workloads: Run our controllers of StatefulSets, Deployments, Jobs and disruption budgets. False: the server's
            cluster has them already.
        collects: Whether the server's cluster has a garbage collector.
        images: What images stand for that `command_for` does not know.
        observer: Called with each request to our own API server and the status of its answer.
        pod_network: Whose addresses pods get; None: addresses in 127.0.0.0/8.
        is_guarded: Our own API server allows what roles and bindings do, and nothing else.
        state: What an earlier run of the cluster has kept, and this one keeps; None: nothing. Only with our own API
            server. Closed by whoever opened it.
    """

    node_name: str = "sandbox"
    port: int = 0
    server: Access | None = None
    workloads: bool = True
    collects: bool = True
    images: Images = field(default_factory=Images)
    observer: Callable[[RequestAttributes, int], None] | None = None
    pod_network: IPv6Network | None = None
    is_guarded: bool = False
    state: State | None = None


class Cluster:
    """Everything that workloads need to become processes. Starts once.

    Args:
        run_dir: An existing directory for all that pods leave behind; removed at the end, also
            after a kill -9 of this process.
        command_for: Says what a container runs: the only thing here that knows an image.
        options: What may be chosen.
        clock: Measures everything.
    """

    def __init__(
        self,
        run_dir: Path,
        command_for: CommandFor,
        *,
        options: ClusterOptions = ClusterOptions(),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.run_dir = run_dir
        self._options = options
        self._home = run_dir if options.state is None else options.state.directory
        self._clock = clock
        self._command_for = command_for
        self._access = options.server
        self._kubelet: Kubelet | None = None
        self._manager: Manager | None = None
        self._keeper: Keeper | None = None
        self._pods = PodHooks()  # of our own API server, if it is ours
        self._running = ExitStack()
        self._stop_by = 0.0

    @property
    def url(self) -> str:
        """Where the API server is."""
        return self.access.url

    @property
    def access(self) -> Access:
        """All that a client needs, the credentials included.

        Raises:
            ConfigError: The cluster is not started.
        """
        if self._access is None:
            raise ConfigError("the cluster is not started")
        return self._access

    def dead(self) -> list[str]:
        """The parts that have died, and why."""
        keeper = (
            [] if self._keeper is None or self._keeper.is_alive else ["the keeper of its processes, and all of them"]
        )
        return [*keeper, *(() if self._manager is None else self._manager.dead())]

    def start(self) -> None:
        """Start everything; returns when pods can be created.

        Raises:
            ConfigError: This machine has no loopback addresses to give away.
            ListenError: The port is taken.
            CacheSyncError: The API server does not answer.
        """
        self._stop_by = self._clock.now() + STOP_SECONDS
        with ExitStack() as parts:  # what was started is stopped if a later part fails
            self._start_parts(parts)
            self._running = parts.pop_all()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """End all controllers, processes, the server; remove the run directory. Idempotent.

        Args:
            timeout: Seconds for all of it.

        Raises:
            BaseException: What killed a part.
        """
        self._stop_by = self._clock.now() + timeout
        self._running.close()

    def client(self, fence: Fence | None = None, credentials: Credentials | None = None) -> ApiClient:
        """A new client of this cluster, closed with it at the latest.

        Args:
            fence: Asked before anything is written.
            credentials: As whom to act; None for the administrator.
        """
        config = self.access.config
        if credentials is not None:
            config = replace(config, credentials=credentials)
        client = ApiClient(HttpTransport(config, fence=fence), field_manager="btcctl")
        self._running.callback(client.close)
        return client

    def pod_address(self, key: ObjectKey) -> str | None:
        """The pod's loopback address, or None: it does not run."""
        return None if self._kubelet is None else self._kubelet.address(key)

    def restart_quietly(self, key: ObjectKey) -> None:
        """Restart the pod's process at the same address; nothing in the API tells of it.

        Returns once the new process answers.

        Raises:
            ConfigError: The pod does not run.
            TimeoutError: The new process does not answer.
        """
        if self._kubelet is None:
            raise ConfigError("the cluster is not started")
        self._kubelet.restart_quietly(key)

    def hang(self, pod: ObjectKey) -> list[int]:
        """Stop the pod's processes, as if they hung: SIGSTOP; returns their numbers.

        Raises:
            ConfigError: The pod does not run.
        """
        return self._signal(pod, signal.SIGSTOP)

    def release(self, pod: ObjectKey) -> list[int]:
        """Let the pod's processes go on: SIGCONT; returns their numbers.

        Raises:
            ConfigError: The pod does not run.
        """
        return self._signal(pod, signal.SIGCONT)

    def _signal(self, pod: ObjectKey, number: int) -> list[int]:
        if self._kubelet is None:
            raise ConfigError("the cluster is not started")
        return self._kubelet.signal(pod, number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _start_parts(self, parts: ExitStack) -> None:
        state = self._options.state
        keeper = self._keeper = Keeper(
            self.run_dir,
            self._on_exit,
            grace_seconds=KEEPER_GRACE_SECONDS,
            clock=self._clock,
            inherits=() if state is None else (state.lock,),
        )
        parts.callback(lambda: keeper.stop(self._left()))  # first, since Ctrl-C may come while it starts
        keeper.start()
        addresses = AddressPool(network=self._options.pod_network)
        addresses.start()
        parts.callback(addresses.stop)
        if self._access is None:
            self._start_server(parts)
        client = ApiClient.from_config(self.access.config, field_manager="btcctl")
        parts.callback(client.close)
        ensure_node(client, self._options.node_name, self._clock)
        if state is not None:
            settle(client, self._options.node_name, self._home, self._clock)
        self._start_controllers(parts, client, keeper, addresses)

    def _start_server(self, parts: ExitStack) -> None:
        options, state = self._options, self._options.state
        keys = ClusterKeys.make(self._clock) if state is None else state.keys
        store = Store(self._clock)
        if state is not None:
            state.attach(store)
        authorizer: Literal["rbac"] | None = "rbac" if options.is_guarded else None
        api = Api(store, clock=self._clock, authorizer=authorizer, observer=options.observer)
        api.tokens.key = keys.account_key
        self._pods = api.pods
        port = options.port or (0 if state is None else state.port)
        tls = keys.identity.context(self.run_dir)
        server = EmbeddedServer(api, port=port, tls=tls, token=keys.token, clock=self._clock)
        try:
            server.start()
        except ListenError as error:
            if state is None:
                raise
            raise ListenError(
                f"{error}, and the kubeconfigs of {state.directory} lead there: end what listens (ss -ltnp "
                f"'sport = :{port}' names it)"
            ) from error
        parts.callback(lambda: server.stop(max(_SERVER_STOP_SECONDS, self._left())))
        if state is not None:
            state.remember_port(server.port)
        self._access = Access.with_token(server.url, keys.token, keys.identity.authority)

    def _start_controllers(self, parts: ExitStack, client: ApiClient, keeper: Keeper, addresses: AddressPool) -> None:
        factory = SharedInformerFactory(client, clock=self._clock)
        recorders = {each: EventRecorder(client, each, self._clock) for each in COMPONENTS}
        name, volumes_dir = self._options.node_name, self._home / "volumes"
        kubelet = self._kubelet = Kubelet(
            client=client,
            pods=factory.informer(PODS).lister,
            processes=keeper,
            addresses=addresses,
            recorder=recorders["kubelet"],
            options=KubeletOptions(
                name,
                self._home / "pods",
                volumes_dir,
                self._command_for,
                images=self._options.images,
                api=self._place(),
            ),
            clock=self._clock,
        )
        kubelet.watch(factory.informer(PODS))
        kubelet.access.serve(self._pods)
        controllers = [
            build_scheduler(client, factory, recorders["default-scheduler"], name, clock=self._clock),
            build_claim_controller(client, factory, volumes_dir, clock=self._clock),
            kubelet.controller,
        ]
        if self._options.workloads:
            for component, build in WORKLOADS.items():
                controllers.insert(0, build(client, factory, recorders[component], clock=self._clock))
            controllers.append(build_disruption_controller(client, factory, clock=self._clock))
        if self._options.server is None:  # a real one refuses loopback addresses in endpoints
            controllers.append(build_endpoint_controller(client, factory, clock=self._clock))
        manager = self._manager = Manager(
            factory, controllers, services=[*recorders.values(), kubelet.log_times], clock=self._clock
        )
        parts.callback(lambda: manager.stop(self._left()))
        manager.start()
        factory.require_sync(SYNC_SECONDS)

    def _place(self) -> ApiPlace:
        """The API server, for pods."""
        tls = self.access.config.tls
        authority = tls.ca_data or (read_file(tls.ca_file) if tls.ca_file is not None else b"")
        return ApiPlace(self.access.url, authority)

    def _on_exit(self, pid: int, code: int) -> None:
        if self._kubelet is not None:
            self._kubelet.exits.ended(pid, code)

    def _left(self) -> float:
        """Seconds until everything must have stopped."""
        return max(0.0, self._stop_by - self._clock.now())
