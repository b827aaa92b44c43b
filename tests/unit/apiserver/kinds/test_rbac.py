"""What roles, bindings and Secrets are asked for."""

from __future__ import annotations

import base64

import pytest

from btcctl.apiserver.kinds import rbac, secrets

REFERENCE = {"apiGroup": rbac.GROUP, "kind": "Role", "name": "a"}
RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}


def fields(causes):
    return [cause.field for cause in causes]


class TestRoles:
    def test_rules_are_about_resources(self):
        assert rbac.check_role({"rules": [RULE]}) == []
        assert fields(rbac.check_role({"rules": [{}]})) == [
            "rules[0].verbs", "rules[0].apiGroups", "rules[0].resources",
        ]  # fmt: skip

    def test_only_rules_of_the_cluster_are_about_urls(self):
        rule = {"verbs": ["get"], "nonResourceURLs": ["/x"]}
        assert rbac.check_cluster_role({"rules": [rule]}) == []
        assert fields(rbac.check_role({"rules": [rule]})) == ["rules[0].nonResourceURLs"]
        assert fields(rbac.check_cluster_role({"rules": [{**rule, **RULE}]})) == ["rules[0].nonResourceURLs"]

    @pytest.mark.parametrize(("selectors", "count"), [([], 1), ([{"matchLabels": {"-": ""}}], 2), ([{}], 0)])
    def test_an_aggregation_selects_roles(self, selectors, count):
        assert len(rbac.check_cluster_role({"aggregationRule": {"clusterRoleSelectors": selectors}})) == count


class TestBindings:
    @pytest.mark.parametrize(
        ("reference", "field"),
        [
            ({**REFERENCE, "apiGroup": "x"}, "roleRef.apiGroup"),
            ({**REFERENCE, "kind": "Other"}, "roleRef.kind"),
            ({**REFERENCE, "name": ""}, "roleRef.name"),
            ({**REFERENCE, "name": "a/b"}, "roleRef.name"),
        ],
    )
    def test_they_lead_to_a_role(self, reference, field):
        assert fields(rbac.check_binding({"roleRef": reference})) == [field]

    def test_one_of_the_cluster_leads_to_a_role_of_the_cluster(self):
        assert fields(rbac.check_cluster_binding({"roleRef": REFERENCE})) == ["roleRef.kind"]

    @pytest.mark.parametrize(
        ("subject", "field"),
        [
            ({"kind": "Robot", "name": "r"}, "kind"),
            ({"kind": "Group", "name": "g"}, "apiGroup"),
            ({"kind": "User", "name": "", "apiGroup": rbac.GROUP}, "name"),
            ({"kind": "ServiceAccount", "name": "A_"}, "name"),
            ({"kind": "ServiceAccount", "name": "a", "apiGroup": "x"}, "apiGroup"),
        ],
    )
    def test_subjects_are_known_and_named(self, subject, field):
        assert fields(rbac.check_binding({"roleRef": REFERENCE, "subjects": [subject]})) == [f"subjects[0].{field}"]

    def test_an_account_bound_in_the_cluster_has_a_namespace(self):
        body = {"roleRef": {**REFERENCE, "kind": "ClusterRole"}, "subjects": [{"kind": "ServiceAccount", "name": "a"}]}
        assert fields(rbac.check_cluster_binding(body)) == ["subjects[0].namespace"]

    def test_they_never_lead_elsewhere(self):
        other = {"roleRef": {**REFERENCE, "name": "b"}}
        assert fields(rbac.check_binding_update(other, {"roleRef": REFERENCE})) == ["roleRef"]
        assert rbac.check_binding_update(other, other) == []


def secret(type_, annotations=None, **data):
    encoded = {name.replace("_", "."): base64.b64encode(value.encode()).decode() for name, value in data.items()}
    return {"metadata": {"annotations": annotations}, "type": type_, "data": encoded}


class TestSecrets:
    @pytest.mark.parametrize(
        ("body", "names"),
        [
            (secret("Opaque"), []),
            (
                secret("kubernetes.io/service-account-token"),
                ["metadata.annotations[kubernetes.io/service-account.name]"],
            ),
            (secret("kubernetes.io/service-account-token", {"kubernetes.io/service-account.name": "a"}), []),
            (secret("kubernetes.io/basic-auth"), ["data[username]", "data[password]"]),
            (secret("kubernetes.io/basic-auth", password="p"), []),
            (secret("kubernetes.io/ssh-auth"), ["data[ssh-privatekey]"]),
            (secret("kubernetes.io/tls", tls_key="k"), ["data[tls.crt]"]),
            (secret("kubernetes.io/dockercfg"), ["data[.dockercfg]"]),
            (secret("kubernetes.io/dockercfg", _dockercfg="x"), ["data[.dockercfg]"]),
            (secret("kubernetes.io/dockercfg", _dockercfg="[]"), ["data[.dockercfg]"]),
            (secret("kubernetes.io/dockerconfigjson", _dockerconfigjson="{}"), []),
        ],
    )
    def test_each_type_asks_for_its_own(self, body, names):
        assert fields(secrets.check_type(body)) == names

    def test_no_content_is_told(self):
        (cause,) = secrets.check_type(secret("kubernetes.io/dockercfg", _dockercfg="geheim"))
        assert "geheim" not in cause.message

    def test_a_certificate_that_is_none_is_warned_of(self):
        pem = "-----BEGIN X-----"
        assert secrets.remarks(secret("kubernetes.io/tls", tls_crt="c", tls_key=pem), None) == [
            "tls: failed to find any PEM data in certificate input"
        ]
        assert secrets.remarks(secret("kubernetes.io/tls", tls_crt=pem, tls_key=pem), None) == []

    def test_their_size_is_that_of_the_bytes(self):
        assert secrets.size_of({"a": "TWFu", "b": "TQ=="}) == 4
