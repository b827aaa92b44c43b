"""What users apply: the manifests. That the chart makes the same objects is tested with the real helm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.bitcoin.operator import COMPONENT, NODE_IMAGE
from btcctl.cli.leading import LEASE, NAMESPACE
from btcctl.cli.run import GRACE_SECONDS

ROOT = Path(__file__).parents[3]
SEEDS = ROOT / "tests/integration/data/seeds"
Objects = dict[tuple[str, str], dict[str, Any]]


def objects(text: str) -> Objects:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text) if each}


def read(path: str) -> Objects:
    return objects((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture
def deployment() -> dict[str, Any]:
    return read("manifests/controller.yaml")["Deployment", "bitcoin-controller"]


def test_of_several_controllers_one_works(deployment: dict[str, Any]) -> None:
    assert deployment["spec"]["replicas"] == 2
    assert "--leader-elect" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def test_a_machine_can_be_drained_even_if_no_copy_works() -> None:
    budget = read("manifests/disruption-budget.yaml")["PodDisruptionBudget", "bitcoin-controller"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_the_controller_may_have_the_lease_that_it_asks_for_and_no_other() -> None:
    rules = read("manifests/rbac.yaml")["Role", "bitcoin-controller-leader-election"]["rules"]
    granted = {(verb, *rule.get("resourceNames", ["any"])) for rule in rules for verb in rule["verbs"]}
    assert granted == {("create", "any"), ("get", LEASE), ("update", LEASE)}


def test_the_controller_is_not_root_and_writes_nowhere(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert "limits" in pod["containers"][0]["resources"]


def test_the_controller_uses_the_image_of_the_nodes_that_the_code_expects(deployment: dict[str, Any]) -> None:
    env = {each["name"]: each["value"] for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["BTCCTL_NODE_IMAGE"] == NODE_IMAGE


def test_names_and_namespace_are_those_of_the_first_controller(deployment: dict[str, Any]) -> None:
    ours, seeds = read("manifests/rbac.yaml"), objects((SEEDS / "rbac.yaml").read_text(encoding="utf-8"))
    ours |= read("manifests/00-namespace.yaml")
    elections = {(kind, "bitcoin-controller-leader-election") for kind in ("Role", "RoleBinding")}
    assert ours.keys() - elections == seeds.keys()
    assert deployment["metadata"]["namespace"] == NAMESPACE == "bitcoin-controller"
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "bitcoin-controller-sva"
    assert deployment["metadata"]["name"] == COMPONENT


def test_the_controller_may_delete_services_and_nothing_else() -> None:
    rules = read("manifests/rbac.yaml")["ClusterRole", "bitcoin-controller-role"]["rules"]
    deleting = [rule["resources"] for rule in rules if {"delete", "deletecollection", "*"} & set(rule["verbs"])]
    assert deleting == [["services"]]


def test_only_named_secrets_may_be_read() -> None:
    rules = read("manifests/rbac.yaml")["ClusterRole", "bitcoin-controller-role"]["rules"]
    (rule,) = [rule for rule in rules if "secrets" in rule["resources"]]
    assert rule["resourceNames"] == ["bitcoin-default-secret"]
    assert rule["verbs"] == ["get"]


def test_the_example_network_and_secret_are_those_of_the_first_controller() -> None:
    for ours, seed in (("network.yaml", "testNetwork.yaml"), ("secret.yaml", "secret.yaml")):
        assert read(f"manifests/examples/{ours}") == objects((SEEDS / seed).read_text(encoding="utf-8"))


def test_the_kubelet_asks_at_a_port_of_its_own(deployment: dict[str, Any]) -> None:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"metrics": 8080, "health": 8081}
    probes = [container[f"{each}Probe"]["httpGet"]["port"] for each in ("startup", "liveness", "readiness")]
    assert probes == ["health"] * 3


def test_a_pod_is_given_longer_to_end_than_the_controller_takes(deployment: dict[str, Any]) -> None:
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > GRACE_SECONDS


def test_the_namespace_is_applied_first_and_kubectl_reads_no_kustomization_as_an_object() -> None:
    names = sorted(path.name for path in (ROOT / "manifests").iterdir() if path.suffix in {".yaml", ".yml", ".json"})
    assert names[0] == "00-namespace.yaml"
    assert "kustomization.yaml" not in names


def test_the_kustomization_has_every_manifest() -> None:
    folder = ROOT / "manifests"
    wanted = {path.name for path in folder.glob("*.yaml")}
    assert set(yaml.safe_load((folder / "Kustomization").read_text(encoding="utf-8"))["resources"]) == wanted
