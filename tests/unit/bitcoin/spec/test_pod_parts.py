from __future__ import annotations

import pytest

from btcctl.bitcoin.spec.model import NetworkSpec, Resources
from btcctl.bitcoin.spec.pod_parts import container_fields, names_given, pod_fields, pruned, pull_policy


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("bitcoind:29.0", "IfNotPresent"),
        ("bitcoind", "Always"),
        ("bitcoind:latest", "Always"),
        ("registry:5000/bitcoind", "Always"),
        ("registry:5000/bitcoind:29", "IfNotPresent"),
        ("bitcoind@sha256:00", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_from_the_tag_as_in_kubernetes(image: str, policy: str) -> None:
    assert pull_policy(NetworkSpec(1), image) == policy
    assert pull_policy(NetworkSpec(1, image_pull_policy="Never"), image) == "Never"


def test_a_spec_that_says_nothing_gives_nothing() -> None:
    assert (pod_fields(NetworkSpec(1), {}), container_fields(NetworkSpec(1)), names_given(NetworkSpec(1))) == (
        {},
        {},
        [],
    )


def test_a_spread_without_a_selector_is_about_the_networks_own_pods() -> None:
    ours, theirs = {"maxSkew": 1}, {"maxSkew": 1, "labelSelector": {"matchLabels": {"a": "b"}}}
    fields = pod_fields(NetworkSpec(1, topology_spread_constraints=[ours, theirs]), {"network": "net"})
    selectors = [each["labelSelector"]["matchLabels"] for each in fields["topologySpreadConstraints"]]
    assert selectors == [{"network": "net"}, {"a": "b"}]


def test_an_empty_object_takes_the_place_of_the_default() -> None:
    spec = NetworkSpec(1, security_context={}, resources=Resources(), node_selector={})
    assert pod_fields(spec, {}) == {"securityContext": {}}
    assert container_fields(spec) == {"resources": {}}


def test_what_go_leaves_out_for_being_empty_is_left_out_and_an_empty_selector_is_not() -> None:
    term = {"labelSelector": {}, "namespaces": [], "topologyKey": "zone", "namespaceSelector": None}
    assert pruned({"terms": [term]}) == {"terms": [{"labelSelector": {}, "topologyKey": "zone"}]}
    assert pruned({"labelSelector": {"matchLabels": {}}}) == {"labelSelector": {}}
