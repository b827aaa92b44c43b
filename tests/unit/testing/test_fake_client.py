"""FakeClient: the real client over a store."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.errors import AlreadyExists, Conflict, Forbidden, Gone, Interrupted, Invalid, NotFound, TooManyRequests
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, PODS, ResourceType
from btcctl.rest.collection.resource import PatchKind
from btcctl.rest.transport.breaker import Breaker
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import Action, FakeClient
from btcctl.threads import Runner, Stop

THINGS = ResourceType("x.example.org", "v1", "things", "Thing")
A = ObjectKey("default", "a")


def config_map(name: str = "a", namespace: str = "default", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, **more}


def thing(name: str = "a", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "x.example.org/v1", "kind": "Thing", "metadata": metadata, **more}


def test_what_it_is_given_is_there_status_and_namespaces_included_and_was_nobodys_action():
    client = FakeClient(config_map(namespace="n", data={"k": "v"}), thing(status={"ok": 1}), types=[THINGS])
    assert client.resource(CONFIG_MAPS).list()[0][0].namespace == "n"
    assert client.resource(THINGS, "default").get(A).body()["status"] == {"ok": 1}
    assert [action.verb for action in client.actions] == ["list", "get"]


def test_an_object_of_an_unknown_kind_or_a_bad_one_is_the_tests_mistake():
    with pytest.raises(ValueError, match="name it in `types`"):
        FakeClient(thing())
    with pytest.raises(ValueError, match="Bad_Name"):
        FakeClient(config_map("Bad_Name"))


def test_errors_are_those_of_a_real_server():
    clock = FakeClock()
    client = FakeClient(config_map(), clock=clock)
    config_maps = client.resource(CONFIG_MAPS, "default")
    with pytest.raises(NotFound, match='configmaps "b" not found'):
        config_maps.get(ObjectKey("default", "b"))
    with pytest.raises(AlreadyExists):
        config_maps.create(config_map())
    with pytest.raises(Invalid):
        config_maps.patch(A, {"data": {"/": ""}})
    with pytest.raises(Conflict):
        config_maps.patch(A, {"metadata": {"resourceVersion": "1"}, "data": {"a": ""}})
    clock.advance(301)
    with pytest.raises(Gone):
        list(config_maps.watch(resource_version="1"))


def test_actions_say_what_was_asked():
    client = FakeClient(types=[THINGS])
    things = client.resource(THINGS, "default")
    created = things.create(thing(spec={"x": 1}))
    things.update_status({**created.body(), "status": {"ok": 1}})
    things.patch(A, [{"op": "add", "path": "/spec/y", "value": 2}], kind=PatchKind.JSON)
    things.delete(A)
    summary = [(each.verb, each.type, each.key, each.subresource) for each in client.actions]
    assert summary == [
        ("create", THINGS, A, ""),
        ("update", THINGS, A, "status"),
        ("patch", THINGS, A, ""),
        ("delete", THINGS, A, ""),
    ]
    assert client.actions[0].body["spec"] == {"x": 1}
    assert client.actions[2].body == [{"op": "add", "path": "/spec/y", "value": 2}]
    assert client.writes == client.actions
    client.clear_actions()
    assert client.actions == []


def test_a_reactor_can_refuse_answer_or_pass_on():
    client = FakeClient(config_map())
    config_maps = client.resource(CONFIG_MAPS, "default")

    def refuse_deletes(action: Action) -> None:
        if action.verb == "delete":
            raise Forbidden(403, "Forbidden", "not today")

    def answer_gets(action: Action) -> dict[str, Any] | None:
        return config_map(data={"from": "reactor"}) if action.verb == "get" else None

    client.reactors += [refuse_deletes, answer_gets]
    with pytest.raises(Forbidden, match="not today"):
        config_maps.delete(A)
    assert config_maps.get(A).body()["data"] == {"from": "reactor"}
    assert len(config_maps.list()[0]) == 1


def test_an_overload_is_told_at_once_and_not_waited_for():
    client = FakeClient()

    def overloaded(_: Action) -> None:
        raise TooManyRequests(429, "TooManyRequests", "later", retry_after=7)

    client.reactors.append(overloaded)
    with pytest.raises(TooManyRequests) as caught:
        client.resource(CONFIG_MAPS).list()
    assert caught.value.retry_after == 7
    assert len(client.actions) == 1


def test_owners_take_their_dependents_along_at_once():
    client = FakeClient(thing(), types=[THINGS])
    owner = client.resource(THINGS, "default").get(A)
    reference = {"apiVersion": "x.example.org/v1", "kind": "Thing", "name": "a", "uid": owner.uid}
    child = config_map()
    child["metadata"]["ownerReferences"] = [reference]
    client.resource(CONFIG_MAPS).create(child)
    client.resource(THINGS).delete(A)
    assert client.resource(CONFIG_MAPS).list()[0] == []


def test_a_part_of_a_second_to_wait_is_not_none():
    def busy(_action):
        raise TooManyRequests(429, "TooManyRequests", "later", retry_after=0.5)

    client = FakeClient()
    client.reactors.append(busy)
    with pytest.raises(TooManyRequests) as caught:
        client.resource(CONFIG_MAPS, "default").list()
    assert caught.value.retry_after == 1.0


def test_a_test_that_waits_in_vain_for_an_object_fails_and_does_not_hang(monkeypatch):
    monkeypatch.setattr("btcctl.testing.clock._REAL_LIMIT_SECONDS", 0.01)
    maps = FakeClient().resource(CONFIG_MAPS, "default")
    with pytest.raises(AssertionError, match=r"the fake clock was not moved from 0.0"):
        maps.wait_until(ObjectKey("default", "a"), lambda obj: obj is not None, timeout=5.0)


def test_a_watch_delivers_what_is_written_until_it_is_ended():
    client = FakeClient(config_map())
    config_maps = client.resource(CONFIG_MAPS, "default")
    with config_maps.watch(resource_version=config_maps.list()[1]) as stream:
        config_maps.create(config_map("b"))
        config_maps.delete(A)
        client.end_watches()
        assert [(event.type, event.object.name) for event in stream] == [("ADDED", "b"), ("DELETED", "a")]


def test_a_tripped_breaker_ends_a_reader_that_waits():
    client = FakeClient()
    breaker = Breaker()
    caught: list[Exception] = []

    def read(_: Stop) -> None:
        try:
            with client.resource(CONFIG_MAPS).watch(resource_version="", bookmarks=False, breaker=breaker) as stream:
                list(stream)
        except Interrupted as error:
            caught.append(error)

    with Runner("reader", read):
        breaker.trip()
    assert len(caught) == 1
    with pytest.raises(Interrupted):
        client.resource(CONFIG_MAPS).watch(resource_version="", breaker=breaker)


def test_a_watch_that_is_refused_is_an_error_at_once():
    client = FakeClient(authorizer=lambda asked: "" if asked.verb == "watch" else None)
    with pytest.raises(Forbidden):
        client.resource(CONFIG_MAPS).watch(resource_version="")


def test_with_the_same_clock_everything_but_generated_names_is_the_same():
    snapshots = [
        FakeClient(config_map(), thing(), types=[THINGS], clock=FakeClock()).store.snapshot() for _ in range(2)
    ]
    assert snapshots[0] == snapshots[1]


def test_discovery_is_there_and_no_action():
    client = FakeClient(types=[THINGS])
    assert client.type_of("x.example.org/v1", "Thing") == THINGS
    assert PODS in client.discover("", "v1")
    assert client.actions == []


def test_a_fake_that_does_not_collect_leaves_what_owners_leave():
    client = FakeClient(collects=False)
    maps = client.resource(CONFIG_MAPS, "default")
    owner = maps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})
    references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid}]
    metadata = {"name": "owned", "ownerReferences": references}
    maps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    maps.delete(owner.key)
    assert [each.name for each in maps.list()[0]] == ["owned"]
