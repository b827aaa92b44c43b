"""The operator, installed on a node."""

from __future__ import annotations

from pathlib import Path

from btcctl.testing import Node
from tests.integration.kubectl import Kubectl
from tests.integration.programs import HELM, KUBECTL

ROOT = Path(__file__).parents[2]
SYSTEM = "bitcoin-controller"


def kubectl_for(node: Node) -> Kubectl:
    """An admin's, with a home that goes with the node."""
    assert KUBECTL
    return _with_home(KUBECTL, node)


def helm_for(node: Node) -> Kubectl:
    """helm, of the same shape: a program with a home and a kubeconfig."""
    assert HELM
    return _with_home(HELM, node)


def install_manifests(kubectl: Kubectl) -> None:
    """And wait until both copies are Ready."""
    kubectl("apply", "-f", str(ROOT / "manifests"))
    kubectl("-n", SYSTEM, "rollout", "status", "deployment/bitcoin-controller", "--timeout=110s")


def _with_home(program: str, node: Node) -> Kubectl:
    made = Kubectl(program, node.control_plane.directory / "home")
    made.kubeconfig.write_bytes(node.control_plane.kubeconfig().read_bytes())
    return made
