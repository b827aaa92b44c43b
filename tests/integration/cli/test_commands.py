"""`btcctl run`, `crd` and `--version` as a person runs them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.objects import ObjectKey
from btcctl.resources import STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from btcctl.sandbox.certificates import make_identity
from btcctl.sandbox.demonstration.manifests import Applier
from btcctl.sandbox.session import network_manifest
from tests.integration.support import eventually


def btcctl(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "btcctl", *args]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(Api()) as server:
        yield server


@pytest.fixture
def config(server: EmbeddedServer, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, kubeconfig(server.url))
    return path


@pytest.fixture
def client(config: Path) -> Iterator[ApiClient]:
    client = ApiClient.from_config(load_config(config))
    yield client
    client.close()


def test_crd_prints_what_the_cluster_needs() -> None:
    assert yaml.safe_load(btcctl("crd").stdout) == load_crd()


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        (">&-", 0, ""),  # closed
        ("2>&-", 0, ""),
        (">/dev/full", 1, "btcctl crd: [Errno 28] No space left on device\n"),
        ("| true; exit ${PIPESTATUS[0]}", 1, ""),
    ],
)
def test_output_that_nobody_takes_is_no_fault_of_ours(where: str, status: int, said: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m btcctl crd {where}'],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, said)


def test_where_our_words_have_characters_that_the_output_lacks_they_are_spelled_out() -> None:
    assert "\\u2026" in btcctl("crd", env={"PYTHONIOENCODING": "ascii"}).stdout


def test_an_operator_in_a_cluster_loads_nothing_of_the_sandbox() -> None:
    unwanted = ("btcctl.sandbox", "btcctl.apiserver", "btcctl.testing", "cryptography", "jsonpatch", "kubernetes")
    script = (
        "import sys; from btcctl.cli.main import build_parser; build_parser({});"
        f"print([name for name in sys.modules if name.startswith({unwanted})])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_a_command_that_looks_at_a_network_does_not_wait_for_the_operator_to_be_loaded() -> None:
    script = (
        "import sys; from contextlib import suppress; from btcctl.cli.main import main\n"
        "with suppress(SystemExit): main(['get', '--help'])\n"
        "print([name for name in sys.modules if name.startswith(('btcctl.bitcoin.operator', 'btcctl.cli.run'))])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).splitlines()[-1] == "[]"


def test_version_and_help_are_for_people() -> None:
    assert btcctl("--version").stdout.startswith("btcctl 0.")
    helped = btcctl("run", "--help").stdout
    assert "[env BTCCTL_RESYNC_PERIOD, default 600.0]" in helped
    assert "sandbox" in btcctl("--help").stdout


@pytest.mark.parametrize(
    ("content", "args", "message"),
    [
        (None, [], "does not exist"),
        ("{", [], "YAML"),
        ("- 1", [], "kubeconfig"),
        (yaml.safe_dump(kubeconfig("http://127.0.0.1:1")), ["--context", "other"], "other"),
        (yaml.safe_dump(kubeconfig("ftp://127.0.0.1:1")), [], "not a URL"),
    ],
)
def test_a_kubeconfig_that_is_no_good_is_a_usage_error(
    tmp_path: Path, content: str | None, args: list[str], message: str
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    done = btcctl("run", "--kubeconfig", str(path), *args)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert message in done.stderr
    assert str(path) in done.stderr


def test_no_cluster_at_all_is_a_usage_error() -> None:
    done = btcctl("run")
    assert done.returncode == 2
    assert "give --kubeconfig FILE" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--workers", "0"], "0 is not between 1 and 64"),
        (["--resync-period", "soon"], "'soon' is no duration"),
        (["--poll-min", "10s", "--poll-max", "5s"], "--poll-min"),
        (["--namespace", "a", "--all-namespaces"], "--all-namespaces"),
    ],
)
def test_flags_that_make_no_sense_are_usage_errors(config: Path, args: list[str], message: str) -> None:
    done = btcctl("run", "--kubeconfig", str(config), *args)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert message in done.stderr


def test_an_api_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "kubeconfig", kubeconfig("https://127.0.0.1:1"))
    done = btcctl("run", "--kubeconfig", str(tmp_path / "kubeconfig"))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "127.0.0.1:1" in done.stderr
    assert "Is the cluster up" in done.stderr


def test_a_wrong_ca_is_said_and_where_it_came_from(tmp_path: Path) -> None:
    right, wrong = make_identity(), make_identity()
    with EmbeddedServer(Api(), tls=right.context(tmp_path)) as server:
        write_kubeconfig(tmp_path / "kubeconfig", kubeconfig(server.url, authority=wrong.authority))
        done = btcctl("run", "--kubeconfig", str(tmp_path / "kubeconfig"))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "CA" in done.stderr
    assert "kubeconfig" in done.stderr


def test_a_cluster_without_the_definition_says_how_to_install_it(config: Path) -> None:
    done = btcctl("run", "--kubeconfig", str(config))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "btcctl crd | kubectl apply -f -" in done.stderr


class Operator:
    """A running `btcctl run`."""

    def __init__(self, config: Path, *args: str) -> None:
        self.log = config.with_name("log")
        command = [sys.executable, "-m", "btcctl", "run", f"--kubeconfig={config}", *args]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log)

    def entries(self) -> list[dict[str, Any]]:
        """The last line may have been written by half."""
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def said(self, event: str, **fields: Any) -> dict[str, Any] | None:
        alike = (entry for entry in self.entries() if entry["event"] == event)
        return next((entry for entry in alike if fields.items() <= entry.items()), None)


@pytest.fixture
def operator(config: Path, client: ApiClient) -> Iterator[Operator]:
    Applier(client).apply(load_crd())
    addresses = ("--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0")
    operator = Operator(config, "--workers", "3", *addresses)
    try:
        eventually(lambda: operator.said("controller started"))
        yield operator
    finally:
        operator.process.kill()
        operator.process.wait()


def test_the_namespaces_of_an_operator_are_those_that_were_named(operator: Operator, config: Path) -> None:
    started = operator.said("configuration")
    assert started is not None
    assert started["namespaces"] == []
    done = btcctl(
        "run", "--kubeconfig", str(config), "-n", "a", "--namespace", "b", "--dry-run", "--log-format", "json"
    )
    [shown] = [json.loads(line) for line in done.stderr.splitlines() if '"configuration"' in line]
    assert shown["namespaces"] == ["a", "b"]


def test_the_operator_runs_beside_a_cluster_until_a_signal(operator: Operator, client: ApiClient) -> None:
    shown = operator.said("configuration")
    assert shown is not None
    assert (shown["workers"], shown["resync_seconds"]) == (3, 600.0)
    key = ObjectKey("default", "my-network-sts")
    client.resource(BITCOIN_NETWORKS).create({**network_manifest(2), "spec": {"nodes": 2}})
    eventually(lambda: client.resource(STATEFUL_SETS, "default").list()[0])
    assert client.resource(STATEFUL_SETS).get(key).body()["spec"]["replicas"] == 2

    operator.process.send_signal(signal.SIGTERM)
    assert operator.process.wait(60) == 0
    assert operator.said("stopping; a second signal exits at once")
    assert "Traceback" not in operator.log.read_text()


def test_the_operator_shows_its_metrics_and_its_health(operator: Operator) -> None:
    said = partial(operator.said, "serving metrics and health")
    serving = eventually(lambda: said(paths=["/metrics", "/healthz", "/readyz"]))
    probes = eventually(lambda: said(paths=["/healthz", "/readyz"]))

    def get(path: str, port: int = serving["port"]) -> str:
        with urllib3.PoolManager(retries=False, timeout=60.0) as pools:
            return pools.request("GET", f"http://127.0.0.1:{port}{path}").data.decode()

    eventually(lambda: get("/readyz") == get("/readyz", probes["port"]) == "ok")
    assert get("/metrics", probes["port"]) == "try /healthz or /readyz\n"
    assert get("/healthz") == "ok"
    assert re.search(r'rest_client_requests_total\{code="200",host="[^"]+",method="GET"\} [1-9]', get("/metrics"))
    assert 'controller_runtime_max_concurrent_reconciles{controller="bitcoin-networks"} 3.0' in get("/metrics")


@pytest.mark.parametrize("flag", ["--metrics-bind-address", "--health-probe-bind-address"])
def test_an_address_that_is_none_is_a_usage_error(config: Path, flag: str) -> None:
    done = btcctl("run", "--kubeconfig", str(config), flag, "8080")
    assert done.returncode == 2
    assert "write :8080" in done.stderr


@pytest.mark.parametrize(("flags", "status"), [(["--kubeconfig", "/nowhere"], 2), (["--kubeconfig", "{config}"], 1)])
def test_who_asked_for_json_gets_json_to_the_last_word(config: Path, flags: list[str], status: int) -> None:
    done = btcctl("run", "--log-format", "json", *(each.format(config=config) for each in flags))
    last = [json.loads(line) for line in done.stderr.splitlines()][-1]
    assert (done.returncode, last["event"], last["status"]) == (status, "failed", status)
    assert last["error"]
    assert "exception" not in last
