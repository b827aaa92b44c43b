"""`btcctl doctor` as a person runs it, with the rights of the controller on a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.resources import CLUSTER_ROLES
from btcctl.testing.control_plane import ControlPlane
from tests.integration.audit import AuditLog
from tests.integration.bitcoin.operated import MANIFESTS, SEEDS, Operated
from tests.integration.bitcoin.operated_for_real import operated_for_real
from tests.integration.bitcoin.test_rights import ROLE, hold_the_lease
from tests.integration.cli.test_commands import btcctl
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server


@pytest.fixture
def cluster(lone_control_plane: ControlPlane, audit_log: AuditLog) -> Iterator[Operated]:
    with operated_for_real(MANIFESTS, lone_control_plane, audit_log) as cluster:
        yield cluster


@pytest.fixture
def account(cluster: Operated, lone_control_plane: ControlPlane) -> Path:
    """A kubeconfig of the controller."""
    return lone_control_plane.service_account_kubeconfig("bitcoin-controller", "bitcoin-controller-sva")


def diagnosed(account: Path) -> dict[str, list[dict[str, Any]]]:
    """What each check finds."""
    done = btcctl("doctor", "--kubeconfig", str(account), "-o", "json")
    found = json.loads(done.stdout)
    assert done.returncode == int(any(each["verdict"] == "error" for each in found)), done.stderr
    return {check: [each for each in found if each["check"] == check] for check in {each["check"] for each in found}}


def verdicts(account: Path, check: str) -> set[str]:
    return {each["verdict"] for each in diagnosed(account)[check]}


def test_everything_that_is_installed_is_found_good_with_the_controllers_rights(
    cluster: Operated, account: Path
) -> None:
    cluster.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    hold_the_lease(cluster)
    found = diagnosed(account)
    assert {check: {each["verdict"] for each in found[check]} for check in found if check != "lease"} == {
        check: {"ok"} for check in ("server", "definition", "rights", "secrets", "images", "reach")
    }
    assert found["lease"][0]["verdict"] == "error"  # it was given back


def test_the_rule_that_it_prints_mends_what_is_missing(cluster: Operated, account: Path) -> None:
    roles = cluster.admin.resource(CLUSTER_ROLES)
    rules = [rule for rule in roles.get(ROLE).body()["rules"] if "services" not in rule["resources"]]
    roles.patch(ROLE, {"rules": rules})
    eventually(lambda: verdicts(account, "rights") == {"error"})
    (missing,) = diagnosed(account)["rights"]
    roles.patch(ROLE, {"rules": [*rules, *yaml.safe_load(missing["cure"].partition("\n")[2])]})
    eventually(lambda: verdicts(account, "rights") == {"ok"})


def test_a_secret_that_is_missing_is_said_to_people_with_a_command(cluster: Operated, account: Path) -> None:
    cluster.install(SEEDS / "testNetwork.yaml")
    done = btcctl("doctor", "--kubeconfig", str(account))
    assert done.returncode == 1
    assert "[XX] secrets: there is no Secret default/bitcoin-default-secret\n" in done.stdout
    assert "kubectl -n default create secret generic bitcoin-default-secret" in done.stdout
