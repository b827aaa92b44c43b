"""What a test puts into a FakeClient is kept as it is, or refused aloud."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from btcctl.errors import BtcctlError, Forbidden, NotFound, TransportError
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, NODES, PODS, SECRETS, ResourceType
from btcctl.testing import FakeClient
from btcctl.testing.fake_client import Action
from tests.unit.typed.databases import Database, DatabaseSpec, DatabaseStatus, database

WIDGETS = ResourceType("example.org", "v1", "widgets", "Widget")
A = ObjectKey("default", "a")


def widget(**metadata: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "default", **metadata}
    return {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": metadata}


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default", **metadata}}


@pytest.mark.parametrize(
    "metadata",
    [
        {"uid": "uid-of-a"},
        {"generation": 7},
        {"creationTimestamp": "2020-01-02T03:04:05Z"},
        {"deletionTimestamp": "2020-01-02T03:04:05Z", "finalizers": ["example.org/f"], "uid": "u"},
        {"managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "example.org/v1"}]},
        {"labels": {"a": "b"}, "annotations": {"c": "d"}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_a_server_sets_itself_is_kept_as_it_was_given(metadata):
    client = FakeClient({**widget(**metadata), "status": {"ready": True}}, types=[WIDGETS])
    body = client.resource(WIDGETS).get(A).body()
    assert {**body["metadata"], **metadata} == body["metadata"]
    assert body["status"] == {"ready": True}


def test_an_object_that_is_added_under_a_watch_has_its_uid_from_the_first_event_on():
    client = FakeClient()
    with client.resource(CONFIG_MAPS, "default").watch(resource_version="") as events:
        client.add(config_map(uid="uid-of-a"))
        added = next(event for event in events if event.type == "ADDED")
    assert added.object.uid == "uid-of-a"


def test_an_owner_may_come_after_what_it_owns():
    reference = {"apiVersion": "example.org/v1", "kind": "Widget", "name": "a", "uid": "uid-of-a", "controller": True}
    client = FakeClient(config_map(ownerReferences=[reference]), widget(uid="uid-of-a"), types=[WIDGETS])
    assert client.resource(CONFIG_MAPS, "default").get(A).controller.uid == client.resource(WIDGETS).get(A).uid


def test_a_child_whose_owner_is_not_there_is_refused_and_not_silently_collected():
    reference = {"apiVersion": "example.org/v1", "kind": "Widget", "name": "a", "uid": "another"}
    with pytest.raises(ValueError, match="would be gone at once"):
        FakeClient(widget(uid="u"), config_map(ownerReferences=[reference]), types=[WIDGETS])


def test_a_namespace_may_be_seeded_while_it_is_going():
    going = {"name": "going", "deletionTimestamp": "2020-01-02T03:04:05Z"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": going, "status": {"phase": "Terminating"}}
    client = FakeClient({**namespace, "spec": {"finalizers": ["kubernetes"]}}, collects=False)
    with pytest.raises(Forbidden, match="being terminated"):
        client.resource(CONFIG_MAPS, "going").create({"metadata": {"name": "a"}})


def test_the_last_finalizer_of_an_object_that_was_seeded_as_dying_ends_it():
    dying = config_map(deletionTimestamp="2020-01-02T03:04:05Z", finalizers=["example.org/f"])
    maps = FakeClient(dying).resource(CONFIG_MAPS, "default")
    maps.patch(A, {"metadata": {"finalizers": None}})
    with pytest.raises(NotFound):
        maps.get(A)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (config_map(deletionTimestamp="2020-01-02T03:04:05Z"), "no finalizer"),
        (config_map(resourceVersion="7"), "leave out its resourceVersion"),
        ({**config_map(), "spec": {"size": 1}}, "spec"),
        (config_map(uid=7), "must be a text"),
        (config_map(namespace="a/b"), "no namespace"),
        ({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "x"}}, "cluster-scoped"),
        ({"kind": "ConfigMap", "metadata": {"name": "a"}}, "apiVersion"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, r"metadata\.name"),
        (widget(), "name it in `types`"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(body, words):
    with pytest.raises(ValueError, match=words):
        FakeClient(body)


@pytest.mark.parametrize("given", [None, "a", [config_map()], Object.from_body(config_map())])
def test_what_is_no_dict_is_refused_in_words(given: Any) -> None:
    with pytest.raises(TypeError, match=r"an object that there is at the beginning is of type .*, must be a dict"):
        FakeClient(given)
    for call in ("create", "update", "update_status", "apply"):
        with pytest.raises(TypeError, match="a manifest is a dict"):
            getattr(FakeClient(field_manager="me").resource(CONFIG_MAPS, "default"), call)(given)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"deletionTimestamp": "yesterday", "finalizers": ["a/b"]}, "deletionTimestamp must be a time with a zone"),
        ({"creationTimestamp": "2026-01-31T12:00:00"}, "creationTimestamp must be a time with a zone"),
        ({"creationTimestamp": 5}, "creationTimestamp must be a time with a zone"),
        ({"generation": "7"}, "generation must be a whole number"),
        ({"deletionGracePeriodSeconds": True}, "deletionGracePeriodSeconds must be a whole number"),
    ],
)
def test_what_no_server_could_have_given_is_refused(metadata: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FakeClient(config_map(**metadata))


def test_a_uid_is_given_once() -> None:
    with pytest.raises(ValueError, match="two objects with the uid u"):
        FakeClient(config_map(uid="u"), config_map(uid="u", name="b"))


def test_the_same_object_twice_is_refused():
    with pytest.raises(ValueError, match="already exists"):
        FakeClient(config_map(), config_map())


def test_a_node_and_a_secret_with_string_data_are_kept():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": "v"}}
    client = FakeClient({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}, secret)
    assert client.resource(SECRETS, "default").get(A).body()["data"] == {"k": "dg=="}
    assert client.resource(NODES).get(ObjectKey("", "n")).name == "n"


def test_a_recorded_action_stays_as_it_was_sent_whatever_a_reactor_does_with_its_own():
    def spoil(action: Action) -> None:
        if action.body is not None:
            action.body["data"].clear()

    client = FakeClient()
    client.reactors.append(spoil)
    client.resource(CONFIG_MAPS, "default").create({**config_map(), "data": {"k": "v"}})
    assert client.actions[0].body["data"] == {"k": "v"}
    assert client.resource(CONFIG_MAPS, "default").get(A).body()["data"] == {"k": "v"}


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("raised", [ValueError("no"), Unprintable(), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_a_reactor_raises_is_the_failure_of_that_call(raised):
    def fail(_action: object) -> None:
        raise raised

    client = FakeClient(config_map())
    client.reactors.append(fail)
    with pytest.raises(TransportError, match="a reactor failed"):
        client.resource(CONFIG_MAPS, "default").get(A)
    client.reactors.clear()
    assert client.resource(CONFIG_MAPS, "default").get(A).key == A


@pytest.mark.parametrize("answer", [[], 7, "text", {"metadata": object()}, {"a": float("nan")}])
def test_a_reactor_that_answers_with_no_object_is_told_so(answer):
    client = FakeClient()
    client.reactors.append(lambda _action: answer)
    with pytest.raises(BtcctlError):
        client.resource(PODS, "default").get(A)


def test_a_value_of_a_class_is_seeded_with_its_status():
    client = FakeClient(Database.named("a", DatabaseSpec("mysql"), namespace="blue"), types=[Database])
    there = msgspec.structs.replace(database("b"), status=DatabaseStatus("Ready", 1))
    client.add(there)
    databases = client.resource(Database)
    assert databases.get(ObjectKey("blue", "a")).spec.engine == "mysql"
    assert databases.get(there.key).status == DatabaseStatus("Ready", 1)
