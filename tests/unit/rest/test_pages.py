from __future__ import annotations

import json

import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.rest.pages import decode_page
from tests.unit.rest.fakes import pod

DEEP = b"[" * 5000 + b"]" * 5000


def page(items: object, **metadata: str) -> bytes:
    return json.dumps({"kind": "List", "metadata": metadata, "items": items}).encode()


def test_a_page_is_its_items_its_version_and_the_way_to_the_next():
    decoded = decode_page(page([pod("a"), pod("b")], resourceVersion="7", **{"continue": "t"}), "pods")
    assert [item.name for item in decoded.items] == ["a", "b"]
    assert (decoded.resource_version, decoded.continue_token) == ("7", "t")


@pytest.mark.parametrize("items", [[], None])
def test_a_page_may_be_empty(items: object):
    decoded = decode_page(page(items, resourceVersion="7"), "pods")
    assert (decoded.items, decoded.continue_token) == ([], "")


def test_each_item_has_bytes_of_its_own():
    (item,) = decode_page(page([pod("a")]), "pods").items
    assert type(item.raw) is bytes
    assert json.loads(item.raw) == pod("a")


def test_an_item_without_metadata_is_left_out_and_told_of():
    decoded = decode_page(page([{"spec": {}}, pod("b")]), "list of pods")
    assert [item.name for item in decoded.items] == ["b"]
    assert len(decoded.unreadable) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"items":{}}',
        b'{"items":[]}',
        b'{"metadata":{},"items":[',
        b'{"kind":"Table","metadata":{}}',
    ],
)
def test_what_is_no_list_is_an_error_that_names_it(body: bytes):
    with pytest.raises(ObjectDecodeError, match="list of pods"):
        decode_page(body, "list of pods")


def test_one_object_nested_too_deep_does_not_hide_the_others():
    poison = b'{"metadata":{"name":"deep","managedFields":' + DEEP + b'},"spec":' + DEEP + b"}"
    body = page([pod("a"), "POISON", pod("b")], resourceVersion="7").replace(b'"POISON"', poison)
    decoded = decode_page(body, "pods")
    assert [item.name for item in decoded.items] == ["a", "deep", "b"]
    assert decoded.items[1].raw == poison
    assert decoded.resource_version == "7"
