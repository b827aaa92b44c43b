"""MutatingAdmissionPolicies: what they may say, and what they make of objects.

A real server asks them in any order: no two of a case may see what the other has made.
"""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_policies import CONFIG_MAP_RULE, HERE
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.hooked import hook, patching, register
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    WIDGETS_RULE,
    config_map,
    define_widgets,
    deployment,
    widget,
)

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/mutatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/mutatingadmissionpolicybindings"
_HEAD = "admissionregistration.k8s.io/v1"


def applied(expression: str) -> Body:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> Body:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def policy(*mutations: Body, name: str = "{group}", rules: list[Body] | None = None, **spec: Any) -> Body:
    """One for the case's own namespace."""
    matched = {"resourceRules": rules or [CONFIG_MAP_RULE], "namespaceSelector": HERE}
    whole = {"matchConstraints": matched, "mutations": list(mutations), "reinvocationPolicy": "Never", **spec}
    kept = {key: each for key, each in whole.items() if each is not None}
    return {"apiVersion": _HEAD, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": kept}


def binding(name: str = "{group}", policy_name: str = "{group}", **spec: Any) -> Body:
    whole = {"policyName": policy_name, **spec}
    return {"apiVersion": _HEAD, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": whole}


def enforce(talk: Talk, *bodies: Body) -> None:
    """Have policies and bindings in force: a last policy, made after them, marks canaries from then on."""
    mark = applied("Object{metadata: Object.metadata{labels: {'canary': 'yes'}}}")
    only = [{"name": "canary", "expression": "has(object.metadata.name) && object.metadata.name == 'canary'"}]
    canary = policy(mark, name="{group}-zz", matchConditions=only)
    with talk.hush():
        for each in (*bodies, canary, binding("{group}-zz", "{group}-zz")):
            path = POLICIES if each["kind"] == "MutatingAdmissionPolicy" else BINDINGS
            answer = talk.post(path, each)
            assert answer.status == 201, answer.body
            talk.delete_later(f"{path}/{answer.body['metadata']['name']}")
        talk.eventually(lambda: "canary" in str(_tried(talk).get("labels")))


def _tried(talk: Talk) -> Body:
    """The metadata of a canary; one that another policy refuses has the label it asks for."""
    body = talk.post(CONFIG_MAPS, config_map("canary"), query={"dryRun": "All"}).body
    found: Body = body["metadata"]
    return found


@case("mutating policies")
def a_policy_and_its_binding_get_their_defaults(talk: Talk) -> None:
    talk.delete_later(f"{POLICIES}/{{group}}")
    talk.delete_later(f"{BINDINGS}/{{group}}")
    talk.post(POLICIES, policy(applied("Object{}"), patched("[]  + [JSONPatch{op: 'add', path: '/a', value: 1}]")))
    talk.patch(f"{POLICIES}/{{group}}", {"spec": {"variables": [{"name": "v", "expression": "1"}]}})
    reference = {"name": "a", "namespace": "{ns}", "parameterNotFoundAction": "Allow"}
    talk.post(BINDINGS, binding(paramRef=reference, matchResources={"objectSelector": {"matchLabels": {"a": "b"}}}))
    for path in (POLICIES, BINDINGS):
        talk.get(f"{path}/{{group}}", headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})
        talk.get(f"{path}/{{group}}/status")


@case("mutating policies", error=True)
def a_policy_must_make_sense(talk: Talk) -> None:
    fine = applied("Object{}")
    for wrong in (
        {"mutations": []}, {"matchConstraints": None}, {"matchConstraints": {}}, {"failurePolicy": "Maybe"},
        {"reinvocationPolicy": None}, {"reinvocationPolicy": "Often"}, {"paramKind": {"apiVersion": "v1", "kind": ""}},
        {"matchConstraints": {"resourceRules": [{**CONFIG_MAP_RULE, "operations": ["DELETE", "CONNECT"]}]}},
        {"mutations": [{}]}, {"mutations": [{"patchType": "Merge"}]}, {"mutations": [{"patchType": "JSONPatch"}]},
        {"mutations": [{**fine, "jsonPatch": {"expression": "[]"}}]}, {"mutations": [applied("  "), patched("")]},
        {"mutations": [{"patchType": "JSONPatch", "applyConfiguration": {"expression": "Object{}"}}]},
        {"matchConditions": [{"name": "c", "expression": "Object{} == object"}]},
    ):  # fmt: skip
        talk.post(POLICIES, policy(**{"name": "{group}-none", "mutations": [fine], **wrong}))


@case("mutating policies", error=True)
def an_expression_must_make_a_patch(talk: Talk) -> None:
    for text in (
        "1", "object", "Object.spec{}", "{'a': 'b'}", "Objekt{}", "Object.spec {a: nothing}", "params.a",
        "Object{metadata: Object.metadata{labels: {'a': 1, 'b': 'c'}}}", "variables.none",
        "Object{data: {'a': 'b', 'c': object.d}}", "Object{spec: Object.spec{x: ['a', object.b, 1]}}",
        "Object{a: [[], ['b']]}",
    ):  # fmt: skip
        talk.post(POLICIES, policy(applied(text), name="{group}-none"))
    for text in (
        "[]", "JSONPatch{op: 'add'}", "['a']", "[Object{}]", "[JSONPatch{op: 1}]", "[JSONPatch{op: 'a', path: true}]",
        "[JSONPatch{op: 'add', path: jsonpatch.escapeKey(1)}]", "[JSONPatch{}, Object{}]", "jsonpatch.escape('a')",
        "jsonpatch.escapeKey('a')",
    ):  # fmt: skip
        talk.post(POLICIES, policy(patched(text), name="{group}-none"))
    talk.post(POLICIES, policy(applied("Object{}"), name="{group}-none",
                               variables=[{"name": "a", "expression": "Object{}"}]))  # fmt: skip


@case("mutating policies", error=True)
def a_binding_must_make_sense(talk: Talk) -> None:
    for wrong in (
        {"policyName": ""}, {"policyName": "A"}, {"paramRef": {}},
        {"paramRef": {"name": "a", "selector": {}, "parameterNotFoundAction": "Maybe"}},
        {"matchResources": {"resourceRules": [{**CONFIG_MAP_RULE, "operations": ["DELETE"]}]}},
    ):  # fmt: skip
        talk.post(BINDINGS, {**binding("{group}-none"), "spec": {**binding()["spec"], **wrong}})


@case("mutating policies")
def what_a_policy_applies_is_merged(talk: Talk) -> None:
    labels = "Object{metadata: Object.metadata{labels: {'from': 'policy', 'was': string(object.metadata.name)}}}"
    enforce(
        talk, policy(applied(labels), applied("Object{data: {'all': object.metadata.labels.was + '!'}}")), binding()
    )
    talk.post(CONFIG_MAPS, config_map("a", {"mine": "1"}, labels={"a": "b"}))
    talk.put(f"{CONFIG_MAPS}/a", config_map("a", {"mine": "2", "all": "x"}))
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"all": None}})
    talk.post(CONFIG_MAPS, {**config_map(""), "metadata": {"generateName": "b-"}}, query={"dryRun": "All"})
    talk.delete(f"{CONFIG_MAPS}/a")


@case("mutating policies")
def lists_with_keys_are_merged_by_them(talk: Talk) -> None:
    rule = {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
    template = "Object.spec.template{spec: Object.spec.template.spec{containers: %s}}"
    containers = (
        "object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, "
        "env: [Object.spec.template.spec.containers.env{name: 'A', value: c.image}], "
        "imagePullPolicy: 'Always'})"
    )
    enforce(
        talk, policy(applied(f"Object{{spec: Object.spec{{replicas: 0, template: {template % containers}}}}}"),
                     rules=[rule]), binding(),
    )  # fmt: skip
    talk.post(DEPLOYMENTS, deployment("a"), query={"dryRun": "All"})


@case("mutating policies", error=True)
def what_has_one_owner_is_not_applied_in_part(talk: Talk) -> None:
    rule = {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
    for number, text in enumerate((
        "Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}",
        "Object{spec: Object.spec{none: 1}}", "Object{spec: Object.spec{replicas: 'x'}}",
        "Object{spec: Object.other{replicas: 1}}", "Object{spec: Object.spec{template: Object.spec{}}}",
    )):  # fmt: skip
        only = [{"name": "c", "expression": f"object.metadata.name == 'a{number}'"}]
        name = f"{{group}}-{number}"
        enforce_one = policy(applied(text), name=name, rules=[rule], matchConditions=only)
        with talk.hush():
            assert talk.post(POLICIES, enforce_one).status == 201
            assert talk.post(BINDINGS, binding(name, name)).status == 201
            talk.delete_later(f"{POLICIES}/{name}")
            talk.delete_later(f"{BINDINGS}/{name}")
    enforce(talk)
    for number in range(5):
        talk.post(DEPLOYMENTS, deployment(f"a{number}"), query={"dryRun": "All"})


@case("mutating policies")
def patches_are_applied_in_order(talk: Talk) -> None:
    enforce(
        talk,
        policy(
            patched("[JSONPatch{op: 'test', path: '/metadata/name', value: 'a'}, "
                    "JSONPatch{op: 'add', path: '/data', value: {'x': 'y'}}]"),
            patched("has(object.data) ? [JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('s'), value: 'z'}, "
                    "JSONPatch{op: 'copy', from: '/data/s', path: '/data/t'}] : []"),
            patched("[JSONPatch{op: 'add', path: '/metadata/labels', value: Object.metadata.labels{one: '1'}}]"),
            patched("[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('e.org/a'), value: ''}]"),
        ), binding(),
    )  # fmt: skip
    talk.post(CONFIG_MAPS, config_map("b"))
    talk.post(CONFIG_MAPS, config_map("a"))


@case("mutating policies", error=True)
def a_patch_that_does_not_fit_refuses(talk: Talk) -> None:
    for number, text in enumerate((
        "[JSONPatch{op: 'remove', path: '/none/such'}]", "[JSONPatch{op: 'add', path: '/data', value: 7}]",
        "[JSONPatch{op: 'add', path: '/unknown', value: 1}]", "[JSONPatch{op: 'shout', path: '/data'}]",
        "[JSONPatch{path: '/data'}]", "[JSONPatch{op: 'move', path: '/data', from: '/nothing'}]",
        "[JSONPatch{op: 'add', path: '/data', value: {'a': object.none}}]",
        "[JSONPatch{op: 'add', path: '/data', value: Object.data{a: Object.wrong{}}}]",
    )):  # fmt: skip
        only = [{"name": "c", "expression": f"object.metadata.name == 'a{number}'"}]
        name = f"{{group}}-{number}"
        with talk.hush():
            assert talk.post(POLICIES, policy(patched(text), name=name, matchConditions=only)).status == 201
            assert talk.post(BINDINGS, binding(name, name)).status == 201
            talk.delete_later(f"{POLICIES}/{name}")
            talk.delete_later(f"{BINDINGS}/{name}")
    enforce(talk)
    for number in range(8):
        talk.post(CONFIG_MAPS, config_map(f"a{number}"))


@case("mutating policies", error=True)
def an_expression_without_a_value_follows_the_failure_policy(talk: Talk) -> None:
    broken = applied("Object{data: {'a': object.data.none}}")
    later = applied("Object{data: {'later': 'yes'}}")
    enforce(
        talk,
        policy(broken, later, failurePolicy="Ignore",
               matchConditions=[{"name": "kind", "expression": "object.metadata.name == 'kind'"}]),
        binding(),
        policy(broken, patched("[JSONPatch{op: 'remove', path: '/none'}]"), name="{group}-2",
               matchConditions=[{"name": "strict", "expression": "object.metadata.name == 'strict'"}]),
        binding("{group}-2", "{group}-2"),
        policy(later, name="{group}-3", matchConditions=[
            {"name": "a", "expression": "object.metadata.name != 'odd' || object.data.none == 'x'"},
            {"name": "b", "expression": "object.metadata.name == 'odd'"}]),
        binding("{group}-3", "{group}-3"),
    )  # fmt: skip
    for name in ("kind", "strict", "odd"):
        talk.post(CONFIG_MAPS, config_map(name))


@case("mutating policies")
def variables_and_the_namespace_are_known(talk: Talk) -> None:
    variables = [
        {"name": "name", "expression": "object.metadata.name"},
        {"name": "long", "expression": "variables.name + '-' + namespaceObject.metadata.name"},
        {"name": "count", "expression": "has(object.data) ? size(object.data) : 0"},
    ]
    enforce(
        talk, policy(applied("Object{data: {'long': variables.long, 'count': string(variables.count)}}"),
                     applied("Object{data: {'again': string(variables.count), 'by': request.userInfo.username}}"),
                     variables=variables), binding(),
    )  # fmt: skip
    talk.post(CONFIG_MAPS, config_map("a"))


@case("mutating policies", error=True)
def parameters_come_from_objects(talk: Talk) -> None:
    # Not ConfigMaps, as in cases_policies.py: the second of the two was not enforced within 30 s on a real 1.36.
    kind = {"apiVersion": "v1", "kind": "ServiceAccount"}
    accounts = "/api/v1/namespaces/{ns}/serviceaccounts"
    rule = {**CONFIG_MAP_RULE, "resources": ["secrets"]}
    with talk.hush():
        for name in ("one", "two"):
            talk.post(accounts, {"metadata": {"name": name, "labels": {"params": "yes", "label": name}}})
    labels = "Object{metadata: Object.metadata{labels: {params.metadata.labels.label: params.metadata.name}}}"
    chosen = {"selector": {"matchLabels": {"params": "yes"}}, "parameterNotFoundAction": "Deny"}
    enforce(
        talk, policy(applied(labels), paramKind=kind, rules=[rule]),
        binding(paramRef={"name": "one", "parameterNotFoundAction": "Deny"}),
        binding("{group}-2", paramRef=chosen, matchResources={"objectSelector": {"matchLabels": {"all": "yes"}}}),
        binding("{group}-3", paramRef={"name": "none", "parameterNotFoundAction": "Allow"}),
        binding("{group}-4", paramRef={"name": "none", "parameterNotFoundAction": "Deny"},
                matchResources={"objectSelector": {"matchLabels": {"none": "yes"}}}),
    )  # fmt: skip
    secrets = "/api/v1/namespaces/{ns}/secrets"

    def secret(name: str, **metadata: Any) -> Body:
        return {"metadata": {"name": name, **metadata}, "data": {}}

    talk.eventually(lambda: "one" in str(talk.post(secrets, secret("x"), query={"dryRun": "All"}).body))
    talk.post(secrets, secret("a"))
    talk.post(secrets, secret("b", labels={"all": "yes"}))
    talk.post(secrets, secret("c", labels={"none": "yes"}))


@case("mutating policies")
def a_policy_is_asked_again_if_it_wants_to_be(talk: Talk) -> None:
    def counting(name: str) -> Body:
        count = f"has(object.data) && '{name}' in object.data ? object.data['{name}'] + 'I' : 'I'"
        return applied(f"Object{{data: {{'{name}': {count}}}}}")

    enforce(
        talk, policy(counting("a"), reinvocationPolicy="IfNeeded"), binding(),
        policy(counting("b"), name="{group}-2"), binding("{group}-2", "{group}-2"),
        policy(counting("c"), name="{group}-3", reinvocationPolicy="IfNeeded"), binding("{group}-3", "{group}-3"),
    )  # fmt: skip
    talk.post(CONFIG_MAPS, config_map("a"))


@case("mutating policies")
def policies_come_before_webhooks_and_are_asked_again_after_them(talk: Talk) -> None:
    seen = "Object{metadata: Object.metadata{labels: {'hooked': has(object.data) ? 'yes' : 'no'}}}"
    add, _ = hook(talk, "add-data", patching({"op": "add", "path": "/data", "value": {"h": "1"}}))
    register(talk, "Mutating", add)
    enforce(
        talk, policy(applied(seen), reinvocationPolicy="IfNeeded"), binding(),
        policy(applied(seen.replace("hooked", "once")), name="{group}-2"), binding("{group}-2", "{group}-2"),
    )  # fmt: skip
    talk.post(CONFIG_MAPS, config_map("a"))


@case("mutating policies", error=True)
def custom_resources_are_changed_too(talk: Talk) -> None:
    define_widgets(talk)
    sized = "has(request.subResource) ? Object{status: Object.status{ready: 2}} : Object{spec: Object.spec{size: 3}}"
    odd, wrong = ([{"name": "c", "expression": f"object.metadata.name == '{name}'"}] for name in ("odd", "wrong"))
    strange = [{"name": "s", "expression": "object.metadata.name == 'strange'"}]
    odder = patched("[JSONPatch{op: 'add', path: '/spec/odd', value: 1}]")
    enforce(
        talk,
        policy(applied(sized), rules=[WIDGETS_RULE],
               matchConditions=[{"name": "c", "expression": "object.metadata.name in ['a', 'x']"}]),
        binding(),
        policy(odder, name="{group}-2", rules=[WIDGETS_RULE], matchConditions=odd),
        binding("{group}-2", "{group}-2"),
        policy(
            applied("Object{spec: Object.spec{none: 1}}"), name="{group}-3", rules=[WIDGETS_RULE], matchConditions=wrong
        ),
        policy(odder, applied("Object{}"), name="{group}-4", rules=[WIDGETS_RULE], matchConditions=strange),
        binding("{group}-3", "{group}-3"), binding("{group}-4", "{group}-4"),
    )  # fmt: skip
    path = "/apis/{group}/v1/namespaces/{ns}/widgets"
    talk.eventually(lambda: "not found" not in str(talk.post(path, widget("x"), query={"dryRun": "All"}).body))
    talk.post(path, widget("a"))
    talk.patch(f"{path}/a/status", {"status": {"ready": 5}})
    for name in ("odd", "wrong", "strange"):
        talk.post(path, widget(name))


@case("mutating policies", error=True)
def an_expression_may_not_cost_too_much(talk: Talk) -> None:
    loop = "object.data.all(a, object.data.all(b, object.data.all(c, object.data.all(d, a + b + c + d != ''))))"
    only = [{"name": "c", "expression": "object.metadata.name == 'a'"}]
    enforce(talk, policy(applied(f"{loop} ? Object{{}} : Object{{}}"), matchConditions=only), binding())
    talk.post(CONFIG_MAPS, config_map("a", {f"k{number}": "v" for number in range(60)}))
