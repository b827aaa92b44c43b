"""A key waits until the caches show what was written for it, but not for ever."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from btcctl.controller.own_writes import OwnWrites
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, SECRETS
from btcctl.rest.written import Written, note_write, noting_writes
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.controller.support import key, new_object

REQUEST, CHILD = key("request"), key("child")
CREATED = Written(CONFIG_MAPS, CHILD, "5", may_be_new=True)
UPDATED = Written(CONFIG_MAPS, CHILD, "5", may_be_new=False)
DELETED = Written(CONFIG_MAPS, CHILD, "", may_be_new=False)


def child(version: str, **metadata: str) -> Object:
    return new_object("child", resourceVersion=version, **metadata)


class Scene:
    def __init__(self, seconds: float = 2.0) -> None:
        self.clock = FakeClock()
        self.cache: dict[ObjectKey, Object] = {}
        self.writes = OwnWrites(seconds, self.clock)
        self.writes.watch(CONFIG_MAPS, self.cache.get)


@pytest.mark.parametrize(
    ("written", "cached", "is_seen"),
    [
        (CREATED, None, False),
        (CREATED, child("5"), True),
        (CREATED, child("17"), True),
        (UPDATED, child("4"), False),
        (UPDATED, child("10"), True),
        (UPDATED, None, True),  # deleted since
        (UPDATED, child("opaque"), False),
        (Written(CONFIG_MAPS, CHILD, "opaque", may_be_new=False), child("opaque"), True),
        (DELETED, child("5"), False),
        (DELETED, child("6", deletionTimestamp="2026-01-01T00:00:00Z"), True),
        (DELETED, None, True),
    ],
)
def test_a_write_is_seen_once_the_cache_holds_it_or_something_later(written, cached, is_seen):
    assert written.is_seen_in(cached) is is_seen


def test_a_key_waits_until_the_cache_shows_what_was_written():
    scene = Scene()
    scene.writes.note(REQUEST, [CREATED])
    assert scene.writes.must_wait(REQUEST)
    assert scene.writes.must_wait(REQUEST)
    scene.cache[CHILD] = child("5")
    assert not scene.writes.must_wait(REQUEST)
    del scene.cache[CHILD]
    assert not scene.writes.must_wait(REQUEST)
    assert (scene.writes.waits, scene.writes.timeouts) == (1, 0)


def test_no_other_key_waits():
    scene = Scene()
    scene.writes.note(REQUEST, [CREATED])
    assert not scene.writes.must_wait(key("other"))


def test_after_2_seconds_a_key_waits_no_longer_and_that_is_counted_and_logged():
    scene = Scene()
    scene.writes.note(REQUEST, [CREATED])
    scene.clock.advance(1.9)
    assert scene.writes.must_wait(REQUEST)
    scene.clock.advance(0.1)
    with capture_logs() as logs:
        assert not scene.writes.must_wait(REQUEST)
    assert (scene.writes.waits, scene.writes.timeouts) == (1, 1)
    assert [(each["missing"], each["type"], each["seconds"]) for each in logs] == [("default/child", "configmaps", 2.0)]


def test_only_the_last_write_to_an_object_is_waited_for():
    scene = Scene()
    scene.writes.note(REQUEST, [CREATED, Written(CONFIG_MAPS, CHILD, "9", may_be_new=False)])
    scene.cache[CHILD] = child("5")
    assert scene.writes.must_wait(REQUEST)
    scene.cache[CHILD] = child("9")
    assert not scene.writes.must_wait(REQUEST)


def test_what_no_watched_cache_holds_is_not_waited_for():
    scene = Scene()
    scene.writes.note(REQUEST, [Written(SECRETS, CHILD, "5", may_be_new=True)])
    assert not scene.writes.must_wait(REQUEST)


def test_waiting_can_be_turned_off():
    scene = Scene(seconds=0.0)
    scene.writes.note(REQUEST, [CREATED])
    assert not scene.writes.must_wait(REQUEST)


def test_every_kind_of_write_is_noted_with_what_it_made_of_the_object():
    maps = FakeClient().resource(CONFIG_MAPS, "default")
    body = {"metadata": {"name": "child"}}
    with noting_writes() as writes:
        created = maps.create(body)
        patched = maps.patch(CHILD, {"data": {"k": "v"}})
        updated = maps.update({**patched.body(), "data": {}})
        maps.delete(CHILD)
        applied = maps.apply(body)
    maps.delete(CHILD)
    versions = [created.resource_version, patched.resource_version, updated.resource_version, ""]
    assert [each.resource_version for each in writes] == [*versions, applied.resource_version]
    assert [each.may_be_new for each in writes] == [True, False, False, False, True]


def test_a_dry_run_writes_nothing():
    with noting_writes() as writes:
        note_write(CONFIG_MAPS, child(""), may_be_new=True)
    assert writes == []


def test_removing_the_last_finalizer_of_a_dying_object_is_a_deletion():
    dying = child("5", deletionTimestamp="2026-01-01T00:00:00Z")
    with noting_writes() as writes:
        note_write(CONFIG_MAPS, dying)
    assert [each.is_deletion for each in writes] == [True]
