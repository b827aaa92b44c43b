"""A node as a test sees it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.errors import ApiError, TransportError
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.secret import ENVIRON
from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions, find_binaries
from btcctl.testing.control_plane.errors import ControlPlaneError
from btcctl.testing.control_plane.process import Program
from btcctl.testing.node import configs, volumes_process
from btcctl.testing.node.configs import Place
from btcctl.testing.node.dump import dump
from btcctl.testing.node.namespace_process import CLAIMS
from btcctl.testing.node.namespaces import DATA, Namespaces
from btcctl.testing.node.networks import IPV4, families
from btcctl.testing.node.pause import write_pause_image
from btcctl.testing.node.programs import DNS, KUBELET, PROXY, SCHEDULER, NodePrograms, find_node_programs

STORAGE_CLASS = "standard"
START_SECONDS = 120.0
COMMAND_SECONDS = 120.0
_POLL_SECONDS = 0.1
_NODES = ResourceType("", "v1", "nodes", "Node", namespaced=False)
_CLASSES = ResourceType("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)
_HIDDEN = ("/var", "/run")  # which are others inside


ALL_CONTROLLERS = ControlPlaneOptions(controllers=("*",))


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """What may be chosen; every default is good.

    Attributes:
        name: Of the node.
        images: Archives, as `docker save` or `buildah push docker-archive:` write them, that pods may run.
        ip_families: `IPv4`, `IPv6` or both, the first one first.
        kubelet: More of its configuration (KubeletConfiguration v1beta1); wins.
        control_plane: More of the control plane. All controllers run, unless some are named.
        programs: The node's; looked for if None.
        start_seconds: How long the start may take.
    """

    name: str = "node-1"
    images: Sequence[Path] = ()
    ip_families: Sequence[str] = (IPV4,)
    kubelet: Mapping[str, Any] = field(default_factory=dict)
    control_plane: ControlPlaneOptions = ALL_CONTROLLERS
    programs: NodePrograms | None = None
    start_seconds: float = START_SECONDS


class Node:
    """A cluster of one real node: pods run, Services and names lead to them, claims are bound.

    Everything is in namespaces of its own: mounts, network, process ids. A context manager; starts once. Needs Linux
    and root. Nothing is left after `stop`, nor after this process has died in any way.

    Args:
        options: What may be chosen.
        environ: Where programs are looked up.
        clock: Measures waiting.

    Raises:
        ValueError: Impossible IP families.
    """

    def __init__(
        self,
        options: NodeOptions = NodeOptions(),
        *,
        environ: Mapping[str, str] = ENVIRON,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._options = options
        self._families = families(options.ip_families)
        self._environ = environ
        self._clock = clock
        self._namespaces: Namespaces | None = None
        self._control_plane: ControlPlane | None = None
        self._programs: dict[str, Program] = {}
        self._place: Place | None = None
        self._client: ApiClient | None = None

    def start(self) -> None:
        """Start everything, and wait until the node is Ready and has its images.

        Raises:
            BinariesMissing: A program was not found; names all that are missing.
            ControlPlaneError: It does not come up; carries what the program said.
        """
        tools = self._options.programs or find_node_programs(self._environ)
        binaries = self._options.control_plane.binaries or find_binaries(self._environ)
        folder = new_run_directory()
        if str(folder.resolve()).startswith(tuple(f"{each}/" for each in _HIDDEN)):
            raise ControlPlaneError(
                f"{folder} would be hidden from the node: set TMPDIR to a folder beside /var and /run"
            )
        self._namespaces = Namespaces(folder, self._options.name, self._families)
        options = replace(self._control_plane_options(), binaries=binaries)
        self._control_plane = ControlPlane(
            options, environ=self._environ, clock=self._clock, surroundings=self._namespaces
        )
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self.stop)
            self._control_plane.start()
            self._start_runtime(tools)
            self._start_rest(tools)
            for archive in self._options.images:
                self.import_image(archive)
            self._wait_for(KUBELET, self.is_ready, "the node is not Ready")
            if_it_fails.pop_all()

    def stop(self) -> None:
        """End everything at once, and remove all of it. Idempotent."""
        if self._control_plane is not None:
            self._control_plane.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def control_plane(self) -> ControlPlane:
        """Whose API server can be restarted, frozen and killed; its URL leads there from inside and outside."""
        if self._control_plane is None:
            raise ControlPlaneError("the node is not started")
        return self._control_plane

    def client(self, **options: Any) -> ApiClient:
        """An admin's. Closed by `stop` at the latest."""
        return self.control_plane.client(**options)

    @property
    def name(self) -> str:
        """Of the Node object."""
        return self._options.name

    @property
    def addresses(self) -> list[str]:
        """The node's, inside; by IP family."""
        return [each.node for each in self._families]

    @property
    def shell(self) -> list[str]:
        """What a command line is put behind, to run on the node: as its root, beside its programs, in its network."""
        return self._here().shell

    def run(self, *argv: str, stdin: str = "", timeout: float = COMMAND_SECONDS) -> str:
        """Run a program on the node, for example `ctr`, `nft` or `ip`, and return what it printed.

        Args:
            timeout: Seconds that it may take.

        Raises:
            ControlPlaneError: It failed, or took longer; carries what it printed.
        """
        try:
            done = subprocess.run(  # noqa: S603
                [*self.shell, *argv], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ControlPlaneError(f"{argv[0]} on the node: {error}") from error
        if done.returncode:
            raise ControlPlaneError(f"{' '.join(argv)} on the node: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def import_image(self, archive: Path) -> None:
        """Have an image for pods, under the name that the archive says.

        Raises:
            ControlPlaneError: It is none.
        """
        self.run("ctr", "-n", "k8s.io", "images", "import", str(archive.resolve()))

    def is_ready(self) -> bool:
        """Whether pods are started, as the API server knows it."""
        try:
            nodes, _ = self._admin().resource(_NODES).list()
        except (ApiError, TransportError):
            return False
        conditions = [each for node in nodes for each in node.body().get("status", {}).get("conditions") or ()]
        return [each["status"] for each in conditions if each["type"] == "Ready"] == ["True"]

    def program(self, name: str) -> Program:
        """containerd, kubelet, kube-proxy, kube-scheduler or coredns: can be frozen, sent signals, started again.

        Raises:
            ControlPlaneError: There is none of that name.
        """
        if name not in self._programs:
            raise ControlPlaneError(f"no {name} on the node, but {', '.join(self._programs)}")
        return self._programs[name]

    def freeze_kubelet(self) -> None:
        """SIGSTOP: pods run on, nobody looks after them, and after a while the node counts as not Ready."""
        self.program(KUBELET).freeze()

    def resume_kubelet(self) -> None:
        """Let it run on."""
        self.program(KUBELET).send(signal.SIGCONT)

    def restart_kubelet(self) -> None:
        """End it and start it again: pods run on, and it remembers no token that it has fetched for them."""
        self.program(KUBELET).end(signal.SIGKILL)
        self.program(KUBELET).start()

    def limit_addresses(self, first: str, last: str) -> None:
        """From now on give pods addresses from `first` to `last` only, of the first IP family: they soon come again."""
        assert self._place is not None  # noqa: S101
        configs.write_network(self._place, {"rangeStart": first, "rangeEnd": last})

    def dump(self, folder: Path) -> None:
        """Write objects, events and all logs into a folder; no Secrets."""
        binaries = self._options.control_plane.binaries or find_binaries(self._environ)
        inside = self._here().proc().parent
        plane = self.control_plane
        dump(folder, binaries.kubectl, plane.kubeconfig(), plane.directory, inside / "var/log/pods")

    def _admin(self) -> ApiClient:
        if self._client is None:
            self._client = self.client()
        return self._client

    def _here(self) -> Namespaces:
        if self._namespaces is None:
            raise ControlPlaneError("the node is not started")
        return self._namespaces

    def _control_plane_options(self) -> ControlPlaneOptions:
        options, first = self._options.control_plane, self._families[0]
        everywhere = next((each.everywhere for each in self._families if ":" in each.node), first.everywhere)
        return replace(
            options,
            api_server_flags=[
                f"--bind-address={everywhere}",
                f"--advertise-address={first.node}",
                "--endpoint-reconciler-type=lease",
                f"--service-cluster-ip-range={','.join(each.services for each in self._families)}",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                "--kubelet-preferred-address-types=InternalIP",
                *options.api_server_flags,
            ],
            controller_manager_flags=["--enable-hostpath-provisioner", *options.controller_manager_flags],
        )

    def _start_runtime(self, tools: NodePrograms) -> None:
        plane, namespaces = self.control_plane, self._here()
        authority = plane.directory / "ca.crt"
        self._place = Place(self.name, plane.directory / "node", DATA, namespaces.cgroup, authority, self._families)
        configs.write_network(self._place)
        self._start("containerd", configs.containerd_command(tools, self._place))
        self._wait_for("containerd", self._runtime_answers, "containerd does not answer")
        pause = self._place.files / "pause.tar"
        write_pause_image(tools.pause, pause)
        self.import_image(pause)

    def _start_rest(self, tools: NodePrograms) -> None:
        assert self._place is not None  # noqa: S101
        place, plane = self._place, self.control_plane
        node = plane.kubeconfig(f"system:node:{self.name}", ["system:nodes"])
        kubelet = configs.kubelet_command(tools, place, node, self._options.kubelet, dns=tools.dns is not None)
        self._start(KUBELET, kubelet)
        self._start(SCHEDULER, configs.scheduler_command(tools, plane.kubeconfig("system:kube-scheduler", [])))
        self._start(PROXY, configs.proxy_command(tools, place, plane.kubeconfig("system:kube-proxy", [])))
        if tools.dns is not None:
            self._start(DNS, configs.dns_command(tools.dns, place, plane.kubeconfig()))
        self._start("volumes", [sys.executable, "-S", "-I", volumes_process.__file__, str(CLAIMS)])
        self._admin().resource(_CLASSES).create(_STORAGE)

    def _start(self, name: str, argv: Sequence[str]) -> None:
        self._programs[name] = self.control_plane.program(name, argv)
        self._programs[name].start()

    def _runtime_answers(self) -> bool:
        try:
            self.run("ctr", "version")
        except ControlPlaneError:
            return False
        return True

    def _wait_for(self, name: str, probe: Callable[[], bool], problem: str) -> None:
        program = self._programs[name]
        deadline = self._clock.now() + self._options.start_seconds
        while not probe():
            if program.pid is None:
                raise ControlPlaneError(f"{name} ended with {program.exit_code}:\n{program.log_tail()}")
            if self._clock.now() > deadline:
                raise ControlPlaneError(f"{problem} after {self._options.start_seconds} s:\n{program.log_tail()}")
            sleep(_POLL_SECONDS, self._clock)


#: What claims get that name no class: a folder on the node, made by the controller manager.
_STORAGE = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": STORAGE_CLASS,
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/host-path",
    "reclaimPolicy": "Delete",
}
