"""The programs in examples/ run, as a user would run them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.objects import ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, PODS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from tests.integration.support import eventually

ROOT = Path(__file__).parents[2]
NETWORKS = ResourceType("bitcoincontroller.christianb93.github.com", "v1", "bitcoinnetworks", "BitcoinNetwork")
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig that leads to a server of our own."""
    path = tmp_path / "kubeconfig"
    with EmbeddedServer(Api()) as server:
        write_kubeconfig(path, kubeconfig(server.url))
        yield path


@pytest.fixture
def client(config: Path) -> Iterator[ApiClient]:
    with closing(ApiClient.from_config(load_config(config))) as client:
        yield client


def command(example: str, *args: str) -> list[str]:
    return [sys.executable, "-u", str(ROOT / "examples" / example), *args]


def environment(config: Path) -> dict[str, str]:
    return {"KUBECONFIG": str(config), "PATH": "/usr/bin:/bin"}


@contextmanager
def running(config: Path, output: Path, example: str, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("w") as out:
        process = subprocess.Popen(command(example, *args), stdout=out, env=environment(config))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_watch_pods_prints_what_happens_to_pods(config: Path, client: ApiClient, tmp_path: Path) -> None:
    output, pods = tmp_path / "output", client.resource(PODS, "default")
    pods.create(POD)
    with running(config, output, "watch_pods.py", "default") as process:
        eventually(lambda: "there is default/web: Pending\n" in output.read_text())
        pods.patch(ObjectKey("default", "web"), {"status": {"phase": "Running"}}, subresource="status")
        eventually(lambda: "now default/web: Running" in output.read_text())
        pods.delete(ObjectKey("default", "web"), grace_period_seconds=0)
        eventually(lambda: "gone default/web (0 left)\n" in output.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def list_networks(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("list_networks.py"), env=environment(config), capture_output=True, text=True, timeout=60, check=False
    )


def network(name: str, nodes: int) -> dict[str, Any]:
    return {
        "apiVersion": NETWORKS.api_version,
        "kind": NETWORKS.kind,
        "metadata": {"name": name},
        "spec": {"nodes": nodes},
    }


def test_list_networks_prints_networks_and_their_ready_nodes(config: Path, client: ApiClient) -> None:
    definitions = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    definitions.create(yaml.safe_load((ROOT / "manifests" / "crd.yaml").read_text()))
    networks = client.resource(NETWORKS, "default")
    eventually(lambda: networks.create(network("big", 2)))
    node = {"ordinal": 0, "ready": True, "ip": "10.0.0.1", "dnsName": "big-0"}
    networks.patch(ObjectKey("default", "big"), {"status": {"nodes": [node]}}, subresource="status")
    result = list_networks(config)
    assert (result.stdout, result.returncode) == ("default/big: 1 of 2 nodes ready\n  big-0 10.0.0.1\n", 0)


def test_list_networks_says_why_it_cannot(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, kubeconfig("http://127.0.0.1:1"))
    text = (ROOT / "examples" / "list_networks.py").read_text().replace("require_sync(30.0)", "require_sync(0.5)")
    result = subprocess.run(
        [sys.executable, "-c", text], env=environment(path), capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert "bitcoinnetworks.bitcoincontroller.christianb93.github.com (list: " in result.stderr
