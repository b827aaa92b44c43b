"""Admission policies, by way of a server."""

from __future__ import annotations

import pytest

from btcctl.errors import ApiError, Invalid
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, VALIDATING_ADMISSION_POLICIES, VALIDATING_ADMISSION_POLICY_BINDINGS
from btcctl.testing import FakeClient

RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


@pytest.fixture
def fake():
    return FakeClient()


def enforce(fake, *expressions, actions=("Deny",), reference=None, **spec):
    validations = [{"expression": each, "message": "no"} for each in expressions]
    whole = {"matchConstraints": {"resourceRules": [RULE]}, "validations": validations, **spec}
    fake.resource(VALIDATING_ADMISSION_POLICIES).create({"metadata": {"name": "p"}, "spec": whole})
    bound = {"policyName": "p", "validationActions": list(actions)} | ({"paramRef": reference} if reference else {})
    fake.resource(VALIDATING_ADMISSION_POLICY_BINDINGS).create({"metadata": {"name": "b"}, "spec": bound})


def create(fake, name, data=None):
    body = {"metadata": {"name": name, "namespace": "default"}, "data": data or {}}
    return fake.resource(CONFIG_MAPS).create(body)


def test_what_a_policy_says_is_refused_in_its_words(fake):
    enforce(fake, "object.metadata.name != 'bad'")
    with pytest.raises(Invalid, match="ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"):
        create(fake, "bad")
    assert create(fake, "good").key == ObjectKey("default", "good")


@pytest.mark.parametrize(
    ("part", "value"),
    [("operations", "UPDATE"), ("apiGroups", "apps"), ("apiVersions", "v2"), ("resources", "secrets")],
)
def test_a_policy_is_for_what_its_rules_name(fake, part, value):
    enforce(fake, "false", matchConstraints={"resourceRules": [{**RULE, part: [value]}]})
    assert create(fake, "a").key.name == "a"


def test_a_binding_that_warns_refuses_nothing(fake):
    enforce(fake, "false", actions=["Warn"])
    assert create(fake, "a").key.name == "a"


def test_a_policy_that_nobody_binds_says_nothing(fake):
    enforce(fake, "false")
    fake.resource(VALIDATING_ADMISSION_POLICY_BINDINGS).delete(ObjectKey("", "b"))
    assert create(fake, "a").key.name == "a"


def test_a_policy_that_is_changed_counts_as_it_is_now(fake):
    enforce(fake, "false")
    policies = fake.resource(VALIDATING_ADMISSION_POLICIES)
    body = policies.get(ObjectKey("", "p")).body()
    body["spec"]["validations"] = [{"expression": "true"}]
    policies.update(body)
    assert create(fake, "a").key.name == "a"


def test_params_are_those_of_now(fake):
    create(fake, "limits", {"most": "1"})
    reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    enforce(fake, "size(object.data) <= int(params.data.most)", paramKind=kind, reference=reference)
    with pytest.raises(Invalid):
        create(fake, "a", {"a": "1", "b": "2"})
    fake.resource(CONFIG_MAPS).update({"metadata": {"name": "limits", "namespace": "default"}, "data": {"most": "2"}})
    assert create(fake, "a", {"a": "1", "b": "2"}).key.name == "a"


def test_what_costs_too_much_is_given_up(fake):
    enforce(fake, "object.data.all(a, object.data.all(b, object.data.all(c, object.data.all(d, a + b + c + d != ''))))")
    with pytest.raises(Invalid, match="cost limit exceeded"):
        create(fake, "a", {f"k{number}": "v" for number in range(60)})


def test_the_policies_themselves_are_beyond_any_policy(fake):
    everything = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}
    enforce(fake, "false", matchConstraints={"resourceRules": [everything]})
    fake.resource(VALIDATING_ADMISSION_POLICIES).delete(ObjectKey("", "p"))
    assert create(fake, "a").key.name == "a"


def test_an_expression_that_this_server_cannot_do_is_refused_loudly(fake):
    with pytest.raises(ApiError, match="does not support this"):
        enforce(fake, "authorizer.group('').resource('pods').check('get').allowed()")
