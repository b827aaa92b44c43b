from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btcctl.errors import ObjectDecodeError
from btcctl.rest.deep import read_object, split_array, split_object

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")])


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=5), values), separators, st.booleans())
def test_an_object_is_cut_where_a_decoder_would_cut_it(body: dict[str, Any], separator: tuple[str, str], ascii_: bool):
    data = json.dumps(body, separators=separator, ensure_ascii=ascii_).encode()
    assert {json.loads(name): json.loads(value) for name, value in split_object(data).items()} == body


@settings(max_examples=40, deadline=None)
@given(st.lists(values), separators)
def test_an_array_is_cut_where_a_decoder_would_cut_it(items: list[Any], separator: tuple[str, str]):
    data = json.dumps(items, separators=separator).encode()
    assert [json.loads(part) for part in split_array(data)] == items


@pytest.mark.parametrize(
    "data", [b"", b"1", b"[]", b'{"a":{}', b'{"a"}', b"{1:2}", b'{"a":[}', b'{"a":1}{"b":2}', b'{"a":1}}']
)
def test_what_is_no_object_is_refused(data: bytes):
    with pytest.raises(ObjectDecodeError):
        split_object(data)


def test_brackets_and_quotes_inside_strings_do_not_count():
    assert split_object(rb'{"a":"}\"]{","b":1}') == {b'"a"': rb'"}\"]{"', b'"b"': b"1"}


def test_an_object_is_known_by_the_scalars_of_its_metadata():
    deep = "[" * 3000 + "]" * 3000
    raw = f'{{"spec":{deep},"metadata":{{"uid":"u","labels":{{"a":"b"}},"name":"n","generation":3}}}}'.encode()
    found = read_object(raw)
    assert (found.name, found.uid, found.generation, found.raw) == ("n", "u", 3, raw)


def test_an_object_without_a_name_is_refused():
    with pytest.raises(ObjectDecodeError, match=r"metadata\.name"):
        read_object(b'{"metadata":{}}')
