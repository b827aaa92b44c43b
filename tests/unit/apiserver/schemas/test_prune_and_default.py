"""Custom resources against their structural schema: what is said, pruned and filled in."""

from __future__ import annotations

import pytest

from btcctl.apiserver.schemas import prune_and_default, validation
from tests.unit.apiserver.calls import GROUP, THINGS, thing


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"size": 99}, [("spec.size", "Invalid value: 99: spec.size in body should be less than or equal to 10")]),
        (
            {"size": -1},
            [
                ("spec.size", "Invalid value: -1: spec.size in body should be greater than or equal to 0"),
                (".spec.size", "Invalid value: -1: should be a non-negative integer"),
            ],
        ),
        (
            {"size": 10**12},
            [
                ("<nil>", 'Invalid value: "": Checked value must be of type integer with format int32 in spec.size'),
                ("spec.size", "Invalid value: 1000000000000: spec.size in body should be less than or equal to 10"),
                (".spec.size", "Invalid value: 1000000000000: should be less than or equal to 2147483647"),
            ],
        ),
        (
            {"size": "three"},
            [
                ("spec.size", 'Invalid value: "string": spec.size in body must be of type integer: "string"'),
                (
                    ".spec.size",
                    "Invalid value: 0: .spec.size accessor error: three is of the type string, expected int64",
                ),
            ],
        ),
        (
            {"size": 1.5},
            [
                ("spec.size", 'Invalid value: "float64": spec.size in body must be of type int32: "float64"'),
                ("<nil>", 'Invalid value: "": Checked value must be of type integer with format int32 in spec.size'),
                (
                    ".spec.size",
                    "Invalid value: 0: .spec.size accessor error: 1.5 is of the type float64, expected int64",
                ),
            ],
        ),
        (
            {"size": 1.0},
            [(".spec.size", "Invalid value: 0: .spec.size accessor error: 1 is of the type float64, expected int64")],
        ),
        ({"size": None}, [("spec.size", "Required value")]),
        ({"color": "blue"}, [("spec.color", 'Unsupported value: "blue": supported values: "red", "green"')]),
        ({"image": "BAD"}, [("spec.image", "Invalid value: \"BAD\": spec.image in body should match '^[a-z]+$'")]),
        ({"image": "a" * 11}, [("spec.image", "Too long: may not be more than 10 bytes")]),
        ({"args": ["x", "x"]}, [("spec.args[1]", 'Duplicate value: "x"')]),
        ({"args": ["a", "b", "c", "d"]}, [("spec.args", "Too many: 4: must have at most 3 items")]),
        (
            {"args": [1]},
            [("spec.args[0]", 'Invalid value: "integer": spec.args[0] in body must be of type string: "integer"')],
        ),
        ({"args": {}}, [("spec.args", 'Invalid value: "object": spec.args in body must be of type array: "object"')]),
        ({"parts": [{"name": "x"}, {"name": "x"}]}, [("spec.parts[1]", 'Duplicate value: {"name":"x"}')]),
        ({"parts": [{}]}, [("spec.parts[0].name", "Required value")]),
        (
            {"port": True},
            [("spec.port", 'Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"')],
        ),
        (
            {"limits": {"cpu": "x"}},
            [("spec.limits.cpu", 'Invalid value: "string": spec.limits.cpu in body must be of type integer: "string"')],
        ),
    ],
)
def test_what_does_not_fit_is_422_with_a_real_servers_words(server, spec, causes):
    answer = server.post(THINGS, thing("b", **spec))
    assert (answer.status, answer.reason) == (422, "Invalid")
    assert answer.causes == causes
    assert answer.message.startswith(f'Thing.{GROUP} "b" is invalid: ')


@pytest.mark.parametrize("body", [{"spec": None}, {}])
def test_a_missing_spec_is_required(server, body):
    answer = server.post(THINGS, {"apiVersion": f"{GROUP}/v1", "kind": "Thing", "metadata": {"name": "b"}, **body})
    assert answer.causes == [("spec", "Required value")]


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ({"size": None}, "FieldValueRequired"),
        ({"size": 99}, "FieldValueInvalid"),
        ({"image": 1}, "FieldValueTypeInvalid"),
        ({"color": "x"}, "FieldValueNotSupported"),
        ({"args": ["x", "x"]}, "FieldValueDuplicate"),
        ({"args": ["a", "b", "c", "d"]}, "FieldValueTooMany"),
        ({"image": "a" * 11}, "FieldValueTooLong"),
    ],
)
def test_each_cause_has_its_reason(server, cause, reason):
    assert server.post(THINGS, thing(**cause)).body["details"]["causes"][0]["reason"] == reason


def test_several_causes_are_listed_in_brackets(server):
    answer = server.post(THINGS, thing("b", size=99, color="blue"))
    assert answer.message.startswith(f'Thing.{GROUP} "b" is invalid: [spec.size: Invalid value: 99: ')
    assert answer.message.endswith('"red", "green"]')


def test_defaults_are_filled_in_below_lists_too(server):
    spec = server.created(THINGS, thing(parts=[{"name": "x"}]))["spec"]
    assert spec == {"color": "red", "parts": [{"name": "x", "weight": 1}], "size": 1}


def test_null_is_the_default_or_stays_where_it_may_or_goes(server):
    spec = server.created(THINGS, thing(color=None, note=None, image=None))["spec"]
    assert spec == {"color": "red", "note": None, "size": 1}


def test_unknown_fields_go_but_where_they_are_welcome(server):
    spec = server.created(
        THINGS, thing(free={"keep": [{"me": [1]}]}, parts=[{"name": "x", "bogus": 1}], limits={"cpu": 1})
    )["spec"]
    assert (spec["free"], spec["parts"][0], spec["limits"]) == (
        {"keep": [{"me": [1]}]},
        {"name": "x", "weight": 1},
        {"cpu": 1},
    )


def test_status_is_checked_when_it_is_written(server):
    server.created(THINGS, thing())
    answer = server.patch(f"{THINGS}/a/status", {"status": {"ready": "two"}})
    assert (answer.status, answer.causes[0][0]) == (422, "status.ready")


def test_a_kind_that_is_another_is_422_and_another_version_400(server):
    other = server.post(THINGS, {**thing("b"), "kind": "Other"})
    assert (other.status, other.causes) == (422, [("kind", 'Invalid value: "Other": must be Thing')])
    assert other.message == f'Other.{GROUP} "b" is invalid: kind: Invalid value: "Other": must be Thing'
    version = server.post(THINGS, {**thing(), "apiVersion": f"{GROUP}/v2"})
    assert version.message == (
        f"the API version in the data ({GROUP}/v2) does not match the expected API version ({GROUP}/v1)"
    )


@pytest.mark.parametrize(
    ("part", "value", "complaint"),
    [
        ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 3, "must validate at least one schema (anyOf)"),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, 3, "must validate one and only one schema (oneOf)"),
        ({"not": {"minimum": 1}}, 3, "must not validate the schema (not)"),
        ({"allOf": [{"maximum": 2}]}, 3, "should be less than or equal to 2"),
        ({"multipleOf": 2}, 3, "should be a multiple of 2"),
        ({"minimum": 3, "exclusiveMinimum": True}, 3, "should be greater than 3"),
        ({"minLength": 2}, "a", "should be at least 2 chars long"),
        ({"minItems": 2}, [], "should have at least 2 items"),
        ({"minProperties": 1}, {}, "should have at least 1 properties"),
    ],
)
def test_every_keyword_of_a_structural_schema_is_enforced(part, value, complaint):
    causes = validation.validate({"properties": {"x": part}}, {"x": value})
    assert any(complaint in cause.message for cause in causes)


def test_null_is_kept_where_it_may_be_and_stands_for_nothing_elsewhere():
    fields = {"a": {"default": 1, "nullable": True}, "b": {"default": 2}, "c": {}}
    body = dict.fromkeys("abc")
    prune_and_default.drop_nulls({"properties": fields}, body)
    prune_and_default.default({"properties": fields}, body)
    assert body == {"a": None, "b": 2}


def test_no_two_objects_share_a_default():
    schema = {"properties": {"a": {"default": {"b": []}}}}
    one, other = {}, {}
    prune_and_default.default(schema, one)
    one["a"]["b"].append("c")
    prune_and_default.default(schema, other)
    assert other == {"a": {"b": []}}


@pytest.mark.parametrize("where", ["items", "additionalProperties"])
def test_rules_are_seen_wherever_they_are(where):
    rule = {"x-kubernetes-validations": [{"rule": "true"}]}
    assert prune_and_default.has_rules({"properties": {"a": {where: rule}}})
    assert not prune_and_default.has_rules({"properties": {"a": {where: {}}}})
