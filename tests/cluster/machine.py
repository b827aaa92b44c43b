"""The machine that the cluster's one node is: where containers are killed and packets dropped.

BTCCTL_TEST_MACHINE is what a command line is put behind to run there, as root, beside containerd: `nsenter …` or
`docker exec -i NAME`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SECONDS = 60.0
_CTR = ("ctr", "-n", "k8s.io")


@dataclass(frozen=True)
class Machine:
    """Args: shell: What goes before each command line."""

    shell: tuple[str, ...]

    def run(self, *argv: str) -> str:
        done = subprocess.run([*self.shell, *argv], capture_output=True, text=True, check=False, timeout=_SECONDS)
        assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def kill_container(self, namespace: str, pod: str) -> None:
        """What runs in it, as the kernel does when memory is short."""
        self._kill(namespace, pod, "container")

    def kill_sandbox(self, namespace: str, pod: str) -> None:
        """What holds the pod's network."""
        self._kill(namespace, pod, "sandbox")

    def _kill(self, namespace: str, pod: str, kind: str) -> None:
        labels = {
            "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.name": pod,
            "io.cri-containerd.kind": kind,
        }
        wanted = ",".join(f'labels."{name}"=={value}' for name, value in labels.items())
        ids = self.run(*_CTR, "containers", "ls", "-q", wanted).split()
        running = {line.split()[0] for line in self.run(*_CTR, "tasks", "ls").splitlines() if "RUNNING" in line}
        found = [each for each in ids if each in running]
        assert found, f"nothing of {namespace}/{pod} runs: {ids}"
        for each in found:
            self.run(*_CTR, "tasks", "kill", "-s", "SIGKILL", each)

    @contextmanager
    def frozen(self, program: str) -> Iterator[None]:
        """A program of the node's that stands still meanwhile."""
        pids = self.run("pgrep", "-x", program).split()
        self.run("kill", "-STOP", *pids)
        try:
            yield
        finally:
            self.run("kill", "-CONT", *pids)

    @contextmanager
    def black_hole(self, address: str, port: int) -> Iterator[None]:
        """Packets to that port of a pod vanish: nobody is told."""
        table = f"hole-{address.replace('.', '-')}"
        self.run("nft", "add", "table", "ip", table)
        try:
            chain = "{ type filter hook forward priority 0; }"
            self.run("nft", "add", "chain", "ip", table, "forward", chain)
            rule = ("ip", "daddr", address, "tcp", "dport", str(port), "drop")
            self.run("nft", "add", "rule", "ip", table, "forward", *rule)
            yield
        finally:
            self.run("nft", "delete", "table", "ip", table)
