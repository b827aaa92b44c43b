from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from btcctl.bitcoin.doctor.rights import NEEDED, Rule, check_rights, lease_rules, missing_of
from btcctl.testing.fake_client import FakeClient

RBAC = Path(__file__).parents[4] / "manifests/rbac.yaml"
Grants = set[tuple[str, str, str, str]]


def granted(kind: str) -> Grants:
    roles = [each for each in yaml.safe_load_all(RBAC.read_text(encoding="utf-8")) if each["kind"] == kind]
    return {
        (group, resource, verb, name)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
        if resource != "secrets"
    }


def of(*rules: Rule) -> Grants:
    return {(rule.group, rule.resource, verb, rule.name) for rule in rules for verb in rule.verbs}


def test_what_is_asked_for_is_what_the_manifests_grant() -> None:
    assert of(*NEEDED) == granted("ClusterRole")
    assert of(*lease_rules("bitcoin-controller")) == granted("Role")


def reviewed(*refused: tuple[str, str]) -> FakeClient:
    """An API server that refuses these verbs and resources."""
    client = FakeClient()

    def review(path: str, body: dict[str, object]) -> dict[str, object]:
        if path.endswith("selfsubjectreviews"):
            return {"status": {"userInfo": {"username": "alice"}}}
        asked = body["spec"]["resourceAttributes"]  # type: ignore[index]
        return {"status": {"allowed": (asked["verb"], asked["resource"]) not in refused}}

    client.post_json = review  # type: ignore[method-assign,assignment]
    return client


def test_who_may_do_everything_is_told_so_once() -> None:
    (found,) = check_rights(reviewed(), (), "home", "lease")
    assert (found.verdict, found.message) == ("ok", "alice may do all that the operator does")


def test_what_is_missing_is_said_with_the_rule_that_grants_just_that() -> None:
    (found,) = check_rights(reviewed(("create", "services"), ("update", "services")), ("one",), "home", "lease")
    assert found.message == "alice may not create and update services in namespace one"
    rule = yaml.safe_load(found.cure.partition("\n")[2])
    assert rule == [{"apiGroups": [""], "resources": ["services"], "verbs": ["create", "update"]}]


def test_a_lease_of_a_name_is_granted_by_its_name() -> None:
    (found,) = check_rights(reviewed(("get", "leases")), (), "home", "mine")
    assert yaml.safe_load(found.cure.partition("\n")[2])[0]["resourceNames"] == ["mine"]
    assert "in namespace home" in found.message


@pytest.mark.parametrize("namespaces", [("one", "two"), ("one",)])
def test_every_namespace_is_asked_about(namespaces: tuple[str, ...]) -> None:
    found = list(check_rights(reviewed(("list", "pods")), namespaces, "home", "lease"))
    assert len(found) == len(namespaces)


def test_a_rule_that_is_granted_as_a_whole_lacks_nothing() -> None:
    assert missing_of(reviewed(), "one", NEEDED[0]) is None
