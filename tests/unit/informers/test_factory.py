from __future__ import annotations

import gc
import threading
import weakref

import msgspec
import pytest

from btcctl.errors import CacheSyncError, Forbidden
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.reflector.transform import drop_managed_fields
from btcctl.objects import Object
from btcctl.resources import NODES, PODS, STATEFUL_SETS, ResourceType
from btcctl.testing.clock import FakeClock
from tests.unit.informers.support import LiveSource, key, pod


class Closed(LiveSource):
    def list_page(self, **_: str | int) -> object:
        raise Forbidden(403, "Forbidden", "nodes is forbidden")


class Collections:
    """A client that makes a LiveSource of everything it is asked for, and notes what that is."""

    cluster = ""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, object]]] = []

    def resource(self, type_: ResourceType, namespace: str = "") -> _Collection:
        return _Collection(self, type_, namespace)


class _Collection:
    def __init__(self, collections: Collections, type_: ResourceType, namespace: str) -> None:
        self.collections, self.type, self.namespace = collections, type_, namespace

    def lister_watcher(self, **options: object) -> LiveSource:
        given = {name: value for name, value in options.items() if value}
        self.collections.asked.append((str(self.type), self.namespace, given))
        return Closed() if self.type is NODES else LiveSource(pod("a", 5, namespace=self.namespace or "default"))


@pytest.fixture
def collections() -> Collections:
    return Collections()


@pytest.fixture
def factory(collections):
    factory = SharedInformerFactory(collections)
    yield factory
    factory.stop()


def test_there_is_one_informer_per_resource(factory):
    assert factory.informer(PODS) is factory.informer(PODS)
    assert factory.informer(PODS) is not factory.informer(STATEFUL_SETS)
    assert [each.name for each in factory.informers] == ["pods", "statefulsets.apps"]


@pytest.mark.parametrize(
    "selection",
    [
        {"namespace": "one"},
        {"namespace": ["one", "two"]},
        {"label_selector": "app=web"},
        {"field_selector": "spec.nodeName=n1"},
        {"metadata_only": True},
        {"name": "mine", "transform": drop_managed_fields},
    ],
)
def test_another_selection_is_another_informer_and_the_same_is_the_same(factory, selection):
    informer = factory.informer(PODS, **selection)
    assert informer is factory.informer(PODS, **selection)
    assert informer is not factory.informer(PODS)
    assert len({each.name for each in factory.informers}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"label_selector": "app=web,tier in (a,b)"}, {"label_selector": " tier in (b, a), app == web"}),
        ({"label_selector": "app in (web)"}, {"label_selector": "app=web,app=web"}),
        ({"label_selector": "app notin (web),!old"}, {"label_selector": "! old,app!=web"}),
        ({"field_selector": "spec.nodeName=one,a!=b"}, {"field_selector": "a!=b,spec.nodeName==one"}),
        ({"namespace": ["one", "two"]}, {"namespace": ("two", "one", "two")}),
    ],
)
def test_a_selection_that_is_written_in_another_way_is_the_same_cache(factory, one, other):
    assert factory.informer(PODS, **one) is factory.informer(PODS, **other)


def test_a_field_whose_value_has_commas_is_asked_for_as_it_was_written(collections, factory):
    factory.informer(PODS, field_selector=r"b=x\,a==y,a=1")
    assert collections.asked[0][2]["field_selector"] == r"b=x\,a==y,a=1"


def test_the_client_is_asked_for_what_was_selected(collections, factory):
    factory.informer(PODS, namespace="one", label_selector="app=web", field_selector="a=b", metadata_only=True)
    selectors = {"label_selector": "app=web", "field_selector": "a=b", "metadata_only": True}
    assert collections.asked == [("pods", "one", selectors)]


def test_of_several_namespaces_each_is_asked_for(collections, factory):
    pods = factory.informer(PODS, namespace=["one", "two"])
    factory.start()
    factory.require_sync(10.0)
    assert [asked[:2] for asked in collections.asked] == [("pods", "one"), ("pods", "two")]
    assert sorted(pods.lister.keys()) == [key("a", "one"), key("a", "two")]


def test_the_factorys_own_namespace_is_for_what_is_namespaced(collections):
    factory = SharedInformerFactory(collections, namespace="mine")
    factory.informer(PODS)
    factory.informer(NODES)
    factory.informer(PODS, namespace="")
    assert [asked[:2] for asked in collections.asked] == [("pods", "mine"), ("nodes", ""), ("pods", "")]
    factory.stop()


@pytest.mark.parametrize("namespaces", [[], ["one", ""]])
def test_no_namespace_is_not_all_namespaces(factory, namespaces):
    with pytest.raises(ValueError, match="are no namespaces"):
        factory.informer(PODS, namespace=namespaces)


def test_what_has_no_namespace_cannot_be_looked_for_in_one(factory):
    with pytest.raises(ValueError, match="nodes is cluster-scoped"):
        factory.informer(NODES, namespace="one")


def test_the_factorys_transform_is_for_all_that_have_no_other(collections):
    def emptied(obj: Object) -> Object:
        return Object(obj.meta, b"{}")

    factory = SharedInformerFactory(collections, transform=emptied)
    plain, other = factory.informer(PODS), factory.informer(PODS, transform=drop_managed_fields, name="other")
    factory.start()
    factory.require_sync(10.0)
    assert [each.lister.list()[0].raw == b"{}" for each in (plain, other)] == [True, False]
    factory.stop()


class Named(msgspec.Struct):
    metadata: dict[str, str]


class Sized(msgspec.Struct):
    size: int


def test_typed_informers_are_views_of_the_one_cache(collections, factory):
    named, sized = factory.informer_for(Named, PODS), factory.informer_for(Sized, PODS)
    assert named.informer is sized.informer is factory.informer(PODS)
    assert len(collections.asked) == 1
    factory.start()
    factory.require_sync(10.0)
    assert named.lister.get(key("a")).metadata["name"] == "a"
    assert sized.lister.list() == []


def test_a_type_that_cannot_be_decoded_is_refused_before_there_is_an_informer(collections, factory):
    class Endless(msgspec.Struct):
        what: dict[str, threading.Lock] | set[str] | list[str]

    with pytest.raises(TypeError):
        factory.informer_for(Endless, PODS)
    assert collections.asked == []


def test_a_second_cache_of_one_selection_is_refused_and_both_places_are_named(collections, factory):
    factory.informer(PODS)
    with pytest.raises(ValueError, match=r"another transform") as caught:
        factory.informer(PODS, transform=drop_managed_fields)
    assert str(caught.value).count("test_factory.py:") == 2
    assert len(collections.asked) == 1


def test_who_asks_for_no_transform_gets_the_cache_that_there_is(factory):
    transformed = factory.informer(PODS, transform=drop_managed_fields)
    assert factory.informer(PODS) is factory.informer_for(Named, PODS).informer is transformed
    assert factory.informer(PODS, transform=drop_managed_fields) is transformed


def test_a_second_cache_is_made_for_a_name_and_shared_under_it(factory):
    mine = factory.informer(PODS, name="mine", transform=drop_managed_fields)
    assert mine is factory.informer(PODS, name="mine") is not factory.informer(PODS)
    assert mine.name == "mine"
    with pytest.raises(ValueError, match=r"another informer 'mine' than was asked for at .*test_factory\.py:"):
        factory.informer(STATEFUL_SETS, name="mine")


def test_an_informer_that_was_stopped_alone_is_not_handed_out_again(factory):
    first = factory.informer(PODS)
    factory.start()
    factory.require_sync(10.0)
    first.stop()
    second = factory.informer(PODS)
    assert second is not first
    assert not second.has_synced()
    factory.start()
    assert factory.wait_for_sync(10.0) == {}
    assert second.has_synced()
    assert (first.name, second.name) == ("pods", "pods")


@pytest.mark.parametrize("is_typed", [False, True])
def test_what_is_forgotten_is_stopped_and_its_cache_is_freed(factory, is_typed):
    informer = factory.informer_for(Named, PODS) if is_typed else factory.informer(PODS)
    cached = weakref.ref(informer.lister), weakref.ref(factory.informer(PODS))
    factory.start()
    factory.require_sync(10.0)
    factory.forget(informer)
    assert factory.informer(PODS) is not cached[1]()
    assert factory.informer(PODS).name == "pods"
    del informer
    gc.collect()
    assert [each() for each in cached] == [None, None]


def test_what_is_forgotten_already_cannot_be_forgotten(factory):
    informer = factory.informer(PODS)
    factory.forget(informer)
    with pytest.raises(ValueError, match="pods is none of this factory's"):
        factory.forget(informer)


def test_an_informer_that_was_replaced_can_still_be_forgotten(factory):
    first = factory.informer(PODS)
    factory.start()
    first.stop()
    second = factory.informer(PODS)
    factory.forget(first)
    assert factory.informers == [second]


def test_start_starts_what_is_not_running_yet(factory):
    early = factory.informer(PODS)
    factory.start()
    late = factory.informer(STATEFUL_SETS)
    assert factory.wait_for_sync(10.0) == {"statefulsets.apps": "not started: call start() of its factory"}
    assert (early.has_synced(), late.has_synced()) == (True, False)
    factory.start()
    assert factory.wait_for_sync(10.0) == {}
    assert late.has_synced()


def test_an_informer_that_was_stopped_alone_keeps_no_other_from_starting(factory):
    left, late = factory.informer(PODS), factory.informer(STATEFUL_SETS)
    left.stop()
    factory.start()
    assert factory.wait_for_sync(10.0) == {"pods": "stopped"}
    assert late.has_synced()


def test_what_does_not_sync_is_named_with_the_reason(collections):
    clock = FakeClock()
    factory = SharedInformerFactory(collections, clock=clock)
    pods = factory.informer(PODS)
    factory.informer(NODES)
    factory.start()
    assert pods.wait_for_sync(10.0)
    clock.wait_until_blocked(3)  # the informers, and the reflector that backs off
    assert factory.wait_for_sync(0.0) == {"nodes": "list: 403 Forbidden: nodes is forbidden"}
    with pytest.raises(CacheSyncError, match=r"^not synced within 0 s: nodes \(list: 403 .*nodes is forbidden\)$"):
        factory.require_sync(0.0)
    factory.stop()


def test_stop_ends_every_thread_and_forbids_another_start(factory):
    before = threading.active_count()
    factory.informer(PODS)
    factory.informer(STATEFUL_SETS)
    factory.start()
    factory.stop()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="stopped"):
        factory.start()


def test_a_stopped_factory_hands_out_no_cache_that_could_never_be_filled(factory):
    factory.informer(PODS)
    factory.stop()
    for type_ in (PODS, NODES):
        with pytest.raises(RuntimeError, match="the informer factory is stopped"):
            factory.informer(type_)


@pytest.mark.parametrize("selector", ["=", "a>b", "a in (", 5, {"a": "b"}])
def test_what_is_no_selector_is_refused_where_it_is_given(factory, selector):
    with pytest.raises((ValueError, TypeError), match=r"is no|not of type"):
        factory.informer(PODS, label_selector=selector)
    if not isinstance(selector, str):
        with pytest.raises(TypeError, match="a field selector is text"):
            factory.informer(PODS, field_selector=selector)


def test_an_informer_that_nobody_started_is_none_that_has_synced(factory):
    factory.informer(PODS)
    with pytest.raises(CacheSyncError, match=r"pods \(not started: call start\(\)"):
        factory.require_sync(60.0)
