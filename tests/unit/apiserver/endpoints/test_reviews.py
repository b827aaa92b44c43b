"""Reviews: who one is, and who may do what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from btcctl.apiserver.endpoints.reviews import EVERYTHING, FOR_ALL, Rules
from btcctl.apiserver.requests.messages import RequestAttributes
from tests.unit.apiserver.calls import Server

ROOT = "/apis/authorization.k8s.io/v1"
OWN, ANY, RULES = f"{ROOT}/selfsubjectaccessreviews", f"{ROOT}/subjectaccessreviews", f"{ROOT}/selfsubjectrulesreviews"
LOCAL = f"{ROOT}/namespaces/default/localsubjectaccessreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
NEAR, THERE = ({"key": "a", "operator": operator} for operator in ("Near", "Exists"))
PODS = {"namespace": "default", "verb": "create", "resource": "pods"}


class Masters:
    """Lets those of one group do everything."""

    def __call__(self, attributes: RequestAttributes) -> str | None:
        return None if "system:masters" in attributes.groups else "no master"

    def rules_of(self, user: str, groups: Sequence[str], namespace: str) -> Rules:
        return EVERYTHING if "system:masters" in groups else FOR_ALL


def ask(path, server=None, **spec):
    return (server or Server(authorizer=Masters())).post(path, {"spec": spec})


class TestAnswers:
    def test_one_is_told_what_one_may_do_and_what_was_asked(self):
        body = ask(OWN, resourceAttributes={**PODS, "name": ""}).body
        assert (body["spec"], body["status"]) == ({"resourceAttributes": PODS}, {"allowed": True})
        assert body["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"].keys() == {"f:resourceAttributes"}

    @pytest.mark.parametrize(("path", "place"), [(ANY, {}), (LOCAL, {"namespace": "default"})])
    def test_others_are_asked_about_by_name_and_group(self, path, place):
        body = ask(path, user="alice", resourceAttributes=PODS).body
        assert body["status"] == {"allowed": False, "reason": "no master"}
        assert {name: each for name, each in body["metadata"].items() if name != "managedFields"} == place
        assert ask(path, groups=["system:masters"], resourceAttributes=PODS).body["status"] == {"allowed": True}

    def test_one_is_told_who_one_is(self):
        body = Server().post(WHO, {"status": {"userInfo": {"username": "root"}}}).body
        groups = ["system:masters", "system:authenticated"]
        assert body["status"] == {"userInfo": {"username": "system:admin", "groups": groups}}

    def test_of_a_token_it_is_told_whose_it_is(self):
        server = Server()
        server.post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "a"}})
        token = server.post("/api/v1/namespaces/default/serviceaccounts/a/token", {}).body["status"]["token"]
        status = ask(TOKENS, server, token=token).body["status"]
        assert status["authenticated"] is True
        assert status["user"]["username"] == "system:serviceaccount:default:a"
        assert "system:serviceaccounts:default" in status["user"]["groups"]
        for spec in ({"token": token, "audiences": ["others"]}, {"token": token[:-2]}):
            assert ask(TOKENS, server, **spec).body["status"] == {"user": {}, "error": "invalid bearer token"}

    def test_without_a_token_nobody_can_be_told(self):
        assert ask(TOKENS).body["message"] == "token is required for TokenReview in authentication"

    def test_what_one_may_do_is_listed(self):
        status = ask(RULES, namespace="default").body["status"]
        assert (status["incomplete"], status["resourceRules"][0]["verbs"]) == (False, ["*"])
        assert Server().post(RULES, {"spec": {"namespace": "default"}}).body["status"] == status

    def test_an_authorizer_that_cannot_list_says_so(self):
        status = ask(RULES, Server(authorizer=lambda _: None), namespace="default").body["status"]
        assert (status["incomplete"], status["resourceRules"]) == (True, [])
        assert "does not list" in status["evaluationError"]

    @pytest.mark.parametrize(
        ("selectors", "ignored"),
        [
            ({"labelSelector": {"requirements": [{"key": "a", "operator": "Near"}]}}, "labelSelector ignored"),
            (
                {
                    "labelSelector": {
                        "requirements": [{"key": "a", "operator": "Near"}, {"key": "a", "operator": "Exists"}]
                    }
                },
                "labelSelector partially ignored",
            ),
            ({"fieldSelector": {"requirements": [{"key": "a", "operator": "Exists"}]}}, "fieldSelector ignored"),
            ({"fieldSelector": {"rawSelector": "a"}}, "fieldSelector ignored"),
            ({"fieldSelector": {"rawSelector": "a=b"}}, None),
        ],
    )
    def test_selectors_that_are_not_understood_are_ignored_aloud(self, selectors, ignored):
        status = ask(OWN, resourceAttributes={**PODS, **selectors}).body["status"]
        expected = ignored and f"spec.resourceAttributes.{ignored} due to parse error"
        assert status.get("evaluationError") == expected


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "spec", "field"),
        [
            (OWN, {}, "spec.resourceAttributes"),
            (OWN, {"resourceAttributes": PODS, "nonResourceAttributes": {}}, "spec.nonResourceAttributes"),
            (ANY, {"resourceAttributes": PODS}, "spec.user"),
            (LOCAL, {"user": "a", "nonResourceAttributes": {}}, "spec.nonResourceAttributes"),
            (LOCAL, {"user": "a", "resourceAttributes": {}}, "spec.resourceAttributes.namespace"),
            (OWN, {"resourceAttributes": {"labelSelector": {}}}, "spec.resourceAttributes.labelSelector.requirements"),
            (
                OWN,
                {"resourceAttributes": {"fieldSelector": {"requirements": [{"key": "a", "operator": "In"}]}}},
                "spec.resourceAttributes.fieldSelector.requirements[0].values",
            ),
        ],
    )
    def test_a_review_that_asks_for_nothing_is_refused(self, path, spec, field):
        answer = ask(path, **spec)
        assert (answer.status, [name for name, _ in answer.causes]) == (422, [field])
        assert answer.message.startswith('.authorization.k8s.io "" is invalid: ')

    def test_it_has_no_metadata(self):
        answer = Server().post(OWN, {"metadata": {"name": "a"}, "spec": {"resourceAttributes": PODS}})
        [(field, message)] = answer.causes
        assert (field, message.startswith('Invalid value: {"name":"a","managedFields":[')) == ("metadata", True)

    def test_rules_are_those_of_a_namespace(self):
        assert ask(RULES).message == "no namespace on request"

    @pytest.mark.parametrize("path", [f"{OWN}/a", f"{ROOT}/localsubjectaccessreviews"])
    def test_a_review_is_nowhere_else(self, path):
        assert Server().post(path, {}).status == 404
        assert Server().get(OWN).status == 405

    def test_its_options_and_fields_are_looked_at(self):
        body = {"spec": {"resourceAttributes": {**PODS, "bogus": 1}}}
        assert Server().post(OWN, body, fieldValidation="Strict").status == 400
        assert Server().post(OWN, body, dryRun="No").status == 422
        assert Server().post(OWN, {"spec": 3}).status == 400
