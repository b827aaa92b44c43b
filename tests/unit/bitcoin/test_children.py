from __future__ import annotations

import copy
from typing import Any

import pytest

from btcctl.bitcoin.children import (
    NETWORK_LABEL,
    SECRET_VERSION_ANNOTATION,
    build_service,
    build_stateful_set,
    name_problem,
)
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.bitcoin.unchangeable import settable
from btcctl.controller.writing.fields import has_fields, set_fields
from tests.unit.bitcoin.builders import network

OPTIONS = ChildOptions("bitcoind:test")


def stateful_set(**options: Any) -> dict[str, Any]:
    return build_stateful_set(network(**options), OPTIONS)


def with_server_defaults(body: dict[str, Any]) -> dict[str, Any]:
    """As the API server hands back what was created (seen on a real one)."""
    body = copy.deepcopy(body)
    body["metadata"] |= {"uid": "u", "resourceVersion": "5", "generation": 1}
    spec = body["spec"]
    spec |= {"updateStrategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10}
    pod = spec["template"]["spec"]
    pod |= {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}
    container = pod["containers"][0]
    container |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log"}
    for port in container["ports"]:
        port["protocol"] = "TCP"
    container["readinessProbe"]["httpGet"]["scheme"] = "HTTP"
    container["readinessProbe"]["successThreshold"] = 1
    body["status"] = {"replicas": 3}
    return body


def container_of(body: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = body["spec"]["template"]["spec"]["containers"][0]
    return container


def test_the_service_is_headless_and_publishes_nodes_that_are_not_ready() -> None:
    spec = build_service(network(), OPTIONS)["spec"]
    assert spec["clusterIP"] == "None"
    assert spec["publishNotReadyAddresses"] is True
    assert [(port["name"], port["port"]) for port in spec["ports"]] == [("rpc", 18443), ("p2p", 18444)]


def test_children_are_named_as_the_first_controller_named_them() -> None:
    assert build_service(network("my-network"), OPTIONS)["metadata"]["name"] == "my-network-svc"
    body = stateful_set(name="my-network")
    assert body["metadata"]["name"] == "my-network-sts"
    assert body["spec"]["serviceName"] == "my-network-svc"
    assert set(body["spec"]["selector"]["matchLabels"]) == {NETWORK_LABEL}


def test_service_and_stateful_set_select_by_the_domain_label_which_the_pods_carry() -> None:
    body = stateful_set()
    assert body["spec"]["selector"]["matchLabels"] == {NETWORK_LABEL: "net"}
    assert build_service(network(), OPTIONS)["spec"]["selector"] == {NETWORK_LABEL: "net"}
    assert body["spec"]["template"]["metadata"]["labels"][NETWORK_LABEL] == "net"


def test_credentials_come_from_the_secret_and_nothing_is_optional() -> None:
    env = container_of(stateful_set(secret="mine"))["env"]
    assert env[0]["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "BC_RPC_USER"}
    assert env[1]["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "BC_RPC_PASSWORD"}


def test_without_a_secret_the_pods_get_the_default_credentials() -> None:
    env = container_of(stateful_set())["env"][:2]
    assert [(each["name"], each["value"]) for each in env] == [("BC_RPC_USER", "user"), ("BC_RPC_PASSWORD", "password")]


def test_rpc_listens_on_the_pods_addresses_of_both_families_and_within_the_pod() -> None:
    addresses, bind = container_of(stateful_set())["env"][2:4]
    assert addresses["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "status.podIPs"}
    assert bind == {"name": "BC_RPC_BIND", "value": f"$({addresses['name']}),127.0.0.1"}


def test_a_new_version_of_the_secret_changes_the_pods() -> None:
    old = with_server_defaults(build_stateful_set(network(secret="s"), OPTIONS, "1"))
    template = mended(build_stateful_set(network(secret="s"), OPTIONS, "2"), old)["spec"]["template"]
    assert template["metadata"]["annotations"] == {SECRET_VERSION_ANNOTATION: "2"}


def test_readiness_is_asked_without_credentials() -> None:
    container = container_of(stateful_set())
    assert container["name"] == "bitcoind"
    assert container["readinessProbe"]["httpGet"] == {"path": "/rest/chaininfo.json", "port": "rpc"}
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {"rpc": 18443, "p2p": 18444}


def mended(desired: dict[str, Any], observed: dict[str, Any]) -> dict[str, Any]:
    """`observed` as it would be written."""
    body = copy.deepcopy(observed)
    set_fields(body, settable(desired, observed).desired)
    return body


def test_what_the_server_filled_in_is_no_drift() -> None:
    observed = with_server_defaults(stateful_set())
    assert mended(stateful_set(), observed) == observed


def test_what_users_add_is_no_drift() -> None:
    observed = with_server_defaults(stateful_set())
    observed["metadata"]["labels"]["team"] = "red"
    observed["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "today"}
    observed["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    assert mended(stateful_set(), observed) == observed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "replicas"), 5),
        (("metadata", "labels"), {}),
        (("spec", "template", "metadata", "labels", "app.kubernetes.io/name"), "other"),
        (("spec", "template", "spec", "containers", 0, "image"), "evil"),
        (("spec", "template", "spec", "containers", 0, "ports"), []),
        (("spec", "template", "spec", "containers", 0, "readinessProbe"), {"exec": {"command": ["true"]}}),
        (("spec", "template", "spec", "containers", 0, "env", 1), {"name": "BC_RPC_PASSWORD", "value": "x"}),
        (("spec", "template", "spec", "volumes"), None),
    ],
)
def test_drift_is_set_back_and_what_else_stands_there_is_kept(path: tuple[Any, ...], value: Any) -> None:
    desired = stateful_set(secret="s")
    observed = with_server_defaults(desired)
    observed["spec"]["minReadySeconds"] = 3
    target: Any = observed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    body = mended(desired, observed)
    assert has_fields(body, desired)
    assert body != observed
    assert body["spec"]["minReadySeconds"] == 3
    assert body["metadata"]["resourceVersion"] == "5"


def test_an_alternative_is_replaced_not_merged() -> None:
    body = mended(stateful_set(), with_server_defaults(stateful_set(secret="s")))
    assert container_of(body)["env"][0] == {"name": "BC_RPC_USER", "value": "user"}


def test_a_selector_with_more_in_it_selects_less_and_is_drift() -> None:
    desired = build_service(network(), OPTIONS)
    observed = copy.deepcopy(desired)
    observed["spec"]["selector"]["extra"] = "x"
    assert mended(desired, observed)["spec"]["selector"] == {NETWORK_LABEL: "net"}


def test_what_cannot_be_changed_is_named_and_the_rest_is_repaired() -> None:
    observed = with_server_defaults(stateful_set(nodes=5))
    observed["spec"]["selector"] = {"matchLabels": {"app": "net"}}
    observed["spec"]["podManagementPolicy"] = "OrderedReady"
    assert set(settable(stateful_set(nodes=3), observed).immutable) == {"selector", "podManagementPolicy"}
    body = mended(stateful_set(nodes=3), observed)
    assert body["spec"]["replicas"] == 3
    assert body["spec"]["selector"] == {"matchLabels": {"app": "net"}}


def test_pods_keep_the_labels_that_an_unchangeable_selector_asks_for() -> None:
    observed = with_server_defaults(stateful_set())
    observed["spec"]["selector"] = {"matchLabels": {"old": "label"}}
    assert mended(stateful_set(), observed)["spec"]["template"]["metadata"]["labels"]["old"] == "label"


def test_a_service_with_an_address_of_its_own_cannot_become_headless() -> None:
    desired = build_service(network(), OPTIONS)
    observed = copy.deepcopy(desired)
    observed["spec"]["clusterIP"] = "10.96.0.7"
    assert settable(desired, observed).immutable == ("clusterIP",)
    assert mended(desired, observed) == observed


def test_a_child_without_replicas_or_labels_is_repaired_too() -> None:
    observed = with_server_defaults(stateful_set())
    del observed["spec"]["replicas"]
    del observed["metadata"]["labels"]
    assert mended(stateful_set(), observed)["spec"]["replicas"] == 3


@pytest.mark.parametrize("name", ["a", "my-network", "x" * 48, "a1-2"])
def test_names_that_leave_room_for_their_children_are_good(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["x" * 49, "1abc", "has.dot", "x" * 253])
def test_names_that_do_not_are_explained(name: str) -> None:
    assert name_problem(name)


def test_the_longest_name_fits_into_every_label_value() -> None:
    name = "x" * 48
    assert len(f"{name}-sts-999") <= 63
    assert len(f"{name}-sts-4294967295") <= 63
    assert len(f"{name}-svc") <= 63


def test_labels_and_annotations_that_are_asked_for_never_take_the_place_of_ours() -> None:
    """The API server refuses them; a definition that is older may not."""
    spec = NetworkSpec(
        1, pod_labels={NETWORK_LABEL: "other", "team": "red"}, pod_annotations={SECRET_VERSION_ANNOTATION: "1"}
    )
    asked = BitcoinNetwork(network().metadata, spec)
    metadata = build_stateful_set(asked, OPTIONS, "7")["spec"]["template"]["metadata"]
    assert (metadata["labels"][NETWORK_LABEL], metadata["labels"]["team"]) == ("net", "red")
    assert metadata["annotations"][SECRET_VERSION_ANNOTATION] == "7"
