"""Validating and mutating webhooks: when they are called, with what, and what becomes of their answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.hooked import (
    ADMISSION,
    CONFIG_MAP_RULE,
    allow,
    configuration,
    hook,
    labelled,
    patching,
    questions,
    register,
)
from tests.integration.conformance.manifests import CONFIG_MAPS, WIDGETS_RULE, config_map, define_widgets, widget
from tests.integration.hook_server import Answer

VALIDATING = f"{ADMISSION}/validatingwebhookconfigurations"
MUTATING = f"{ADMISSION}/mutatingwebhookconfigurations"


def answering(answers: Sequence[Answer]) -> Callable[[Body], Answer]:
    """One after the other."""
    left = iter(answers)
    return lambda _: next(left)


def refusing(**status: object):
    return lambda _: {"allowed": False, **({"status": status} if status else {})}


@case("webhooks")
def a_configuration_gets_its_defaults(talk: Talk) -> None:
    bare = {"name": "a.example.org", "clientConfig": {"url": "https://127.0.0.1:1/a"}, "sideEffects": "None"}
    bare |= {
        "admissionReviewVersions": ["v1"],
        "rules": [CONFIG_MAP_RULE],
        "namespaceSelector": {"matchLabels": {"a": "{ns}"}},
    }
    service = {"name": "b", "namespace": "{ns}"}
    for kind, path in (("Validating", VALIDATING), ("Mutating", MUTATING)):
        talk.delete_later(f"{path}/{{group}}")
        talk.post(
            path, configuration(kind, bare, {**bare, "name": "b.example.org", "clientConfig": {"service": service}})
        )
        talk.patch(f"{path}/{{group}}", {"metadata": {"labels": {"a": "b"}}})
        talk.patch(f"{path}/{{group}}", [{"op": "remove", "path": "/webhooks/1"}], content_type="json")
        talk.get(f"{path}/{{group}}", headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})
        talk.put(f"{path}/{{group}}", configuration(kind, bare))


@case("webhooks", error=True)
def a_configuration_must_make_sense(talk: Talk) -> None:
    whole = {
        "name": "a.b.c",
        "clientConfig": {"url": "https://h/p"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    whole |= {"rules": [CONFIG_MAP_RULE]}
    for wrong in (
        {"name": ""}, {"name": "a.b"}, {"name": "A.b.c"}, {"sideEffects": None}, {"sideEffects": "Some"},
        {"timeoutSeconds": 31}, {"timeoutSeconds": 0}, {"failurePolicy": "Maybe"}, {"matchPolicy": "Close"},
        {"admissionReviewVersions": []}, {"admissionReviewVersions": ["v2"]},
        {"admissionReviewVersions": ["v1", "v1", "V"]},
        {"clientConfig": {}}, {"clientConfig": {"url": "http://h?a=b#c"}}, {"clientConfig": {"url": "https://u@h"}},
        {"clientConfig": {"service": {"name": "", "namespace": "n", "path": "a//b", "port": 70000}}},
        {"clientConfig": {"service": {"name": "a", "namespace": "n", "path": "/A"}}},
        {"rules": [{"operations": ["FLY", "*"], "apiGroups": [], "apiVersions": [""], "resources": ["a/*", "a/b"]}]},
        {"rules": [{**CONFIG_MAP_RULE, "resources": ["*", "pods"], "scope": "Galaxy", "apiGroups": ["*", "a"]}]},
        {"rules": [{**CONFIG_MAP_RULE, "resources": ["*/*", "pods"]}]},
        {"namespaceSelector": {"matchLabels": {"a b": "c d"}}},
        {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        {"matchConditions": [{"name": "", "expression": ""}]},
        {"matchConditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": "request.nothing"}]},
        {"matchConditions": [{"name": "a", "expression": "object.metadata.name"}]},
        {"matchConditions": [{"name": "a", "expression": "params.a == 1"}]},
        {"reinvocationPolicy": "Often"},
    ):  # fmt: skip
        body = {key: each for key, each in {**whole, **wrong}.items() if each is not None}
        talk.post(MUTATING, configuration("Mutating", body, name="{group}-none"))
    talk.post(VALIDATING, configuration("Validating", whole, whole, name="{group}-none"))
    talk.post(VALIDATING, configuration("Validating", {**whole, "reinvocationPolicy": "Never"}, name="A"))


@case("webhooks")
def a_validating_webhook_is_asked_about_what_would_be_stored(talk: Talk) -> None:
    body, asked = hook(talk, "a", rules=[{**CONFIG_MAP_RULE, "operations": ["*"]}])
    register(talk, "Validating", body)
    talk.post(CONFIG_MAPS, config_map(data={"a": "b"}), query={"fieldManager": "me"})
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"c": "d"}}, query={"dryRun": "All", "fieldValidation": "Strict"})
    talk.put(f"{CONFIG_MAPS}/a", config_map(data={"e": "f"}))
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Background", "gracePeriodSeconds": 0})
    talk.note("asked", questions(asked))


@case("webhooks")
def a_mutating_webhook_is_asked_about_what_was_sent(talk: Talk) -> None:
    body, asked = hook(talk, "a", labelled("hooked"), rules=[{**CONFIG_MAP_RULE, "operations": ["CREATE", "UPDATE"]}])
    register(talk, "Mutating", body)
    talk.post(CONFIG_MAPS, config_map(data={"a": "b"}, generation=7))
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"c": "d"}})
    talk.put(f"{CONFIG_MAPS}/a", config_map(data={"e": "f"}))
    talk.get(f"{CONFIG_MAPS}/a")
    talk.note("asked", questions(asked))


@case("webhooks", error=True)
def a_refusal_is_told_in_the_words_of_the_webhook(talk: Talk) -> None:
    answers = [
        {"allowed": False},
        {"allowed": False, "status": {"message": "not like this"}},
        {
            "allowed": False,
            "status": {"message": "m", "reason": "Conflict", "code": 409, "details": {"name": "x", "kind": "y"}},
        },
        {"allowed": False, "status": {"reason": "TooLate", "code": 200, "status": "Success"}},
        {
            "allowed": False,
            "status": {"message": "m", "code": 418, "status": "Teapot", "metadata": {"resourceVersion": "1"}},
        },
        {"allowed": False, "warnings": ["careful"], "auditAnnotations": {"a": "b"}},
        {},
    ]
    for kind in ("Validating", "Mutating"):
        body, _ = hook(talk, kind.lower(), answering(answers), objectSelector={"matchLabels": {"of": kind}})
        register(talk, kind, body, name=f"{{group}}-{kind.lower()}")
        for _ in answers:
            talk.post(CONFIG_MAPS, config_map(labels={"of": kind}))


@case("webhooks")
def warnings_come_with_the_answer(talk: Talk) -> None:
    first, _ = hook(talk, "a", lambda _: {"allowed": True, "warnings": ["one", 'two "quoted"']})
    second, _ = hook(talk, "b", lambda _: {"allowed": True, "warnings": ['two "quoted"', "three"]})
    register(talk, "Mutating", first, second)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(CONFIG_MAPS, {**config_map("b"), "bogus": 1})


@case("webhooks", error=True)
def a_webhook_that_cannot_be_called_fails_the_request(talk: Talk) -> None:
    body, _ = hook(talk, "a", clientConfig={"url": "https://127.0.0.1:1/{group}"})
    register(talk, "Validating", body)
    talk.post(CONFIG_MAPS, config_map())


@case("webhooks")
def a_webhook_that_cannot_be_called_may_be_ignored(talk: Talk) -> None:
    body, _ = hook(talk, "a", clientConfig={"url": "https://127.0.0.1:1/{group}"}, failurePolicy="Ignore")
    other, asked = hook(talk, "b", labelled("b"), failurePolicy="Ignore")
    register(talk, "Mutating", body, other)
    talk.post(CONFIG_MAPS, config_map())
    talk.note("asked", len(asked.asked))


@case("webhooks", error=True)
def a_refusal_counts_whatever_the_failure_policy(talk: Talk) -> None:
    body, _ = hook(talk, "a", refusing(message="no"), failurePolicy="Ignore")
    register(talk, "Validating", body)
    talk.post(CONFIG_MAPS, config_map())


@case("webhooks", error=True)
def an_untrusted_webhook_is_not_called(talk: Talk) -> None:
    body, asked = hook(talk, "a")
    del body["clientConfig"]["caBundle"]
    register(talk, "Validating", body)
    talk.post(CONFIG_MAPS, config_map())
    talk.note("asked", len(asked.asked))


@case("webhooks", error=True)
def a_webhook_that_is_late_has_failed(talk: Talk) -> None:
    body, asked = hook(talk, "a", lambda _: _late(asked_late), timeoutSeconds=1)
    asked_late = asked
    register(talk, "Validating", body)
    talk.post(CONFIG_MAPS, config_map())
    asked.let_go.set()


def _late(asked) -> Body:
    asked.let_go.wait(10.0)
    return {"allowed": True}


@case("webhooks", error=True)
def an_answer_that_is_none_is_a_failure(talk: Talk) -> None:
    def review(response: object, **head: object) -> bytes:
        return json.dumps(
            {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response, **head}
        ).encode()

    answers = [
        (404, "nothing here"), (500, "it broke"), (503, ""), (400, "bad"), (403, "go away"), (418, "teapot"),
        b"no json", b"{}", b"[]", review(None), review({"uid": "other", "allowed": True}), {"uid": "", "allowed": True},
        {"allowed": True, "patch": "W10=", "patchType": "JSONPatch"}, {"allowed": True, "patchType": "JSONPatch"},
        review({"allowed": True}, kind="Review"), review({"allowed": True}, apiVersion="v1"),
        json.dumps({"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "no", "code": 400}).encode(),
    ]  # fmt: skip
    body, _ = hook(talk, "a", answering(answers))
    register(talk, "Validating", body)
    for _ in answers:
        talk.post(CONFIG_MAPS, config_map())


@case("webhooks", error=True)
def a_patch_that_is_none_or_does_not_apply_is_a_failure(talk: Talk) -> None:
    typed = {"allowed": True, "patchType": "JSONPatch"}
    operations: list[Body] = [
        {"op": "remove", "path": "/data/none"}, {"op": "replace", "path": "/none/of/it", "value": 1},
        {"op": "test", "path": "/kind", "value": "Pod"}, {"op": "fly", "path": "/a"},
        {"op": "add", "path": "/none/of/it", "value": 1}, {"op": "move", "from": "/none/a", "path": "/data/b"},
        {"op": "copy", "from": "/data/none/a", "path": "/data/b"}, {"op": "remove", "path": "/none/a"},
        {"op": "add", "path": "/data", "value": "text"}, {"op": "add", "path": "/bogus", "value": 1},
    ]  # fmt: skip
    answers = [
        {"allowed": True, "patch": "W10="}, typed, {**typed, "patch": "bm8="}, {**typed, "patch": "e30="},
        {**typed, "patch": "W10="}, {**typed, "patch": "W10=", "patchType": "MergePatch"},
        *(patching(each)({}) for each in operations),
        {**patching(operations[-1])({}), "patchType": "Merge"},
    ]  # fmt: skip
    body, _ = hook(talk, "a", answering(answers))
    register(talk, "Mutating", body)
    for number, _ in enumerate(answers):
        talk.post(CONFIG_MAPS, config_map(f"a{number}", {"a": "b"}))


@case("webhooks")
def several_are_called_in_order_and_again_if_they_ask_for_it(talk: Talk) -> None:
    order: list[str] = []

    def noting(name: str, answer):
        def respond(request: Body):
            order.append(name)
            return answer(request)

        return respond

    first, _ = hook(talk, "a", noting("a", labelled("a")), reinvocationPolicy="IfNeeded")
    second, _ = hook(talk, "b", noting("b", labelled("b")))
    third, asked = hook(talk, "c", noting("c", allow), reinvocationPolicy="IfNeeded")
    register(talk, "Mutating", second, name="{group}-2")
    register(talk, "Mutating", first, third, name="{group}-1")
    talk.post(CONFIG_MAPS, config_map())
    talk.note("order", list(order))
    talk.note("last saw", questions(asked))


@case("webhooks")
def selectors_and_conditions_say_which_requests_are_meant(talk: Talk) -> None:
    chosen, asked_chosen = hook(talk, "a", objectSelector={"matchLabels": {"chosen": "yes"}})
    other, asked_other = hook(talk, "b", namespaceSelector={"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["{ns}"]},
        {"key": "of", "operator": "In", "values": ["{group}"]},
    ]})  # fmt: skip
    when, asked_when = hook(talk, "c", matchConditions=[
        {"name": "named", "expression": "object.metadata.name.startsWith('b')"},
        {"name": "by-admin", "expression": "request.userInfo.username == 'admin' && !request.dryRun"},
    ])  # fmt: skip
    register(talk, "Validating", chosen, other, when)
    talk.post(CONFIG_MAPS, config_map("a"))
    talk.post(CONFIG_MAPS, config_map("b", labels={"chosen": "yes"}))
    talk.patch(f"{CONFIG_MAPS}/b", {"metadata": {"labels": {"chosen": None}}})
    talk.patch(f"{CONFIG_MAPS}/b", {"metadata": {"labels": {"more": "c"}}})
    for name, asked in (("chosen", asked_chosen), ("other", asked_other), ("when", asked_when)):
        talk.note(name, sorted({each["request"]["name"] for each in asked.asked}))  # busy servers ask again


@case("webhooks", error=True)
def a_condition_without_a_value_follows_the_failure_policy(talk: Talk) -> None:
    conditions = [{"name": "c", "expression": "object.data.none == 'x'"}]
    fails, _ = hook(talk, "a", matchConditions=conditions, objectSelector={"matchLabels": {"fails": "yes"}})
    ignores, asked = hook(talk, "b", matchConditions=conditions, failurePolicy="Ignore")
    unless = [*conditions, {"name": "d", "expression": "object.metadata.name != 'unless'"}]
    skipped, _ = hook(talk, "c", matchConditions=unless, objectSelector={"matchLabels": {"skips": "yes"}})
    register(talk, "Validating", fails, ignores, skipped)
    talk.post(CONFIG_MAPS, config_map("a", {"a": "b"}, labels={"fails": "yes"}))
    talk.post(CONFIG_MAPS, config_map("b", {"a": "b"}))
    talk.post(CONFIG_MAPS, config_map("unless", {"a": "b"}, labels={"skips": "yes"}))
    talk.note("asked", len(asked.asked))


@case("webhooks", error=True)
def a_deletion_is_refused_too(talk: Talk) -> None:
    rule = {**CONFIG_MAP_RULE, "operations": ["DELETE"]}
    body, asked = hook(
        talk, "a", lambda request: {"allowed": request["oldObject"]["metadata"]["name"] != "kept"}, rules=[rule]
    )
    register(talk, "Validating", body)
    for name in ("gone", "kept"):
        talk.post(CONFIG_MAPS, config_map(name))
    talk.delete(f"{CONFIG_MAPS}/kept")
    talk.delete(f"{CONFIG_MAPS}/none")
    talk.delete(f"{CONFIG_MAPS}/gone", query={"dryRun": "All"})
    talk.delete(CONFIG_MAPS, query={"labelSelector": "none=such"})
    talk.delete(f"{CONFIG_MAPS}/gone")
    talk.get(f"{CONFIG_MAPS}/kept")
    talk.note("asked", questions(asked))


@case("webhooks")
def custom_resources_are_asked_about_and_changed_too(talk: Talk) -> None:
    define_widgets(
        talk, {"type": "object", "properties": {"size": {"type": "integer", "default": 3}, "color": {"type": "string"}}}
    )
    rule = {**WIDGETS_RULE, "apiVersions": ["*"]}
    changing, asked = hook(talk, "a", lambda request: patching(
        {"op": "add", "path": "/spec/color", "value": "red"}, {"op": "add", "path": "/spec/unknown", "value": 1},
        {"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}},
    )(request) if request["operation"] == "CREATE" else {"allowed": True}, rules=[rule])  # fmt: skip
    looking, seen = hook(talk, "b", rules=[rule])
    register(talk, "Mutating", changing)
    register(talk, "Validating", looking)
    path = "/apis/{group}/v1/namespaces/{ns}/widgets"
    talk.post(path, {**widget(spec={"bogus": 1}), "status": {"ready": 1}})
    talk.put(f"{path}/a/status", {**widget(resourceVersion=talk.get(f"{path}/a").version), "status": {"ready": 2}})
    talk.patch(f"{path}/a", {"spec": {"size": 4}})
    talk.delete(f"{path}/a")
    talk.note("changing saw", questions(asked))
    talk.note("looking saw", questions(seen))


@case("webhooks", error=True)
def what_a_webhook_makes_of_an_object_must_be_valid(talk: Talk) -> None:
    define_widgets(talk)
    rule = {"operations": ["CREATE"], "apiGroups": ["{group}"], "apiVersions": ["v1"], "resources": ["widgets"]}
    body, _ = hook(talk, "a", patching({"op": "replace", "path": "/spec/size", "value": 99}), rules=[rule])
    renaming = patching({"op": "add", "path": "/metadata/name", "value": "Other Name"})
    named, _ = hook(talk, "b", lambda request: renaming(request) if request["name"] == "renamed" else {"allowed": True})
    register(talk, "Mutating", body, named)
    talk.post("/apis/{group}/v1/namespaces/{ns}/widgets", widget())
    talk.post(CONFIG_MAPS, config_map("renamed"))


@case("webhooks")
def a_made_up_name_is_not_known_yet(talk: Talk) -> None:
    mutating, asked = hook(talk, "a")
    validating, seen = hook(talk, "b")
    register(talk, "Mutating", mutating)
    register(talk, "Validating", validating)
    with talk.hush():
        talk.post(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "some-"}})
    for found in (asked, seen):
        request = found.asked[0]["request"]
        talk.note("name", [request.get("name", "")[:5], len(request["object"]["metadata"].get("name", ""))])


@case("webhooks")
def older_reviews_are_spoken_too(talk: Talk) -> None:
    body, asked = hook(talk, "a", labelled("old"), admissionReviewVersions=["v9", "v1beta1", "v1"])
    register(talk, "Mutating", body)
    talk.post(CONFIG_MAPS, config_map())
    talk.note("asked", questions(asked))


@case("webhooks")
def server_side_apply_passes_them_too(talk: Talk) -> None:
    body, asked = hook(talk, "a", labelled("hooked"))
    register(talk, "Mutating", body)
    for data in ({"a": "b"}, {"a": "c"}):
        talk.patch(
            f"{CONFIG_MAPS}/a", config_map(data=data), content_type="application/apply-patch+yaml",
            query={"fieldManager": "me", "force": "true"},
        )  # fmt: skip
    talk.note("asked", questions(asked))
