"""What is reconciled, what is owned, what is watched, over informers on a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import msgspec
import pytest

from btcctl.controller.builder import ControllerBuilder
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import own_key
from btcctl.controller.keys.predicates import generation_changed
from btcctl.controller.manager import Manager
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.writes import set_controller
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.typed import TypedInformer
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, SECRETS, ResourceType
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.controller.support import key

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
FOOS = ResourceType("example.org", "v1", "foos", "Foo")


def foo(name: str, **body: Any) -> dict[str, Any]:
    return {"apiVersion": "example.org/v1", "kind": "Foo", "metadata": {"name": name, "namespace": "default"}, **body}


def config_map(name: str, owner: Object | None = None, **data: str) -> dict[str, Any]:
    body: dict[str, Any] = {"metadata": {"name": name, "namespace": "default"}, "data": data}
    if owner is not None:
        set_controller(body, FOOS, owner)
    return body


class Scene:
    """A controller that reports which keys it reconciles."""

    def __init__(self, client: FakeClient, builder: ControllerBuilder) -> None:
        clock = FakeClock()
        self._keys: SimpleQueue[ObjectKey] = SimpleQueue()
        factory = SharedInformerFactory(client, clock=clock)
        options = ControllerOptions(workers=1)
        controller = builder.build("foos", self._reconcile, factory, options=options, clock=clock)
        self.informers = factory.informers
        self.manager = Manager(factory, [controller], clock=clock)
        self.manager.start()

    def next(self) -> ObjectKey:
        return self._keys.get(timeout=REAL_LIMIT_SECONDS)

    def _reconcile(self, obj_key: ObjectKey) -> Result:
        self._keys.put(obj_key)
        return Result()


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(types=[FOOS])


@pytest.fixture
def build(client: FakeClient) -> Iterator[Callable[..., Scene]]:
    scenes: list[Scene] = []

    def build_one(builder: ControllerBuilder, client: FakeClient = client) -> Scene:
        scenes.append(Scene(client, builder))
        return scenes[-1]

    yield build_one
    for scene in scenes:
        scene.manager.stop()


def test_an_object_a_child_of_its_and_what_is_mapped_to_it_lead_to_its_key(client, build):
    owner = client.resource(FOOS).create(foo("a"))
    builder = Controller.for_(FOOS).owns(CONFIG_MAPS).watches(SECRETS, lambda secret: [key(secret.labels["foo"])])
    scene = build(builder)
    assert scene.next() == key("a")
    client.resource(CONFIG_MAPS).create(config_map("child", owner))
    assert scene.next() == key("a")
    client.resource(SECRETS).create({"metadata": {"name": "s", "namespace": "default", "labels": {"foo": "b"}}})
    assert scene.next() == key("b")


def test_a_child_of_a_namesake_that_is_gone_leads_nowhere(build):
    client = FakeClient(types=[FOOS], collects=False)
    gone = client.resource(FOOS).create(foo("a"))
    client.resource(FOOS, "default").delete(gone.key)
    client.resource(FOOS).create(foo("a"))
    other = client.resource(FOOS).create(foo("b"))
    scene = build(Controller.for_(FOOS).owns(CONFIG_MAPS), client=client)
    assert {scene.next(), scene.next()} == {key("a"), key("b")}
    client.resource(CONFIG_MAPS).create(config_map("orphan", gone))
    client.resource(CONFIG_MAPS).create(config_map("child", other))
    assert scene.next() == key("b")


def test_predicates_drop_changes(client, build):
    foos = client.resource(FOOS, "default")
    created = foos.create(foo("a"))
    scene = build(Controller.for_(FOOS, generation_changed))
    assert scene.next() == key("a")
    foos.update_status({**created.body(), "status": {"ready": 1}})
    foos.create(foo("b"))
    assert scene.next() == key("b")


def test_an_informer_with_a_selector_takes_the_place_of_the_factorys(client, build):
    chosen = SharedInformerFactory(client).informer(CONFIG_MAPS, label_selector="chosen")
    scene = build(Controller.for_(FOOS).watches(CONFIG_MAPS, own_key, informer=chosen))
    assert [each.name for each in scene.informers] == [str(FOOS)]
    chosen.start()
    client.resource(CONFIG_MAPS).create(config_map("other"))
    labelled = config_map("labelled")
    labelled["metadata"]["labels"] = {"chosen": "yes"}
    client.resource(CONFIG_MAPS).create(labelled)
    assert scene.next() == key("labelled")
    chosen.stop()


def test_an_informer_of_another_type_is_refused(client):
    factory = SharedInformerFactory(client)
    builder = Controller.for_(FOOS, informer=factory.informer(CONFIG_MAPS))
    with pytest.raises(ValueError, match="informer configmaps holds configmaps, not foos"):
        builder.build("foos", lambda key: Result(), factory)


def test_a_builder_can_be_used_again(client, build):
    builder = Controller.for_(FOOS)
    first, second = build(builder), build(builder)
    client.resource(FOOS).create(foo("a"))
    assert (first.next(), second.next()) == (key("a"), key("a"))


@contextmanager
def running(manager: Manager) -> Iterator[None]:
    manager.start()
    try:
        yield
    finally:
        manager.stop()


class Foo(msgspec.Struct):
    metadata: dict[str, Any]
    size: int = 0


@pytest.mark.parametrize("is_typed", [False, True])
def test_a_controller_watches_the_informer_that_it_is_given_and_finds_owners_in_it(client, is_typed):
    clock = FakeClock()
    factory = SharedInformerFactory(client, clock=clock)
    chosen = factory.informer(FOOS, label_selector="mine")
    owner = client.resource(FOOS).create({**foo("a"), "metadata": {**foo("a")["metadata"], "labels": {"mine": ""}}})
    keys: SimpleQueue[ObjectKey] = SimpleQueue()
    given = TypedInformer(chosen, Foo) if is_typed else chosen
    builder = Controller.for_(FOOS, informer=given).owns(CONFIG_MAPS)
    controller = builder.build("foos", lambda each: keys.put(each) or Result(), factory, clock=clock)
    assert [each.name for each in factory.informers] == [chosen.name, "configmaps"]
    with running(Manager(factory, [controller], clock=clock)):
        assert keys.get(timeout=REAL_LIMIT_SECONDS) == key("a")
        client.resource(CONFIG_MAPS).create(config_map("child", owner))
        assert keys.get(timeout=REAL_LIMIT_SECONDS) == key("a")


def test_a_typed_reader_sees_what_its_controller_was_told_of(client):
    """With a cache each, up to a fifth of changes was read before it was there, and nobody came back to it."""
    clock = FakeClock()
    factory = SharedInformerFactory(client, clock=clock)
    foos = factory.informer_for(Foo, FOOS)
    sizes: SimpleQueue[int | None] = SimpleQueue()

    def reconcile(each: ObjectKey) -> Result:
        found = foos.lister.get(each)
        sizes.put(found and found.size)
        return Result()

    controller = Controller.for_(FOOS).build("foos", reconcile, factory, clock=clock)
    assert factory.informers == [foos.informer]
    with running(Manager(factory, [controller], clock=clock)):
        client.resource(FOOS).create(foo("a", size=1))
        assert sizes.get(timeout=REAL_LIMIT_SECONDS) == 1
        client.resource(FOOS).patch(key("a"), {"size": 2})
        assert sizes.get(timeout=REAL_LIMIT_SECONDS) == 2


def test_what_stands_in_the_way_of_a_child_concerns_the_one_that_waits_for_it(client):
    clock = FakeClock()
    factory = SharedInformerFactory(client, clock=clock)
    client.resource(FOOS).create(foo("a"))
    keys: SimpleQueue[ObjectKey] = SimpleQueue()
    builder = Controller.for_(FOOS).owns(CONFIG_MAPS, in_the_way_of=lambda obj: [key(obj.labels.get("foo", "none"))])
    one = ControllerOptions(workers=1)  # so that keys come in the order of the queue
    controller = builder.build("foos", lambda each: keys.put(each) or Result(), factory, options=one, clock=clock)
    with running(Manager(factory, [controller], clock=clock)):
        assert keys.get(timeout=REAL_LIMIT_SECONDS) == key("a")
        for name, owner in (("mine", client.resource(FOOS).get(key("a"))), ("strange", None)):
            body = config_map(name, owner)
            body["metadata"]["labels"] = {"foo": "labelled"}
            client.resource(CONFIG_MAPS).create(body)
        assert [keys.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)] == [key("a"), key("labelled")]
        client.resource(CONFIG_MAPS).delete(key("strange"))
        assert keys.get(timeout=REAL_LIMIT_SECONDS) == key("labelled")
