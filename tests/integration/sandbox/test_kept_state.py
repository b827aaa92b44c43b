"""`btcctl sandbox --state`: what was there comes back, however the sandbox ended."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from btcctl.sandbox.session import KEY
from tests.integration.sandbox.test_command import Sandbox
from tests.integration.support import eventually

pytestmark = pytest.mark.timeout(600)


class KeptSandbox(Sandbox):
    """One run of a sandbox with a state."""

    def __init__(self, home: Path, directory: Path, *args: str) -> None:
        home.mkdir()
        super().__init__(home, f"--state={directory}", "--no-view", *args)
        self.directory = directory

    def btcctl(self, *args: str) -> str:
        command = [sys.executable, "-m", "btcctl", *args, f"--kubeconfig={self.directory / 'kubeconfig'}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def chain(self) -> list[tuple[int, str]]:
        """Height and best block of each node."""
        nodes = json.loads(self.btcctl("status", "my-network", "-o", "json"))["nodes"]
        return [(each["height"], each["best"]) for each in nodes]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def start(tmp_path: Path, directory: Path) -> Iterator[Callable[..., KeptSandbox]]:
    runs: list[KeptSandbox] = []

    def start(*args: str) -> KeptSandbox:
        runs.append(KeptSandbox(tmp_path / f"run{len(runs)}", directory, *args))
        return runs[-1]

    yield start
    for each in runs:
        each.process.kill()
        each.process.wait()


def client_of(directory: Path) -> ApiClient:
    return ApiClient.from_config(load_config(directory / "kubeconfig"), field_manager="test")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_chains_and_objects_come_back(start: Any, directory: Path, number: signal.Signals) -> None:
    first = start()
    first.wait_until_up()
    first.btcctl("mine", "my-network", "7")
    eventually(lambda: len(set(first.chain())) == 1)
    before, kubeconfig = first.chain(), (directory / "kubeconfig").read_text()
    with client_of(directory) as client:
        client.resource(CONFIG_MAPS, "default").create({"metadata": {"name": "mine"}, "data": {"a": "1"}})
        uids = {each.key: each.uid for each in client.resource(PODS).list()[0]}
    first.end(number)

    second = start()
    second.wait_until_up()
    assert (second.chain(), before[0][0]) == (before, 7)
    assert (directory / "kubeconfig").read_text() == kubeconfig
    assert "applied" not in second.output.read_text()
    with client_of(directory) as client:
        assert client.resource(CONFIG_MAPS).get(ObjectKey("default", "mine")).body()["data"] == {"a": "1"}
        pods = client.resource(PODS).list()[0]
        assert {each.key: each.uid for each in pods} == uids
        assert {each.body()["status"]["containerStatuses"][0]["restartCount"] for each in pods} == {1}
    second.btcctl("mine", "my-network", "1")
    assert second.chain()[0][0] == 8
    assert second.end(signal.SIGINT)[0] == 0
    assert second.left_over() == []


def test_a_network_that_was_taken_away_stays_away(start: Any, directory: Path) -> None:
    first = start()
    first.wait_until_up()
    with client_of(directory) as client:
        client.resource(BITCOIN_NETWORKS).delete(KEY)
        eventually(lambda: client.resource(PODS).list()[0] == [])
    first.end(signal.SIGINT)
    second = start()
    second.wait_until_up()
    assert "waiting      0/0 nodes ready" in second.output.read_text()


def test_what_contradicts_it_is_refused_in_one_line(start: Any, directory: Path) -> None:
    first = start("--no-operator")
    first.wait_until_up()
    assert refusal(directory) == (2, f"{directory} is in use by another sandbox, process {first.process.pid}")
    port = first.port
    first.end(signal.SIGINT)
    assert refusal(directory, "--nodes=2")[1].startswith(f"{directory} has its network already: leave --nodes out")
    assert refusal(directory, "--check")[1].endswith("it contradicts --state")
    assert refusal(directory, "--control-plane=real")[1].endswith("it contradicts --control-plane real")
    state = directory / "state.json"
    before = state.read_text()
    state.write_text(before.replace('"simulated nodes"', '"Bitcoin Core"'))
    assert refusal(directory) == (2, f"the chains in {directory} are those of Bitcoin Core: leave --simulated out")
    state.write_text(before)
    with socket.create_server(("127.0.0.1", port)):
        status, said = refusal(directory)
    assert (status, f"port {port}" in said, "kubeconfigs" in said) == (1, True, True)
    (directory / "objects").write_bytes(b"nonsense\n")
    status, said = refusal(directory)
    assert (status, "objects is damaged" in said) == (1, True)
    assert (directory / "objects").read_bytes() == b"nonsense\n"


def refusal(directory: Path, *args: str) -> tuple[int, str]:
    """Exit status and the one line that is said."""
    command = [sys.executable, "-m", "btcctl", "sandbox", "--simulated", "--no-view", f"--state={directory}", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ})
    (line,) = done.stderr.splitlines()
    return done.returncode, re.sub("^btcctl sandbox: ", "", line)
