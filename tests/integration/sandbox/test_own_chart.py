"""The project's own manifests and chart in a sandbox, installed with kubectl and helm, with RBAC enforced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.sandbox.cluster.cluster import ClusterOptions
from btcctl.sandbox.session import SandboxOptions, Session
from tests.integration.deployment.charts import helm
from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

ROOT = Path(__file__).parents[3]
QUICK = "3s"  # as the sandbox's own operator: the story waits half a minute for each step

pytestmark = pytest.mark.timeout(800)


@pytest.fixture
def session() -> Iterator[Session]:
    options = SandboxOptions(simulated=True, operator=False)
    with Session(options, say=print, cluster_options=ClusterOptions(is_guarded=True)) as session:
        yield session


@pytest.fixture
def k(session: Session, kubectl: Kubectl) -> Kubectl:
    write_kubeconfig(kubectl.kubeconfig, session.cluster.access.kubeconfig)
    return kubectl


@pytest.mark.kubectl
def test_the_manifests_bring_an_operator_that_tells_the_whole_story(session: Session, k: Kubectl) -> None:
    k("apply", "-k", str(ROOT / "manifests"))
    k("-n", "bitcoin-controller", "set", "env", "deployment/bitcoin-controller", f"BTCCTL_POLL_MAX={QUICK}")
    k("-n", "bitcoin-controller", "rollout", "status", "deployment/bitcoin-controller", "--timeout=120s")
    pods = k("-n", "bitcoin-controller", "get", "pods", "--no-headers").splitlines()
    assert [line.split()[1:3] for line in pods if "Terminating" not in line] == [["1/1", "Running"]] * 2
    session.check()


@pytest.mark.helm
@pytest.mark.kubectl
def test_the_chart_brings_an_operator_that_tells_the_whole_story(session: Session, k: Kubectl) -> None:
    values = ("--set", f"crds.install=false,pollMax={QUICK}")
    done = helm(
        *("install", "ours", ROOT / "helm" / "btcctl", "--kubeconfig", k.kubeconfig, *values),
        *("--namespace", "operators", "--create-namespace", "--wait", "--timeout", "120s"),
    )
    assert done.returncode == 0, done.stderr
    session.check()
    gone = helm("uninstall", "ours", "--kubeconfig", k.kubeconfig, "--namespace", "operators", "--wait")
    assert gone.returncode == 0, gone.stderr
    eventually(lambda: k("-n", "operators", "get", "deployments,pods", "-o", "name") == "")
