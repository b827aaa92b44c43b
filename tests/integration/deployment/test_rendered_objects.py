"""What the chart's objects mean together: who reaches whom, what a release has of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.deployment.charts import NAMESPACE, rendered, template

pytestmark = pytest.mark.helm

MONITORING = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
Labels = dict[str, str]


def only(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pod_labels(objects: list[dict[str, Any]], name: str) -> Labels:
    labels: Labels = only(objects, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
    return labels


def selects(selector: dict[str, Any], labels: Labels) -> bool:
    named = [{"key": key, "values": [value]} for key, value in selector.get("matchLabels", {}).items()]
    return all(labels.get(each["key"]) in each["values"] for each in [*named, *selector.get("matchExpressions", [])])


def lets_in(policy: dict[str, Any], port: str, labels: Labels) -> bool:
    """Whether pods of the release's own namespace with these labels may come."""
    ours = {"kubernetes.io/metadata.name": NAMESPACE}
    for rule in policy["spec"]["ingress"]:
        if port in [each["port"] for each in rule["ports"]]:
            for peer in rule.get("from", [{}]):
                if selects(peer.get("namespaceSelector", {}), ours) and selects(peer.get("podSelector", {}), labels):
                    return True
    return False


@pytest.mark.parametrize("release", ["my.release", "1st", "a" * 39 + ".b"])
def test_a_release_whose_name_no_service_can_have_is_refused_before_anything_is_made(release: str) -> None:
    done = template(release=release)
    assert done.returncode != 0
    assert "fullnameOverride" in done.stderr
    assert rendered(release=release, values={"fullnameOverride": "mine"})


def test_a_long_name_is_cut_to_one_that_a_service_can_have() -> None:
    objects = rendered(release="a" * 36 + "-----" + "b" * 12)
    assert only(objects, "Service", "a" * 36 + "-metrics")


def test_two_releases_for_some_namespaces_that_live_in_one_have_a_lease_each() -> None:
    leases = set()
    for release, namespace in (("one-btcctl", "one"), ("two-btcctl", "two")):
        objects = rendered(release=release, values={"watchNamespaces": [namespace]})
        (arg,) = [
            each
            for each in only(objects, "Deployment", release)["spec"]["template"]["spec"]["containers"][0]["args"]
            if each.startswith("--leader-elect-resource-name=")
        ]
        leases.add(arg.partition("=")[2])
        role = only(objects, "Role", f"{release}-leader-election")
        assert role["rules"][1]["resourceNames"] == [arg.partition("=")[2]]
    assert leases == {"one-btcctl", "two-btcctl"}


def test_the_page_reaches_the_controllers_inside_whoever_else_may_scrape() -> None:
    values = {"view": {"enabled": True}, "debugEndpoints": True, "networkPolicy": {"metricsFrom": [MONITORING]}}
    objects = rendered(values={**values, "replicas": 1})
    page = pod_labels(objects, "btcctl-view")
    assert lets_in(only(objects, "NetworkPolicy", "btcctl"), "metrics", page)
    assert not lets_in(only(rendered(values=values), "NetworkPolicy", "btcctl"), "metrics", page)  # it does not ask


@pytest.mark.parametrize("asks", [False, True])
def test_nodes_let_in_the_controller_and_the_page_only_if_it_asks_them(asks: bool) -> None:
    values = {"view": {"enabled": True, "asksNodes": asks}, "networkPolicy": {"nodes": {"namespaces": ["one"]}}}
    objects = rendered(values=values)
    policy = only(objects, "NetworkPolicy", "bitcoin-controller-btcctl-nodes")
    doctor = only(objects, "Pod", "btcctl-doctor")["metadata"]["labels"]
    assert lets_in(policy, "rpc", pod_labels(objects, "btcctl"))
    assert lets_in(policy, "rpc", doctor)
    assert lets_in(policy, "rpc", pod_labels(objects, "btcctl-view")) is asks


def test_what_a_monitor_is_given_of_tls_and_tokens_stands_in_the_place_of_ours() -> None:
    given = {
        "tlsConfig": {"ca": {"configMap": {"name": "ca", "key": "ca.crt"}}},
        "authorization": {"credentials": {"name": "scraper", "key": "token"}},
    }
    secure = {"enabled": True, "certificateSecret": "metrics-tls"}
    monitor = {"enabled": True, "namespace": "monitoring", "endpointConfig": given}
    objects = rendered(values={"metrics": {"secure": secure, "serviceMonitor": monitor}})
    (endpoint,) = only(objects, "ServiceMonitor", "btcctl")["spec"]["endpoints"]
    assert endpoint["tlsConfig"] == given["tlsConfig"]
    assert "bearerTokenFile" not in endpoint
    assert endpoint["scheme"] == "https"


@pytest.mark.parametrize("namespace", ["2024", "null", "true"])
def test_a_namespace_or_a_release_that_yaml_takes_for_something_else_is_a_text_everywhere(namespace: str) -> None:
    monitors = {each: {"enabled": True} for each in ("serviceMonitor", "prometheusRule", "dashboard")}
    values = {"metrics": monitors, "view": {"enabled": True}, "exampleNetwork": {"create": True}}
    objects = rendered("--namespace", namespace, values={**values, "fullnameOverride": "on"}, release="7")
    for each in objects:
        found = [each["metadata"][key] for key in ("name", "namespace") if key in each["metadata"]]
        found += [*each["metadata"].get("labels", {}).values()]
        assert all(isinstance(text, str) for text in found), each["metadata"]
    assert only(objects, "ServiceMonitor", "on")["spec"]["namespaceSelector"] == {"matchNames": [namespace]}


def test_all_pods_of_a_release_run_where_the_controller_may() -> None:
    terms = [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]
    node_affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    apart = [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {}}]
    values = {
        "nodeSelector": {"for": "operators"},
        "tolerations": [{"key": "operators", "operator": "Exists"}],
        "priorityClassName": "system-cluster-critical",
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["api.example"]}],
        "extraEnv": [{"name": "KUBERNETES_SERVICE_HOST", "value": "api.example"}],
        "affinity": {
            "nodeAffinity": node_affinity,
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": apart},
        },
    }
    objects = rendered(values={**values, "view": {"enabled": True}})
    pods = [only(objects, "Deployment", each)["spec"]["template"]["spec"] for each in ("btcctl", "btcctl-view")]
    controller, *others = [*pods, only(objects, "Pod", "btcctl-doctor")["spec"]]
    assert "podAntiAffinity" in controller["affinity"]
    for each in others:
        places = ("nodeSelector", "tolerations", "priorityClassName", "hostAliases")
        assert {key: each[key] for key in places} == {key: values[key] for key in places}
        assert each["affinity"] == {"nodeAffinity": node_affinity}
        assert values["extraEnv"][0] in each["containers"][0]["env"]


def test_every_variable_that_the_chart_sets_is_refused_as_an_extra_one() -> None:
    secure = {"enabled": True, "certificateSecret": "tls"}
    objects = rendered(values={"metrics": {"secure": secure}})
    (container,) = only(objects, "Deployment", "btcctl")["spec"]["template"]["spec"]["containers"]
    for each in container["env"]:
        done = template(values={"extraEnv": [{"name": each["name"], "value": "x"}]})
        assert f"extraEnv: {each['name']} is there already" in done.stderr


def test_durations_are_compared_whatever_their_units() -> None:
    times = {"leaseDuration": "1m30s", "renewDeadline": "80", "retryPeriod": "1500ms"}
    assert rendered(values={"leaderElection": times, "pollMin": "0.5s", "pollMax": "1h"})
