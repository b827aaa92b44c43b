"""`btcctl.run`: a program of an author's, on both API servers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from btcctl import CUSTOM_RESOURCE_DEFINITIONS, LEASES, ApiClient, ClientConfig, ObjectKey, crd_for
from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.cli.author.running import main
from btcctl.rest.served import wait_until_served
from btcctl.testing.control_plane.ports import free_ports
from tests.unit.app.greeter import ConfigMap, Greeting, build, greeting

ROOT = Path(__file__).parents[3]


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.integration.app.program", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_program_works_leads_serves_and_ends_when_asked(lasting_api_server: Any, tmp_path: Path):
    server, namespace = lasting_api_server, lasting_api_server.namespace
    client = server.client()
    definitions = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    crd = definitions.create(crd_for(Greeting))
    wait_until_served(client, crd.body()["spec"])
    [port] = free_ports(1)
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(yaml.safe_dump(server.access().kubeconfig))
    kubeconfig.chmod(0o600)
    try:
        arguments = ["--kubeconfig", str(kubeconfig), "-n", namespace, "--metrics-bind-address", f"127.0.0.1:{port}"]
        arguments += ["--leader-elect", "--leader-elect-resource-namespace", namespace]
        with running(*arguments) as process:
            client.resource(Greeting).create(greeting("a", namespace))
            key = ObjectKey(namespace, "a")
            found = client.resource(ConfigMap).wait_until(key, lambda obj: obj is not None, timeout=60.0)
            assert found is not None
            assert found.data == {"text": "Hello, Ada!"}
            metrics = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics").data.decode()
            assert "controller_runtime_reconcile_total" in metrics
            assert urllib3.request("GET", f"http://127.0.0.1:{port}/readyz").status == 200
            assert client.resource(LEASES).get(ObjectKey(namespace, "greeter")).body()["spec"]["holderIdentity"]
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            assert not client.resource(LEASES).get(ObjectKey(namespace, "greeter")).body()["spec"].get("holderIdentity")
    finally:
        definitions.delete(crd.key)


def test_the_program_looks_after_several_clusters_one_of_which_is_away(tmp_path: Path):
    with EmbeddedServer(Api()) as east, EmbeddedServer(Api()) as west, ExitStack() as clients:
        servers = {name: each.url for name, each in (("east", east), ("west", west))}
        opened = {
            name: clients.enter_context(ApiClient.from_config(ClientConfig(url))) for name, url in servers.items()
        }
        for client in opened.values():
            client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(crd_for(Greeting))
        port, nowhere = free_ports(2)
        home = kubeconfig_of(tmp_path / "home", {"home": east.url})
        several = kubeconfig_of(tmp_path / "clusters", servers | {"away": f"http://127.0.0.1:{nowhere}"})
        arguments = ["--kubeconfig", home, "--clusters", several, "--metrics-bind-address", f"127.0.0.1:{port}"]
        with running(*arguments, "--leader-elect") as process:
            for name, client in opened.items():
                client.resource(Greeting).create(greeting(name))
                found = client.resource(ConfigMap).wait_until(ObjectKey("default", name), bool, timeout=60.0)
                assert found is not None
            ready = urllib3.request("GET", f"http://127.0.0.1:{port}/readyz")
            assert ready.status == 500
            assert "[-]cluster-away failed: away:" in ready.data.decode()
            assert "[+]cluster-west ok" in ready.data.decode()
            assert urllib3.request("GET", f"http://127.0.0.1:{port}/readyz?exclude=cluster-away").status == 200
            assert opened["east"].resource(LEASES).get(ObjectKey("default", "greeter"))
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors


def kubeconfig_of(path: Path, servers: dict[str, str]) -> str:
    """One context for each."""
    contexts = [{"name": name, "context": {"cluster": name}} for name in servers]
    clusters = [{"name": name, "cluster": {"server": url}} for name, url in servers.items()]
    body = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "contexts": contexts}
    path.write_text(yaml.safe_dump(body | {"current-context": next(iter(servers))}))
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--kubeconfig", "/no/such/file"], "/no/such/file"),
        (["--clusters", "/no/such/file"], "/no/such/file"),
        (["--debug-endpoints"], "--debug-endpoints needs --metrics-bind-address"),
        (["--metrics-secure"], "--metrics-secure needs --metrics-bind-address"),
        (["--metrics-cert-dir", "/x", "--metrics-bind-address", ":0"], "--metrics-cert-dir needs --metrics-secure"),
        (["--metrics-secure", "--metrics-bind-address", ":0", "--debug-endpoints"], "leave out --metrics-secure"),
        (["--metrics-bind-address", "nonsense"], "nonsense"),
    ],
)
def test_what_cannot_be_run_is_bad_usage(arguments, complaint, capsys):
    assert main(build, "greeter", arguments, {}) == 2
    assert complaint in capsys.readouterr().err
