"""`python -m btcctl.apiserver` as a process: started, killed, restarted, misused."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.interrupting import INTERRUPTED, interrupted
from tests.integration.support import eventually

TIMEOUT_SECONDS = 60


class Server:
    """One server process, ready to serve."""

    def __init__(self, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "btcctl.apiserver", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        announced = self.process.stdout.readline()
        assert announced.startswith("serving at http://"), announced
        self.port = int(announced.rpartition(":")[2])

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def end(self, signal_: signal.Signals) -> int:
        self.process.send_signal(signal_)
        return self.process.wait(TIMEOUT_SECONDS)


@contextmanager
def serving(*args: str) -> Iterator[Server]:
    server = Server(*args)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "btcctl.apiserver", *args],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_server_killed_in_mid_stream_has_lost_nothing_acknowledged(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    acknowledged: list[str] = []
    with serving("--data", data) as server, ExitStack() as stack:
        watch = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
        stack.callback(watch.close)
        watch.request("GET", f"{CONFIG_MAPS}?watch=1&resourceVersion=0")
        stream = stack.enter_context(watch.getresponse())
        writer = threading.Thread(target=write_until_it_fails, args=(server, acknowledged))
        writer.start()
        for _ in range(50):
            assert json.loads(stream.readline())["type"] == "ADDED"
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        writer.join(TIMEOUT_SECONDS)
    with serving("--data", data) as server:
        _, listed = server.call("GET", CONFIG_MAPS)
        names = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]}
        assert len(acknowledged) >= 49  # the last event may overtake its answer
        assert set(acknowledged) <= set(names)
        _, created = server.call("POST", CONFIG_MAPS, config_map("after"))
        assert int(created["metadata"]["resourceVersion"]) > max(map(int, names.values()))


def write_until_it_fails(server: Server, acknowledged: list[str]) -> None:
    for number in range(100_000):
        try:
            status, created = server.call("POST", CONFIG_MAPS, config_map(f"c{number}"))
        except (OSError, http.client.HTTPException):
            return
        assert status == 201
        acknowledged.append(created["metadata"]["name"])


def test_custom_kinds_are_served_again_after_a_restart(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    names = {"plural": "nets", "singular": "net", "kind": "Net"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {"group": "example.org", "scope": "Namespaced", "names": names, "versions": [version]}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "nets.example.org"},
        "spec": spec,
    }
    path = "/apis/example.org/v1/namespaces/default/nets"
    net = {"apiVersion": "example.org/v1", "kind": "Net", "metadata": {"name": "a"}}
    with serving("--data", data) as server:
        server.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        assert eventually(lambda: server.call("POST", path, net))[0] == 201
        assert server.end(signal.SIGTERM) == 0
    with serving("--data", data) as server:
        assert server.call("GET", f"{path}/a")[1]["metadata"]["name"] == "a"


def test_an_old_version_cannot_be_watched_from_after_a_restart(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data) as server:
        _, first = server.call("POST", CONFIG_MAPS, config_map("a"))
        server.call("POST", CONFIG_MAPS, config_map("b"))
        server.end(signal.SIGKILL)
    with serving("--data", data) as server:
        version = first["metadata"]["resourceVersion"]
        _, event = server.call("GET", f"{CONFIG_MAPS}?watch=1&resourceVersion={version}")
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_watches_open(signal_: signal.Signals) -> None:
    with serving() as server, ExitStack() as stack:
        watch = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
        stack.callback(watch.close)
        watch.request("GET", "/api/v1/pods?watch=1")
        stream = stack.enter_context(watch.getresponse())
        assert server.end(signal_) == 0
        assert stream.read() == b""  # http.client would raise if the last chunk were missing


def test_ctrl_c_at_any_moment_of_the_start_ends_it_without_a_traceback(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def start(output: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "btcctl.apiserver", "--data", str(data)]
        with output.open("w") as file:
            return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)

    for run_ in interrupted(start, "serving at", tmp_path):
        assert run_.is_clear, run_
        assert run_.status == 0 if "serving at" in run_.said else run_.status in INTERRUPTED, run_
    with serving("--data", str(data)) as server:  # which nothing holds any more
        assert server.call("GET", CONFIG_MAPS)[0] == 200


def test_the_kubeconfig_is_there_before_it_serves(tmp_path: Path) -> None:
    path, tokens = tmp_path / "config", tmp_path / "tokens"
    tokens.write_text("first\nsecond,alice\n")
    with serving("--kubeconfig-out", str(path), "--token-file", str(tokens)) as server:
        config = yaml.safe_load(path.read_text())
        assert config["clusters"][0]["cluster"]["server"] == f"http://127.0.0.1:{server.port}"
        assert config["users"][0]["user"]["token"] == "first"
        assert [server.call("GET", "/api", token=token)[0] for token in ("first", "second", "", "x")] == [
            200, 200, 403, 401,
        ]  # fmt: skip


def test_help_says_what_it_is_and_how_to_use_it() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "never for production" in done.stdout
    assert "example:" in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--port", "70000"], "no port"),
        (["--port", "x"], "no port"),
        (["--nonsense"], "unrecognized arguments"),
        (["--host", "0.0.0.0"], "not a loopback address"),  # noqa: S104
        (["--token-file", "/nonexistent"], "No such file"),
        (["--token-file", "/dev/null"], "there must be one"),
        (["--tls-cert", "/dev/null"], "go together"),
        (["--tls-cert", "/dev/null", "--tls-key", "/dev/null"], "--tls-cert /dev/null"),
    ],
)
def test_bad_usage_exits_2_and_says_why(args: list[str], said: str) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_exits_1_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"btcctl.apiserver: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_a_damaged_data_file_exits_1_and_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("not mine\n")
    done = run("--data", str(data))
    assert done.returncode == 1
    assert f"data file {data} is damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert data.read_text() == "not mine\n"


@pytest.mark.parametrize("flag", ["--data", "--kubeconfig-out"])
def test_a_file_in_a_missing_folder_exits_1(tmp_path: Path, flag: str) -> None:
    done = run(flag, str(tmp_path / "no" / "file"))
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_servers_cannot_share_a_data_file(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data):
        done = run("--data", data)
    assert done.returncode == 1
    assert "in use by another server" in done.stderr


def test_with_rbac_users_may_do_what_roles_allow_and_groups_come_with_tokens(tmp_path: Path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-admin\na-alice,alice\na-bob,bob,crew\n")
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "Group", "name": "crew", "apiGroup": group}
    reference = {"kind": "ClusterRole", "name": "view", "apiGroup": group}
    binding = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}
    with serving("--token-file", str(tokens), "--authorization", "rbac") as server:
        path = f"/apis/{group}/v1/namespaces/default/rolebindings"
        assert server.call("POST", path, binding, "a-admin")[0] == 201
        assert server.call("GET", CONFIG_MAPS, token="a-bob")[0] == 200
        status, refused = server.call("GET", CONFIG_MAPS, token="a-alice")
        assert (status, 'User "alice" cannot list resource "configmaps"' in refused["message"]) == (403, True)


def test_a_service_accounts_token_is_let_in_beside_those_of_the_file(tmp_path: Path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-admin\n")
    with serving("--token-file", str(tokens), "--authorization", "rbac") as server:
        path = "/api/v1/namespaces/default/serviceaccounts/default/token"
        made = server.call("POST", path, {"spec": {"expirationSeconds": 600}}, "a-admin")[1]["status"]["token"]
        review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
        who = server.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review, made)[1]
        assert who["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"
        assert server.call("GET", CONFIG_MAPS, token=made)[0] == 403
        assert server.call("GET", CONFIG_MAPS, token=f"{made}x")[0] == 401
