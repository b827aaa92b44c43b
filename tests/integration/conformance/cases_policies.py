"""ValidatingAdmissionPolicies: what they may say, and what they refuse."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import CONFIG_MAPS, WIDGETS_RULE, config_map, define_widgets, widget

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/validatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/validatingadmissionpolicybindings"
CONFIG_MAP_RULE: Body = {
    "operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
}  # fmt: skip
HERE: Body = {"matchLabels": {"kubernetes.io/metadata.name": "{ns}"}}


def policy(*validations: Body | str, name: str = "{group}", rules: list[Body] | None = None, **spec: Any) -> Body:
    """One for the case's own namespace; a text is an expression. A canary is refused by all."""
    listed = [{"expression": each} if isinstance(each, str) else each for each in validations]
    matched = {"resourceRules": rules or [CONFIG_MAP_RULE], "namespaceSelector": HERE}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    whole = {"matchConstraints": matched, "validations": listed, **spec}
    return {**head, "metadata": {"name": name}, "spec": {key: each for key, each in whole.items() if each is not None}}


def binding(*actions: str, name: str = "{group}", policy_name: str = "{group}", **spec: Any) -> Body:
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding"}
    whole = {"policyName": policy_name, "validationActions": list(actions) or ["Deny"], **spec}
    return {**head, "metadata": {"name": name}, "spec": whole}


def enforce(talk: Talk, body: Body, *bindings: Body) -> None:
    """Have them in force: a second policy, made after the first, refuses canaries from then on."""
    canary = policy("object.metadata.name != 'canary'", name="{group}-canary")
    canary_binding = binding(name="{group}-canary", policy_name="{group}-canary")
    with talk.hush():
        made = [(POLICIES, body), *((BINDINGS, each) for each in bindings)]
        for path, each in [*made, (POLICIES, canary), (BINDINGS, canary_binding)]:
            answer = talk.post(path, each)
            assert answer.status == 201, answer.body
            talk.delete_later(f"{path}/{answer.body['metadata']['name']}")
        talk.eventually(lambda: talk.post(CONFIG_MAPS, config_map("canary"), query={"dryRun": "All"}).status == 422)


@case("policies")
def a_policy_and_its_binding_get_their_defaults(talk: Talk) -> None:
    talk.delete_later(f"{POLICIES}/{{group}}")
    talk.delete_later(f"{BINDINGS}/{{group}}")
    talk.post(POLICIES, policy("true", {"expression": "object != null", "message": "m", "reason": "Forbidden"}))
    talk.patch(f"{POLICIES}/{{group}}", {"spec": {"variables": [{"name": "v", "expression": "1"}]}})
    reference = {"name": "a", "namespace": "{ns}", "parameterNotFoundAction": "Allow"}
    talk.post(
        BINDINGS,
        binding("Warn", "Audit", paramRef=reference, matchResources={"objectSelector": {"matchLabels": {"a": "b"}}}),
    )
    for path in (POLICIES, BINDINGS):
        talk.get(f"{path}/{{group}}", headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})
    talk.get(f"{POLICIES}/{{group}}/status")


@case("policies", error=True)
def a_policy_must_make_sense(talk: Talk) -> None:
    for wrong in (
        {"validations": []}, {"matchConstraints": None}, {"matchConstraints": {}}, {"failurePolicy": "Maybe"},
        {"paramKind": {"apiVersion": "a/b/c", "kind": ""}}, {"paramKind": {"apiVersion": "A/v1", "kind": "K k"}},
        {"validations": [{"expression": " "}]},
        {"validations": [{"expression": "object.metadata.name"}]}, {"validations": [{"expression": "nothing == 1"}]},
        {"validations": [{"expression": "params.a == 1"}]}, {"validations": [{"expression": "request.nothing == 'a'"}]},
        {"validations": [{"expression": "true", "message": " ", "reason": "Because", "messageExpression": " "}]},
        {"validations": [{"expression": "true", "message": "a\nb", "messageExpression": "1"}]},
        {"validations": [{"expression": "variables.a == 1"}]},
        {"variables": [{"name": "a", "expression": "1"}], "validations": [{"expression": "variables.b == 1"}]},
        {"variables": [{"name": "a", "expression": "1"}], "validations": [{"expression": "variables.a == 'x'"}]},
        {"variables": [{"name": "1a", "expression": ""}, {"name": "in", "expression": "object.b"}]},
        {"auditAnnotations": [{"key": "a b", "valueExpression": "1"}, {"key": "k", "valueExpression": ""}]},
        {"auditAnnotations": [{"key": "k", "valueExpression": "'a'"}, {"key": "k", "valueExpression": "null"}]},
        {"matchConditions": [{"name": "a b", "expression": "object.a"}]},
        {"matchConstraints": {"resourceRules": [{**CONFIG_MAP_RULE, "resourceNames": ["a", "a", "a/b"]}]}},
        {"matchConstraints": {"resourceRules": [CONFIG_MAP_RULE], "matchPolicy": "x"}},
    ):  # fmt: skip
        talk.post(POLICIES, policy("true", name="{group}-none", **wrong))


@case("policies", error=True)
def a_binding_must_make_sense(talk: Talk) -> None:
    for wrong in (
        {"policyName": ""}, {"policyName": "A"}, {"validationActions": []}, {"validationActions": ["Deny", "Warn"]},
        {"validationActions": ["Deny", "Shout", "Deny"]}, {"paramRef": {}},
        {"paramRef": {"name": "a", "selector": {}, "parameterNotFoundAction": "Maybe"}},
        {"paramRef": {"name": "a/b", "parameterNotFoundAction": "Deny"}},
        {"matchResources": {"resourceRules": [{}]}},
    ):  # fmt: skip
        talk.post(BINDINGS, {**binding(name="{group}-none"), "spec": {**binding()["spec"], **wrong}})


@case("policies", error=True)
def what_is_not_true_is_refused(talk: Talk) -> None:
    enforce(
        talk,
        policy(
            "object.metadata.name != 'first'",
            {"expression": "!has(object.data) || size(object.data) < 2", "message": "  too much data  "},
            {"expression": "object.metadata.name != 'third'", "reason": "Forbidden",
             "messageExpression": "'no ' + object.metadata.name"},
            {"expression": "object.metadata.name != 'fourth'", "reason": "RequestEntityTooLarge", "message": "m",
             "messageExpression": "string(object.none)"},
            {"expression": "object.metadata.name != 'fifth'", "messageExpression": "'a\\nb'"},
        ),
        binding(),
    )  # fmt: skip
    for name in ("first", "third", "fourth", "fifth", "good"):
        talk.post(CONFIG_MAPS, config_map(name))
    talk.post(CONFIG_MAPS, config_map("much", {"a": "b", "c": "d"}))
    talk.post(CONFIG_MAPS, config_map("first", {"a": "b", "c": "d"}))
    talk.patch(f"{CONFIG_MAPS}/good", {"data": {"a": "b", "c": "d"}})
    talk.put(f"{CONFIG_MAPS}/good", config_map("good", {"a": "b", "c": "d"}), query={"dryRun": "All"})
    talk.delete(f"{CONFIG_MAPS}/good")


@case("policies")
def old_and_new_are_compared(talk: Talk) -> None:
    rule = {**CONFIG_MAP_RULE, "operations": ["*"]}
    enforce(talk, policy(
        "oldObject == null || object == null || object.metadata.labels['a'] == oldObject.metadata.labels['a']",
        "object != null || oldObject.metadata.name != 'kept'",
        "request.operation != 'UPDATE' || request.userInfo.username == 'admin'", rules=[rule],
    ), binding())  # fmt: skip
    for name in ("kept", "gone"):
        talk.post(CONFIG_MAPS, config_map(name, labels={"a": "b"}))
        talk.patch(f"{CONFIG_MAPS}/{name}", {"metadata": {"labels": {"c": "d"}}})
        talk.patch(f"{CONFIG_MAPS}/{name}", {"metadata": {"labels": {"a": "c"}}})
        talk.delete(f"{CONFIG_MAPS}/{name}")


@case("policies")
def a_binding_may_only_warn(talk: Talk) -> None:
    enforce(
        talk, policy("object.metadata.name != 'bad'", {"expression": "false", "message": "never good"}),
        binding("Warn", "Audit"),
    )  # fmt: skip
    talk.post(CONFIG_MAPS, config_map("bad"))
    talk.post(CONFIG_MAPS, config_map("good"))


@case("policies", error=True)
def an_expression_without_a_value_follows_the_failure_policy(talk: Talk) -> None:
    enforce(talk, policy("object.data.none == 'x'", "object.metadata.name != 'b'"), binding())
    talk.post(CONFIG_MAPS, config_map("a"))
    talk.post(CONFIG_MAPS, config_map("b", {"none": "x"}))
    talk.post(CONFIG_MAPS, config_map("c", {"none": "x"}))


@case("policies", error=True)
def failures_may_be_ignored_and_refusals_may_not(talk: Talk) -> None:
    enforce(talk, policy("object.data.none == 'x'", "object.metadata.name != 'b'", failurePolicy="Ignore"), binding())
    talk.post(CONFIG_MAPS, config_map("a"))
    talk.post(CONFIG_MAPS, config_map("b"))


@case("policies", error=True)
def variables_are_computed_once_they_are_needed(talk: Talk) -> None:
    variables = [
        {"name": "data", "expression": "has(object.data) ? object.data : {}"},
        {"name": "names", "expression": "variables.data.map(k, k + '!')"},
        {"name": "broken", "expression": "object.none.such"},
    ]
    enforce(
        talk,
        policy(
            {"expression": "size(variables.data) < 2", "messageExpression": "'many: ' + string(size(variables.data))"},
            {"expression": "!variables.names.exists(n, n == 'bad!')", "message": "bad"},
            {"expression": "object.metadata.name != 'breaks' || variables.broken == 1"}, variables=variables,
        ),
        binding(),
    )  # fmt: skip
    talk.post(CONFIG_MAPS, config_map("a", {"a": "1"}))
    talk.post(CONFIG_MAPS, config_map("b", {"a": "1", "b": "2"}))
    talk.post(CONFIG_MAPS, config_map("c", {"bad": "1"}))
    talk.post(CONFIG_MAPS, config_map("breaks"))


@case("policies", error=True)
def parameters_come_from_objects(talk: Talk) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    rule = {**CONFIG_MAP_RULE, "resources": ["secrets"]}
    with talk.hush():
        talk.post(CONFIG_MAPS, config_map("limits", {"max": "2"}, labels={"limits": "yes"}))
    most = {
        "expression": "size(object.data) <= int(params.data.max)",
        "messageExpression": "'at most ' + params.data.max",
    }
    chosen = {"selector": {"matchLabels": {"limits": "yes"}}, "parameterNotFoundAction": "Deny"}

    def labelled(name: str, value: str) -> Body:
        return {"objectSelector": {"matchLabels": {name: value}}}

    enforce(
        talk, policy(most, paramKind=kind, rules=[rule]),
        binding(paramRef={"name": "limits", "parameterNotFoundAction": "Deny"}),
        binding(name="{group}-2", paramRef={"name": "none", "parameterNotFoundAction": "Allow"}),
        binding(name="{group}-3", paramRef=chosen, matchResources=labelled("a", "b")),
        binding(name="{group}-4", paramRef={"name": "none", "parameterNotFoundAction": "Deny"},
                matchResources=labelled("c", "d")),
    )  # fmt: skip
    secrets = "/api/v1/namespaces/{ns}/secrets"
    data = {"a": "eA==", "b": "eA==", "c": "eA=="}
    tried = {"metadata": {"name": "x"}, "data": data}
    talk.eventually(lambda: "at most 2" in str(talk.post(secrets, tried, query={"dryRun": "All"}).body))
    talk.post(secrets, {"metadata": {"name": "a"}, "data": data})
    talk.post(secrets, {"metadata": {"name": "a"}, "data": {"a": "eA=="}})
    talk.post(secrets, {"metadata": {"name": "b", "labels": {"a": "b"}}, "data": {"a": "eA=="}})
    talk.post(secrets, {"metadata": {"name": "c", "labels": {"c": "d"}}, "data": {"a": "eA=="}})


@case("policies", error=True)
def rules_and_conditions_say_which_requests_are_meant(talk: Talk) -> None:
    matched = {
        "resourceRules": [CONFIG_MAP_RULE], "namespaceSelector": HERE, "objectSelector": {"matchLabels": {"a": "b"}},
        "excludeResourceRules": [{**CONFIG_MAP_RULE, "resourceNames": ["free"]}],
    }  # fmt: skip
    conditions = [{"name": "c", "expression": "object.metadata.name != 'excused'"}]
    enforce(
        talk, policy("false", matchConstraints=matched, matchConditions=conditions),
        binding(matchResources={"resourceRules": [{**CONFIG_MAP_RULE, "operations": ["CREATE"]}]}),
    )  # fmt: skip
    for name in ("free", "excused", "bound"):
        talk.post(CONFIG_MAPS, config_map(name, labels={"a": "b"}))
    talk.post(CONFIG_MAPS, config_map("other"))
    talk.patch(f"{CONFIG_MAPS}/other", {"metadata": {"labels": {"a": "b"}}})


@case("policies", error=True)
def custom_resources_and_their_namespace_are_seen(talk: Talk) -> None:
    define_widgets(talk)
    enforce(talk, policy(
        "object == null || object.spec.size < 5",
        "namespaceObject.metadata.name == request.namespace && namespaceObject.status.phase == 'Active'",
        "request.subResource == '' || object.status.ready < 3",
        "request.kind.kind == 'Widget' && request.resource.resource == 'widgets'", rules=[WIDGETS_RULE],
    ), binding())  # fmt: skip
    path = "/apis/{group}/v1/namespaces/{ns}/widgets"
    talk.post(path, widget("a"))
    talk.post(path, widget("b", {"size": 7}))
    talk.patch(f"{path}/a", {"status": {"ready": 5}})
    talk.patch(f"{path}/a/status", {"status": {"ready": 5}})
    talk.patch(f"{path}/a/status", {"status": {"ready": 2}})
    talk.delete(f"{path}/a")


@case("policies", error=True)
def annotations_that_cannot_be_computed_refuse(talk: Talk) -> None:
    enforce(
        talk,
        policy("true", auditAnnotations=[{"key": "k", "valueExpression": "'v' + object.data.none"}]),
        binding("Audit"),
    )
    talk.post(CONFIG_MAPS, config_map("a"))
    talk.post(CONFIG_MAPS, config_map("b", {"none": "x"}))


@case("policies", error=True)
def an_expression_may_not_cost_too_much(talk: Talk) -> None:
    loop = "object.data.all(a, object.data.all(b, object.data.all(c, object.data.all(d, a + b + c + d != ''))))"
    enforce(talk, policy(loop), binding())
    talk.post(CONFIG_MAPS, config_map("a", {f"k{number}": "v" for number in range(60)}))
