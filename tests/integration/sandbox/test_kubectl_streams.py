"""The real kubectl at the pods of a sandbox: logs -f, exec, port-forward."""

from __future__ import annotations

import http.client
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.objects import ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.sandbox.cluster.cluster import Cluster
from tests.integration.kubectl import Kubectl
from tests.integration.sandbox.web import PORT, web_command, web_set
from tests.integration.support import eventually

pytestmark = pytest.mark.kubectl

PYTHON = sys.executable


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(new_run_directory(tmp_path), web_command) as cluster:
        yield cluster


@pytest.fixture
def k(cluster: Cluster, kubectl: Kubectl) -> Kubectl:
    """With one pod, web-0, that is ready."""
    write_kubeconfig(kubectl.kubeconfig, cluster.access.kubeconfig)
    env = [{"name": "GREETING", "value": "hello"}]
    cluster.client().resource(STATEFUL_SETS, "default").create(web_set("web", 1, env=env))
    kubectl("wait", "pod/web-0", "--for=create", "--timeout=60s")
    kubectl("wait", "pod/web-0", "--for=condition=Ready", "--timeout=60s")
    return kubectl


def test_a_command_runs_with_the_pod_s_environment_in_its_directory(k: Kubectl, cluster: Cluster) -> None:
    done = k.run("exec", "web-0", "--", "/bin/sh", "-c", "echo $GREETING; pwd; echo oops >&2")
    assert done.stdout.splitlines()[0] == "hello"
    assert Path(done.stdout.splitlines()[1]).is_relative_to(cluster.run_dir)
    assert done.stderr.splitlines()[-1] == "oops"


def test_a_command_reads_what_is_sent_and_then_the_end(k: Kubectl) -> None:
    much = "0123456789abcde\n" * 100_000
    assert k("exec", "-i", "web-0", "--", "/bin/cat", stdin=much) == much


def test_a_command_without_input_finds_its_end(k: Kubectl) -> None:
    assert k("exec", "web-0", "--", "/bin/cat", stdin="for nobody") == ""


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_exit_code_is_the_command_s(k: Kubectl, script: str, code: int) -> None:
    done = k.run("exec", "web-0", "--", "/bin/sh", "-c", script)
    assert done.returncode == code
    assert (f"exit code {code}" in done.stderr) == bool(code)


def test_a_program_that_does_not_exist_is_exit_code_127(k: Kubectl) -> None:
    done = k.run("exec", "web-0", "--", "nonesuch")
    assert done.returncode == 127
    assert "cannot start nonesuch" in done.stderr


def test_a_client_that_leaves_takes_its_command_along(k: Kubectl, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with k.started("exec", "web-0", "--", "/bin/sh", "-c", f"echo $$ > {pid_file}; sleep 600 & wait"):
        eventually(lambda: pid_file.exists() and pid_file.read_text())
        pid = pid_file.read_text().strip()
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def test_a_command_has_a_terminal_if_wanted(k: Kubectl) -> None:
    with k.on_a_terminal("exec", "-it", "web-0", "--", "/bin/sh") as keyboard:
        keyboard.write(b"tty; echo $((6 * 7))\n")
        keyboard.wait_for(b"/dev/pts/")
        keyboard.wait_for(b"42")
        keyboard.write(b"exit 3\n")
        keyboard.wait_for(b"exit code 3")


def test_exec_where_nothing_runs_says_so(k: Kubectl, cluster: Cluster) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "idle", "namespace": "default"}}
    spec = {"nodeName": "elsewhere", "containers": [{"name": "c", "image": "web"}]}
    cluster.client().resource(PODS).create({**pod, "spec": spec})
    assert "container c of pod idle does not run" in k.run("exec", "idle", "--", "true").stderr
    assert "container d is not valid" in k.run("exec", "web-0", "-c", "d", "--", "true").stderr
    assert 'pods "none" not found' in k.run("exec", "none", "--", "true").stderr


def test_ports_are_forwarded(k: Kubectl) -> None:
    with k.started("port-forward", "web-0", f":{PORT}") as forward:
        port = forwarded_port(forward.stdout)
        for _ in range(3):
            assert get("127.0.0.1", port) == b"hello"
        assert forward.poll() is None


def test_several_connections_are_forwarded_at_once(k: Kubectl) -> None:
    with k.started("port-forward", "web-0", f":{PORT}") as forward:
        port = forwarded_port(forward.stdout)
        idle = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(5)]
        assert get("127.0.0.1", port) == b"hello"
        for each in idle:
            each.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert each.makefile("rb").read().endswith(b"hello")
            each.close()


def test_a_port_that_nobody_listens_on_is_named(k: Kubectl) -> None:
    with k.started("port-forward", "web-0", ":9") as forward:
        port = forwarded_port(forward.stdout)
        with pytest.raises((http.client.HTTPException, OSError)):
            get("127.0.0.1", port)
        said = iter(forward.stdout.readline, "")  # type: ignore[union-attr]
        assert any("port 9: Connection refused" in line for line in said)


def test_logs_are_followed(k: Kubectl, cluster: Cluster) -> None:
    with k.started("logs", "-f", "web-0") as logs:
        assert logs.stdout is not None
        assert logs.stdout.readline().startswith("started as")
        get(cluster.pod_address(ObjectKey("default", "web-0")) or "", PORT, "/marked")
        eventually(lambda: "GET /marked" in logs.stdout.readline())


def test_followed_logs_end_with_the_pod(k: Kubectl) -> None:
    with k.started("logs", "-f", "--tail=1", "web-0") as logs:
        assert logs.stdout is not None
        assert logs.stdout.readline()
        k("delete", "sts", "web", "--wait=false")
        assert logs.wait(60) == 0


def test_the_cluster_stops_in_time_with_all_of_them_open(k: Kubectl, cluster: Cluster) -> None:
    with (
        k.started("exec", "web-0", "--", "/bin/sleep", "600"),
        k.started("logs", "-f", "web-0"),
        k.started("port-forward", "web-0", f":{PORT}") as forward,
    ):
        port = forwarded_port(forward.stdout)
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            cluster.stop()


def forwarded_port(output: object) -> int:
    assert hasattr(output, "readline")
    found = re.search(r":(\d+) ->", output.readline())
    assert found
    return int(found[1])


def get(address: str, port: int, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection(address, port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
