from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import ObjectDecodeError
from btcctl.objects import ListPage, Object
from btcctl.rest.watching.pages import PageDecoder, decode_page
from tests.deep import DEEP
from tests.unit.rest.fakes import pod


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


def compact(items: list[Any], *, custom: bool = False) -> bytes:
    """A list as the API server writes it: custom resources have their members sorted."""
    metadata = {"resourceVersion": "7"}
    if custom:
        named = [{"apiVersion": "example.org/v1", "kind": "Widget", **item} for item in items]
        whole = {"apiVersion": "example.org/v1", "items": named, "kind": "WidgetList", "metadata": metadata}
    else:
        whole = {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}
    return json.dumps(whole, separators=(",", ":")).encode()


def fed(body: bytes, size: int = 10, window_bytes: int = 1) -> ListPage:
    decoder = PageDecoder("pods", window_bytes=window_bytes)
    for start in range(0, len(body), size):
        decoder.feed(body[start : start + size])
    return decoder.finish()


def facts(decoded: ListPage) -> tuple[list[tuple[str, bytes]], str]:
    return [(item.name, item.raw) for item in decoded.items], decoded.resource_version


# It begins like an item, and is none: of another object's template, and in a text.
LOOKALIKES = [
    {"metadata": {"name": "x"}},
    {"metadata": {"name": "y"}},
    '},{"metadata":{',
    {"apiVersion": "example.org/v1"},
]
members = st.sampled_from([1, "ä", [], {}, *LOOKALIKES, LOOKALIKES])


@given(
    st.lists(st.dictionaries(st.sampled_from(["spec", "items", "z"]), members)),
    st.booleans(),
    st.integers(1, 99),
    st.sampled_from([1, 50, 10_000]),
)
def test_a_list_is_the_same_however_it_comes(extras: list[dict[str, Any]], custom: bool, size: int, window: int):
    body = compact([{**pod(f"pod-{n}"), **extra} for n, extra in enumerate(extras)], custom=custom)
    assert facts(fed(body, size, window)) == facts(decode_page(body, "pods"))


def test_what_has_come_is_decoded_before_the_list_is_at_its_end(monkeypatch: pytest.MonkeyPatch):
    made: list[str] = []
    monkeypatch.setattr(
        "btcctl.rest.watching.pages.Object", lambda meta, raw, _: made.append(meta.name) or Object(meta, raw)
    )
    decoder = PageDecoder("pods", window_bytes=1)
    decoder.feed(compact([pod("a"), pod("b"), pod("c")])[:-80])
    assert made == ["a"]


@pytest.mark.parametrize("poison", ['{"metadata":{"name":"deep"},"spec":DEEP}', '{"metadata":{}}', '{"spec":{}}'])
def test_an_item_that_is_no_good_hides_none_of_a_list_that_is_still_coming(poison: str):
    body = compact([pod("a"), pod("b"), "POISON", pod("c"), pod("d")])
    decoded = fed(body.replace(b'"POISON"', poison.replace("DEEP", DEEP.decode()).encode()))
    assert [item.name for item in decoded.items if item.name != "deep"] == ["a", "b", "c", "d"]
    assert len(decoded.items) + len(decoded.unreadable) == 5


@pytest.mark.parametrize("cut", [1, 20, 60, 100])
def test_half_a_list_is_no_list(cut: int):
    with pytest.raises(ObjectDecodeError, match="pods"):
        fed(compact([pod("a"), pod("b"), pod("c")])[:-cut])


def test_a_list_with_rubbish_between_its_items_is_no_list():
    body = compact([pod("a"), pod("b"), pod("c"), pod("d")])
    for at, (before, after) in enumerate(itertools.pairwise(body.split(b"},{"))):
        with pytest.raises(ObjectDecodeError, match="pods"):
            fed(body.replace(before + b"},{" + after, before + b"},,{" + after), size=at + 7)
