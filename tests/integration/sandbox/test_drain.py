"""A budget on a whole local cluster: pods are evicted one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from btcctl.errors import NotFound, TooManyRequests
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import POD_DISRUPTION_BUDGETS
from btcctl.sandbox.cluster.cluster import Cluster
from tests.integration.sandbox.test_cluster import NAMESPACE, Scene, is_ready, key
from tests.integration.sandbox.web import web_command, web_set
from tests.integration.support import eventually


class GuardedScene(Scene):
    """Three ready pods under a budget."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.budgets = self.client.resource(POD_DISRUPTION_BUDGETS, NAMESPACE)
        made = web_set("web", 3)
        spec = {"maxUnavailable": 1, "selector": made["spec"]["selector"]}
        self.sets.create(made)
        self.budgets.create({"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": spec})
        self.wait_ready("web-0", "web-1", "web-2")
        self.wait_allowed(1)

    def allowed(self) -> int:
        status: dict[str, Any] = self.budgets.get(key("web")).body()["status"]
        return int(status["disruptionsAllowed"])

    def wait_allowed(self, count: int) -> None:
        eventually(lambda: self.allowed() == count)

    def evict(self, name: str) -> None:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
        self.pods.subresource_post(key(name), "eviction", body)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[GuardedScene]:
    with Cluster(new_run_directory(tmp_path), web_command) as cluster:
        yield GuardedScene(cluster)


def test_the_next_pod_is_evicted_when_the_one_before_is_ready_again(scene):
    before = scene.pod("web-0").uid
    scene.evict("web-0")
    with pytest.raises(TooManyRequests, match="disruption budget"):
        scene.evict("web-1")

    def is_replaced() -> bool:
        with suppress(NotFound):  # between the end of the one and the beginning of the next
            return scene.pod("web-0").uid != before and is_ready(scene.pod("web-0"))
        return False

    eventually(is_replaced)
    scene.wait_allowed(1)
    scene.evict("web-1")
