"""Credentials that come late or change, and chains on volumes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cluster.network import SECRET, Network, wait_for
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.timeout(1200)

Make = Callable[..., Network]


def give(kubectl: Kubectl, password: str) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}}
    values = {"BC_RPC_USER": "ada", "BC_RPC_PASSWORD": password}
    kubectl("apply", "-f", "-", stdin=json.dumps({**body, "stringData": values}))


def test_a_secret_that_comes_late_is_found(kubectl: Kubectl):
    net = Network(kubectl)
    net.create(2, secret=SECRET)
    wait_for(lambda: net.condition("CredentialsReady")["reason"] == "SecretNotFound")
    give(kubectl, "late-password")
    net.wait_until_ready(2)


def test_a_changed_secret_replaces_pods_one_by_one_and_loses_no_block(network: Make, kubectl: Kubectl):
    give(kubectl, "first-password")
    net = network(3, secret=SECRET)
    net.mine(7)
    before = {pod.uid for pod in net.pods().values()}
    give(kubectl, "second-password")
    wait_for(lambda: before.isdisjoint(pod.uid for pod in net.pods().values()))
    net.wait_until_ready(3)
    net.wait_for_height(7, 3)
    assert net.condition("ChainIntact")["status"] == "True"


def test_a_chain_on_volumes_outlives_its_network(network: Make, kubectl: Kubectl):
    net = network(2, storage={"size": "1Gi"})
    net.mine(8)
    claims = kubectl.json("get", "persistentvolumeclaims")["items"]
    assert [each["status"]["phase"] for each in claims] == ["Bound", "Bound"]
    kubectl("delete", "bitcoinnetwork", "net")
    wait_for(lambda: not kubectl("get", "pods", "-o", "name").strip())
    network(2, storage={"size": "1Gi", "whenDeleted": "Delete"})
    net.wait_for_height(8, 2)
    kubectl("delete", "bitcoinnetwork", "net")
    wait_for(lambda: not kubectl("get", "persistentvolumeclaims", "-o", "name").strip())
