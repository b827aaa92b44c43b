from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import ObjectDecodeError
from btcctl.informers.reflector.list_watch import WatchStream
from btcctl.informers.reflector.transform import (
    MAX_LOGGED,
    Quarantine,
    QuarantinedObject,
    chain,
    drop_managed_fields,
    transforming,
)
from btcctl.objects import ListPage, Object, WatchEvent
from btcctl.testing import capture_logs
from tests.deep import TOO_DEEP_TO_SKIP
from tests.properties import effort
from tests.unit.informers.support import LiveSource, added, bookmark, deleted, key, modified, page, pod

MANAGED = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {}}}]


def managed(**fields: object) -> Object:
    metadata = {"managedFields": MANAGED, "name": "a", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    return Object.from_body({"apiVersion": "v1", "metadata": {"labels": {"x": "y"}, **metadata}, **fields})


def test_managed_fields_are_dropped_and_nothing_else():
    obj = managed(spec={"a": [1, 2.5, None]}, extra={"managedFields": "mine"})
    smaller = drop_managed_fields(obj)
    expected = obj.body()
    del expected["metadata"]["managedFields"]
    assert smaller.body() == expected
    assert list(smaller.body()) == list(expected)
    assert (smaller.meta, smaller.labels) == (obj.meta, {"x": "y"})


@pytest.mark.parametrize("fields", [{}, {"spec": {"managedFields": 1}}])
def test_without_managed_fields_it_is_the_same_object(fields):
    obj = pod("a", 1, **fields)
    assert drop_managed_fields(obj) is obj


def test_an_object_nested_too_deep_stays_whole():
    raw = b'{"metadata":{"name":"a","managedFields":[]},"spec":' + TOO_DEEP_TO_SKIP + b"}"
    obj = Object(pod("a", 1).meta, raw)
    assert drop_managed_fields(obj) is obj


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values), st.dictionaries(st.text(), json_values))
@effort(40)
def test_whatever_an_object_holds_only_its_managed_fields_are_dropped(fields, metadata):
    body = {**fields, "metadata": {**metadata, "name": "a", "managedFields": MANAGED}}
    obj = Object(pod("a", 1).meta, json.dumps(body).encode())
    del body["metadata"]["managedFields"]
    assert json.loads(drop_managed_fields(obj).raw) == body


def test_transforms_are_chained_in_order():
    first, second = pod("a", 2), pod("a", 3)
    assert chain(lambda obj: first, lambda obj: second if obj is first else obj)(pod("a", 1)) is second


class Answering(LiveSource):
    """Lists these, and its watch sends those."""

    def __init__(self, pages: list[ListPage], events: list[WatchEvent | Exception]) -> None:
        super().__init__()
        self.pages = pages
        self.events = events
        self.asked: list[object] = []

    def list_page(self, **options: object) -> ListPage:
        self.asked.append(options)
        return self.pages.pop(0)

    @contextmanager
    def watch(self, **options: object) -> Iterator[WatchStream]:
        self.asked.append(options)
        yield _Raising(self.events)


class _Raising:
    def __init__(self, events: list[WatchEvent | Exception]) -> None:
        self.events = events

    def take(self) -> list[WatchEvent]:
        if not self.events:
            return []
        event = self.events.pop(0)
        if isinstance(event, Exception):
            raise event
        return [event]


def taken(stream: WatchStream) -> Iterator[WatchEvent]:
    while events := stream.take():
        yield from events


def shrink(obj: Object) -> Object:
    """Fails on objects called bad, unless they are at version 9."""
    if obj.name.startswith("bad") and obj.resource_version != "9":
        raise ValueError("poison")
    return Object(obj.meta, b"{}")


def kinds(objects: list[Object]) -> list[str]:
    return [
        f"{obj.name} " + ("unusable" if isinstance(obj, QuarantinedObject) else obj.raw.decode()) for obj in objects
    ]


def test_what_is_listed_is_transformed_and_poison_takes_nothing_with_it():
    quarantine = Quarantine("pods")
    source = transforming(Answering([page(5, pod("a", 1), pod("bad", 2), pod("c", 3))], []), shrink, quarantine)
    with capture_logs() as logged:
        answer = source.list_page(resource_version="0", limit=500, continue_token="")
    assert kinds(answer.items) == ["a {}", "bad unusable", "c {}"]
    assert [obj.resource_version for obj in answer.items] == ["1", "2", "3"]
    assert (answer.resource_version, len(quarantine)) == ("5", 1)
    assert [entry["key"] for entry in logged] == ["default/bad"]


def test_what_is_watched_is_transformed_and_poison_is_tried_again_when_it_changes():
    events = [added("a", 1), added("bad", 2), modified("bad", 3), bookmark(4), modified("bad", 9), deleted("a", 10)]
    quarantine = Quarantine("pods")
    source = transforming(Answering([], list(events)), shrink, quarantine)
    with capture_logs() as logged, source.watch(resource_version="1", timeout_seconds=300) as stream:
        seen = [(event.type, *kinds([event.object]), len(quarantine)) for event in taken(stream)]
    assert seen[:3] == [("ADDED", "a {}", 0), ("ADDED", "bad unusable", 1), ("MODIFIED", "bad unusable", 1)]
    assert seen[3][0] == "BOOKMARK"
    assert seen[4:] == [("MODIFIED", "bad {}", 0), ("DELETED", "a {}", 0)]
    assert len(logged) == 1


def test_a_transform_that_keeps_names_alone_leaves_the_version_and_the_uid_of_the_object():
    def names_alone(obj: Object) -> Object:
        return Object.from_body({"metadata": {"name": obj.name, "namespace": obj.namespace}})

    source = transforming(Answering([], [added("a", 7)]), names_alone, Quarantine("pods"))
    with source.watch(resource_version="1", timeout_seconds=300) as stream:
        [event] = taken(stream)
    assert (event.object.resource_version, event.object.uid) == ("7", pod("a", 7).uid)
    assert event.object.body()["metadata"] == {"name": "a", "namespace": "default"}


def test_what_is_deleted_is_in_quarantine_no_longer():
    quarantine = Quarantine("pods")
    source = transforming(Answering([], [added("bad", 2), deleted("bad", 3)]), shrink, quarantine)
    with capture_logs(), source.watch(resource_version="1", timeout_seconds=300) as stream:
        assert kinds([event.object for event in taken(stream)]) == ["bad unusable", "bad unusable"]
    assert len(quarantine) == 0


def test_a_stream_can_be_read_on_after_it_raised():
    source = transforming(Answering([], [ObjectDecodeError("?"), added("a", 1)]), shrink, Quarantine("pods"))
    with source.watch(resource_version="1", timeout_seconds=300) as stream:
        with pytest.raises(ObjectDecodeError):
            stream.take()
        assert [event.object.name for event in stream.take()] == ["a"]


@pytest.mark.parametrize("wrong", [None, {"metadata": {}}, pod("other", 1)])
def test_a_transform_that_returns_something_else_has_failed(wrong):
    source = transforming(Answering([page(5, pod("a", 1))], []), lambda obj: wrong, Quarantine("pods"))
    with capture_logs() as logged:
        assert kinds(source.list_page(resource_version="", limit=0, continue_token="").items) == ["a unusable"]
    assert "must be an Object of the same key" in str(logged[0]["exc_info"])


def test_what_a_source_cannot_do_its_transformed_self_cannot_either():
    plain = Answering([], [])
    assert not hasattr(transforming(plain, shrink, Quarantine("pods")), "watch_list")
    plain.watch_list = plain.watch
    plain.events = [added("a", 1)]
    with transforming(plain, shrink, Quarantine("pods")).watch_list(resource_version="", timeout_seconds=9) as stream:
        assert kinds([event.object for event in taken(stream)]) == ["a {}"]


def test_a_transformed_source_is_interrupted_where_it_is():
    plain = Answering([], [])
    transforming(plain, shrink, Quarantine("pods")).interrupt()
    assert plain.interrupted.is_set()


def test_quarantine_forgets_what_does_not_exist_and_logs_no_flood():
    quarantine = Quarantine("pods")
    with capture_logs() as logged:
        for number in range(3 * MAX_LOGGED):
            quarantine.put(key(f"p{number}"), ValueError("?"))
    quarantine.keep_only([key("p1"), key("unheard of")])
    assert (len(logged), len(quarantine)) == (MAX_LOGGED, 1)


def test_what_a_transform_made_instead_of_an_object_is_not_shown_for_it_may_be_a_secret():
    source = Answering([page(5, pod("a", 1))], [])
    with capture_logs() as logs:
        transforming(source, lambda _: {"data": {"password": "hunter2"}}, Quarantine("pods")).list_page(
            resource_version="", limit=0, continue_token=""
        )
    said = [str(each.get("exc_info") or each) for each in logs]
    assert "a transform made one dict of default/a: it must be an Object of the same key" in said[0]
    assert "hunter2" not in "".join(said)
