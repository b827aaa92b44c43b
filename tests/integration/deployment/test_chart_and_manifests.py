"""Chart and manifests: the same objects, and a real API server takes them, by kubectl as people do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.testing.control_plane import ControlPlane
from tests.chart.monitoring import MONITORING, render_monitoring
from tests.integration.deployment.charts import CHART, MANIFESTS, NAMESPACE, ROOT, Objects, by_name, helm, rendered
from tests.integration.kubectl import Kubectl
from tests.integration.programs import KUBECTL
from tests.integration.support import eventually

pytestmark = [
    pytest.mark.real_server,
    pytest.mark.helm,
    pytest.mark.kubectl,
    pytest.mark.timeout(400),  # a namespace and a definition are deleted twice, each with all that is in it
]

SEEDS = ROOT / "tests/integration/data/seeds"
OURS = {"fullnameOverride": "bitcoin-controller", "tests": {"enabled": False}}
OF_THE_CLUSTER = (
    "clusterrolebinding/bitcoin-controller-role-binding",
    *(
        f"clusterrole/bitcoin-controller-{each}"
        for each in ("role", "networks-view", "networks-edit", "networks-admin")
    ),
)
KIND = "bitcoinnetworks.bitcoincontroller.christianb93.github.com"
CRD = f"customresourcedefinition/{KIND}"


@pytest.fixture
def k(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Kubectl]:
    """With nothing of ours in the cluster; afterwards without it again."""
    assert KUBECTL
    kubectl = Kubectl(KUBECTL, tmp_path / "home")
    kubectl.kubeconfig.write_bytes(control_plane.kubeconfig().read_bytes())
    clear(kubectl)
    yield kubectl
    clear(kubectl)


def clear(kubectl: Kubectl) -> None:
    for what in ((CRD,), (f"namespace/{NAMESPACE}",), OF_THE_CLUSTER):
        kubectl("delete", *what, "--ignore-not-found", "--wait", "--timeout=100s")


def read(*paths: Path) -> list[dict[str, Any]]:
    return [each for path in paths for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def manifests() -> Objects:
    found = by_name(read(*sorted(MANIFESTS.glob("*.yaml"))))
    del found["Namespace", NAMESPACE]  # helm makes it itself
    return found


def bare(found: Objects) -> Objects:
    """Without what helm adds, and without the selectors, which say the same by other labels."""
    for each in found.values():
        _strip(each)
    return found


def _strip(value: Any) -> None:
    if isinstance(value, dict):
        for name in ("matchLabels", "selector"):
            value.pop(name, None)
        labels = value.get("labels")
        for label in [*labels] if isinstance(labels, dict) else []:
            if label.startswith(("app.kubernetes.io/", "helm.sh/", "btcctl/")) or label == "app":
                del labels[label]
        if labels == {}:
            del value["labels"]
        if "annotations" in value:
            value["annotations"].pop("helm.sh/resource-policy", None)
            value["annotations"] or value.pop("annotations")
        for each in value.values():
            _strip(each)
    elif isinstance(value, list):
        for each in value:
            _strip(each)


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    done = helm("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout


def test_the_chart_and_the_manifests_are_the_same_objects() -> None:
    ours, theirs = bare(by_name(rendered(values=OURS))), bare(manifests())
    account = theirs["ServiceAccount", "bitcoin-controller-sva"]
    assert ours["ServiceAccount", "bitcoin-controller-sva"].pop("automountServiceAccountToken") is True
    assert "automountServiceAccountToken" not in account
    assert ours == theirs


def test_the_overlay_for_monitoring_has_what_the_chart_makes() -> None:
    metrics = {each: {"enabled": True} for each in ("serviceMonitor", "prometheusRule", "dashboard")}
    kinds = {"ServiceMonitor", "PrometheusRule", "ConfigMap"}
    found = [each for each in rendered(values={**OURS, "metrics": metrics}) if each["kind"] in kinds]
    assert MONITORING.read_text(encoding="utf-8") == render_monitoring()
    assert bare(by_name(found)) == bare(by_name(read(MONITORING)))


@pytest.mark.parametrize("how", [("-f", str(MANIFESTS) + "/"), ("-k", str(MANIFESTS))], ids=["-f", "-k"])
def test_one_command_applies_all_manifests_the_first_time(k: Kubectl, how: tuple[str, str]) -> None:
    applied = k("apply", "--validate=strict", *how)
    assert len(applied.splitlines()) == len(manifests()) + 1
    k.wait_until_served(KIND)
    k("apply", "--validate=strict", *how)
    assert k.json("-n", NAMESPACE, "get", "deployment", "bitcoin-controller")["metadata"]["generation"] == 1


def test_a_single_file_installs_and_takes_the_examples_and_the_seeds(k: Kubectl) -> None:
    k("apply", "--validate=strict", "-f", "-", stdin=k("kustomize", str(MANIFESTS)))
    k.wait_until_served(KIND)
    for folder in (MANIFESTS / "examples", SEEDS):
        for path in sorted(folder.glob("*.yaml")):
            place = () if "namespace: " in path.read_text(encoding="utf-8") else ("-n", NAMESPACE)
            assert "(server dry run)" in k("apply", "--dry-run=server", "--validate=strict", *place, "-f", str(path))


@pytest.mark.parametrize("overlay", ["cluster", "one-namespace"])
def test_an_overlay_applies(k: Kubectl, overlay: str) -> None:
    k("apply", "--validate=strict", "-k", str(ROOT / "kustomize" / overlay))
    bound = k("get", "clusterrolebindings", "-o", "name")
    assert ("bitcoin-controller-role-binding" in bound) == (overlay == "cluster")


def test_networks_stay_on_the_way_from_the_manifests_to_the_chart_that_the_page_says(
    k: Kubectl, tmp_path: Path
) -> None:
    (row,) = re.findall(r"\| manifests to chart .*", (ROOT / "docs/operations.md").read_text(encoding="utf-8"))
    k("apply", "-f", f"{MANIFESTS}/")
    k.wait_until_served(KIND)
    k("-n", NAMESPACE, "apply", "-f", str(MANIFESTS / "examples/network.yaml"))
    uid = k.json("-n", NAMESPACE, "get", "bitcoinnetwork", "my-network")["metadata"]["uid"]
    (deletion,) = re.findall(r"`kubectl (delete [^`]*)`", row)
    k(*(f"{ROOT}/{word}" if word.startswith("manifests/") else word for word in deletion.split()))
    env = {"HOME": str(tmp_path), "KUBECONFIG": str(k.kubeconfig)}
    done = helm("install", "btcctl", CHART, "-n", NAMESPACE, "--take-ownership", env=env)
    assert done.returncode == 0, done.stderr
    assert k.json("-n", NAMESPACE, "get", "bitcoinnetwork", "my-network")["metadata"]["uid"] == uid
    kinds = "deploy,svc,sa,role,rolebinding,netpol,pdb,clusterrole,clusterrolebinding"
    left = [each for each in k("-n", NAMESPACE, "get", kinds, "-o", "name").split() if "/bitcoin-controller" in each]
    assert [each for each in left if "/bitcoin-controller-btcctl" not in each] == []
    assert helm("uninstall", "btcctl", "-n", NAMESPACE, env=env).returncode == 0


def test_the_controller_of_one_namespace_may_do_nothing_in_another(k: Kubectl) -> None:
    k("apply", "-k", str(ROOT / "kustomize/one-namespace"))
    account = f"system:serviceaccount:{NAMESPACE}:bitcoin-controller-sva"

    def may_list_pods(namespace: str) -> str:
        return k.run("auth", "can-i", "list", "pods", "-n", namespace, "--as", account).stdout.strip()

    eventually(lambda: may_list_pods(NAMESPACE) == "yes", every=0.2)  # the authorizer hears of it a moment later
    assert may_list_pods("default") == "no"
