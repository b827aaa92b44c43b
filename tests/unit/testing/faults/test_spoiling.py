from __future__ import annotations

import json

import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object, object_from
from btcctl.testing.faults import spoiling
from btcctl.testing.faults.requests import ProxiedRequest

WATCH = ProxiedRequest("GET", "/w?watch=true", {})
LIST = ProxiedRequest("GET", "/w", {})


def body(name: str, version: int) -> bytes:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return json.dumps({"apiVersion": "v1", "metadata": metadata, "spec": {"n": 1}}, separators=(",", ":")).encode()


def line(name: str, version: int) -> bytes:
    return b'{"type":"MODIFIED","object":' + body(name, version) + b"}\n"


def test_only_the_first_change_is_spoiled_and_only_once():
    rule = spoiling.SpoiledLine(spoiling.break_line)
    passed = [rule.line(WATCH, line("a", version)) for version in (1, 2, 1)]
    assert [each == spoiling.break_line(b"") for each in passed] == [True, False, False]


def test_a_line_may_be_spoiled_whenever_it_comes():
    rule = spoiling.SpoiledLine(spoiling.break_line, times=None)
    passed = [rule.line(WATCH, line("a", version)) for version in (1, 2, 1)]
    assert [each == spoiling.break_line(b"") for each in passed] == [True, False, True]
    assert rule.spoiled == 2


def test_in_every_list_the_same_object_is_spoiled_and_no_other():
    rule = spoiling.SpoiledItem(spoiling.break_metadata)
    page = b'{"items":[' + b",".join(body(name, 1) for name in "ab") + b'],"kind":"List"}'
    for _ in range(2):
        names = [item["metadata"]["name"] for item in json.loads(rule.page(LIST, page))["items"]]
        assert names == [17, "b"]


@pytest.mark.parametrize("spoil", [spoiling.nest, spoiling.break_text])
def test_objects_whose_body_is_spoiled_can_be_cached_and_not_be_read(spoil: spoiling.Spoil):
    obj = object_from(spoil(body("a", 5)))
    assert (obj.name, obj.resource_version) == ("a", "5")
    with pytest.raises(ObjectDecodeError):
        obj.body()


def test_an_object_whose_metadata_is_spoiled_cannot_be_cached():
    with pytest.raises(ObjectDecodeError):
        Object.from_raw(spoiling.break_metadata(body("a", 5)))
