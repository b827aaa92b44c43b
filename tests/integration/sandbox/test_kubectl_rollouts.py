"""The real kubectl at Deployments of a sandbox: rollouts, their history, a step back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import DEPLOYMENTS, PODS
from btcctl.sandbox.cluster.cluster import Cluster
from tests.integration.kubectl import Kubectl
from tests.integration.sandbox.web import web_command, web_set
from tests.integration.support import eventually

pytestmark = pytest.mark.kubectl

COMPLETE = 'deployment "web" successfully rolled out'
IMAGES = "jsonpath={.items[*].spec.containers[0].image}"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(new_run_directory(tmp_path), web_command) as cluster:
        yield cluster


@pytest.fixture
def k(cluster: Cluster, kubectl: Kubectl) -> Kubectl:
    """With a Deployment of two web servers, rolled out."""
    write_kubeconfig(kubectl.kubeconfig, cluster.access.kubeconfig)
    body: dict[str, Any] = {**web_set("web", 2), "kind": "Deployment"}
    del body["spec"]["serviceName"]
    cluster.client().resource(DEPLOYMENTS, "default").create(body)
    assert COMPLETE in kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return kubectl


def images(k: Kubectl) -> set[str]:
    return set(k("get", "pods", "-o", IMAGES).split())


def test_a_rollout_has_a_history_and_can_be_undone(k: Kubectl) -> None:
    k("set", "image", "deployment/web", "web=web:2")
    assert COMPLETE in k("rollout", "status", "deployment/web", "--timeout=60s")
    revisions = [line.split()[0] for line in k("rollout", "history", "deployment/web").splitlines()[2:] if line]
    assert revisions == ["1", "2"]
    assert "web:2" in k("rollout", "history", "deployment/web", "--revision=2")
    k("rollout", "undo", "deployment/web")
    k("rollout", "status", "deployment/web", "--timeout=60s")
    eventually(lambda: images(k) == {"web"})
    assert "1 " not in k("rollout", "history", "deployment/web").splitlines()[2]


def test_a_restart_replaces_every_pod_and_a_scale_adds_some(k: Kubectl, cluster: Cluster) -> None:
    pods = cluster.client().resource(PODS, "default")
    before = {pod.uid for pod in pods.list()[0]}
    k("rollout", "restart", "deployment/web")
    assert COMPLETE in k("rollout", "status", "deployment/web", "--timeout=60s")
    eventually(lambda: not before & {pod.uid for pod in pods.list()[0]})
    k("scale", "deployment/web", "--replicas=3")
    assert COMPLETE in k("rollout", "status", "deployment/web", "--timeout=60s")
    assert k("get", "deployment", "web", "--no-headers").split()[:4] == ["web", "3/3", "3", "3"]


def test_a_paused_rollout_waits(k: Kubectl) -> None:
    k("rollout", "pause", "deployment/web")
    k("set", "image", "deployment/web", "web=web:2")
    k("wait", "deployment/web", "--for=condition=Progressing=Unknown", "--timeout=60s")
    assert images(k) == {"web"}
    k("rollout", "resume", "deployment/web")
    assert COMPLETE in k("rollout", "status", "deployment/web", "--timeout=60s")
    eventually(lambda: images(k) == {"web:2"})


def test_a_deployment_goes_with_all_that_it_has_made(k: Kubectl) -> None:
    k("delete", "deployment", "web", "--timeout=60s")
    eventually(lambda: k("get", "replicasets,pods", "-o", "name") == "")
