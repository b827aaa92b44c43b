"""A sandbox from start to end: cluster, operator, network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from ipaddress import IPv6Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
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
from btcctl.errors import BtcctlError, ConfigError
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.sandbox.cluster.access import Access
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from btcctl.sandbox.controllers.stand_ins import build_stand_ins
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
from btcctl.sandbox.kubelet.images import Images, parse_mappings
from btcctl.sandbox.kubelet.pods.runtime import ImageMissing
from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions

KEY = ObjectKey("default", "my-network")  #: as in the seeds' manifests
SECRET = "bitcoin-default-secret"  # noqa: S105  a name
CREDENTIALS = Credentials("bc-user", "bc-password")  #: as in the seeds' manifests
POLL_MAX_SECONDS = 3.0  # somebody who tries things out is less patient than a cluster
READY_SECONDS = 120.0
MANAGER_STOP_SECONDS = 1.0
_POLL_SECONDS = 0.1

LEASE = ObjectKey(KEY.namespace, COMPONENT)
OPERATOR = "operator"
PROGRAMS = "bin"  #: in the run directory: what every pod has on its PATH

EMBEDDED, REAL = "embedded", "real"  #: whose API server the network runs on

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a person may choose."""

    nodes: int = 3
    manifests: tuple[Path, ...] = ()  #: applied after the start, in this order
    kubeconfig_out: Path | None = None  #: stays afterwards
    bitcoind: Path | None = None  #: None looks on PATH
    simulated: bool = False  #: do not even look on PATH
    control_plane: str = EMBEDDED  #: or REAL
    view: tuple[str, int] | None = None  #: where to serve the page that shows all this live; None: nowhere
    run: tuple[str, ...] = ()  #: IMAGE=COMMAND: what further images stand for
    operator: bool = True  #: False leaves the network to an operator of somebody else
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

    def __enter__(self) -> Self:
        raise_descriptor_limit(self._options.nodes)
        manifests = [each for path in self._options.manifests for each in read_manifests(path)]
        self._images = Images({OWN_IMAGE: own_program(), **parse_mappings(self._options.run)})
        if not self._options.simulated:
            self._bitcoind = find_bitcoind(self._options.bitcoind)
        with ExitStack() as parts:
            self._start(parts, manifests)
            self._running = parts.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._running.close()

    @property
    def cluster(self) -> Cluster:
        return self._cluster

    def _start(self, parts: ExitStack, manifests: list[dict[str, Any]]) -> None:
        cluster_options = self._cluster_options
        if self._options.control_plane == REAL:
            cluster_options = self._start_control_plane(parts)
        if self._options.pod_network is not None:
            cluster_options = replace(cluster_options, pod_network=self._options.pod_network)
        cluster_options = replace(cluster_options, images=self._images)
        run_dir = new_run_directory()
        parts.callback(shutil.rmtree, run_dir, ignore_errors=True)  # the keeper does it too, if we cannot
        write_programs(run_dir / PROGRAMS)
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
            self._start_manager(parts, "owner collector", build_stand_ins(self._client, [BITCOIN_NETWORKS]))
        self._start_operator(parts)
        for manifest in (secret_manifest(), network_manifest(self._options.nodes), *manifests):
            applied = applier.apply(manifest)
            self._say(f"applied      {manifest['kind']} {applied.key}")
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

    def _start_operator(self, parts: ExitStack) -> None:
        """With a Lease, so that another operator knows of this one, and may take its place."""
        if not self._options.operator:
            self._say("operator     none: start yours, for example btcctl run --kubeconfig …")
            return
        fence = Fence()
        client = parts.enter_context(self._cluster.client(fence))
        elector = self._elector = Elector(LeaseLock(self._client, LEASE), fence)
        options = OperatorOptions(poll_max_seconds=POLL_MAX_SECONDS)
        operator = build_operator(client, options, rpc_for=self._rpc_for, elector=elector, access=NodeAccess(fence))
        self._debug_pages = DebugPages(operator, journey=Journey(operator))
        self._start_manager(parts, OPERATOR, operator)
        self._say("operator     running in this process")

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
        parts.callback(manager.stop, MANAGER_STOP_SECONDS)
        manager.start()
        self._managers.append((name, manager))

    def check(self) -> None:
        """Tell the whole story.

        Raises:
            CheckFailed: At the first step that did not come true.
        """
        Check(
            self._client,
            self._observer(),
            KEY,
            self._options.nodes,
            restart_quietly=self._cluster.restart_quietly,
            say=self._say,
        ).run()

    def show_progress(self) -> None:
        """Print each change until all nodes are ready and meshed.

        Raises:
            BtcctlError: That took too long, or a part died.
        """
        observer, shown = self._observer(), ""
        deadline = SYSTEM_CLOCK.now() + READY_SECONDS
        while True:
            self.raise_failures()
            nodes = observer.nodes()
            line = f"waiting      {sum(node.ready for node in nodes)}/{self._options.nodes} nodes ready"
            if line != shown:
                self._say(line)
                shown = line
            if len(nodes) == self._options.nodes and all(self._has_peers(node) for node in nodes):
                break
            if SYSTEM_CLOCK.now() > deadline:
                raise BtcctlError(f"the network did not come up within {READY_SECONDS:g} s; -v shows more")
            sleep(_POLL_SECONDS)
        for node in nodes:
            self._say(f"             {node.summary()} at {node.address}")

    def _has_peers(self, node: NodeView) -> bool:
        return node.answers and len(node.shaken()) >= len(neighbours(node.ordinal, self._options.nodes))

    def raise_failures(self) -> None:
        """Raise if a part has died, or the disk is full."""
        require_space(self._cluster.run_dir)
        if not self._cluster.healthy:
            raise BtcctlError("a part of the cluster died; -v shows more")
        for name, manager in list(self._managers):
            if name == OPERATOR and self._is_taken_over():
                self._managers.remove((name, manager))
                self._say("operator     another one has taken over")
            elif not manager.healthy:
                raise BtcctlError(f"the {name} died; -v shows more")

    def _is_taken_over(self) -> bool:
        return self._elector is not None and self._elector.lost.is_set()

    def advice(self) -> str:
        """The lines to try, for a person."""
        advice = ADVICE + (LOGS if self._options.control_plane == EMBEDDED else LOG_FILES)
        return advice.format(
            kubeconfig=self._kubeconfig, name=KEY.name, more=self._options.nodes + 1, run_dir=self._cluster.run_dir
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
        command = node_command(env, ip, data_dir, bitcoind, self._cluster.run_dir / PROGRAMS)
        return command if image == NODE_IMAGE else at_version(command, image)

    def _write_kubeconfig(self, run_dir: Path) -> Path:
        path = self._options.kubeconfig_out or run_dir / "kubeconfig"
        try:
            write_kubeconfig(path, self._cluster.access.kubeconfig)
        except OSError as error:
            raise ConfigError(f"cannot write the kubeconfig: {error}") from error
        return path


ADVICE = """
It stays up until Ctrl-C. In another terminal:

  export KUBECONFIG={kubeconfig}
  btcctl status {name}
  btcctl mine {name} 101
  kubectl get bitcoinnetworks,statefulsets,pods,services
  kubectl describe bitcoinnetwork {name}
  kubectl scale bitcoinnetwork {name} --replicas={more}
  kubectl delete pod {name}-sts-1
"""
LOGS = """\
  kubectl logs {name}-sts-0
  kubectl exec {name}-sts-0 -- bitcoin-cli -regtest getblockchaininfo
"""
# kube-apiserver asks a kubelet for them, over a port that ours does not have.
LOG_FILES = """
The nodes' logs: {run_dir}/pods/*/bitcoind/0.log
"""


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
