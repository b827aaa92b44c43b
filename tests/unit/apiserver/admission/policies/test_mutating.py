"""MutatingAdmissionPolicies, by way of a server."""

from __future__ import annotations

import pytest

from btcctl.errors import ApiError, Forbidden, InternalError, Invalid
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    MUTATING_ADMISSION_POLICIES,
    MUTATING_ADMISSION_POLICY_BINDINGS,
)
from btcctl.testing import FakeClient

RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


def applied(expression):
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression):
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


@pytest.fixture
def fake():
    return FakeClient()


def enforce(fake, *mutations, name="p", again="Never", rule=RULE, reference=None, **spec):
    constraints = {"resourceRules": [rule]}
    whole = {"matchConstraints": constraints, "mutations": list(mutations), "reinvocationPolicy": again, **spec}
    fake.resource(MUTATING_ADMISSION_POLICIES).create({"metadata": {"name": name}, "spec": whole})
    bound = {"policyName": name} | ({"paramRef": reference} if reference else {})
    fake.resource(MUTATING_ADMISSION_POLICY_BINDINGS).create({"metadata": {"name": name}, "spec": bound})


def create(fake, name="a", data=None):
    body = {"metadata": {"name": name, "namespace": "default"}, **({} if data is None else {"data": data})}
    return fake.resource(CONFIG_MAPS).create(body).body()


def test_what_is_applied_is_merged_with_what_was_sent(fake):
    enforce(fake, applied("Object{data: {'b': object.metadata.name}}"))
    assert create(fake, data={"a": "1"})["data"] == {"a": "1", "b": "a"}


def test_mutations_see_what_those_before_them_have_made(fake):
    enforce(fake, applied("Object{data: {'a': '1'}}"), applied("Object{data: {'b': object.data.a + '2'}}"))
    assert create(fake)["data"] == {"a": "1", "b": "12"}


def test_items_of_lists_are_merged_by_their_keys(fake):
    rule = {**RULE, "apiGroups": ["apps"], "resources": ["deployments"]}
    containers = (
        "object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, image: 'new'})"
    )
    spec = f"Object.spec.template.spec{{containers: {containers}}}"
    enforce(fake, applied(f"Object{{spec: Object.spec{{template: Object.spec.template{{spec: {spec}}}}}}}"), rule=rule)
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "old", "args": ["x"]}]},
    }
    body = {"metadata": {"name": "d", "namespace": "default"}}
    body["spec"] = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    made = fake.resource(DEPLOYMENTS).create(body).body()["spec"]["template"]["spec"]["containers"]
    assert [(each["image"], each["args"]) for each in made] == [("new", ["x"])]


def test_a_json_patch_whose_test_fails_changes_nothing(fake):
    enforce(
        fake,
        patched(
            "[JSONPatch{op: 'add', path: '/data', value: {'x': 'y'}}, JSONPatch{op: 'test', path: '/a', value: 1}]"
        ),
        patched("[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a'), value: 'b'}]"),
    )
    assert create(fake, data={"m": "n"})["data"] == {"a": "b", "m": "n"}


@pytest.mark.parametrize(
    ("key", "escaped"), [("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01")]
)  # fmt: skip
def test_keys_are_escaped_for_paths(fake, key, escaped):
    enforce(fake, applied(f"Object{{data: {{'k': jsonpatch.escapeKey('{key}')}}}}"))
    assert create(fake)["data"] == {"k": escaped}


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (applied("Object{none: 1}"), "failed to convert patch object to typed object: .none: field not declared"),
        (applied("Object{data: Object.other{}}"), 'unexpected type name "Object.other", expected "Object.data"'),
        (applied("Object{data: {'a': object.nothing}}"), "resulted in error: no such key: nothing"),
        (patched("[JSONPatch{op: 'remove', path: '/none'}]"), "JSON Patch: error in remove for path: '/none'"),
        (patched("[JSONPatch{op: 'shout', path: '/a'}]"), "JSON Patch: Unexpected kind: shout"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_refuses_unless_failures_are_ignored(fake, mutation, why):
    enforce(fake, mutation, applied("Object{data: {'later': 'yes'}}"))
    with pytest.raises(Forbidden) as caught:
        create(fake)
    assert "policy 'p' with binding 'p' denied request: " in str(caught.value)
    assert why in str(caught.value)
    policies = fake.resource(MUTATING_ADMISSION_POLICIES)
    body = policies.get(ObjectKey("", "p")).body()
    policies.update({**body, "spec": {**body["spec"], "failurePolicy": "Ignore"}})
    assert create(fake)["data"] == {"later": "yes"}


def test_lists_and_maps_with_one_owner_are_not_applied_in_part(fake):
    rule = {**RULE, "apiGroups": ["apps"], "resources": ["deployments"]}
    enforce(fake, applied("Object{spec: Object.spec{selector: Object.spec.selector{}}}"), rule=rule)
    with pytest.raises(ApiError, match=r"may not mutate atomic arrays, maps or structs: \.spec\.selector"):
        fake.resource(DEPLOYMENTS).create({"metadata": {"name": "d", "namespace": "default"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        }})  # fmt: skip


def test_a_patch_may_make_nothing_that_the_kind_does_not_know(fake):
    enforce(fake, patched("[JSONPatch{op: 'add', path: '/unknown', value: 1}]"))
    with pytest.raises(InternalError, match='strict decoding error: unknown field "unknown"'):
        create(fake)


def test_conditions_say_which_objects_are_meant(fake):
    only = [{"name": "c", "expression": "object.metadata.name == 'b'"}]
    enforce(fake, applied("Object{data: {'x': 'y'}}"), matchConditions=only)
    assert "data" not in create(fake, "a")
    assert create(fake, "b")["data"] == {"x": "y"}


def test_each_object_that_a_binding_selects_gives_its_params(fake):
    for name in ("one", "two"):
        body = {"metadata": {"name": name, "namespace": "default", "labels": {"p": "q"}}, "data": {"key": name}}
        fake.resource(CONFIG_MAPS).create(body)
    chosen = {"selector": {"matchLabels": {"p": "q"}}, "parameterNotFoundAction": "Deny"}
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    enforce(fake, applied("Object{data: {params.data.key: 'x'}}"), paramKind=kind, reference=chosen)
    assert create(fake)["data"] == {"one": "x", "two": "x"}


def test_params_that_must_be_there_and_are_not_refuse(fake):
    reference = {"name": "none", "parameterNotFoundAction": "Deny"}
    enforce(fake, applied("Object{}"), paramKind={"apiVersion": "v1", "kind": "Secret"}, reference=reference)
    with pytest.raises(Forbidden, match="failed to configure binding: no params found"):
        create(fake)


def test_a_policy_that_wants_it_is_asked_again_even_after_its_own_change(fake):
    counted = "has(object.data) && '%s' in object.data ? object.data['%s'] + 'I' : 'I'"
    for name, again in (("a", "IfNeeded"), ("b", "Never")):
        enforce(fake, applied(f"Object{{data: {{'{name}': {counted % (name, name)}}}}}"), name=name, again=again)
    assert create(fake)["data"] == {"a": "II", "b": "I"}


def test_what_was_changed_is_checked_like_anything_that_is_sent(fake):
    enforce(fake, applied("Object{metadata: Object.metadata{labels: {'a b': 'c'}}}"))
    with pytest.raises(Invalid, match=r"metadata\.labels"):
        create(fake)


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (applied("1"), "must evaluate to Object but got int"),
        (applied("Objekt{}"), "undeclared reference to 'Objekt'"),
        (patched("[]"), r"must evaluate to list\(JSONPatch\) but got list\(dyn\)"),
        (patched("[JSONPatch{op: 1}]"), "expected type of field 'op' is 'string' but provided type is 'int'"),
        ({"patchType": "Merge"}, 'supported values: "ApplyConfiguration", "JSONPatch"'),
        ({"patchType": "JSONPatch"}, "must be specified when patchType is JSONPatch"),
        ({**applied("Object{}"), "jsonPatch": {}}, "must not be specified when patchType is ApplyConfiguration"),
    ],
)
def test_a_policy_must_make_sense(fake, mutation, why):
    with pytest.raises(Invalid, match=why):
        enforce(fake, mutation)


def test_nothing_is_changed_on_the_way_out(fake):
    with pytest.raises(Invalid, match=r'resourceRules\.operations: Unsupported value: "DELETE"'):
        enforce(fake, applied("Object{}"), rule={**RULE, "operations": ["DELETE"]})
    enforce(fake, applied("Object{data: {'a': object.nothing}}"), rule={**RULE, "operations": ["*"]})
    fake.resource(MUTATING_ADMISSION_POLICIES).delete(ObjectKey("", "p"))
    create(fake)
    enforce(fake, applied("Object{data: {'a': object.nothing}}"), name="q", rule={**RULE, "operations": ["*"]})
    fake.resource(CONFIG_MAPS).delete(ObjectKey("default", "a"))
