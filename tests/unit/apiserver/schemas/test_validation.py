from __future__ import annotations

import pytest

from btcctl.apiserver.schemas import validation
from btcctl.apiserver.schemas.correlation import Correlated

SMALL = {"type": "integer", "maximum": 5}
PARTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "size": SMALL}},
}
SCHEMA = {"type": "object", "properties": {"a": SMALL, "b": SMALL, "parts": PARTS}}


def fields(new, old):
    return [cause.field for cause in validation.validate(SCHEMA, new, "", Correlated(SCHEMA, new, old))]


def test_what_was_wrong_before_may_stay():
    assert fields({"a": 9, "b": 2}, {"a": 9, "b": 1}) == []
    assert fields({"a": 8, "b": 1}, {"a": 9, "b": 1}) == ["a"]


def test_an_item_is_known_by_its_keys():
    old = {"parts": [{"name": "x", "size": 9}, {"name": "y", "size": 1}]}
    assert fields({"parts": [{"name": "y", "size": 2}, {"name": "x", "size": 9}]}, old) == []
    assert fields({"parts": [{"name": "z", "size": 9}]}, old) == ["parts[0].size"]


def test_of_alternatives_the_best_is_told():
    schema = {
        "type": "object",
        "anyOf": [{"required": ["a"], "properties": {"a": {"maxLength": 1}}}, {"required": ["b"]}],
    }
    causes = validation.validate({"properties": {"x": schema}}, {"x": {"a": "xyz"}})
    assert [(cause.field, cause.reason) for cause in causes] == [
        ("<nil>", "FieldValueInvalid"),
        ("x.a", "FieldValueTooLong"),
    ]


def test_a_type_and_an_enum_may_both_complain():
    causes = validation.validate({"type": "string", "enum": ["a"]}, 1, "x")
    assert [cause.reason for cause in causes] == ["FieldValueTypeInvalid", "FieldValueNotSupported"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "minLength": 1, "maxLength": 2, "nullable": True},
        {"type": "string", "enum": ["a", "abc"], "maxLength": 2},
        {"type": "boolean"},
        {"type": "integer"},
        {"type": "integer", "format": "int32", "minimum": 0},
        {"type": "integer", "format": "int64", "maximum": 2**31},
        {"type": "integer", "format": "odd", "minimum": 0.5},
    ],
)
def test_what_soon_shows_that_it_fits_is_judged_as_by_a_closer_look(schema):
    closer = {**schema, "pattern": ""}  # means nothing, and is not one of the few words that are soon understood
    soon, later = ({"properties": {"x": each}} for each in (schema, closer))
    for value in ("", "a", "ab", "abc", True, 0, -1, 1.0, 1.5, 2**31, 2**31 + 1, 2**63, None, [], {}):
        assert validation.validate(soon, {"x": value}) == validation.validate(later, {"x": value})
        # Of two alternatives that do not fit, and with which as much goes well, the first is told of.
        for first, second in ((soon, later), (later, soon)):
            either = {"anyOf": [{**first, "required": ["y"]}, {**second, "required": ["z"]}]}
            assert "y" in [cause.field for cause in validation.validate(either, {"x": value})]
