from __future__ import annotations

import pytest

from btcctl.rbac.rights import Difference, Right, Use, difference, least_rules, rules_in, uses_of, with_least_rules

PODS_READ = [Use(Right("", "pods", verb)) for verb in ("get", "list", "watch")]


def rule(groups: list[str], resources: list[str], verbs: list[str], **more: list[str]) -> dict[str, list[str]]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **more}


def test_resources_of_a_group_with_the_same_verbs_share_a_rule():
    rights = [Right("", name, verb) for name in ("pods", "configmaps") for verb in ("watch", "get")]
    assert least_rules([*rights, Right("apps", "deployments", "patch")]) == [
        rule([""], ["configmaps", "pods"], ["get", "watch"]),
        rule(["apps"], ["deployments"], ["patch"]),
    ]


def test_an_apply_that_creates_takes_the_right_to_create():
    assert {str(each.right) for each in uses_of("patch", "apps", "deployments", "", "a", has_created=True)} == {
        "patch deployments.apps",
        "create deployments.apps",
    }
    assert len(uses_of("create", "", "pods", has_created=True)) == 1


def test_exactly_what_was_used_is_no_difference():
    assert not difference(PODS_READ, [rule([""], ["pods"], ["get", "list", "watch"])])
    assert not difference(PODS_READ, [rule([""], ["pods"], ["get"]), rule([""], ["pods"], ["list", "watch"])])


def test_a_right_that_is_not_granted_is_missing_and_one_that_is_not_used_superfluous():
    found = difference(PODS_READ, [rule([""], ["pods"], ["get", "list", "delete"])])
    assert found == Difference(["watch pods"], ["delete pods"])
    assert str(found) == "missing: watch pods; superfluous: delete pods"


@pytest.mark.parametrize(
    ("granted", "superfluous"),
    [
        (rule(["*"], ["pods"], ["get", "list", "watch"]), ["get pods.*", "list pods.*", "watch pods.*"]),
        (rule([""], ["*"], ["get", "list", "watch"]), ["get *", "list *", "watch *"]),
        (rule([""], ["pods"], ["*"]), ["* pods"]),
    ],
)
def test_a_star_grants_and_is_more_than_was_used(granted, superfluous):
    assert difference(PODS_READ, [granted]) == Difference([], superfluous)


def test_subresources_are_rights_of_their_own():
    scale = uses_of("patch", "apps", "statefulsets", "scale", "a")
    assert difference(scale, [rule(["apps"], ["statefulsets"], ["patch"])]).missing == ["patch statefulsets/scale.apps"]
    assert difference(scale, [rule(["apps"], ["*/scale"], ["patch"])]).missing == []


def test_a_rule_for_some_names_grants_nothing_else():
    named = rule([""], ["secrets"], ["get"], resourceNames=["a"])
    assert not difference(uses_of("get", "", "secrets", "", "a"), [named])
    assert difference(uses_of("get", "", "secrets", "", "b"), [named]).missing == ["get secrets"]


def test_what_is_used_elsewhere_is_not_superfluous():
    leases = rule(["coordination.k8s.io"], ["leases"], ["get", "update"])
    rules = [rule([""], ["pods"], ["get", "list", "watch"]), leases]
    assert not difference(PODS_READ, rules, beside=[("coordination.k8s.io", "leases")])


def test_rules_are_those_of_roles_about_resources():
    pods = rule([""], ["pods"], ["get"])
    objects = [
        {"kind": "ClusterRole", "rules": [pods, {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]},
        {"kind": "Role", "rules": None},
        {"kind": "Service", "spec": {}},
    ]
    assert rules_in(objects) == [pods]


ACCOUNT = {"kind": "ServiceAccount"}
LEASES, HEALTH = rule(["c.io"], ["leases"], ["get"]), {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}


def test_the_only_role_grants_what_was_used_and_keeps_what_is_used_elsewhere():
    role = {"kind": "Role", "rules": [rule([""], ["secrets"], ["delete"]), LEASES, HEALTH]}
    written = with_least_rules([ACCOUNT, role], PODS_READ, beside=[("c.io", "leases")])
    assert written == [
        ACCOUNT,
        {"kind": "Role", "rules": [rule([""], ["pods"], ["get", "list", "watch"]), LEASES, HEALTH]},
    ]


@pytest.mark.parametrize("roles", [0, 2])
def test_rules_are_not_written_where_it_is_not_clear_which(roles):
    with pytest.raises(ValueError, match=f"there are {roles} Roles and ClusterRoles"):
        with_least_rules([ACCOUNT, *[{"kind": "Role"}] * roles], PODS_READ)
