"""A class stands wherever a ResourceType does."""

from __future__ import annotations

from btcctl import (
    CONFIG_MAPS,
    Controller,
    EventRecorder,
    Manager,
    ObjectReference,
    Result,
    SharedInformerFactory,
    TypedInformer,
    is_controlled_by,
    set_controller,
)
from btcctl.testing import FakeClient
from btcctl.threads import Latch
from btcctl.typed.kinds import type_of
from tests.unit.typed.databases import Database, DatabaseStatus, database


def test_an_informer_of_a_class_is_a_view_of_the_one_cache():
    factory = SharedInformerFactory(FakeClient(types=[Database]))
    databases = factory.informer(Database)
    assert isinstance(databases, TypedInformer)
    assert databases.informer is factory.informer(type_of(Database))
    assert len(factory.informers) == 1


def test_a_controller_reconciles_objects_of_a_class():
    client = FakeClient(types=[Database])
    factory = SharedInformerFactory(client)
    databases, lister = client.resource(Database), factory.informer(Database).lister
    done = Latch()

    def reconcile(key):
        db = lister.get(key)
        if db.status is None:
            databases.write_status(db, DatabaseStatus(phase="Ready"))
        else:
            done.set()
        return Result()

    manager = Manager(factory, [Controller.for_(Database).owns(CONFIG_MAPS).build("databases", reconcile, factory)])
    manager.start()
    databases.create(database())
    assert done.wait(60.0)
    manager.stop()
    assert len(factory.informers) == 2


def test_what_a_typed_object_owns_is_told_by_its_reference():
    db = FakeClient(types=[Database]).resource(Database).create(database())
    body = {"metadata": {"name": "a", "namespace": "default"}}
    set_controller(body, Database, db)
    made = FakeClient(collects=False).resource(CONFIG_MAPS).create(body)
    assert is_controlled_by(made, db)


def test_an_event_is_about_the_object_that_it_is_given():
    client = FakeClient(types=[Database])
    db = client.resource(Database).create(database())
    recorder = EventRecorder(client, "test")
    recorder.start()
    recorder.event(db, "Normal", "Created", "there it is")
    recorder.stop()
    [event] = [action.body for action in client.writes if action.type.plural == "events"]
    assert event["involvedObject"] == ObjectReference.of(Database, db).body()
    assert event["involvedObject"]["kind"] == "Database"
