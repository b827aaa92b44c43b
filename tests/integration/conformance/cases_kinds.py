"""What single built-in kinds ask of their objects."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    ROLES,
    SECRETS,
    SERVICES,
    config_map,
    deployment,
    lease,
    secret,
    service,
)

SERVICE_ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
ROLE_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings"
CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
REVISIONS = "/apis/apps/v1/namespaces/{ns}/controllerrevisions"
NAMESPACES = "/api/v1/namespaces"
_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}
_DRY = {"dryRun": "All"}


def named(name: str = "a", **more: Any) -> Body:
    return {"metadata": {"name": name}, **more}


@case("create", error=True)
def the_data_of_config_maps_and_secrets_is_checked(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(data={"a b": "v", "": "w", ".": "x", "..": "y", "c" * 254: "z"}))
    talk.post(CONFIG_MAPS, {**config_map(data={"a": "v"}), "binaryData": {"a": "dg=="}})
    talk.post(CONFIG_MAPS, {**config_map(), "binaryData": {"a": "no base64"}})
    talk.post(CONFIG_MAPS, config_map(data={"a": "v" * 1048577}))
    talk.post(SECRETS, secret(data={"a": "d"}))
    talk.post(SECRETS, secret(data={"a/b": "dg=="}))
    talk.post(SECRETS, secret(stringData={"a/b": "v"}))
    talk.post(SECRETS, secret(stringData={"a": "v"}, data={"a": "dw==", "b": "dw=="}))


@case("create", error=True)
def a_secret_has_what_its_type_asks_for(talk: Talk) -> None:
    for type_ in (
        "kubernetes.io/service-account-token", "kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson",
        "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls", "bootstrap.kubernetes.io/token",
        "example.org/any",
    ):  # fmt: skip
        talk.post(SECRETS, secret(type=type_), query=_DRY)
    bad = {".dockercfg": "eA==", ".dockerconfigjson": "eA=="}
    for type_ in ("kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson"):
        talk.post(SECRETS, secret(type=type_, data=bad), query=_DRY)
    talk.post(SECRETS, secret(type="kubernetes.io/basic-auth", stringData={"password": "p"}), query=_DRY)
    talk.post(SECRETS, secret(type="kubernetes.io/tls", stringData={"tls.crt": "c", "tls.key": "k"}), query=_DRY)


@case("create", error=True)
def rules_of_roles_say_what_they_are_about(talk: Talk) -> None:
    rules: list[Body] = [
        {}, {"verbs": ["get"]}, {"verbs": ["get"], "apiGroups": [""]},
        {"verbs": [], "apiGroups": [""], "resources": ["pods"]},
        {"verbs": ["get"], "nonResourceURLs": ["/x"]},
        {"verbs": ["get"], "nonResourceURLs": ["/x"], "apiGroups": [""], "resources": ["pods"]},
    ]  # fmt: skip
    for rule in rules:
        talk.post(ROLES, named(rules=[rule]), query=_DRY)
        talk.post(CLUSTER_ROLES, named("{ns}-a", rules=[rule]), query=_DRY)
    talk.post(ROLES, named(), query=_DRY)
    talk.post(CLUSTER_ROLES, named("{ns}-a", aggregationRule={}), query=_DRY)
    talk.post(
        CLUSTER_ROLES,
        named("{ns}-a", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"-": ""}}]}),
        query=_DRY,
    )


@case("create", error=True)
def bindings_say_who_may_do_what(talk: Talk) -> None:
    user = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
    subjects: list[Body] = [
        user, {"kind": "User", "name": "alice"}, {"kind": "ServiceAccount", "name": "a"},
        {"kind": "ServiceAccount", "name": "a", "namespace": "{ns}"},
        {"kind": "ServiceAccount", "name": "A_", "namespace": "{ns}"},
        {"kind": "Robot", "name": "r"}, {"kind": "Group", "name": ""}, {**user, "apiGroup": "other"},
        {"kind": "ServiceAccount", "name": "a", "namespace": "{ns}", "apiGroup": "x"},
    ]  # fmt: skip
    for subject in subjects:
        talk.post(ROLE_BINDINGS, named(roleRef=_REF, subjects=[subject]), query=_DRY)
    references: list[Body] = [
        {},
        {**_REF, "kind": "Other"},
        {**_REF, "name": ""},
        {**_REF, "apiGroup": ""},
        {**_REF, "apiGroup": "x"},
    ]
    for reference in references:
        talk.post(ROLE_BINDINGS, named(roleRef=reference), query=_DRY)


@case("update", error=True)
def a_binding_never_leads_to_another_role(talk: Talk) -> None:
    talk.post(ROLE_BINDINGS, named(roleRef=_REF))
    talk.put(f"{ROLE_BINDINGS}/a", named(roleRef={**_REF, "name": "b"}))
    talk.patch(f"{ROLE_BINDINGS}/a", {"roleRef": {"kind": "ClusterRole"}})
    talk.patch(f"{ROLE_BINDINGS}/a", {"subjects": [{"kind": "Group", "name": "g"}]})
    talk.put(f"{ROLE_BINDINGS}/b", named("b", roleRef=_REF))
    talk.put(f"{ROLES}/b", named("b", rules=[]))


@case("update", error=True)
def a_revision_never_changes(talk: Talk) -> None:
    talk.post(REVISIONS, named(revision=1, data={}))
    talk.patch(f"{REVISIONS}/a", {"revision": 2})
    talk.patch(f"{REVISIONS}/a", {"revision": -2})
    talk.post(REVISIONS, named("b", revision=1))
    talk.post(REVISIONS, named("b", revision=-1, data={}))
    talk.post(REVISIONS, named("b", revision=1, data=None))
    talk.post(REVISIONS, named("b", revision=1, data=[1]))


@case("update", error=True)
def the_type_of_a_secret_stays_and_may_be_left_out(talk: Talk) -> None:
    talk.post(SECRETS, secret(type="example.org/one", data={"k": "dg=="}))
    talk.put(f"{SECRETS}/a", secret(data={"k": "dw=="}))
    talk.patch(f"{SECRETS}/a", {"type": None})
    talk.patch(f"{SECRETS}/a", {"type": ""})
    talk.patch(f"{SECRETS}/a", {"type": "Opaque"})
    talk.patch(f"{SECRETS}/a", {"stringData": {"l": "v"}, "data": {"k": None}})
    talk.put(f"{SECRETS}/a", secret(type="example.org/one", stringData={"k": "v"}))


@case("update")
def namespaces_keep_their_finalizers_and_their_name(talk: Talk) -> None:
    place = f"{NAMESPACES}/{{ns}}"
    talk.patch(place, {"spec": {"finalizers": []}})
    talk.patch(place, {"metadata": {"labels": {"kubernetes.io/metadata.name": "other", "a": "b"}}})
    talk.patch(place, {"metadata": {"labels": {"kubernetes.io/metadata.name": None}}})
    talk.put(place, {"metadata": {"name": "{ns}"}})
    talk.patch(place, {"status": {"phase": "Terminating"}})
    talk.patch(f"{place}/status", {"status": {"phase": "Terminating"}})
    talk.post(NAMESPACES, {"metadata": {"name": "{ns}-e"}, "spec": {"finalizers": ["example.org/own"]}}, query=_DRY)


@case("update")
def a_put_of_a_missing_service_creates_it(talk: Talk) -> None:
    talk.put(f"{SERVICES}/a", service())
    talk.put(f"{SERVICES}/a", service(ports=[{"port": 81}]))


@case("conflicts", error=True)
def versions_in_patches_are_checked_as_in_puts(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map())
    talk.post(LEASES, lease())
    for version in (None, "", "0"):
        talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"resourceVersion": version}, "data": {"v": str(version)}})
        talk.patch(f"{LEASES}/a", {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": "me"}})
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": "1"}
    talk.patch(f"{CONFIG_MAPS}/a", [test], content_type="json")
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"resourceVersion": "1"}}, content_type="strategic")
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"resourceVersion": 1}})


@case("conflicts", error=True)
def a_put_of_what_is_missing_with_an_identity_is_a_conflict(talk: Talk) -> None:
    other = "11111111-2222-3333-4444-555555555555"
    body = lease()
    for metadata in ({"uid": other}, {"resourceVersion": "5"}, {"resourceVersion": "abc"}):
        talk.put(f"{LEASES}/a", {**body, "metadata": {**body["metadata"], **metadata}}, query=_DRY)
    talk.put(f"{CONFIG_MAPS}/a", config_map(uid=other))


@case("generation")
def annotations_of_a_deployment_count_too(talk: Talk) -> None:
    with talk.hush():
        talk.post(DEPLOYMENTS, deployment(replicas=0))
        found = [
            talk.patch(f"{DEPLOYMENTS}/a", change).body["metadata"]["generation"]
            for change in (
                {"metadata": {"annotations": {"a": "b"}}},
                {"metadata": {"annotations": {"a": "b"}}},
                {"metadata": {"labels": {"a": "b"}}},
                {"spec": {"paused": True}},
                {"spec": {"template": {"metadata": {"annotations": {"c": "d"}}}}},
            )
        ]
    talk.note("generations", found)


@case("generation")
def a_put_that_fills_in_defaults_does_not_count(talk: Talk) -> None:
    with talk.hush():
        talk.post(DEPLOYMENTS, deployment(replicas=0))
        same = talk.put(f"{DEPLOYMENTS}/a", deployment(replicas=0)).body["metadata"]["generation"]
        more = talk.put(f"{DEPLOYMENTS}/a", deployment(replicas=0, minReadySeconds=1)).body["metadata"]["generation"]
        status = talk.patch(f"{DEPLOYMENTS}/a/status", {"status": {"replicas": 0}}).body["metadata"]["generation"]
    talk.note("generations", (same, more, status))
