"""`btcctl.run`: a program of an author's, on both API servers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from btcctl import CUSTOM_RESOURCE_DEFINITIONS, LEASES, Object, ObjectKey, crd_for
from btcctl.cli.author.running import main
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


def is_served(crd: Object | None) -> bool:
    conditions = [] if crd is None else (crd.body().get("status") or {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def test_the_program_works_leads_serves_and_ends_when_asked(lasting_api_server: Any, tmp_path: Path):
    server, namespace = lasting_api_server, lasting_api_server.namespace
    client = server.client()
    definitions = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    crd = definitions.create(crd_for(Greeting))
    definitions.wait_until(crd.key, is_served, timeout=30.0)
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
            _, errors = process.communicate(timeout=40)
            assert process.returncode == 0, errors
            assert not client.resource(LEASES).get(ObjectKey(namespace, "greeter")).body()["spec"].get("holderIdentity")
    finally:
        definitions.delete(crd.key)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--kubeconfig", "/no/such/file"], "/no/such/file"),
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
