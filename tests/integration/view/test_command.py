"""`btcctl view` beside a cluster: a process of its own, with an operator of another process to look into."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig as for_kubectl
from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.bitcoin.crd import load_crd
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from btcctl.sandbox.session import KEY
from btcctl.testing.control_plane.ports import free_ports
from tests.integration.support import eventually
from tests.integration.view.pages import LIMIT_SECONDS, Page

TOKEN = "a-token-of-our-own-choice"


_numbers = itertools.count()


class Process:
    """`btcctl …`, and what it printed."""

    def __init__(self, home: Path, *words: str) -> None:
        self._output = home / f"{words[0]}-{next(_numbers)}.output"
        with self._output.open("w") as output:
            command = [sys.executable, "-m", "btcctl", *words]
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    @property
    def output(self) -> str:
        return self._output.read_text()

    def said(self, pattern: str) -> str:
        def look() -> str:
            found = re.search(pattern, self.output)
            assert found, self.output
            return found[1]

        return eventually(look, LIMIT_SECONDS)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LIMIT_SECONDS)


@contextmanager
def running(home: Path, *words: str) -> Iterator[Process]:
    process = Process(home, *words)
    try:
        yield process
    finally:  # an operator gives its Lease back, so that the next one need not wait
        try:
            process.interrupt()
        finally:
            process.process.kill()
            process.process.wait()


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a cluster with a network, and without an operator of its own."""
    home = tmp_path_factory.mktemp("cluster")
    path = home / "kubeconfig"
    words = ("sandbox", "--simulated", "--no-view", "--no-operator", "--nodes=2", f"--kubeconfig-out={path}")
    with running(home, *words) as sandbox:
        sandbox.said("(It stays up)")
        assert "live page" not in sandbox.output
        yield path
        assert sandbox.interrupt() == 0


def test_a_cluster_is_shown_with_the_inside_of_its_operator(kubeconfig: Path, tmp_path: Path) -> None:
    debug = f"127.0.0.1:{free_ports(1)[0]}"
    operator = ("run", f"--kubeconfig={kubeconfig}", "--debug-endpoints", f"--metrics-bind-address={debug}")
    words = ("view", f"--kubeconfig={kubeconfig}", f"--operator={debug}")
    with running(tmp_path, *operator), running(tmp_path, *words) as view:
        with Page(view.said(r"open +(\S+)"), str(KEY)) as page:
            page.until(lambda state: state["network"] and len(state["network"]["links"]) == 2)
            page.until(lambda state: state["controller"]["isVisible"] and state["controller"]["steps"])
            assert page.act("mine", count=1, node=0)[0] == 200
            page.until(lambda state: [tip["height"] for tip in state["network"]["tree"]["tips"]] == [1])
            assert page.act("hang", node=0)[0] == 422
        assert view.interrupt() == 0


def test_without_an_operator_it_says_why_there_is_no_inside_and_read_only_does_nothing(
    kubeconfig: Path, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    [port] = free_ports(1)
    words = ("view", f"--kubeconfig={kubeconfig}", "--read-only", f"--token-file={token}", f"--bind=127.0.0.1:{port}")
    with running(tmp_path, *words) as view:
        view.said("(serving on port)")
        assert TOKEN not in view.output
        with Page(f"http://127.0.0.1:{port}/{TOKEN}/", str(KEY)) as page:
            page.until(lambda state: state["controller"]["whyNot"])
            assert page.state["actions"] == []
            status, outcome = page.act("scale", count=3)
            assert (status, "--read-only" in outcome["said"]) == (422, True)
            assert page.state["networks"][0]["nodesWanted"] == 2
        taken = Process(tmp_path, "view", f"--kubeconfig={kubeconfig}", f"--bind=127.0.0.1:{port}", "--no-rpc")
        assert taken.process.wait(LIMIT_SECONDS) == 1
        assert re.fullmatch(rf"btcctl view: cannot listen on 127.0.0.1:{port}: .*\n", taken.output)
        assert view.interrupt() == 0
    with urllib3.PoolManager(retries=False) as http, pytest.raises(urllib3.exceptions.HTTPError):
        http.request("GET", f"http://127.0.0.1:{port}/healthz")


def test_it_begins_before_the_api_server_and_shows_the_networks_once_that_answers(tmp_path: Path) -> None:
    [port] = free_ports(1)
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, for_kubectl(f"http://127.0.0.1:{port}"))
    with running(tmp_path, "view", f"--kubeconfig={path}") as view:
        assert "The page shows the networks once it answers" in view.said(r"(btcctl view: .*)")
        with Page(view.said(r"open +(\S+)"), "default/mine") as page:
            page.until(lambda state: state["problem"])
            with EmbeddedServer(Api(), port=port), ApiClient.from_config(load_config(path)) as client:
                client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(load_crd())
                page.until(lambda state: not state["problem"])
        assert view.interrupt() == 0


def test_without_rpc_the_status_has_to_do(kubeconfig: Path, tmp_path: Path) -> None:
    words = ("view", f"--kubeconfig={kubeconfig}", "--no-rpc")
    with running(tmp_path, "run", f"--kubeconfig={kubeconfig}"), running(tmp_path, *words) as view:
        with Page(view.said(r"open +(\S+)"), str(KEY)) as page:
            page.until(lambda state: state["network"] and state["network"]["about"]["rpcProblem"])
            page.until(lambda state: {each["state"] for each in state["network"]["nodes"]} == {"ready"})
            assert page.state["network"]["links"] == []
        assert view.interrupt() == 0
