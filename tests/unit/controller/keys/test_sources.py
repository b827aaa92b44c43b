"""From what happened to which keys to look at."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from btcctl.controller.keys.handlers import own_key, owner_keys
from btcctl.controller.keys.predicates import generation_changed
from btcctl.controller.keys.sources import KeyHandler, Source, wait_for_sources
from btcctl.errors import CacheSyncError
from btcctl.objects import Object, ObjectKey
from btcctl.resources import NODES, STATEFUL_SETS, ResourceType
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop
from tests.unit.controller.support import FakeInformer, SteppingClock, key, new_object, owned_by


def watched(keys_of=own_key, predicate=None) -> tuple[FakeInformer, list[ObjectKey]]:
    keys: list[ObjectKey] = []
    informer = FakeInformer(FakeClock())
    informer.add_handler(KeyHandler(keys.append, keys_of, predicate))
    return informer, keys


def test_adding_changing_and_deleting_an_object_all_name_its_key():
    informer, keys = watched()
    informer.add(new_object("a"))
    informer.update(new_object("a"), new_object("a"))
    informer.delete(key("a"), new_object("a"))
    assert keys == [key("a"), key("a"), key("a")]


def test_an_object_that_changes_hands_names_both_owners_once_each():
    informer, keys = watched(owner_keys(STATEFUL_SETS))
    before, after = (new_object("pod", **owned_by(STATEFUL_SETS, owner)) for owner in ("old", "new"))
    informer.update(before, after)
    informer.update(after, after)
    assert keys == [key("old"), key("new"), key("new")]


def test_a_deletion_without_a_last_state_still_names_the_objects_own_key():
    informer, keys = watched()
    informer.delete(key("a"), None)
    assert keys == [key("a")]


def test_a_deletion_without_a_last_state_cannot_be_mapped_to_an_owner():
    informer, keys = watched(owner_keys(STATEFUL_SETS))
    informer.delete(key("a"), None)
    assert keys == []


def test_a_predicate_drops_changes():
    informer, keys = watched(predicate=generation_changed)
    informer.update(new_object("a", generation=1), new_object("a", generation=1))
    assert keys == []
    informer.update(new_object("a", generation=1), new_object("a", generation=2))
    informer.delete(key("b"), new_object("b"))
    assert keys == [key("a"), key("b")]


def named_by_annotation(obj):
    return [key(obj.annotations["owner"])]


def owned(by: str | None, version: str = "1") -> Object:
    return new_object("a", resourceVersion=version, annotations={} if by is None else {"owner": by})


def test_the_update_that_mends_an_object_is_not_lost_because_its_old_state_cannot_be_mapped():
    informer, keys = watched(named_by_annotation)
    with pytest.raises(KeyError):
        informer.add(owned(None))
    informer.update(owned(None), owned("me", "2"))
    assert keys == [key("me")]


def test_an_object_that_can_no_longer_be_mapped_concerns_its_last_good_owner_until_it_is_gone():
    informer, keys = watched(named_by_annotation)
    for old, new in ((owned("me"), owned(None, "2")), (owned(None, "2"), owned(None, "3"))):
        with pytest.raises(KeyError):
            informer.update(old, new)
    informer.delete(key("a"), owned(None, "3"))
    informer.delete(key("a"), owned(None, "3"))
    assert keys == [key("me")] * 3


def test_what_a_mapping_has_named_before_it_raises_counts():
    def halfway(_):
        yield key("first")
        raise asyncio.CancelledError

    informer, keys = watched(halfway)
    with pytest.raises(asyncio.CancelledError):
        informer.add(new_object("a"))
    informer.delete(key("a"), new_object("a"))
    assert keys == [key("first")] * 2


@pytest.mark.parametrize("error", [KeyError("label"), asyncio.CancelledError(), SystemExit(1)])
def test_a_predicate_that_raises_drops_nothing(error):
    def judge(*_):
        raise error

    informer, keys = watched(predicate=judge)
    for tell in (
        lambda: informer.add(new_object("added")),
        lambda: informer.update(new_object("changed"), new_object("changed")),
        lambda: informer.delete(key("deleted"), new_object("deleted")),
    ):
        with pytest.raises(type(error)):
            tell()
    assert keys == [key("added"), key("changed"), key("deleted")]


async def async_mapping(obj, _=None):
    return [obj.key]


@pytest.mark.parametrize(
    ("keys_of", "words"),
    [
        (lambda _: None, "returned None, must return ObjectKeys: .. for none"),
        (lambda _: "default/a", "returned one str, must return several ObjectKeys"),
        (lambda obj: obj.key, "returned one ObjectKey, must return several"),
        (lambda _: 5, "returned one int"),
        (lambda _: ("default", "a"), "named one str, must name ObjectKeys"),
        (lambda _: [("default", "a")], "named one tuple"),
        (lambda _: [["default", "a"]], "named one list"),
        (lambda _: [ObjectKey("default", None)], "whose namespace, name or cluster is no text"),
        (lambda _: [ObjectKey({}, "a")], "whose namespace, name or cluster is no text"),
        (lambda _: [ObjectKey("default", "a", None)], "whose namespace, name or cluster is no text"),
        (lambda obj: async_mapping(obj, 1), "must be a plain function"),
    ],
)
def test_a_mapping_that_names_no_keys_is_told_what_to_return(keys_of, words):
    informer, keys = watched(keys_of)
    with pytest.raises(TypeError, match=words):
        informer.update(new_object("a"), new_object("a"))
    assert keys == []


def pod_of(type_, name, uid="u1", **kwargs):
    return new_object("pod", "ns", **owned_by(type_, name, uid, **kwargs))


def test_the_controlling_owner_is_named_in_the_objects_namespace():
    assert owner_keys(STATEFUL_SETS)(pod_of(STATEFUL_SETS, "set")) == [key("set", "ns")]


def test_a_cluster_scoped_owner_has_no_namespace():
    assert owner_keys(NODES)(pod_of(NODES, "n1")) == [ObjectKey("", "n1")]


@pytest.mark.parametrize(
    ("group", "kind", "controller"),
    [("other.example", "StatefulSet", True), ("apps", "Deployment", True), ("apps", "StatefulSet", False)],
)
def test_owners_of_another_group_or_kind_or_that_do_not_control_are_ignored(group, kind, controller):
    owner = ResourceType(group, "v1", "things", kind)
    assert owner_keys(STATEFUL_SETS)(pod_of(owner, "set", controller=controller)) == []


def test_another_version_of_the_owners_kind_is_the_same_owner():
    assert owner_keys(STATEFUL_SETS)(pod_of(ResourceType("apps", "v1beta1", "statefulsets", "StatefulSet"), "set"))


def test_an_object_without_owner_names_nobody():
    assert owner_keys(STATEFUL_SETS)(new_object("pod")) == []


def test_an_owner_made_anew_under_the_same_name_is_not_the_owner():
    living = {key("set", "ns"): "u2"}
    keys_of = owner_keys(STATEFUL_SETS, living.get)
    assert keys_of(pod_of(STATEFUL_SETS, "set", uid="u1")) == []
    assert keys_of(pod_of(STATEFUL_SETS, "set", uid="u2")) == [key("set", "ns")]
    assert keys_of(pod_of(STATEFUL_SETS, "unknown", uid="u1")) == [key("unknown", "ns")]


def sources_of(*informers: FakeInformer) -> list[Source]:
    return [Source(informer, KeyHandler(lambda _: None, own_key, None)) for informer in informers]


def wait(clock: FakeClock, *informers: FakeInformer, stop: Stop | None = None, timeout: float = 120.0) -> bool:
    return wait_for_sources("net", sources_of(*informers), stop or Stop(clock), timeout=timeout, clock=clock)


def test_caches_that_are_filled_are_not_waited_for():
    clock = SteppingClock()
    assert wait(clock, FakeInformer(clock), FakeInformer(clock))
    assert clock.waits == 0


def test_waits_until_every_cache_is_filled():
    clock = SteppingClock()
    pods, services = FakeInformer(clock, "pods", synced=False), FakeInformer(clock, "services", synced=False)
    clock.steps = [lambda: None, services.registration.sync, pods.registration.sync]
    assert wait(clock, pods, services)
    assert clock.steps == []


def test_a_cache_that_never_fills_is_an_error_that_names_each_and_the_cause():
    clock = SteppingClock()
    pods, services = FakeInformer(clock, "pods", synced=False), FakeInformer(clock, "services", synced=False)
    pods.cause = "list: 403 Forbidden: no"
    with pytest.raises(CacheSyncError) as caught:
        wait(clock, FakeInformer(clock, "nodes"), pods, services)
    assert str(caught.value) == (
        "net: not synced within 120 s: pods: list: 403 Forbidden: no; services: list: no answer yet"
    )
    assert clock.now() == 120.0


def test_the_cause_of_the_wait_is_logged_once_per_change():
    clock = SteppingClock()
    pods = FakeInformer(clock, "pods", synced=False)
    refused = partial(setattr, pods, "cause", "list: connection refused")
    clock.steps = [*[lambda: None] * 4, refused, *[lambda: None] * 4, pods.registration.sync]
    with capture_logs() as logs:
        assert wait(clock, pods)
    assert [each["cause"] for each in logs] == ["list: no answer yet", "list: connection refused"]
    assert {(each["controller"], each["informer"], each["log_level"]) for each in logs} == {("net", "pods", "warning")}


def test_stopping_ends_the_wait_and_lets_the_informers_go():
    clock = SteppingClock()
    pods = FakeInformer(clock, "pods", synced=False)
    stop = Stop(clock)
    clock.steps = [stop.set]
    assert not wait(clock, pods, stop=stop)
    assert pods.registration.removed


def test_an_informer_that_was_stopped_is_not_asked_in_circles():
    clock = SteppingClock()
    pods = FakeInformer(clock, "pods", synced=False)
    pods.registration.remove()
    with pytest.raises(CacheSyncError):
        wait(clock, pods, timeout=10.0)
    assert clock.waits == 10
