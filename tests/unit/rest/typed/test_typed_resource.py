from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from btcctl import (
    CONFIG_MAPS,
    SECRETS,
    AlreadyExists,
    Conflict,
    CustomResource,
    Metadata,
    NotFound,
    ObjectKey,
    TypedKind,
    TypedObject,
    TypedResource,
    crd_for,
)
from btcctl.testing import FakeClient
from btcctl.typed.kinds import type_of
from tests.unit.typed.databases import Database, DatabaseStatus, Storage, database

A = ObjectKey("default", "a")


class Settings(TypedObject, resource=CONFIG_MAPS):
    data: dict[str, str] = msgspec.field(default_factory=dict)


@pytest.fixture
def client() -> FakeClient:
    made = FakeClient(types=[Database], field_manager="test")
    made.clear_actions()
    return made


@pytest.fixture
def databases(client: FakeClient) -> TypedResource[Database]:
    return client.resource(Database)


def sent(client: FakeClient) -> list[str]:
    return [action.verb for action in client.writes]


def test_an_object_comes_back_as_it_was_created(databases):
    made = databases.create(database(replicas=2))
    assert made.spec == database(replicas=2).spec
    assert made.uid
    assert databases.get(A) == made
    assert databases.list() == [made]


def test_what_does_not_fit_is_never_sent(client, databases):
    with pytest.raises(TypeError, match=r"spec\.replicas: Expected `int`, got `str`"):
        databases.create(database(replicas="2"))
    assert client.writes == []


def test_find_says_none_only_of_a_kind_that_is_there(databases):
    assert databases.find(A) is None
    with pytest.raises(NotFound, match="is the CRD installed"):
        FakeClient().resource(Database).find(A)


def test_what_the_class_does_not_know_survives_an_update():
    client = FakeClient(types=[type_of(Database)])  # a server with a newer definition
    databases = client.resource(Database)
    client.add({**body(), "spec": {"engine": "mysql", "later": {"x": 1}}})
    db = databases.get(A)
    db.spec.replicas = 3
    db.metadata.labels["a"] = "b"
    assert databases.update(db).spec.replicas == 3
    after = client.resource(databases.type).get(A).body()
    assert after["spec"] == {"engine": "mysql", "replicas": 3, "later": {"x": 1}}
    assert after["metadata"]["labels"] == {"a": "b"}


def test_a_field_that_is_set_to_none_is_taken_out(client, databases):
    db = database()
    db.spec.storage = Storage("1Gi")
    db = databases.create(db)
    db.spec.storage = None
    databases.update(db)
    assert "storage" not in client.resource(databases.type).get(A).body()["spec"]


def test_an_update_without_a_difference_is_not_sent(client, databases):
    db = databases.create(database())
    assert databases.update(db) == db
    assert sent(client) == ["create"]


def test_an_update_of_an_old_version_is_a_conflict_for_a_copy_too(databases):
    db = databases.create(database())
    databases.patch(A, {"spec": {"replicas": 5}})
    db.spec.replicas = 3
    for old in (db, msgspec.structs.replace(db)):
        with pytest.raises(Conflict):
            databases.update(old)


def test_a_status_is_written_only_if_it_differs(client, databases):
    db = databases.write_status(databases.create(database()), DatabaseStatus(phase="Ready", ready=1))
    assert db.status == DatabaseStatus("Ready", 1)
    assert databases.write_status(db, DatabaseStatus("Ready", 1)) == db
    assert databases.write_status(db, {"phase": "Ready", "ready": 1}) == db
    assert sent(client) == ["create", "update"]


def test_a_status_that_does_not_fit_is_refused_by_its_path(databases):
    db = databases.create(database())
    with pytest.raises(TypeError, match="status of default/a: ready: Expected `int`, got `str`"):
        databases.write_status(db, DatabaseStatus(ready="1"))
    with pytest.raises(TypeError, match="status of default/a: ready: Expected `int`, got `str`"):
        databases.write_status(db, {"ready": "1"})


def test_what_is_of_another_class_is_never_sent_though_it_is_made_of_the_same(client, databases):
    db = databases.create(database())
    client.clear_actions()
    with pytest.raises(TypeError, match="status of default/a is of type DatabaseSpec, must be DatabaseStatus"):
        databases.write_status(db, db.spec)
    for write in (databases.create, databases.update, databases.apply):
        with pytest.raises(TypeError, match=r"an object of databases.pgdb.example.org is of type .*, must be"):
            write(db.spec)
    assert client.writes == []


def test_a_kind_without_a_status_is_given_none():
    class Note(CustomResource[Storage, None], group="x.org", version="v1", plural="notes"):
        pass

    notes = FakeClient(types=[Note]).resource(Note, "default")
    note = notes.create(Note.named("a", Storage("1Gi")))
    with pytest.raises(TypeError, match="status of default/a: Note has no status"):
        notes.write_status(note, {"phase": "Ready"})


def test_a_status_that_has_no_subresource_is_written_with_the_rest():
    class Note(CustomResource[Storage, Storage], group="x.org", version="v1", plural="notes", status_subresource=False):
        pass

    assert "subresources" not in crd_for(Note)["spec"]["versions"][0]
    notes = FakeClient(types=[crd_for(Note)]).resource(Note, "default")
    note = notes.create(Note.named("a", Storage("1Gi")))
    with pytest.raises(TypeError, match="Note has no status subresource: its status is written by update"):
        notes.write_status(note, Storage("2Gi"))
    note.status = Storage("2Gi")
    assert notes.update(note).status == Storage("2Gi")


def test_only_what_was_changed_is_patched(client, databases):
    db = databases.create(database())
    changed = copy.deepcopy(db)
    changed.spec.replicas = 4
    assert databases.patch_from(db, changed).spec.replicas == 4
    assert client.writes[-1].body == {"spec": {"replicas": 4}}


def test_an_object_that_was_read_is_deleted_in_that_incarnation_only(databases):
    first = databases.create(database())
    databases.delete(first)
    databases.create(database())
    with pytest.raises(Conflict):
        databases.delete(first)
    databases.delete(A)
    assert databases.list() == []


def test_an_object_is_waited_for_by_its_values(databases):
    databases.create(database(replicas=2))
    found = databases.wait_until(A, lambda db: db is not None and db.spec.replicas == 2, timeout=5.0)
    assert found is not None
    assert found.spec.replicas == 2


def test_an_apply_that_would_change_nothing_is_not_sent(client, databases):
    db = databases.apply(database(replicas=2))
    assert databases.apply(database(replicas=2), cached=db) == db
    assert sent(client) == ["patch"]
    databases.apply(database(replicas=3), cached=db)
    assert sent(client) == ["patch", "patch"]


def test_an_apply_says_who_controls_the_object(client, databases):
    db = databases.create(database())
    maps = client.resource(Settings)
    made = maps.apply(Settings(metadata=named("config"), data={"a": "b"}), owner=db)
    assert made.namespace == "default"
    [owner] = made.metadata.owner_references
    assert (owner.kind, owner.uid, owner.controller) == ("Database", db.uid, True)
    client.clear_actions()
    maps.apply(Settings(metadata=named("config"), data={"a": "b"}), owner=db, cached=made)
    assert client.writes == []


def test_an_owner_that_no_collector_would_heed_is_refused(client, databases):
    maps = client.resource(Settings)
    with pytest.raises(ValueError, match="has no uid"):
        maps.apply(Settings(metadata=named("config")), owner=database())
    db = databases.create(database())
    elsewhere = Settings(metadata=named("config", "other"))
    with pytest.raises(ValueError, match="cannot own an object in namespace other"):
        maps.apply(elsewhere, owner=db)


def test_a_class_that_knows_nothing_of_kinds_serves_for_a_type(client):
    class Plain(msgspec.Struct):
        metadata: dict[str, Any]
        data: dict[str, str] = {}

    maps = client.resource(TypedKind(CONFIG_MAPS, Plain), "default")
    made = maps.create(Plain({"name": "a"}, {"x": "1"}))
    made.data["x"] = "2"
    assert maps.update(made).data == {"x": "2"}
    with pytest.raises(AlreadyExists):
        maps.create(Plain({"name": "a"}))


def test_secrets_keep_what_the_class_leaves_out(client):
    class Secret(TypedObject, resource=SECRETS):
        type: str = ""

    client.add(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "default"}, "data": {"k": "dg=="}}
    )
    secrets = client.resource(Secret)
    secret = secrets.get(A)
    secret.metadata.labels = {"x": "y"}
    secrets.update(secret)
    assert client.resource(SECRETS).get(A).body()["data"] == {"k": "dg=="}


def body() -> dict[str, Any]:
    return {
        "apiVersion": "pgdb.example.org/v1",
        "kind": "Database",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"engine": "mysql"},
    }


def named(name: str, namespace: str = "") -> Metadata:
    return Metadata(name=name, namespace=namespace)
