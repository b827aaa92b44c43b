"""A sandbox from start to end: cluster, operator, network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from ipaddress import IPv6Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.bitcoin.account import ACCOUNT
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.mesh import RpcFor
from btcctl.bitcoin.operator import COMPONENT, NODE_IMAGE, NodeAccess, OperatorOptions, build_operator
from btcctl.bitcoin.rpc import Credentials, RpcConnections
from btcctl.bitcoin.spec.shape import neighbours
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.controller.debugging import DebugPages
from btcctl.controller.journey import Journey
from btcctl.controller.manager import Manager
from btcctl.errors import BtcctlError, ConfigError, LeaseLost, NotFound
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.sandbox.cluster.access import Access
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from btcctl.sandbox.cluster.state import State
from btcctl.sandbox.controllers.owner_collector import build_owner_collector
from btcctl.sandbox.demonstration.account import install_account
from btcctl.sandbox.demonstration.advice import advice
from btcctl.sandbox.demonstration.check import Check
from btcctl.sandbox.demonstration.commands import (
    OWN_IMAGE,
    RPC_PORT,
    SIMULATED_IMAGE,
    Command,
    at_version,
    find_bitcoind,
    is_simulated_image,
    node_command,
    own_program,
    write_programs,
)
from btcctl.sandbox.demonstration.limits import raise_descriptor_limit, require_space
from btcctl.sandbox.demonstration.manifests import Applier, read_manifests
from btcctl.sandbox.demonstration.observe import NodeView, Observer
from btcctl.sandbox.ended_operator import why_ended
from btcctl.sandbox.kubelet.images import Images, parse_mappings
from btcctl.sandbox.kubelet.pods.runtime import ImageMissing
from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions

KEY = ObjectKey("default", "my-network")  #: as in the seeds' manifests
SECRET = "bitcoin-default-secret"  # noqa: S105  a name
CREDENTIALS = Credentials("bc-user", "bc-password")  #: as in the seeds' manifests
NODES = 3  #: where nothing else is asked for
POLL_MAX_SECONDS = 3.0  # somebody who tries things out is less patient than a cluster
READY_SECONDS = 120.0
MANAGER_STOP_SECONDS = 1.0
_POLL_SECONDS = 0.1

LEASE = ObjectKey(KEY.namespace, COMPONENT)
OPERATOR = "operator"
PROGRAMS = "bin"  #: in the run directory: what every pod has on its PATH

SIMULATED, CORE = "simulated nodes", "Bitcoin Core"  #: what nodes are
EMBEDDED, REAL = "embedded", "real"  #: whose API server the network runs on

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a person may choose."""

    nodes: int | None = None  #: None: NODES, or as many as there are in `state`
    manifests: tuple[Path, ...] = ()  #: applied after the start, in this order
    kubeconfig_out: Path | None = None  #: stays afterwards
    bitcoind: Path | None = None  #: None looks on PATH
    simulated: bool = False  #: do not even look on PATH
    control_plane: str = EMBEDDED  #: or REAL
    view: tuple[str, int] | None = None  #: where to serve the page that shows all this live; None: nowhere
    run: tuple[str, ...] = ()  #: IMAGE=COMMAND: what further images stand for
    operator: bool = True  #: False leaves the network to an operator of somebody else
    state: Path | None = None  #: where all of it is kept for the next time; None: nowhere
    pod_network: IPv6Network | None = None  #: whose addresses pods get; None: addresses in 127.0.0.0/8


class Session:
    """A context manager: in its block everything runs, after it nothing is left.

    Args:
        options: What a person may choose.
        say: Takes each line of progress.
        rpc_for: How the operator reaches nodes; by default over sockets.
        cluster_options: Passed on to the cluster.
    """

    def __init__(
        self,
        options: SandboxOptions,
        *,
        say: Say,
        rpc_for: RpcFor | None = None,
        cluster_options: ClusterOptions = ClusterOptions(),
    ) -> None:
        self._options = options
        self._say = say
        self._rpc_for = rpc_for
        self._cluster_options = cluster_options
        self._bitcoind: Path | None = None
        self._running = ExitStack()
        self._managers: list[tuple[str, Manager]] = []
        self._elector: Elector | None = None
        self._debug_pages: DebugPages | None = None
        self._server = "embedded"
        self._images = Images()
        self._state: State | None = None
        self._comes_back = False  # to what an earlier session has made
        self._nodes = NODES if options.nodes is None else options.nodes

    def __enter__(self) -> Self:
        raise_descriptor_limit(self._nodes)
        manifests = [each for path in self._options.manifests for each in read_manifests(path)]
        self._images = Images({OWN_IMAGE: own_program(), **parse_mappings(self._options.run)})
        with ExitStack() as parts:
            if self._options.state is not None:
                self._open_state(parts, self._options.state)
            if not self._is_simulated():
                self._bitcoind = find_bitcoind(self._options.bitcoind)
            self._require_same_nodes()
            try:
                self._start(parts, manifests)
            except OSError as error:
                raise BtcctlError(f"cannot start: {error}") from error
            self._running = parts.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._running.close()

    @property
    def cluster(self) -> Cluster:
        return self._cluster

    def _open_state(self, parts: ExitStack, directory: Path) -> None:
        if self._options.control_plane == REAL:
            raise ConfigError("--state keeps what our own API server has: it contradicts --control-plane real")
        state = self._state = parts.enter_context(State(directory.absolute()))
        self._comes_back = bool(state.nodes)
        if self._comes_back and self._options.nodes is not None:
            raise ConfigError(
                f"{directory} has its network already: leave --nodes out, and scale it (kubectl scale bitcoinnetwork "
                f"{KEY.name} --replicas=N)"
            )

    def _is_simulated(self) -> bool:
        """Whether nothing is looked for. What has come back is as it was, unless a program is named."""
        kept = self._state is not None and self._state.nodes == SIMULATED
        return self._options.simulated or (kept and self._options.bitcoind is None)

    def _require_same_nodes(self) -> None:
        if self._state is None or not self._comes_back or self._state.nodes == self._nodes_are():
            return
        was, hint = self._state.nodes, "leave --bitcoind out"
        if was == CORE:
            hint = "leave --simulated out" if self._options.simulated else "give --bitcoind PATH, or --bitcoind auto"
        raise ConfigError(f"the chains in {self._state.directory} are those of {was}: {hint}")

    def _nodes_are(self) -> str:
        return CORE if self._bitcoind else SIMULATED

    def _start(self, parts: ExitStack, manifests: list[dict[str, Any]]) -> None:
        cluster_options = self._cluster_options
        if self._options.control_plane == REAL:
            cluster_options = self._start_control_plane(parts)
        if self._options.pod_network is not None:
            cluster_options = replace(cluster_options, pod_network=self._options.pod_network)
        cluster_options = replace(cluster_options, images=self._images, state=self._state)
        run_dir = new_run_directory()
        parts.callback(shutil.rmtree, run_dir, ignore_errors=True)  # the keeper does it too, if we cannot
        self._require_space(run_dir)
        self._programs = run_dir / PROGRAMS  # pods that come back ask for it while the cluster starts
        write_programs(self._programs)
        self._cluster = parts.enter_context(Cluster(run_dir, self._command_for, options=cluster_options))
        self._client = self._cluster.client()
        self._connections = RpcConnections(RPC_PORT)
        parts.callback(self._connections.close)
        self._kubeconfig = self._write_kubeconfig(run_dir)
        self._say(f"API server   {self._cluster.url}, {self._server}, kubeconfig {self._kubeconfig}")
        kind = f"Bitcoin Core, {self._bitcoind}" if self._bitcoind else "simulated; --bitcoind PATH runs Bitcoin Core"
        self._say(f"nodes        {kind}")
        applier = Applier(self._client)
        applier.apply(load_crd())
        if not cluster_options.collects:
            self._start_manager(parts, "owner collector", build_owner_collector(self._client, [BITCOIN_NETWORKS]))
        self._start_operator(parts, applier)
        furniture = () if self._comes_back else (secret_manifest(), network_manifest(self._nodes))
        for manifest in (*furniture, *manifests):
            applied = applier.apply(manifest)
            self._say(f"applied      {manifest['kind']} {applied.key}")
        if self._state is not None and not self._comes_back:
            self._state.remember_furnished(self._nodes_are())
        self._start_view(parts)

    def _start_control_plane(self, parts: ExitStack) -> ClusterOptions:
        control_plane = parts.enter_context(ControlPlane(ControlPlaneOptions(definitions=[load_crd()])))
        if control_plane.is_existing:
            raise ConfigError("the sandbox starts a control plane of its own: unset USE_EXISTING_CLUSTER")
        managed = control_plane.has_controllers
        controllers = "kube-controller-manager's controllers" if managed else "controllers of our own"
        self._server = f"kube-apiserver and etcd with {controllers}"
        access = Access.by_file(control_plane.kubeconfig())
        return replace(self._cluster_options, server=access, workloads=not managed, collects=managed)

    def _start_operator(self, parts: ExitStack, applier: Applier) -> None:
        """With a Lease, so that another operator knows of this one, and may take its place."""
        if not self._options.operator:
            self._say("operator     none: start yours, for example btcctl run --kubeconfig …")
            return
        fence, credentials, lease = Fence(), None, LEASE
        if self._cluster_options.is_guarded:
            credentials, lease = install_account(self._client, applier), ObjectKey(ACCOUNT.namespace, COMPONENT)
        client = parts.enter_context(self._cluster.client(fence, credentials))
        # The one that kept the state before us has ended, or we could not have opened it: its Lease is ours.
        identity = "" if self._state is None else f"sandbox-{self._state.id}"
        elector = self._elector = Elector(
            LeaseLock(self._cluster.client(None, credentials), lease), fence, identity=identity
        )
        options = OperatorOptions(poll_max_seconds=POLL_MAX_SECONDS)
        operator = build_operator(client, options, rpc_for=self._rpc_for, elector=elector, access=NodeAccess(fence))
        self._debug_pages = DebugPages(operator, journey=Journey(operator))
        self._start_manager(parts, OPERATOR, operator)
        who = "" if credentials is None else f", as ServiceAccount {ACCOUNT}"
        self._say(f"operator     running in this process{who}")

    def _start_view(self, parts: ExitStack) -> None:
        """Last, and so the first to end: nobody is to act on what ends."""
        if self._options.view is None:
            return
        # Only here: tests have no use for it.
        from btcctl.sandbox.demonstration.live_page import start_page  # noqa: PLC0415

        host, port = self._options.view
        fetch = None if self._debug_pages is None else self._debug_pages.page
        server = start_page(parts, self._cluster, fetch, host=host, port=port)
        self._say(f"live page    {server.address}")

    def _start_manager(self, parts: ExitStack, name: str, manager: Manager) -> None:
        parts.callback(_stop, manager)
        manager.start()
        self._managers.append((name, manager))

    def check(self) -> None:
        """Tell the whole story.

        Raises:
            CheckFailed: At the first step that did not come true.
            BtcctlError: A part died.
        """
        Check(
            self._client,
            self._observer(),
            KEY,
            self._nodes,
            restart_quietly=self._cluster.restart_quietly,
            raise_failures=self.raise_failures,
            say=self._say,
        ).run()

    def show_progress(self) -> None:
        """Print each change until all nodes are ready and meshed.

        Of a network that has come back, which may be any, only until its nodes answer.

        Raises:
            BtcctlError: That took too long, or a part died.
        """
        observer, shown = self._observer(), ""
        deadline = SYSTEM_CLOCK.now() + READY_SECONDS
        while True:
            self.raise_failures()
            wanted, nodes = self._wanted(), observer.nodes()
            line = f"waiting      {sum(node.ready for node in nodes)}/{wanted} nodes ready"
            if line != shown:
                self._say(line)
                shown = line
            if len(nodes) == wanted and all(self._is_up(node) for node in nodes):
                break
            if SYSTEM_CLOCK.now() > deadline:
                if self._comes_back:
                    break
                raise BtcctlError(f"the network did not come up within {READY_SECONDS:g} s; -v shows more")
            sleep(_POLL_SECONDS)
        for node in nodes:
            self._say(f"             {node.summary()} at {node.address}")

    def _wanted(self) -> int:
        """How many nodes there are to be."""
        if not self._comes_back:
            return self._nodes
        try:
            return int(self._client.resource(BITCOIN_NETWORKS).get(KEY).body()["spec"]["nodes"])
        except NotFound:
            return 0

    def _is_up(self, node: NodeView) -> bool:
        return node.answers and (self._comes_back or len(node.shaken()) >= len(neighbours(node.ordinal, self._nodes)))

    def raise_failures(self) -> None:
        """Raise if a part has died, or the disk is full."""
        self._require_space(self._cluster.run_dir)
        for dead in self._cluster.dead():
            raise BtcctlError(f"a part of the cluster died: {dead}; -v shows more")
        for name, manager in list(self._managers):
            if name == OPERATOR and self._elector is not None and self._elector.lost.is_set():
                self._managers.remove((name, manager))
                self._say(f"operator     {why_ended(self._client, self._elector)}")
            elif not manager.healthy:
                raise BtcctlError(f"the {name} died; -v shows more")

    def _require_space(self, run_dir: Path) -> None:
        require_space(run_dir)
        if self._state is not None:
            require_space(self._state.directory, "--state")

    def advice(self) -> str:
        """The lines to try, for a person."""
        return advice(
            self._kubeconfig,
            KEY.name,
            more=self._wanted() + 1,
            logs_at=None if self._options.control_plane == EMBEDDED else self._cluster.run_dir / "pods",
            kept_in=None if self._state is None else self._state.directory,
        )

    def _observer(self) -> Observer:
        return Observer(self._client, KEY, lambda address: self._connections.client(address, CREDENTIALS))

    def _command_for(
        self, pod: Mapping[str, Any], container: Mapping[str, Any], env: dict[str, str], ip: str, data_dir: Path
    ) -> Command:
        image = container["image"]
        if image != NODE_IMAGE and not is_simulated_image(image):
            known = ", ".join((NODE_IMAGE, f"{SIMULATED_IMAGE}:VERSION", *self._images.names))
            raise ImageMissing(
                f"no image is pulled here, and nothing stands for {image}: start the sandbox with "
                f"--run {image}=COMMAND, or name the image exec:/path/to/program. Known are {known}"
            )
        bitcoind = None if is_simulated_image(image) else self._bitcoind
        command = node_command(env, ip, data_dir, bitcoind, self._programs)
        return command if image == NODE_IMAGE else at_version(command, image)

    def _write_kubeconfig(self, run_dir: Path) -> Path:
        kept = None if self._state is None else self._state.kubeconfig
        paths = [each for each in (self._options.kubeconfig_out, kept) if each is not None] or [run_dir / "kubeconfig"]
        try:
            for path in paths:
                write_kubeconfig(path, self._cluster.access.kubeconfig)
        except OSError as error:
            raise ConfigError(f"cannot write the kubeconfig: {error}") from error
        return paths[0]


def _stop(manager: Manager) -> None:
    with suppress(LeaseLost):  # which was said when it happened, and is no reason to end in failure
        manager.stop(MANAGER_STOP_SECONDS)


def secret_manifest() -> dict[str, Any]:
    """The seeds' Secret."""
    data = {"BC_RPC_USER": CREDENTIALS.user, "BC_RPC_PASSWORD": CREDENTIALS.password}
    metadata = {"name": SECRET, "namespace": KEY.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def network_manifest(nodes: int) -> dict[str, Any]:
    """The seeds' test network, with a number of nodes of one's own."""
    return {
        "apiVersion": BITCOIN_NETWORKS.api_version,
        "kind": BITCOIN_NETWORKS.kind,
        "metadata": {"name": KEY.name, "namespace": KEY.namespace},
        "spec": {"nodes": nodes, "secret": SECRET, "storage": {"size": "1Gi"}},
    }
