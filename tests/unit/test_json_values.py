"""What Python calls a value, and what JSON does."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.json_values import encode_json, is_identical, is_same_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
JSON = st.recursive(SCALARS, lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXT, each, max_size=4))


class Phase(StrEnum):
    READY = "Ready"


class Number(IntEnum):
    ONE = 1


class Colour(Enum):
    RED = object()


class Spec(msgspec.Struct):
    size: int = 1


def looped() -> dict[str, Any]:
    body: dict[str, Any] = {}
    body["self"] = body
    return body


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@given(JSON)
def test_what_json_has_is_encoded_as_it_is(value):
    assert msgspec.json.decode(encode_json(value)) == value


@given(JSON)
def test_every_value_is_the_same_as_itself_however_it_is_written(value):
    assert is_same_json(value, msgspec.json.decode(encode_json(value)))


def flipped(value: Any) -> Any:
    """With another value for the first bool or number that is 0 or 1, which Python calls equal."""
    if isinstance(value, bool):
        return int(value)
    if value in (0, 1):
        return bool(value)
    return value


@given(JSON, st.booleans() | st.sampled_from([0, 1]))
def test_truth_is_no_number_wherever_it_stands(around, value):
    for place in (lambda x: {"a": around, "b": x}, lambda x: [around, [x]], lambda x: {"a": {"b": [x]}}):
        assert not is_same_json(place(value), place(flipped(value)))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1, 1.0, True),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, True),
        (-0.0, 0, True),
        (2**53 + 1, float(2**53), False),
        ("1", 1, False),
        (None, False, False),
        ({}, None, False),
        ({}, [], False),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        (Phase.READY, "Ready", True),
        (Number.ONE, 1, True),
        (Number.ONE, True, False),
    ],
)
def test_two_values_are_the_same_if_a_server_would_say_so(one, other, is_same):
    assert is_same_json({"x": one}, {"x": other}) is is_same
    assert is_same_json(other, one) is is_same


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"spec": {"values": [1, float("nan")]}}, r"spec\.values\[1\] is nan, which JSON does not have"),
        ({"spec": {"size": float("inf")}}, r"spec\.size is inf"),
        ({"spec": {"size": -float("inf")}}, r"spec\.size is -inf"),
        (float("nan"), "the object is nan"),
        ({"metadata": {"labels": {"app.org/x": "\ud800"}}}, r"metadata\.labels\[app\.org/x\] is no Unicode text"),
        (looped(), r"self\.self\.self.*nested too deep, or contains itself"),
        (deep(100_000), "nested too deep"),
    ],
)
def test_a_value_that_json_does_not_have_is_refused_and_its_place_named(value, words):
    with pytest.raises(ValueError, match=words):
        encode_json(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"spec": {"hosts": ("a", "b")}}, r"spec\.hosts is of type tuple, which JSON does not have: use a list"),
        ({"spec": {"hosts": {"a"}}}, r"spec\.hosts is of type set.*use a sorted list"),
        ([{"value": datetime.now(UTC)}], r"\[0\]\.value is of type datetime.*rfc3339"),
        ({"data": {"key": b"x"}}, r"data\.key is of type bytes.*base64"),
        ({"spec": Decimal("1.5")}, "spec is of type Decimal"),
        ({"spec": Spec()}, r"spec is of type Spec.*msgspec\.to_builtins"),
        ({"spec": Colour.RED}, "spec is of type Colour"),
        ({"data": {1: "x"}}, "data has the key 1, must be text"),
        ({"data": {None: "x"}}, "data has the key None"),
        ({None: 1}, "the object has the key None"),
        (object(), "the object is of type object"),
    ],
)
def test_a_type_that_json_does_not_have_is_refused_and_its_place_named(value, words):
    with pytest.raises(TypeError, match=words):
        encode_json(value)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(Phase.READY, b'"Ready"'), (Number.ONE, b"1"), (OrderedDict(a=1), b'{"a":1}'), (deep(400), None)],
)
def test_what_only_looks_odd_is_taken(value, encoded):
    assert encode_json(value) == (encoded or msgspec.json.encode(value))


@pytest.mark.parametrize(
    ("one", "other", "identical"),
    [
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1.0}, False),
        (1, 1.0, False),
        ([], {}, False),
    ],
)
def test_what_is_written_alike_is_identical(one: object, other: object, identical: bool) -> None:
    assert is_identical(one, other) is identical
