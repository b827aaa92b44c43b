"""Chart and manifests, rendered by the real helm and checked by a real API server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.testing.control_plane import ControlPlane
from btcctl.testing.control_plane.binaries import find_binary
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.real_server

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm/btcctl"
MANIFESTS = ROOT / "manifests"
SEEDS = ROOT / "tests/integration/data/seeds"
NAMESPACE = "bitcoin-controller"
EXAMPLES = ("--set", "defaultSecret.create=true", "--set", "exampleNetwork.create=true")
Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def helm() -> str:
    found = os.environ.get("BTCCTL_TEST_HELM") or find_binary("helm") or shutil.which("helm")
    assert found, "no helm: `make controlplane` builds one"
    return str(found)


@pytest.fixture
def k(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Kubectl]:
    """With the namespace and the CRD; afterwards without."""
    program = os.environ.get("BTCCTL_TEST_KUBECTL") or find_binary("kubectl") or shutil.which("kubectl")
    assert program, "no kubectl: `make controlplane` builds one"
    kubectl = Kubectl(str(program), tmp_path / "home")
    kubectl.kubeconfig.write_bytes(control_plane.kubeconfig().read_bytes())
    kubectl("apply", "-f", str(MANIFESTS / "crd.yaml"))
    kubectl("wait", "--for=condition=Established", "-f", str(MANIFESTS / "crd.yaml"))
    kubectl("apply", "-f", "-", stdin=f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}")
    yield kubectl
    kubectl("delete", "-f", str(MANIFESTS / "crd.yaml"))
    kubectl("delete", "namespace", NAMESPACE)


def rendered(helm: str, *options: str) -> str:
    command = [helm, "template", "btcctl", str(CHART), "--namespace", NAMESPACE, "--include-crds", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def objects(text: str) -> Objects:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text) if each}


def manifests() -> Objects:
    found = objects("\n---\n".join(path.read_text(encoding="utf-8") for path in sorted(MANIFESTS.glob("*.yaml"))))
    del found["Namespace", NAMESPACE]  # helm makes it itself
    return found


def without_helm(found: Objects) -> Objects:
    """As the manifests have it: without helm's labels, and without the namespace that kubectl is told."""
    for (kind, _), each in found.items():
        labels = each["metadata"].get("labels", {})
        for name in [name for name in labels if name.startswith(("app.kubernetes.io/", "helm.sh/"))]:
            del labels[name]
        if kind in {"BitcoinNetwork", "Secret"}:
            del each["metadata"]["namespace"]
    return found


def test_helm_finds_nothing_wrong_with_the_chart(helm: str) -> None:
    done = subprocess.run([helm, "lint", "--strict", CHART], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout


def test_the_chart_and_the_manifests_are_the_same_objects(helm: str) -> None:
    assert without_helm(objects(rendered(helm, *EXAMPLES))) == manifests()


@pytest.mark.parametrize("options", [(), EXAMPLES], ids=["defaults", "with examples"])
def test_the_real_server_takes_the_chart(helm: str, k: Kubectl, options: tuple[str, ...]) -> None:
    text = rendered(helm, *options)
    taken = k("apply", "--dry-run=server", "--validate=strict", "-n", NAMESPACE, "-f", "-", stdin=text)
    assert len(taken.splitlines()) == len(objects(text))


@pytest.mark.parametrize("folder", [MANIFESTS, SEEDS], ids=["ours", "the first controller's"])
def test_the_real_server_takes_the_manifests(k: Kubectl, folder: Path) -> None:
    for path in sorted(folder.glob("*.yaml")):
        place = () if "namespace: " in path.read_text(encoding="utf-8") else ("-n", NAMESPACE)
        assert "(server dry run)" in k("apply", "--dry-run=server", "--validate=strict", *place, "-f", str(path))
