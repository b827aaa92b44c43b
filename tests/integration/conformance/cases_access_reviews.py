"""Reviews: who one is, and who may do what. Asked as the admin, and as somebody who may do little.

Which binding allows something is asked with roles: see cases_rbac. By which certificate or token one is known is not.
"""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
OWN = f"{AUTHORIZATION}/selfsubjectaccessreviews"
ANY = f"{AUTHORIZATION}/subjectaccessreviews"
LOCAL = f"{AUTHORIZATION}/namespaces/{{ns}}/localsubjectaccessreviews"
RULES = f"{AUTHORIZATION}/selfsubjectrulesreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
PODS: Body = {"namespace": "{ns}", "verb": "create", "resource": "pods"}
IMPOSTOR: Body = {"status": {"userInfo": {"username": "root"}}, "metadata": {"labels": {"a": "b"}}}
PATH: Body = {"path": "/healthz", "verb": "get"}


def review(kind: str, spec: Any = None, **more: Any) -> Body:
    head = {"apiVersion": "authorization.k8s.io/v1", "kind": kind}
    return {**head, **({} if spec is None else {"spec": spec}), **more}


def own(**spec: Any) -> Body:
    return review("SelfSubjectAccessReview", spec)


def other(**spec: Any) -> Body:
    return review("SubjectAccessReview", spec)


@case("access reviews")
def the_admin_may_do_everything(talk: Talk) -> None:
    for attributes in (
        PODS, {"verb": "*", "resource": "*", "group": "*"}, {},
        {**PODS, "subresource": "log", "name": "a", "version": "v1"},
        {"verb": "fly", "resource": "nothings", "group": "nowhere.example.org"},
    ):  # fmt: skip
        talk.post(OWN, own(resourceAttributes=attributes))
    talk.post(OWN, own(nonResourceAttributes=PATH))
    talk.post(OWN, own(nonResourceAttributes={"path": "*", "verb": "*"}))


@case("access reviews")
def a_review_is_answered_with_what_was_asked(talk: Talk) -> None:
    talk.post(OWN, review("SelfSubjectAccessReview", {"resourceAttributes": PODS}, status={"allowed": False}))
    talk.post(OWN, {"spec": {"resourceAttributes": PODS}})
    talk.post(OWN, {**own(resourceAttributes=PODS), "metadata": {"labels": {"a": "b"}}}, query={"dryRun": "All"})
    talk.post(OWN, own(resourceAttributes={**PODS, "bogus": 1}, more=True))
    talk.post(OWN, own(resourceAttributes={**PODS, "fieldSelector": {"rawSelector": "metadata.name=a"}}))
    talk.post(
        OWN, own(resourceAttributes={**PODS, "labelSelector": {"requirements": [{"key": "a", "operator": "Exists"}]}})
    )


@case("access reviews")
def others_may_do_little(talk: Talk) -> None:
    talk.post(OWN, own(resourceAttributes=PODS), user="alice")
    talk.post(OWN, own(resourceAttributes={**PODS, "namespace": ""}), user="alice")
    talk.post(OWN, own(nonResourceAttributes={"path": "/metrics", "verb": "get"}), user="alice")
    talk.post(ANY, other(user="alice", resourceAttributes=PODS), user="alice")


@case("access reviews")
def the_admin_asks_for_others(talk: Talk) -> None:
    talk.post(ANY, other(user="alice", resourceAttributes=PODS))
    talk.post(ANY, other(user="admin", groups=["system:masters"], resourceAttributes=PODS))
    talk.post(ANY, other(groups=["system:masters"], nonResourceAttributes=PATH))
    talk.post(ANY, other(user="alice", groups=["a", "b"], uid="u", extra={"k": ["v"]}, resourceAttributes=PODS))
    body = {"user": "alice", "resourceAttributes": PODS}
    talk.post(LOCAL, review("LocalSubjectAccessReview", body, metadata={"namespace": "{ns}"}))
    talk.post(
        LOCAL,
        review("LocalSubjectAccessReview", {**body, "groups": ["system:masters"]}, metadata={"namespace": "{ns}"}),
    )


@case("access reviews", error=True)
def a_review_asks_for_one_thing_of_somebody(talk: Talk) -> None:
    for spec in (None, {}, {"resourceAttributes": PODS, "nonResourceAttributes": PATH}, {"nonResourceAttributes": {}}):
        talk.post(OWN, review("SelfSubjectAccessReview", spec))
    for spec in (
        {"resourceAttributes": PODS},
        {"user": "a"},
        {"user": "a", "resourceAttributes": PODS, "nonResourceAttributes": PATH},
    ):
        talk.post(ANY, review("SubjectAccessReview", spec))
    talk.post(OWN, own(resourceAttributes={**PODS, "fieldSelector": {}}))
    talk.post(
        OWN, own(resourceAttributes={**PODS, "fieldSelector": {"rawSelector": "a=b", "requirements": [{"key": "a"}]}})
    )
    talk.post(
        OWN, own(resourceAttributes={**PODS, "labelSelector": {"requirements": [{"key": "a", "operator": "Near"}]}})
    )
    talk.post(OWN, {**own(resourceAttributes=PODS), "metadata": {"name": "a"}})


@case("access reviews", error=True)
def a_local_review_stays_in_its_namespace(talk: Talk) -> None:
    body = {"user": "alice", "resourceAttributes": PODS}
    talk.post(LOCAL, review("LocalSubjectAccessReview", body))
    talk.post(LOCAL, review("LocalSubjectAccessReview", body, metadata={"namespace": "default"}))
    elsewhere = {**body, "resourceAttributes": {**PODS, "namespace": "default"}}
    talk.post(LOCAL, review("LocalSubjectAccessReview", elsewhere, metadata={"namespace": "{ns}"}))
    talk.post(
        LOCAL,
        review(
            "LocalSubjectAccessReview", {"user": "a", "nonResourceAttributes": PATH}, metadata={"namespace": "{ns}"}
        ),
    )
    talk.post(f"{AUTHORIZATION}/localsubjectaccessreviews", review("LocalSubjectAccessReview", body))


@case("access reviews", error=True)
def bodies_that_are_no_review_are_refused(talk: Talk) -> None:
    for path in (OWN, ANY, RULES, WHO):
        talk.post(path, "{")
        talk.post(path, {"kind": "Pod", "apiVersion": "v1"})
        talk.post(path, {"metadata": 3})
    talk.post(ANY, {"spec": 3})
    talk.post(OWN, own(resourceAttributes="x"))
    talk.post(OWN, own(resourceAttributes={**PODS, "bogus": 1}), query={"fieldValidation": "Strict"})
    talk.post(OWN, own(resourceAttributes=PODS), query={"dryRun": "No"})


@case("access reviews", error=True)
def reviews_are_only_made(talk: Talk) -> None:
    for path in (OWN, ANY, RULES, WHO, LOCAL):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            talk.send(method, path, {} if method != "GET" else None)
        talk.get(f"{path}/a")


@case("access reviews")
def one_can_ask_who_one_is(talk: Talk) -> None:
    for user in ("admin", "alice"):
        for body in ({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}, {}, IMPOSTOR):
            with talk.hush():
                answer = talk.post(WHO, body, user=user)
            answer.body["status"]["userInfo"].pop("extra", None)
            talk.note(f"{answer.status} for {user}", answer.body)


@case("access reviews", error=True)
def what_one_may_do_in_a_namespace_is_listed(talk: Talk) -> None:
    for user in ("admin", "alice"):
        with talk.hush():
            answer = talk.post(RULES, review("SelfSubjectRulesReview", {"namespace": "{ns}"}), user=user)
        for rules in ("resourceRules", "nonResourceRules"):  # come in any order
            answer.body["status"][rules].sort(key=repr)
        talk.note(f"{answer.status} for {user}", answer.body)
    talk.post(RULES, review("SelfSubjectRulesReview", {}))
    talk.post(RULES, review("SelfSubjectRulesReview"))


@case("access reviews")
def a_token_that_nobody_has_is_nobodys(talk: Talk) -> None:
    for spec in (
        {"token": "nonsense"},
        {"token": "nonsense", "audiences": ["a"]},
        {"token": ""},
        {},
        {"token": "x", "b": 1},
    ):
        talk.post(TOKENS, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec})
    talk.post(TOKENS, {"spec": {"token": "nonsense"}, "status": {"authenticated": True}})
    talk.get(TOKENS)
