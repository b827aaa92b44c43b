"""The operator, installed on a node."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from btcctl.testing import Node
from tests.integration.kubectl import Kubectl
from tests.integration.programs import HELM, KUBECTL

ROOT = Path(__file__).parents[2]
DUMP = Path(os.environ.get("E2E_DUMP", ROOT / "build" / "e2e"))
SYSTEM = "bitcoin-controller"


def kubectl_for(node: Node) -> Kubectl:
    """An admin's, with a home that goes with the node."""
    assert KUBECTL
    return _with_home(KUBECTL, node)


def helm_for(node: Node) -> Kubectl:
    """helm, of the same shape: a program with a home and a kubeconfig."""
    assert HELM
    return _with_home(HELM, node)


def about_cluster(node: Node) -> dict[str, str]:
    """What tests/cluster is told of it, by environment."""
    return {
        "BTCCTL_TEST_CLUSTER": str(node.control_plane.kubeconfig()),
        "BTCCTL_TEST_MACHINE": shlex.join(node.shell),
    }


def install_manifests(kubectl: Kubectl) -> None:
    """And wait until both copies are Ready."""
    kubectl("apply", "-f", str(ROOT / "manifests"))
    kubectl("-n", SYSTEM, "rollout", "status", "deployment/bitcoin-controller", "--timeout=280s")


def install_chart(helm: Kubectl) -> None:
    """And wait until it is as `helm test` wants it."""
    helm("install", "btcctl", str(ROOT / "helm/btcctl"), "-n", SYSTEM, "--create-namespace", "--wait", "--timeout=280s")
    helm("test", "btcctl", "-n", SYSTEM, "--logs", "--timeout=280s")


def _with_home(program: str, node: Node) -> Kubectl:
    made = Kubectl(program, node.control_plane.directory / "home")
    made.kubeconfig.write_bytes(node.control_plane.kubeconfig().read_bytes())
    return made
