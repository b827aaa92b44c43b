"""Writes that can be repeated, against a real store."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest

from btcctl.controller.writing.finalizers import add_finalizer, remove_finalizer
from btcctl.controller.writing.writes import (
    NotControlled,
    Outcome,
    create_or_update,
    is_controlled_by,
    retry_on_conflict,
    set_controller,
    write_status,
)
from btcctl.deadline import limited_to
from btcctl.errors import AlreadyExists, Conflict, DeadlineExceeded, DecodeError, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CLUSTER_ROLES, CONFIG_MAPS, NODES, STATEFUL_SETS, ResourceType
from btcctl.rest.collection.resource import Resource
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.controller.support import SteppingClock, new_object

KEY = ObjectKey("default", "a")
FOOS = ResourceType("example.org", "v1", "foos", "Foo")
FINALIZER = "example.org/cleanup"


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default", **metadata}}


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(types=[FOOS], field_manager="foos")


@pytest.fixture
def maps(client: FakeClient) -> Resource:
    return client.resource(CONFIG_MAPS, "default")


def verbs(client: FakeClient) -> list[str]:
    return [each.verb for each in client.actions]


def put(key: str, value: str) -> Any:
    return lambda body: body.setdefault("data", {}).update({key: value})


class OddServer:
    """Answers what it is told to, whatever it is asked for."""

    type = CONFIG_MAPS

    def __init__(self, existing: Object | None, answer: Object) -> None:
        self._existing, self._answer = existing, answer

    def get(self, key: ObjectKey) -> Object:
        if self._existing is None:
            raise NotFound(404, "NotFound")
        return self._existing

    def create(self, body: Any) -> Object:
        return self._answer

    update = update_status = create


def answered(**metadata: Any) -> Object:
    return new_object(**{"name": "a", **metadata})


@pytest.mark.parametrize("wrong", [{"name": "b"}, {"namespace": "other"}])
def test_a_server_that_answers_with_another_object_is_said_to_and_mutate_is_not_blamed(wrong: dict[str, str]) -> None:
    right, other = answered(uid="u"), answered(uid="u", **wrong)
    for server in (OddServer(other, other), OddServer(None, other), OddServer(right, other)):
        with pytest.raises(DecodeError, match=r"the server has answered with .*, and was asked for default/a"):
            create_or_update(server, KEY, put("k", "1"))


def test_an_update_that_is_answered_with_a_namesake_is_a_wrong_answer_too() -> None:
    server = OddServer(answered(uid="u"), answered(uid="v"))
    with pytest.raises(DecodeError, match="of uid v, and was asked for uid u"):
        create_or_update(server, KEY, put("k", "1"))
    with pytest.raises(DecodeError, match="of uid v"):
        write_status(server, answered(uid="u"), {"ready": True})


def test_a_cached_object_of_another_key_is_the_callers_mistake(maps: Resource) -> None:
    with pytest.raises(ValueError, match=r"cached is default/b, not default/a"):
        create_or_update(maps, KEY, put("k", "1"), cached=answered(name="b"))


def test_what_is_missing_is_created_and_what_differs_is_updated_and_what_fits_is_left_alone(client, maps):
    outcomes = [create_or_update(maps, KEY, put("k", value)).outcome for value in ("1", "1", "2", "2")]
    assert outcomes == [Outcome.CREATED, Outcome.UNCHANGED, Outcome.UPDATED, Outcome.UNCHANGED]
    assert verbs(client) == ["get", "create", "get", "get", "update", "get"]
    assert maps.get(KEY).body()["data"] == {"k": "2"}


def test_with_a_cached_object_nothing_is_read(client, maps):
    cached = create_or_update(maps, KEY, put("k", "1")).object
    client.clear_actions()
    assert create_or_update(maps, KEY, put("k", "1"), cached=cached).object is cached
    assert create_or_update(maps, KEY, put("k", "2"), cached=cached).outcome is Outcome.UPDATED
    assert verbs(client) == ["update"]


def test_a_stale_object_is_a_conflict_and_a_retry_that_reads_again_gets_through(client, maps):
    stale = create_or_update(maps, KEY, put("k", "1")).object
    create_or_update(maps, KEY, put("k", "2"))
    with pytest.raises(Conflict):
        create_or_update(maps, KEY, put("mine", "1"), cached=stale)
    cached: list[Object | None] = [stale, None]
    retry_on_conflict(
        lambda: create_or_update(maps, KEY, put("mine", "1"), cached=cached.pop(0)), clock=SteppingClock()
    )
    assert maps.get(KEY).body()["data"] == {"k": "2", "mine": "1"}


def test_five_conflicts_are_enough():
    clock, calls = SteppingClock(), []

    def lose() -> None:
        calls.append(clock.now())
        raise Conflict(409, "Conflict")

    with pytest.raises(Conflict):
        retry_on_conflict(lose, clock=clock)
    assert len(calls) == 5
    assert 4 * 0.01 <= calls[-1] <= 4 * 0.011


def test_an_object_that_exists_already_is_no_conflict_to_retry():
    calls: list[None] = []

    def exists() -> None:
        calls.append(None)
        raise AlreadyExists(409, "AlreadyExists")

    with pytest.raises(AlreadyExists):
        retry_on_conflict(exists)
    assert len(calls) == 1


def test_a_status_is_written_only_if_it_differs(client):
    client.add({"apiVersion": "example.org/v1", "kind": "Foo", "metadata": {"name": "a", "namespace": "default"}})
    foos = client.resource(FOOS, "default")
    foo = foos.get(KEY)
    client.clear_actions()
    written = write_status(foos, foo, {"ready": 1})
    assert (written.outcome, written.object.body()["status"]) == (Outcome.UPDATED, {"ready": 1})
    assert write_status(foos, written.object, {"ready": 1}).outcome is Outcome.UNCHANGED
    assert [(each.verb, each.subresource) for each in client.actions] == [("update", "status")]


class FooStatus(msgspec.Struct, rename="camel"):
    ready_nodes: int = 0
    height: int = 0


@pytest.mark.parametrize(
    ("stored", "verbs_of_it"),
    [
        ({"readyNodes": 1}, []),  # by a version that had no height
        ({"readyNodes": 1, "height": 0, "colour": "red"}, []),  # by one that has more
        ({"readyNodes": 2}, ["update"]),
        ({"readyNodes": "one"}, ["update"]),  # by one that had another type
        (None, ["update"]),
    ],
)
def test_a_typed_status_is_compared_as_its_type_reads_what_is_stored(client, stored, verbs_of_it):
    body = {"apiVersion": "example.org/v1", "kind": "Foo", "metadata": {"name": "a", "namespace": "default"}}
    client.add(body if stored is None else {**body, "status": stored})
    foos = client.resource(FOOS, "default")
    foo = foos.get(KEY)
    client.clear_actions()
    written = write_status(foos, foo, FooStatus(ready_nodes=1))
    assert verbs(client) == verbs_of_it
    assert written.object.body()["status"] == ({"readyNodes": 1, "height": 0} if verbs_of_it else stored)


def test_a_finalizer_keeps_an_object_until_it_is_removed(client, maps):
    kept = add_finalizer(maps, maps.create(config_map()), FINALIZER)
    assert kept.finalizers == [FINALIZER]
    assert add_finalizer(maps, kept, FINALIZER) is kept
    maps.delete(KEY)
    dying = maps.get(KEY)
    assert dying.deletion_timestamp is not None
    remove_finalizer(maps, dying, FINALIZER)
    with pytest.raises(NotFound):
        maps.get(KEY)
    remove_finalizer(maps, dying, FINALIZER)  # somebody else was faster
    assert verbs(client) == ["create", "patch", "delete", "get", "patch", "get", "patch"]


def test_finalizers_of_others_are_kept_and_never_overwritten(maps):
    read = maps.create(config_map(finalizers=["other.org/theirs"]))
    add_finalizer(maps, read, FINALIZER)
    with pytest.raises(Conflict):
        add_finalizer(maps, read, "example.org/second")  # of what was read before the first
    assert maps.get(KEY).finalizers == ["other.org/theirs", FINALIZER]
    remove_finalizer(maps, maps.get(KEY), FINALIZER)
    assert maps.get(KEY).finalizers == ["other.org/theirs"]


@pytest.mark.parametrize("name", ["cleanup", "/cleanup", "example.org/", ""])
def test_a_finalizer_needs_a_domain(maps, name):
    with pytest.raises(ValueError, match=r"example\.org/cleanup"):
        add_finalizer(maps, new_object("a"), name)


def test_an_owner_becomes_the_controller_once():
    owner, body = new_object("web", uid="u1"), config_map()
    for _ in range(2):
        set_controller(body, STATEFUL_SETS, owner)
    (reference,) = body["metadata"]["ownerReferences"]
    assert reference == {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "web",
        "uid": "u1",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert is_controlled_by(Object.from_body(body), owner)
    assert not is_controlled_by(Object.from_body(body), new_object("web", uid="u2"))


def test_what_another_controls_is_left_to_it():
    body = config_map()
    set_controller(body, STATEFUL_SETS, new_object("web", uid="u1"))
    why = r"^ConfigMap default/a exists, .* StatefulSet other, but by StatefulSet web of uid u1$"
    for adopt in (False, True):
        with pytest.raises(NotControlled, match=why):
            set_controller(body, STATEFUL_SETS, new_object("other", uid="u2"), adopt=adopt)


def test_what_exists_already_and_nobody_controls_is_only_adopted_on_request():
    body, owner = config_map(uid="u9"), new_object("web", uid="u1")
    with pytest.raises(NotControlled, match=r"is not controlled by StatefulSet web, nor by anybody else"):
        set_controller(body, STATEFUL_SETS, owner)
    set_controller(body, STATEFUL_SETS, owner, adopt=True)
    set_controller(body, STATEFUL_SETS, owner)
    assert is_controlled_by(Object.from_body(body), owner)


def test_an_owner_of_another_namespace_is_refused():
    with pytest.raises(ValueError, match="namespace default"):
        set_controller(config_map(), STATEFUL_SETS, new_object("web", "elsewhere", uid="u1"))


def test_an_apply_makes_and_changes_and_drops_what_it_no_longer_says(client, maps):
    maps.apply({"metadata": {"name": "a"}, "data": {"x": "1", "y": "1"}})
    maps.apply({"metadata": {"name": "a"}, "data": {"x": "2"}})
    assert maps.get(KEY).body()["data"] == {"x": "2"}
    with pytest.raises(Conflict):
        maps.apply({"metadata": {"name": "a"}, "data": {"x": "3"}}, field_manager="another")
    maps.apply({"metadata": {"name": "a"}, "data": {"x": "3"}}, field_manager="another", force=True)
    assert maps.get(KEY).body()["data"] == {"x": "3"}


def test_a_retry_ends_with_the_time_of_the_reconcile():
    clock = FakeClock()

    def lose() -> None:
        clock.advance(1.0)
        raise Conflict(409, "Conflict")

    with limited_to(0.5, clock), pytest.raises(DeadlineExceeded):
        retry_on_conflict(lose, clock=clock)


def test_what_the_lister_has_not_is_created_at_once(client, maps):
    assert create_or_update(maps, KEY, put("k", "1"), cached=None).outcome is Outcome.CREATED
    assert verbs(client) == ["create"]


def test_what_exists_although_the_lister_has_it_not_is_read_and_updated(client, maps):
    maps.create({**config_map(), "data": {"theirs": "1"}})
    client.clear_actions()
    assert create_or_update(maps, KEY, put("k", "1"), cached=None).outcome is Outcome.UPDATED
    assert verbs(client) == ["create", "get", "update"]
    assert maps.get(KEY).body()["data"] == {"theirs": "1", "k": "1"}


def test_who_has_read_and_found_nothing_has_lost_a_race(client, maps):
    def create_first(body: dict[str, Any]) -> None:
        maps.create(config_map())

    with pytest.raises(AlreadyExists):
        create_or_update(maps, KEY, create_first)


@pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (0, False), ([1], [True])])
def test_truth_and_numbers_are_different_values(client, before, after):
    client.add({"apiVersion": "example.org/v1", "kind": "Foo", "metadata": {"name": "a", "namespace": "default"}})
    foos = client.resource(FOOS, "default")

    def want(value: Any) -> Any:
        return lambda body: body.update(spec={"x": value})

    create_or_update(foos, KEY, want(before))
    assert create_or_update(foos, KEY, want(after)).outcome is Outcome.UPDATED
    assert repr(foos.get(KEY).body()["spec"]) == repr({"x": after})
    write_status(foos, foos.get(KEY), {"x": before})
    assert write_status(foos, foos.get(KEY), {"x": after}).outcome is Outcome.UPDATED
    assert repr(foos.get(KEY).body()["status"]) == repr({"x": after})


def test_an_integer_and_a_float_are_the_same_number(client):
    client.add({"apiVersion": "example.org/v1", "kind": "Foo", "metadata": {"name": "a", "namespace": "default"}})
    foos = client.resource(FOOS, "default")
    foo = write_status(foos, foos.get(KEY), {"b": [1], "a": 2}).object
    client.clear_actions()
    assert write_status(foos, foo, {"a": 2.0, "b": [1.0]}).outcome is Outcome.UNCHANGED
    assert create_or_update(foos, KEY, lambda body: None, cached=foo).outcome is Outcome.UNCHANGED
    assert verbs(client) == []


def test_what_changes_nothing_at_the_server_is_no_update(client, maps):
    cached = maps.create(config_map())
    ensured = create_or_update(maps, KEY, lambda body: body.update(data={}), cached=cached)
    assert (ensured.outcome, ensured.object.resource_version) == (Outcome.UNCHANGED, cached.resource_version)


class CountingObject(Object, frozen=True):
    bodies: ClassVar[list[str]] = []

    def body(self) -> dict[str, Any]:
        self.bodies.append(self.name)
        return super().body()


@pytest.fixture
def bodies() -> list[str]:
    CountingObject.bodies.clear()
    return CountingObject.bodies


def test_what_is_cached_is_decoded_once_if_nothing_changes(client, bodies):
    client.add({"apiVersion": "example.org/v1", "kind": "Foo", "metadata": {"name": "a", "namespace": "default"}})
    foos = client.resource(FOOS, "default")
    written = write_status(foos, foos.get(KEY), {"ready": 1}).object
    cached = CountingObject(written.meta, written.raw)
    create_or_update(foos, KEY, lambda body: None, cached=cached)
    assert len(bodies) == 1
    write_status(foos, cached, {"ready": 1})
    assert len(bodies) == 1  # no more than the status is decoded for that


def test_an_object_of_a_list_which_does_not_say_its_kind_is_decoded_once_too(maps, bodies):
    created = maps.create(config_map())
    body = created.body()
    del body["kind"], body["apiVersion"]
    cached = CountingObject(created.meta, Object.from_body(body).raw, created.type_meta)
    assert create_or_update(maps, KEY, lambda body: None, cached=cached).outcome is Outcome.UNCHANGED
    assert len(bodies) == 1


def test_an_owner_that_is_there_already_stays_where_it_is():
    owner = new_object("web", uid="u1")
    body, other = config_map(), {"uid": "u2", "name": "other"}
    set_controller(body, STATEFUL_SETS, owner)
    body["metadata"]["ownerReferences"].append(other)
    set_controller(body, STATEFUL_SETS, owner)
    assert [each["uid"] for each in body["metadata"]["ownerReferences"]] == ["u1", "u2"]


def test_a_new_object_gets_its_owners_namespace():
    body: dict[str, Any] = {"metadata": {"name": "a"}}
    set_controller(body, STATEFUL_SETS, new_object("web", uid="u1"))
    assert body["metadata"]["namespace"] == "default"


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "a", "uid": "u9"}},
        {"metadata": {"name": "a", "namespace": ""}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "a", "namespace": "default"}},
    ],
)
def test_a_namespaced_owner_of_what_is_cluster_scoped_is_refused(body):
    if body.get("kind") == "PersistentVolume":  # no type of ours: its path cannot be made
        with pytest.raises(ValueError, match="cluster-scoped"):
            FakeClient().resource(ResourceType("", "v1", "persistentvolumes", "PersistentVolume", False)).create(body)
        return
    with pytest.raises(ValueError, match="cannot own a cluster-scoped object"):
        set_controller(body, STATEFUL_SETS, new_object("web", uid="u1"), adopt=True)


def test_a_cluster_scoped_owner_may_own_both():
    owner = Object.from_body({"metadata": {"name": "n", "uid": "u1"}})
    for metadata in ({"name": "a", "namespace": "default"}, {"name": "a", "namespace": ""}):
        body = {"metadata": metadata}
        set_controller(body, NODES, owner)
        assert body["metadata"]["ownerReferences"][0]["uid"] == "u1"


def test_a_cluster_scoped_object_is_created_without_a_namespace(client):
    created = create_or_update(client.resource(CLUSTER_ROLES), ObjectKey("", "r"), lambda body: body.update(rules=[]))
    assert (created.object.key, created.outcome) == (ObjectKey("", "r"), Outcome.CREATED)


def test_a_status_that_cannot_be_written_names_the_likely_cause(client, maps):
    created = maps.create(config_map())
    with pytest.raises(NotFound, match="its CRD has no `subresources"):
        maps.update_status({**created.body(), "status": {"x": 1}})
