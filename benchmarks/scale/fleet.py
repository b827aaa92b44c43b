"""An API server, the hosts of all nodes, and the operator, each a process of its own; and what is seen of them."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from benchmarks.runner import Process, cpu_seconds, memory_mib
from benchmarks.scale.nodes import PASSWORD, USER
from btcctl import ApiClient, HandlerFuncs, Object, ObjectKey, SharedInformerFactory, load_config
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS, decode_status
from btcctl.errors import BtcctlError
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, SECRETS, STATEFUL_SETS

NAMESPACE = "default"
SECRET = "bench"  # noqa: S105 - a name
LIMIT_SECONDS = 900.0
WRITERS = 4
_WRITES = re.compile(r"^bench_writes (\S+)", re.MULTILINE)


class Operator:
    """The operator's process, watched from outside."""

    def __init__(self, kubeconfig: Path, rpc_port: int, poll: float, faster: float, log: IO[bytes]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._metrics_port = free.getsockname()[1]
        argv = [sys.executable, "-m", "benchmarks.scale.controller", str(kubeconfig), str(rpc_port)]
        argv += [str(self._metrics_port), str(poll), str(faster)]
        self.started_at = time.monotonic()
        self._log = log
        self._process = subprocess.Popen(argv, stdout=log, stderr=log)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cpu(self) -> float:
        return cpu_seconds(self._process.pid)

    def rss_mib(self) -> float:
        return memory_mib(self._process.pid, "VmRSS")

    def writes(self) -> int:
        """Requests to the API server that were no reads, since its start; an Event is one."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found = _WRITES.search(text)
        assert found is not None
        return int(float(found.group(1)))

    def written(self, count: int) -> list[str]:
        """The lines of the last writes."""
        return [line for line in Path(self._log.name).read_text().splitlines() if "wrote " in line][-count:]

    def require_alive(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the operator has ended with {self._process.returncode}")


class Fleet:
    """Networks of one size, and all that they need but the operator."""

    def __init__(self, directory: Path, networks: int, nodes: int, parts: ExitStack) -> None:
        self.networks, self.nodes = networks, nodes
        self.log = parts.enter_context((directory / "operator.log").open("ab"))
        self._kubeconfig = directory / "kubeconfig"
        server = subprocess.Popen(
            [sys.executable, "-m", "btcctl.apiserver", "--kubeconfig-out", self._kubeconfig, "--log-level", "error"],
            stdout=subprocess.DEVNULL,
        )
        parts.callback(server.wait)
        parts.callback(server.kill)
        self.client = self._connect()
        self._prepare()
        self.names = [f"n-{number:04d}" for number in range(networks)]
        self._hosts = Process(
            [sys.executable, "-m", "benchmarks.scale.hosts", str(self._kubeconfig)], {}, LIMIT_SECONDS
        )
        parts.callback(self._hosts.end)
        (self._rpc_port,) = self._hosts.expect("port")
        self.ready: set[str] = set()
        self.scaled: dict[tuple[str, int], float] = {}  #: (network, replicas) to when its StatefulSet first said so
        self._watch(parts)

    def _connect(self) -> ApiClient:
        end = time.monotonic() + 30.0
        while True:
            try:
                client = ApiClient.from_config(load_config(environ={"KUBECONFIG": str(self._kubeconfig)}))
                client.server_version()
            except (BtcctlError, OSError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return client

    def _prepare(self) -> None:
        self.client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(load_crd())
        self._networks = self.client.resource(BITCOIN_NETWORKS, NAMESPACE)
        data = {"BC_RPC_USER": USER, "BC_RPC_PASSWORD": PASSWORD}
        encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = {"name": SECRET, "namespace": NAMESPACE}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}
        self.client.resource(SECRETS, NAMESPACE).create(secret)
        self.wait_until(self._is_served, "the definition")

    def _is_served(self) -> bool:
        try:
            self._networks.list()
        except BtcctlError:
            return False
        return True

    def _watch(self, parts: ExitStack) -> None:
        factory = SharedInformerFactory(self.client, namespace=NAMESPACE)
        for type_, see in ((BITCOIN_NETWORKS, self._see_network), (STATEFUL_SETS, self._see_set)):
            handler = HandlerFuncs(on_add=lambda obj, _, see=see: see(obj), on_update=lambda _, obj, see=see: see(obj))
            factory.informer(type_).add_handler(handler)
        factory.start()
        parts.callback(factory.stop)
        factory.require_sync(30.0)

    def fill(self) -> None:
        """Make all networks."""
        body = {"apiVersion": BITCOIN_NETWORKS.api_version, "kind": BITCOIN_NETWORKS.kind}
        spec = {"nodes": self.nodes, "secret": SECRET}

        def create(name: str) -> None:
            self._networks.create({**body, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(create, self.names))

    @contextmanager
    def operator(self, poll: float, faster: float = 1.0) -> Iterator[Operator]:
        operator = Operator(self._kubeconfig, self._rpc_port, poll, faster, self.log)
        try:
            yield operator
        finally:
            operator.stop()

    def scale(self, name: str, nodes: int) -> float:
        """Returns: when it was asked for."""
        at = time.monotonic()
        self._networks.patch(ObjectKey(NAMESPACE, name), {"spec": {"nodes": nodes}})
        return at

    def asked(self) -> tuple[int, int, int]:
        """How many nodes were asked since `forget_asked`; all reads and all writes by RPC."""
        self._hosts.tell("asked")
        nodes, reads, writes = self._hosts.expect("asked")
        return nodes, reads, writes

    def forget_asked(self) -> None:
        self._hosts.tell("forget")
        self._hosts.expect("asked")

    def version(self) -> str:
        """Changes with everything that is written."""
        return self._networks.list()[1]

    def are_ready(self) -> bool:
        return len(self.ready) == self.networks

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = LIMIT_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not after {seconds:.0f} s")
            time.sleep(0.05)

    def _see_network(self, obj: Object) -> None:
        status = decode_status(obj)
        ready = status.condition("Ready")
        if ready is not None and ready.is_true and status.observed_generation == obj.generation:
            self.ready.add(obj.name)
        else:
            self.ready.discard(obj.name)

    def _see_set(self, obj: Object) -> None:
        self.scaled.setdefault((obj.name.removesuffix("-sts"), obj.body()["spec"]["replicas"]), time.monotonic())


@contextmanager
def fleet(networks: int, nodes: int) -> Iterator[Fleet]:
    """Filled with networks, as yet without an operator."""
    with tempfile.TemporaryDirectory(prefix="btcctl-bench-") as directory, ExitStack() as parts:
        made = Fleet(Path(directory), networks, nodes, parts)
        made.fill()
        yield made


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
