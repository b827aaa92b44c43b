from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btcctl.errors import ObjectDecodeError
from btcctl.nesting import metadata_of, split_array, split_object

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


def test_only_what_is_named_of_the_metadata_is_kept():
    raw = b'{"spec":1,"metadata":{"labels":{"a":"b"},"name":"n"}}'
    assert metadata_of(raw, [b"name", b"uid"]) == b'{"metadata":{"name":"n"}}'
    assert metadata_of(b"{}", [b"name"]) == b'{"metadata":{}}'
