"""A cluster whose API server is a process of its own, and may be killed."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from btcctl.errors import BtcctlError, ConfigError, NotFound
from btcctl.objects import ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.sandbox.cluster.access import Access
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from tests.integration.sandbox.test_cluster import is_ready
from tests.integration.sandbox.web import web_command, web_set
from tests.integration.support import eventually


class Scene:
    """A cluster on an API server that may end, and a set of its own in it."""

    def __init__(self, server: Any, cluster: Cluster) -> None:
        self.server = server
        self.cluster = cluster
        client = server.client()
        self.sets = client.resource(STATEFUL_SETS, server.namespace)
        self.pods = client.resource(PODS, server.namespace)

    def key(self, name: str) -> ObjectKey:
        return ObjectKey(self.server.namespace, name)

    def create(self, replicas: int) -> None:
        body = web_set("web", replicas)
        self.sets.create({**body, "metadata": {**body["metadata"], "namespace": self.server.namespace}})

    def ready(self) -> list[str]:
        """Names and UIDs of the pods that are ready; AssertionError while nobody answers."""
        found: list[str] | None = None
        with suppress(BtcctlError):
            found = [f"{each.name} {each.uid}" for each in self.pods.list()[0] if is_ready(each)]
        assert found is not None
        return found

    def sweep(self) -> None:
        """Leave no work to the next cluster on the same server."""
        for resource in (self.sets, self.pods):
            for each in resource.list()[0]:
                with suppress(NotFound):
                    resource.delete(each.key, grace_period_seconds=0)


@pytest.fixture
def scene(lasting_api_server: Any, tmp_path: Path) -> Iterator[Scene]:
    options = ClusterOptions(server=lasting_api_server.access())
    with Cluster(new_run_directory(tmp_path), web_command, options=options) as cluster:
        scene = Scene(lasting_api_server, cluster)
        yield scene
    scene.sweep()


def test_killing_the_api_server_disturbs_no_pod_and_loses_nothing(scene: Scene) -> None:
    scene.create(2)
    before = eventually(lambda: len(scene.ready()) == 2 and scene.ready())
    address = scene.cluster.pod_address(scene.key("web-0"))
    scene.server.kill()
    scene.cluster.restart_quietly(scene.key("web-0"))
    scene.server.restart()
    assert eventually(scene.ready) == before
    scene.sets.patch(scene.key("web"), {"spec": {"replicas": 3}})
    after = eventually(lambda: len(scene.ready()) == 3 and scene.ready())
    assert [*before] == after[:2]
    assert scene.cluster.pod_address(scene.key("web-0")) == address


def test_a_pod_that_dies_while_the_api_server_is_away_is_started_all_the_same(scene: Scene) -> None:
    scene.create(1)
    (log,) = eventually(lambda: [*scene.cluster.run_dir.glob("pods/*/web/0.log")])
    pid = eventually(lambda: log.read_text().split())[2]
    eventually(lambda: len(scene.ready()) == 1)
    scene.server.kill()
    os.kill(int(pid), signal.SIGKILL)
    eventually((log.parent / "1.log").exists)
    scene.server.restart()

    def restarts() -> int:
        (status,) = scene.pods.get(scene.key("web-0")).body()["status"]["containerStatuses"]
        return int(status["restartCount"])

    eventually(lambda: restarts() == 1)


def test_an_api_server_that_is_not_there_fails_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    directory = new_run_directory(tmp_path)
    options = ClusterOptions(server=Access.with_token("http://127.0.0.1:9", "none"))
    cluster = Cluster(directory, web_command, options=options)
    with pytest.raises(BtcctlError, match=r"127\.0\.0\.1:9"):
        cluster.start()
    assert not directory.exists()


def test_a_port_that_is_taken_fails_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    directory = new_run_directory(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BtcctlError, match=str(port)) as caught:
            Cluster(directory, web_command, options=ClusterOptions(port=port)).start()
    assert not isinstance(caught.value, ConfigError)
    assert not directory.exists()
