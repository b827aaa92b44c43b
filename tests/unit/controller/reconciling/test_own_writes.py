"""A key is held until the caches show what was written for it, but not for ever, and not for nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.own_writes import OwnWrites
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.finalizers import remove_finalizer
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.sharing.notifications import Deleted, Updated
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, NAMESPACES, PODS, SECRETS, ResourceType
from btcctl.rest.collection.resource import PatchKind
from btcctl.rest.collection.written import (
    RecordedWrite,
    record_deletion,
    record_deletions,
    record_write,
    recording_writes,
)
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.controller.support import FakeCachingInformer, key, new_object

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
REQUEST, CHILD = key("request"), key("child")
CREATED = RecordedWrite(CONFIG_MAPS, CHILD, "5", "u1", may_be_new=True)
UPDATED = RecordedWrite(CONFIG_MAPS, CHILD, "5", "u1")
GONE = RecordedWrite(CONFIG_MAPS, CHILD, uid="u1")
GONE_SOMEHOW = RecordedWrite(CONFIG_MAPS, CHILD)
ASKED_TO_GO = RecordedWrite(CONFIG_MAPS, CHILD, uid="u1", is_asked_to_go=True)
FINALIZER = "example.org/cleanup"


def child(version: str, uid: str = "u1", **metadata: str) -> Object:
    return new_object("child", resourceVersion=version, uid=uid, **metadata)


class Scene:
    def __init__(self, seconds: float = 2.0) -> None:
        self.clock = FakeClock()
        self.informer = FakeCachingInformer(self.clock)
        self.cache = self.informer.cache
        self.woken: list[ObjectKey] = []
        self.writes = OwnWrites(seconds, self.clock, self.woken.append)
        self.writes.watch(CONFIG_MAPS, self.informer)

    def shows(self, obj: Object, type_: ResourceType = CONFIG_MAPS) -> None:
        self.writes.witness(type_, [(obj.key, Updated(obj, obj))])

    def loses(self, last: Object | None) -> None:
        self.writes.witness(CONFIG_MAPS, [(CHILD, Deleted(CHILD, last, final_state_known=last is not None))])

    def is_held(self, obj_key: ObjectKey = REQUEST) -> bool:
        return self.writes.hold(obj_key) > 0


@pytest.mark.parametrize(
    ("written", "cached", "is_seen"),
    [
        (CREATED, None, False),
        (CREATED, child("5"), True),
        (CREATED, child("17"), True),
        (CREATED, child("4", "u0"), False),  # it had been deleted before
        (UPDATED, child("4"), False),
        (UPDATED, child("10"), True),
        (UPDATED, None, True),  # deleted since
        (UPDATED, child("opaque"), False),
        (RecordedWrite(CONFIG_MAPS, CHILD, "opaque"), child("opaque"), True),
        (GONE, child("5"), False),
        (GONE, child("6", deletionTimestamp="2026-01-01T00:00:00Z"), False),  # that is what it was before
        (GONE, child("7", "u2"), True),
        (GONE, None, True),
        (GONE_SOMEHOW, child("7", "u2"), False),
        (GONE_SOMEHOW, None, True),
        (ASKED_TO_GO, child("5"), False),
        (ASKED_TO_GO, child("6", deletionTimestamp="2026-01-01T00:00:00Z"), True),
        (ASKED_TO_GO, child("7", "u2"), True),
        (ASKED_TO_GO, None, True),
    ],
)
def test_a_write_is_seen_once_the_cache_holds_it_or_something_later(written, cached, is_seen):
    assert written.is_seen_in(cached) is is_seen


def test_a_key_is_held_until_the_cache_shows_what_was_written():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    assert scene.is_held()
    assert scene.is_held()
    scene.cache[CHILD] = child("5")
    assert not scene.is_held()
    del scene.cache[CHILD]
    assert not scene.is_held()
    assert (scene.writes.waits, scene.writes.timeouts) == (1, 0)


def test_no_other_key_is_held():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    assert not scene.is_held(key("other"))


def test_after_2_seconds_a_key_is_held_no_longer_and_that_is_counted_and_logged():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    scene.clock.advance(1.9)
    assert scene.is_held()
    scene.clock.advance(0.1)
    with capture_logs() as logs:
        assert not scene.is_held()
    assert (scene.writes.waits, scene.writes.timeouts) == (1, 1)
    assert [(each["missing"], each["type"], each["seconds"]) for each in logs] == [("default/child", "configmaps", 2.0)]


def test_looks_become_rarer_and_end_in_time():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    delays = []
    while delay := scene.writes.hold(REQUEST):
        delays.append(delay)
        scene.clock.advance(delay)
    assert delays[:6] == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32, 0.5])
    assert sum(delays) == pytest.approx(2.0)


def test_only_the_last_write_to_an_object_is_waited_for():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED, RecordedWrite(CONFIG_MAPS, CHILD, "9", "u1")])
    scene.cache[CHILD] = child("5")
    assert scene.is_held()
    scene.cache[CHILD] = child("9")
    assert not scene.is_held()


def test_what_was_created_and_then_changed_may_not_be_there_yet():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED, RecordedWrite(CONFIG_MAPS, CHILD, "9", "u1")])
    assert scene.is_held()


def test_what_no_watched_cache_holds_is_not_waited_for():
    scene = Scene()
    scene.writes.record(REQUEST, [RecordedWrite(SECRETS, CHILD, "5", may_be_new=True)])
    assert not scene.is_held()


def test_waiting_can_be_turned_off():
    scene = Scene(seconds=0.0)
    scene.writes.record(REQUEST, [CREATED])
    assert not scene.is_held()


def test_what_somebody_else_has_deleted_meanwhile_is_not_waited_for():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    assert scene.is_held()
    scene.loses(child("6"))
    assert scene.woken == [REQUEST]
    assert not scene.is_held()
    assert (scene.writes.waits, scene.writes.timeouts) == (1, 0)


def test_a_deletion_of_an_earlier_object_of_that_name_says_nothing_of_a_later_one():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    scene.loses(child("4", "u0"))
    assert scene.is_held()


@pytest.mark.parametrize("last", [child("9"), None])
def test_an_object_that_was_let_go_is_waited_for_until_it_is_gone(last):
    scene = Scene()
    scene.cache[CHILD] = child("4", deletionTimestamp="2026-01-01T00:00:00Z")
    scene.writes.record(REQUEST, [GONE])
    assert scene.is_held()
    scene.shows(scene.cache[CHILD])
    assert scene.is_held()
    scene.loses(last)
    assert not scene.is_held()


def test_a_cache_that_has_read_past_the_write_shows_all_that_it_ever_will():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    assert scene.is_held()
    scene.informer.version = 5  # a selector leaves it out
    assert not scene.is_held()
    scene.cache[CHILD] = child("3")
    scene.writes.record(REQUEST, [UPDATED])  # a transform refuses what it is now
    assert not scene.is_held()


def test_a_cache_that_was_stopped_is_not_waited_for():
    scene, other = Scene(), FakeCachingInformer(FakeClock())
    scene.writes.watch(CONFIG_MAPS, other)
    scene.cache[CHILD] = other.cache[CHILD] = child("4")
    scene.writes.record(REQUEST, [UPDATED])
    other.is_stopped = True
    assert scene.is_held()  # by the one that runs
    scene.informer.is_stopped = True
    assert not scene.is_held()


def test_of_two_caches_of_a_type_none_may_be_behind_and_one_has_to_know():
    scene, other = Scene(), FakeCachingInformer(FakeClock())
    scene.writes.watch(CONFIG_MAPS, other)
    scene.writes.record(REQUEST, [CREATED])
    scene.cache[CHILD] = child("5")
    assert not scene.is_held()
    scene.writes.record(REQUEST, [UPDATED])
    other.cache[CHILD] = child("4")
    assert scene.is_held()
    other.cache[CHILD] = child("5")
    assert not scene.is_held()


def test_who_is_held_is_woken_by_a_change_and_others_are_not():
    scene = Scene()
    scene.writes.record(REQUEST, [CREATED])
    scene.writes.record(key("not-held"), [CREATED])
    assert scene.is_held()
    assert scene.writes.is_holding()
    scene.shows(new_object("another", resourceVersion="5"))
    scene.shows(child("5"), SECRETS)
    assert scene.woken == []
    scene.shows(child("5"))
    assert scene.woken == [REQUEST]
    assert not scene.is_held()
    assert not scene.is_held(key("not-held"))
    assert not scene.writes.is_holding()


def test_every_kind_of_write_is_recorded_with_what_it_made_of_the_object():
    maps = FakeClient(field_manager="me").resource(CONFIG_MAPS, "default")
    body = {"metadata": {"name": "child"}}
    with recording_writes() as writes:
        created = maps.create(body)
        patched = maps.patch(CHILD, {"data": {"k": "v"}})
        updated = maps.update({**patched.body(), "data": {}})
        maps.delete(CHILD)
        applied = maps.apply(body)
    versions = [created.resource_version, patched.resource_version, updated.resource_version, ""]
    assert [each.resource_version for each in writes] == [*versions, applied.resource_version]
    assert [each.uid for each in writes] == [created.uid] * 4 + [applied.uid]
    assert [each.may_be_new for each in writes] == [True, False, False, False, True]


def test_a_dry_run_writes_nothing():
    with recording_writes() as writes:
        record_write(CONFIG_MAPS, child(""), may_be_new=True)
    assert writes == []


@pytest.mark.parametrize("options", [{}, {"propagation_policy": "Foreground"}, {"grace_period_seconds": 30}])
def test_an_object_that_is_asked_to_go_and_stays_is_not_gone(options):
    client = FakeClient()
    type_, body = (
        PODS,
        {"metadata": {"name": "child"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}},
    )
    if "grace_period_seconds" not in options:
        type_, body = CONFIG_MAPS, {"metadata": {"name": "child", "finalizers": [FINALIZER]}}
    client.resource(type_, "default").create(body)
    with recording_writes() as writes:
        client.resource(type_).delete(CHILD, **options)
    assert [each.is_gone for each in writes] == [False]


def test_a_namespace_is_not_gone_while_its_spec_has_finalizers():
    dying = {"metadata": {"name": "n", "uid": "u", "resourceVersion": "7", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    with recording_writes() as writes:
        record_write(NAMESPACES, Object.from_body({**dying, "spec": {"finalizers": ["kubernetes"]}}))
        record_write(NAMESPACES, Object.from_body(dying))
    assert [each.is_gone for each in writes] == [False, True]


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"details":7}', b'{"kind":"Status","details":{}}'])
def test_whatever_a_server_says_to_a_deletion_the_object_is_gone(answer):
    with recording_writes() as writes:
        record_deletion(CONFIG_MAPS, CHILD, answer)
    assert writes == [GONE_SOMEHOW]


def test_a_deletion_of_many_is_recorded_of_each():
    maps = FakeClient().resource(CONFIG_MAPS, "default")
    created = [maps.create({"metadata": {"name": name, "finalizers": [FINALIZER]}}) for name in ("a", "b")]
    with recording_writes() as writes:
        maps.delete_collection(dry_run=True)
        maps.delete_collection()
    assert [(each.key, each.uid) for each in writes] == [(each.key, each.uid) for each in created]
    assert [each.is_seen_in(obj) for each, obj in zip(writes, created, strict=True)] == [False, False]
    assert [each.is_seen_in(maps.get(each.key)) for each in writes] == [True, True]


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"kind":"Status"}', b'{"items":[{}]}', b'{"items":7}'])
def test_a_deletion_of_many_that_says_nothing_of_them_records_none(answer):
    with recording_writes() as writes:
        record_deletions(CONFIG_MAPS, answer)
    assert writes == []


@pytest.mark.parametrize("uid", [True, False])
def test_an_eviction_is_seen_once_the_pod_is_going(uid):
    client = FakeClient()
    pods = client.resource(PODS, "default")
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    pod = pods.create({"metadata": {"name": "child"}, "spec": spec})
    with recording_writes() as writes:
        pods.evict(CHILD, uid=pod.uid if uid else "")
    (write,) = writes
    assert [write.is_seen_in(pod), write.is_seen_in(pods.get(CHILD))] == [False, True]


@pytest.mark.parametrize("written", [GONE, ASKED_TO_GO, UPDATED])
def test_a_deletion_that_a_cache_has_seen_ends_the_waiting(written):
    scene = Scene()
    scene.cache[CHILD] = child("4")
    scene.writes.record(REQUEST, [written])
    assert scene.is_held()
    scene.loses(child("17"))
    assert not scene.is_held()


class Play:
    """A controller of config maps over a real informer, whose clock stands still."""

    def __init__(self, client: FakeClient, steps: list[Callable[[ObjectKey], None]]) -> None:
        self.clock = FakeClock()
        self.steps = steps
        self.seen: list[Object | None] = []
        self.changed = threading.Condition()
        factory = SharedInformerFactory(client)
        self.informer = factory.informer(CONFIG_MAPS)
        self.controller = Controller("net", self.reconcile, workers=1, clock=self.clock)
        self.controller.watch(self.informer, lambda _: [], type_=CONFIG_MAPS)  # nothing but what it waits for wakes it
        self.factory = factory

    def reconcile(self, obj_key: ObjectKey) -> Result:
        self.seen.append(self.informer.lister.get(CHILD))
        if self.steps:
            self.steps.pop(0)(obj_key)
            self.controller.queue.add(obj_key)  # there is more to do
        with self.changed:
            self.changed.notify_all()
        return Result()

    def run(self, times: int) -> None:
        self.factory.start()
        self.factory.require_sync(REAL_LIMIT_SECONDS)
        self.controller.start()
        self.controller.queue.add(REQUEST)
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= times, REAL_LIMIT_SECONDS)
        self.controller.stop()
        self.factory.stop()


def test_each_kind_of_write_brings_its_key_back_although_the_clock_stands_still():
    client = FakeClient()
    maps = client.resource(CONFIG_MAPS, "default")
    body = {"metadata": {"name": "child", "finalizers": [FINALIZER]}}
    play = Play(
        client,
        [
            lambda _: maps.create(body),
            lambda _: maps.apply({"metadata": {"name": "child"}, "data": {"k": "1"}}, field_manager="other"),
            lambda _: maps.patch(CHILD, [{"op": "add", "path": "/data/k", "value": "2"}], kind=PatchKind.JSON),
            lambda _: maps.update({**maps.get(CHILD).body(), "data": {"k": "3"}}),
            lambda _: maps.delete(CHILD, propagation_policy="Background"),
            lambda _: remove_finalizer(maps, maps.get(CHILD), FINALIZER),
            lambda _: maps.create({"metadata": {"name": "child"}}),
            lambda _: maps.delete(CHILD),
        ],
    )
    play.run(times=9)
    data = [each and (each.body().get("data") or {}).get("k", "") for each in play.seen]
    assert data == [None, "", "1", "2", "3", "3", None, "", None]
    assert [each and bool(each.deletion_timestamp) for each in play.seen][4:7] == [False, True, None]


def test_what_another_deletes_at_once_brings_its_key_back_although_the_clock_stands_still():
    client = FakeClient()
    maps = client.resource(CONFIG_MAPS, "default")

    def create_for_another(_: ObjectKey) -> None:
        maps.create({"metadata": {"name": "child"}})
        other = threading.Thread(target=maps.delete, args=(CHILD,))
        other.start()
        other.join()

    play = Play(client, [create_for_another] * 5)
    with capture_logs() as logs:
        play.run(times=6)
    assert len(play.seen) == 6
    assert [each for each in logs if "does not show" in each["event"]] == []


def test_a_key_that_is_held_is_not_idle_and_its_looks_are_taken_back():
    clock = FakeClock()
    informer = FakeCachingInformer(clock)
    maps = FakeClient().resource(CONFIG_MAPS, "default")
    controller = writing_once(clock, informer, maps)
    controller.queue.add(REQUEST)
    controller.process_next()
    controller.queue.add(REQUEST)
    controller.process_next()
    assert not controller.idle()
    informer.cache[CHILD] = maps.get(CHILD)
    informer.add(informer.cache[CHILD])
    controller.process_next()
    assert controller.queue.state_of(REQUEST).due_seconds is None
    assert controller.idle()


def writing_once(clock: FakeClock, informer: FakeCachingInformer, maps: object) -> Controller:
    todo = [lambda: maps.create({"metadata": {"name": "child"}})]

    def reconcile(_: ObjectKey) -> Result:
        if todo:
            todo.pop()()
        return Result()

    controller = Controller("net", reconcile, clock=clock)
    controller.watch(informer, lambda _: [], type_=CONFIG_MAPS)
    return controller
