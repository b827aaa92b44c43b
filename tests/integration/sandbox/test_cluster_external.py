"""A cluster whose API server is a process of its own, and may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from btcctl.errors import BtcctlError, ConfigError
from btcctl.objects import ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.sandbox.access import Access
from btcctl.sandbox.cluster import Cluster, ClusterOptions
from tests.integration.sandbox.test_cluster import is_ready
from tests.integration.sandbox.web import web_command, web_set
from tests.integration.support import eventually

KEY = ObjectKey("default", "web")


class Server:
    """`python -m btcctl.apiserver`, again and again on the same port."""

    def __init__(self, directory: Path) -> None:
        self._tokens = directory / "tokens"
        self._tokens.write_text("secret\n")
        self._data = directory / "data"
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> Access:
        argv = [sys.executable, "-m", "btcctl.apiserver", "--data", self._data, "--token-file", self._tokens]
        self._process = subprocess.Popen(
            [*argv, "--port", str(self.port), "--log-level", "error"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        url = self._process.stdout.readline().split()[-1]
        self.port = int(url.rpartition(":")[2])
        return Access.with_token(url, "secret")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.kill()


def test_killing_the_api_server_disturbs_no_pod_and_loses_nothing(tmp_path, server):
    options = ClusterOptions(server=server.start())
    with Cluster(new_run_directory(tmp_path), web_command, options=options) as cluster:
        client = cluster.client()
        sets, pods = client.resource(STATEFUL_SETS), client.resource(PODS)

        def ready() -> list[str]:
            """Names and UIDs of the pods that are ready; AssertionError while nobody answers."""
            found: list[str] | None = None
            with suppress(BtcctlError):
                found = [f"{each.name} {each.uid}" for each in pods.list()[0] if is_ready(each)]
            assert found is not None
            return found

        sets.create(web_set("web", 2))
        before = eventually(lambda: len(ready()) == 2 and ready(), 20)
        address = cluster.pod_address(ObjectKey("default", "web-0"))
        server.kill()
        cluster.restart_quietly(ObjectKey("default", "web-0"))
        server.start()
        assert eventually(ready, 20) == before
        sets.patch(KEY, {"spec": {"replicas": 3}})
        after = eventually(lambda: len(ready()) == 3 and ready(), 30)
        assert [*before] == after[:2]
        assert cluster.pod_address(ObjectKey("default", "web-0")) == address


def test_a_pod_that_dies_while_the_api_server_is_away_is_started_all_the_same(tmp_path, server):
    options = ClusterOptions(server=server.start())
    with Cluster(new_run_directory(tmp_path), web_command, options=options) as cluster:
        client = cluster.client()
        client.resource(STATEFUL_SETS).create(web_set("web", 1))
        (log,) = eventually(lambda: [*cluster.run_dir.glob("pods/*/web/0.log")], 20)
        pid = eventually(lambda: log.read_text().split(), 10)[2]
        pods = client.resource(PODS)
        eventually(lambda: is_ready(pods.get(ObjectKey("default", "web-0"))), 10)
        server.kill()
        os.kill(int(pid), signal.SIGKILL)
        eventually((log.parent / "1.log").exists, 10)
        server.start()

        def restarts() -> int:
            (status,) = pods.get(ObjectKey("default", "web-0")).body()["status"]["containerStatuses"]
            return status["restartCount"]

        eventually(lambda: restarts() == 1, 30)


def test_an_api_server_that_is_not_there_fails_the_start_and_leaves_nothing(tmp_path):
    directory = new_run_directory(tmp_path)
    options = ClusterOptions(server=Access.with_token("http://127.0.0.1:9", "none"))
    cluster = Cluster(directory, web_command, options=options)
    with pytest.raises(BtcctlError, match=r"127\.0\.0\.1:9"):
        cluster.start()
    assert not directory.exists()


def test_a_port_that_is_taken_fails_the_start_and_leaves_nothing(tmp_path, server):
    server.start()
    directory = new_run_directory(tmp_path)
    with pytest.raises(BtcctlError, match=str(server.port)) as caught:
        Cluster(directory, web_command, options=ClusterOptions(port=server.port)).start()
    assert not isinstance(caught.value, ConfigError)
    assert not directory.exists()
