"""`btcctl sandbox` as a person runs it: a process, signals, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from btcctl.clock import SYSTEM_CLOCK
from tests.integration.interrupting import INTERRUPTED, interrupted
from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

STOP_SECONDS = 25.0  # it takes 1 to 3 on a quiet machine; what hangs takes a pod's grace of 30
NODE_PROGRAM = "btcctl.sandbox.simnode"


class Sandbox:
    """A running `btcctl sandbox`.

    Args:
        home: For its kubeconfig and its temporary files.
        args: Further arguments.
        output: For what it says; None for a file in `home`.
    """

    def __init__(self, home: Path, *args: str, output: Path | None = None) -> None:
        self.kubeconfig = home / "kubeconfig"
        self.temporary = home / "tmp"
        self.temporary.mkdir()
        command = [
            sys.executable,
            "-m",
            "btcctl",
            "sandbox",
            "--simulated",
            f"--kubeconfig-out={self.kubeconfig}",
            *args,
        ]
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        self.output = output or home / "output"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)

    def wait_until_up(self) -> None:
        eventually(self.is_up, 60)

    def is_up(self) -> bool:
        output = self.output.read_text()
        assert "It stays up until Ctrl-C" in output, output
        return True

    @property
    def port(self) -> int:
        config = yaml.safe_load(self.kubeconfig.read_text())
        port = urlsplit(config["clusters"][0]["cluster"]["server"]).port
        assert port
        return port

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; the exit status and how long it took."""
        began = SYSTEM_CLOCK.now()
        self.process.send_signal(number)
        return self.process.wait(60), SYSTEM_CLOCK.now() - began

    def nodes(self) -> list[str]:
        """Command lines of living node processes and keepers of this sandbox."""
        return [line for _, line in self.processes()]

    def processes(self) -> list[tuple[int, str]]:
        """Their ids and command lines."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.temporary) in line:
                found.append((int(path.parent.name), line))
        return found

    def left_over(self) -> list[str]:
        files = [str(path) for path in self.temporary.iterdir()]
        with socket.socket() as probe:
            listening = [f"port {self.port}"] if probe.connect_ex(("127.0.0.1", self.port)) == 0 else []
        return [*self.nodes(), *files, *listening]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path)
    try:
        sandbox.wait_until_up()
        yield sandbox
    finally:
        sandbox.process.kill()
        sandbox.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_time_and_nothing_is_left(sandbox: Sandbox, number: signal.Signals) -> None:
    assert sum(NODE_PROGRAM in line for line in sandbox.nodes()) == 3
    status, seconds = sandbox.end(number)
    assert (status, seconds < STOP_SECONDS) == (0, True), seconds
    assert sandbox.left_over() == []
    assert "Traceback" not in sandbox.output.read_text()


@pytest.mark.timeout(800)
def test_ctrl_c_at_any_moment_of_the_start_ends_it_with_one_clear_line_and_leaves_nothing(tmp_path: Path) -> None:
    sandboxes: list[Sandbox] = []

    def start(output: Path) -> subprocess.Popen[bytes]:
        home = tmp_path / f"home-{output.name}"
        home.mkdir()
        sandboxes.append(Sandbox(home, output=output))
        return sandboxes[-1].process

    for run in interrupted(start, "It stays up until Ctrl-C", tmp_path, moments=10):
        assert run.is_clear, run
        is_up = "Stopping." in run.said
        assert run.status == 0 if is_up else run.status in INTERRUPTED, run
        last = "Stopping." if is_up else "Interrupted, and cleared away." if run.said else ""
        assert run.said.strip().rpartition("\n")[2] == last, run
        assert (sandboxes[-1].nodes(), [*sandboxes[-1].temporary.iterdir()]) == ([], []), run


def test_a_kill_leaves_nothing_either_but_the_kubeconfig_that_was_asked_for(sandbox: Sandbox) -> None:
    sandbox.end(signal.SIGKILL)
    eventually(lambda: sandbox.left_over() == [])
    assert sandbox.kubeconfig.exists()


@pytest.mark.parametrize("existed", [True, False])
def test_the_kubeconfig_is_for_its_owner_only_whatever_it_was_before(tmp_path: Path, existed: bool) -> None:
    if existed:
        (tmp_path / "kubeconfig").write_text("x" * 100_000)
        (tmp_path / "kubeconfig").chmod(0o644)
    sandbox = Sandbox(tmp_path, "--no-operator")
    try:
        sandbox.wait_until_up()
        assert sandbox.kubeconfig.stat().st_mode & 0o777 == 0o600
        assert yaml.safe_load(sandbox.kubeconfig.read_text())["kind"] == "Config"
    finally:
        sandbox.end(signal.SIGTERM)


def test_a_sandbox_whose_keeper_is_killed_says_so_and_ends(sandbox: Sandbox) -> None:
    (keeper,) = (pid for pid, line in sandbox.processes() if "keeper_process" in line)
    os.kill(keeper, signal.SIGKILL)
    assert sandbox.process.wait(60) == 1
    assert "a part of the cluster died" in sandbox.output.read_text()


def test_the_operator_of_a_sandbox_holds_a_lease_so_that_another_does_not_start_beside_it(sandbox: Sandbox) -> None:
    command = [sys.executable, "-m", "btcctl", "run", "--kubeconfig", str(sandbox.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "it holds lease default/bitcoin-controller" in done.stderr


def test_two_sandboxes_do_not_get_in_each_other_s_way(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    other = Sandbox(tmp_path / "second")
    try:
        other.wait_until_up()
        addresses = [set(re.findall(r"at (127[\d.]+)", each.output.read_text())) for each in (sandbox, other)]
        assert len(addresses[0]) == len(addresses[1]) == 3
        assert not addresses[0] & addresses[1]
    finally:
        other.end(signal.SIGTERM)


@pytest.mark.kubectl
def test_the_story_can_be_told_with_kubectl_alone(sandbox: Sandbox, kubectl: Kubectl) -> None:
    kubectl.kubeconfig.write_text(sandbox.kubeconfig.read_text())
    kubectl("delete", "bitcoinnetwork", "my-network")
    eventually(lambda: kubectl.rows("pods,sts,svc") == [])
    with kubectl.started("get", "bitcoinnetworks", "-w") as watch:
        kubectl("apply", "-f", "tests/integration/data/seeds/testNetwork.yaml")
        assert watch.stdout is not None
        eventually(lambda: watch.stdout and watch.stdout.readline().split()[:3] == ["my-network", "3", "3"])

    edit = kubectl_editor(tmp=sandbox.temporary.parent, substitution="s/nodes: 3/nodes: 4/")
    kubectl("edit", "bitcoinnetwork", "my-network", env={"KUBE_EDITOR": edit})
    kubectl("wait", "bitcoinnetwork/my-network", "--for=jsonpath={.status.readyNodes}=4", "--timeout=60s")
    kubectl("scale", "statefulset", "my-network-sts", "--replicas=6")
    eventually(lambda: kubectl("get", "sts", "my-network-sts", "-o", "jsonpath={.spec.replicas}") == "4")
    eventually(lambda: len(kubectl.rows("pods")) == 4)

    for reason in ("StatefulSetCreated", "ServiceCreated", "NodeJoined", "Scaled"):
        eventually(lambda reason=reason: reason in kubectl("describe", "bitcoinnetwork", "my-network"))
    assert "SIMULATED" in kubectl("logs", "my-network-sts-0")
    kubectl("delete", "bitcoinnetwork", "my-network")
    eventually(lambda: kubectl.rows("pods,sts,svc,controllerrevisions") == [])


def kubectl_editor(tmp: Path, substitution: str) -> str:
    """An editor that makes one substitution."""
    path = tmp / "editor"
    path.write_text(f"#!/bin/sh\nsed -i '{substitution}' \"$1\"\n")
    path.chmod(0o700)
    return str(path)


def test_a_sandbox_says_what_it_is_doing_while_it_comes_up(sandbox: Sandbox) -> None:
    said = sandbox.output.read_text()
    assert re.search(r"API server +https://127\.0\.0\.1:\d+", said)
    assert re.search(r"waiting +3/3 nodes ready", said)
    assert f"export KUBECONFIG={sandbox.kubeconfig}" in said


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["--nodes", "0"], 2, "0 is not between 1 and 50"),
        (["--nodes", "-1"], 2, "-1 is not between 1 and 50"),
        (["--nodes", "1000000000"], 2, "1000000000 is not between 1 and 50"),
        (["--nodes", "1"], 2, "--check needs --nodes 2 or more"),
        (["--nodes", "three"], 2, "'three' is no whole number"),
        (["--with", "/nowhere.yaml"], 2, "cannot read /nowhere.yaml"),
        (["--bitcoind", "/nowhere"], 2, "--bitcoind /nowhere: no such program"),
        (["--bitcoind", "/bin/false"], 2, "no bitcoind that starts here"),
        (["--kubeconfig-out", "/nowhere/kubeconfig"], 2, "cannot write the kubeconfig"),
        (["--frobnicate"], 2, "unrecognized arguments: --frobnicate"),
    ],
)
def test_bad_arguments_are_said_and_never_a_traceback(args: list[str], status: int, message: str) -> None:
    command = [sys.executable, "-m", "btcctl", "sandbox", "--check", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert message in done.stderr


def test_manifests_that_make_no_sense_are_refused_before_anything_starts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [")
    command = [sys.executable, "-m", "btcctl", "sandbox", "--check", "--with", str(broken)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"{broken} is not YAML" in done.stderr
    assert done.stdout == ""
