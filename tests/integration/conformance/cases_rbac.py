"""RBAC: what roles allow whom, in which words the rest is refused, and who may give rights away."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import CONFIG_MAPS, PODS, ROLES, SECRETS, config_map

RBAC = "/apis/rbac.authorization.k8s.io/v1"
BINDINGS = f"{RBAC}/namespaces/{{ns}}/rolebindings"
CLUSTER_ROLES = f"{RBAC}/clusterroles"
CLUSTER_BINDINGS = f"{RBAC}/clusterrolebindings"
ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
OWN = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OTHER = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ALICE: Body = {"kind": "User", "name": "alice"}


def rule(verbs: str, resources: str, *names: str, group: str = "") -> Body:
    found: Body = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**found, "resourceNames": list(names)} if names else found


def role(name: str, *rules: Body, kind: str = "Role", **metadata: Any) -> Body:
    return {
        "kind": kind,
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": name, **metadata},
        "rules": list(rules),
    }


def binding(name: str, role_name: str, *subjects: Body, kind: str = "Role", bound: str = "RoleBinding") -> Body:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role_name}
    head = {"kind": bound, "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    return {**head, "roleRef": reference, "subjects": list(subjects)}


def allow(talk: Talk, *rules: Body, name: str = "r", subject: Body = ALICE) -> None:
    """Have rights in the case's namespace, and wait until they are known."""
    with talk.hush():
        assert talk.post(ROLES, role(name, *rules)).status == 201
        assert talk.post(BINDINGS, binding(name, name, subject)).status == 201
    first, names = rules[0], rules[0].get("resourceNames") or [""]
    what = {"verb": first["verbs"][0], "group": first["apiGroups"][0], "resource": first["resources"][0]}
    wait(talk, {"namespace": "{ns}", **what, "name": names[0]}, subject)


def wait(talk: Talk, attributes: Body, subject: Body = ALICE) -> None:
    who = {"user": subject["name"]} if subject["kind"] == "User" else {"groups": [subject["name"]]}
    if subject["kind"] == "ServiceAccount":
        who = {"user": f"system:serviceaccount:{{ns}}:{subject['name']}"}
    ask: Body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    ask["spec"] = {"resourceAttributes": attributes, **who}
    talk.eventually(lambda: talk.post(OTHER, ask).body["status"]["allowed"])


@case("rbac", error=True)
def what_no_role_allows_is_refused(talk: Talk) -> None:
    for method, path in (
        ("GET", CONFIG_MAPS), ("GET", f"{CONFIG_MAPS}/a"), ("POST", CONFIG_MAPS), ("PUT", f"{CONFIG_MAPS}/a"),
        ("PATCH", f"{CONFIG_MAPS}/a"), ("DELETE", f"{CONFIG_MAPS}/a"), ("DELETE", CONFIG_MAPS),
        ("GET", f"{PODS}/a/log"), ("PATCH", f"{PODS}/a/status"), ("GET", "/api/v1/nodes"),
        ("GET", "/api/v1/namespaces/{ns}"), ("GET", "/apis/apps/v1/deployments"),
        ("GET", "/apis/none.example.org/v1/things"), ("GET", "/metrics"), ("POST", "/api"),
    ):  # fmt: skip
        body = config_map() if method in {"POST", "PUT", "PATCH"} else None
        talk.send(
            method,
            path,
            body,
            user="alice",
            content_type="application/json" if method != "PATCH" else "application/merge-patch+json",
        )
    talk.get(CONFIG_MAPS, query={"watch": "1"}, user="alice")
    talk.get(CONFIG_MAPS, user="")
    talk.get("/version", user="alice", headers={"Accept": "text/nothing"})


@case("rbac")
def a_role_allows_what_it_says_in_its_namespace(talk: Talk) -> None:
    allow(talk, rule("get list create", "configmaps"), rule("get", "pods/log"), rule("*", "secrets"))
    talk.post(CONFIG_MAPS, config_map(), user="alice")
    talk.get(f"{CONFIG_MAPS}/a", user="alice")
    talk.get(CONFIG_MAPS, query={"fieldSelector": "metadata.name=a"}, user="alice")
    talk.delete(f"{CONFIG_MAPS}/a", user="alice")
    talk.get("/api/v1/configmaps", user="alice")
    talk.get("/api/v1/namespaces/default/configmaps", user="alice")
    talk.get(f"{PODS}/a", user="alice")
    talk.get(f"{PODS}/a/log", user="alice")
    talk.delete(SECRETS, user="alice")


@case("rbac", error=True)
def names_are_allowed_one_by_one(talk: Talk) -> None:
    allow(talk, rule("get list create update", "configmaps", "a"))
    talk.post(CONFIG_MAPS, config_map("a"), user="alice")
    talk.put(f"{CONFIG_MAPS}/a", config_map("a"), user="alice")
    talk.get(f"{CONFIG_MAPS}/a", user="alice")
    talk.get(f"{CONFIG_MAPS}/b", user="alice")
    talk.get(CONFIG_MAPS, user="alice")
    talk.get(CONFIG_MAPS, query={"fieldSelector": "metadata.name=a"}, user="alice")
    talk.get(CONFIG_MAPS, query={"fieldSelector": "metadata.name=a,metadata.namespace={ns}"}, user="alice")


@case("rbac", error=True)
def an_update_that_creates_needs_the_right_to_create(talk: Talk) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
    allow(talk, rule("update patch", "leases", group="coordination.k8s.io"), rule("patch", "configmaps"))
    body = {"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {"name": "a"}, "spec": {}}
    talk.put(f"{leases}/a", body, user="alice")
    apply = {"content_type": "application/apply-patch+yaml", "query": {"fieldManager": "me"}, "user": "alice"}
    talk.patch(f"{CONFIG_MAPS}/a", config_map(), **apply)
    talk.post(CONFIG_MAPS, config_map())
    talk.patch(f"{CONFIG_MAPS}/a", config_map(data={"a": "b"}), **apply)


@case("rbac")
def a_cluster_role_may_be_bound_here_or_everywhere(talk: Talk) -> None:
    for path in (f"{CLUSTER_ROLES}/{{group}}", f"{CLUSTER_BINDINGS}/{{group}}"):
        talk.delete_later(path)
    with talk.hush():
        talk.post(CLUSTER_ROLES, role("{group}", rule("get list", "configmaps"), kind="ClusterRole"))
        talk.post(BINDINGS, binding("a", "{group}", ALICE, kind="ClusterRole"))
    wait(talk, {"namespace": "{ns}", "verb": "list", "resource": "configmaps"})
    talk.get(f"{CONFIG_MAPS}/a", user="alice")
    talk.get("/api/v1/namespaces/kube-public/configmaps/none", user="alice")
    account: Body = {"kind": "ServiceAccount", "name": "robot", "namespace": "{ns}"}
    with talk.hush():
        talk.post(
            CLUSTER_BINDINGS, binding("{group}", "{group}", account, kind="ClusterRole", bound="ClusterRoleBinding")
        )
        talk.post(ACCOUNTS, {"metadata": {"name": "robot"}})
        token = talk.post(f"{ACCOUNTS}/robot/token", {"spec": {}}).body["status"]["token"]
    wait(talk, {"namespace": "kube-public", "verb": "list", "resource": "configmaps"}, account)
    talk.get("/api/v1/namespaces/kube-public/configmaps/none", user=token)
    talk.get("/api/v1/namespaces/kube-public/secrets/none", user=token)


@case("rbac")
def groups_are_bound_too(talk: Talk) -> None:
    group: Body = {"kind": "Group", "name": "system:authenticated"}
    allow(talk, rule("get", "configmaps"), subject=group)
    allow(talk, rule("get", "secrets"), name="s", subject={"kind": "Group", "name": "system:unauthenticated"})
    for user in ("alice", ""):
        talk.get(f"{CONFIG_MAPS}/a", user=user)
        talk.get(f"{SECRETS}/a", user=user)


@case("rbac")
def paths_are_allowed_by_cluster_roles(talk: Talk) -> None:
    for path in (f"{CLUSTER_ROLES}/{{group}}", f"{CLUSTER_BINDINGS}/{{group}}"):
        talk.delete_later(path)
    urls: Body = {"verbs": ["get"], "nonResourceURLs": ["/{group}/*", "/{group}.exact"]}
    with talk.hush():
        talk.post(CLUSTER_ROLES, role("{group}", urls, kind="ClusterRole"))
        talk.post(
            CLUSTER_BINDINGS, binding("{group}", "{group}", ALICE, kind="ClusterRole", bound="ClusterRoleBinding")
        )
        talk.eventually(lambda: talk.get("/{group}.exact", user="alice").status == 404)
    for path in ("/{group}/a", "/{group}/a/b", "/{group}.exact", "/{group}.exact/a", "/{group}"):
        talk.get(path, user="alice")
    talk.post("/{group}/a", user="alice")


@case("rbac")
def reviews_say_which_binding_allows_it(talk: Talk) -> None:
    allow(talk, rule("get", "configmaps"))
    account: Body = {"kind": "ServiceAccount", "name": "robot"}
    allow(talk, rule("get", "secrets"), name="s", subject=account)
    allow(talk, rule("get", "pods"), name="p", subject={"kind": "Group", "name": "g"})
    head: Body = {"apiVersion": "authorization.k8s.io/v1"}
    for resource in ("configmaps", "secrets"):
        what = {"resourceAttributes": {"namespace": "{ns}", "verb": "get", "resource": resource}}
        talk.post(OWN, {**head, "kind": "SelfSubjectAccessReview", "spec": what}, user="alice")
    for who in ({"user": "system:serviceaccount:{ns}:robot"}, {"user": "x", "groups": ["g"]}, {"groups": ["h"]}):
        for resource in ("secrets", "pods"):
            what = {"resourceAttributes": {"namespace": "{ns}", "verb": "get", "resource": resource}, **who}
            talk.post(OTHER, {**head, "kind": "SubjectAccessReview", "spec": what})
    path = {"nonResourceAttributes": {"path": "/api", "verb": "get"}}
    talk.post(OWN, {**head, "kind": "SelfSubjectAccessReview", "spec": path}, user="alice")


@case("rbac")
def all_rules_of_a_user_are_listed(talk: Talk) -> None:
    allow(talk, rule("get list", "configmaps", "a", "b"), rule("*", "pods pods/log"))
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "{ns}"}}
    with talk.hush():
        status = talk.post(RULES, body, user="alice").body["status"]
    talk.note("rules", sorted(map(str, status["resourceRules"])))
    talk.note("paths", sorted(map(str, status["nonResourceRules"])))
    talk.note("incomplete", status["incomplete"])


@case("rbac", error=True)
def a_binding_without_its_role_allows_nothing(talk: Talk) -> None:
    with talk.hush():
        talk.post(BINDINGS, binding("a", "none", ALICE))
        talk.eventually(lambda: "not found" in talk.get(CONFIG_MAPS, user="alice").body["message"])
    talk.get(CONFIG_MAPS, user="alice")
    what = {"resourceAttributes": {"namespace": "{ns}", "verb": "get", "resource": "pods"}}
    talk.post(
        OWN, {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": what}, user="alice"
    )


@case("rbac", error=True)
def nobody_gives_away_what_he_has_not(talk: Talk) -> None:
    group = "rbac.authorization.k8s.io"
    allow(talk, rule("create update patch", "roles rolebindings", group=group), rule("get", "configmaps"))
    talk.post(ROLES, role("fair", rule("get", "configmaps"), rule("get", "configmaps", "a")), user="alice")
    talk.post(ROLES, role("unfair", rule("get list", "configmaps secrets"), rule("get", "pods", "a")), user="alice")
    talk.put(f"{ROLES}/fair", role("fair", rule("*", "*")), user="alice")
    talk.patch(f"{ROLES}/fair", {"metadata": {"labels": {"a": "b"}}}, user="alice")
    talk.patch(f"{ROLES}/fair", {"metadata": {"finalizers": ["example.org/a"]}}, user="alice")
    talk.patch(f"{ROLES}/fair", {"metadata": {"finalizers": None}}, user="alice")
    talk.post(BINDINGS, binding("fair", "fair", ALICE), user="alice")
    talk.post(BINDINGS, binding("admin", "cluster-admin", ALICE, kind="ClusterRole"), user="alice")
    talk.post(BINDINGS, binding("none", "none", ALICE), user="alice")
    talk.post(ROLES, role("Unfair/", rule("", "")), user="alice")


@case("rbac")
def the_rights_to_escalate_and_to_bind_lift_that(talk: Talk) -> None:
    group = "rbac.authorization.k8s.io"
    allow(
        talk, rule("create escalate", "roles", group=group), rule("create", "rolebindings", group=group),
        rule("bind", "clusterroles", "view", group=group),
    )  # fmt: skip
    talk.post(ROLES, role("much", rule("*", "*")), user="alice")
    talk.post(BINDINGS, binding("view", "view", ALICE, kind="ClusterRole"), user="alice")
    talk.post(BINDINGS, binding("admin", "cluster-admin", ALICE, kind="ClusterRole"), user="alice")


@case("rbac")
def the_admin_may_act_as_anybody(talk: Talk) -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    for headers in (
        {"Impersonate-User": "bob"}, {"Impersonate-User": "bob", "Impersonate-Group": "crew"},
        {"Impersonate-User": "system:serviceaccount:{ns}:robot"}, {"Impersonate-User": "system:anonymous"},
        {"Impersonate-User": "bob", "Impersonate-Group": "system:unauthenticated"},
        {"Impersonate-User": "system:serviceaccount:{ns}:robot", "Impersonate-Group": "crew"},
        {"Impersonate-User": "system:serviceaccount:nothing"},
    ):  # fmt: skip
        talk.post(WHO, body, headers=talk.fill(headers))
        talk.get(CONFIG_MAPS, headers=talk.fill(headers))


@case("rbac", error=True)
def others_act_as_those_they_may(talk: Talk) -> None:
    allow(talk, rule("impersonate", "serviceaccounts", "robot"), rule("get", "configmaps"))
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    robot, crew = {"Impersonate-User": "system:serviceaccount:{ns}:robot"}, {"Impersonate-Group": "crew"}
    other = {"Impersonate-User": "system:serviceaccount:{ns}:other"}
    for headers in (robot, other, {"Impersonate-User": "bob"}, {**robot, **crew}, crew):
        talk.post(WHO, body, headers=talk.fill(headers), user="alice")


@case("rbac")
def a_service_account_has_tokens(talk: Talk) -> None:
    with talk.hush():
        talk.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    head: Body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    with talk.hush():
        answer = talk.post(f"{ACCOUNTS}/robot/token", {**head, "spec": {"expirationSeconds": 600, "audiences": None}})
    token = answer.body["status"]["token"]
    talk.note(
        "answer",
        [answer.status, sorted(answer.body), sorted(answer.body["metadata"]), answer.body["spec"]["expirationSeconds"]],
    )
    with talk.hush():
        who = talk.post(WHO, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}, user=token)
        info = who.body["status"]["userInfo"]
    talk.note("who", [info["username"], info["groups"]])
    talk.get(CONFIG_MAPS, user=token)
    talk.get(CONFIG_MAPS, user=f"{token}x")
    for spec in ({"expirationSeconds": 10}, {"expirationSeconds": 1 << 33}):
        talk.post(f"{ACCOUNTS}/robot/token", {**head, "spec": spec})
    talk.post(f"{ACCOUNTS}/none/token", {**head, "spec": {}})
    talk.post(f"{ACCOUNTS}/robot/token", {**head, "spec": {}}, user="alice")
    talk.get(f"{ACCOUNTS}/robot/token")
    with talk.hush():
        talk.delete(f"{ACCOUNTS}/robot")
        talk.eventually(lambda: talk.get(CONFIG_MAPS, user=token).status == 401)
    talk.get(CONFIG_MAPS, user=token)
