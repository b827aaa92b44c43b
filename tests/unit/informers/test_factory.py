from __future__ import annotations

import threading

import pytest

from btcctl.errors import CacheSyncError, Forbidden
from btcctl.informers.factory import SharedInformerFactory
from btcctl.resources import NODES, PODS, STATEFUL_SETS, ResourceType
from btcctl.testing.clock import FakeClock
from tests.unit.informers.support import LiveSource, pod


class Closed(LiveSource):
    def list_page(self, **_: str | int) -> object:
        raise Forbidden(403, "Forbidden", "nodes is forbidden")


def source_for(type_: ResourceType) -> LiveSource:
    return Closed() if type_ is NODES else LiveSource(pod("a", 5))


@pytest.fixture
def factory():
    factory = SharedInformerFactory(source_for)
    yield factory
    factory.stop()


def test_there_is_one_informer_per_resource(factory):
    assert factory.informer(PODS) is factory.informer(PODS)
    assert factory.informer(PODS) is not factory.informer(STATEFUL_SETS)
    assert [each.name for each in factory.informers] == ["pods", "statefulsets.apps"]


def test_start_starts_what_is_not_running_yet(factory):
    factory.informer(PODS)
    factory.start()
    late = factory.informer(STATEFUL_SETS)
    assert factory.wait_for_sync(10.0) == {"pods": True}
    factory.start()
    assert factory.wait_for_sync(10.0) == {"pods": True, "statefulsets.apps": True}
    assert late.has_synced()


def test_what_does_not_sync_is_named_with_the_reason():
    clock = FakeClock()
    factory = SharedInformerFactory(source_for, clock=clock)
    factory.informer(PODS)
    factory.informer(NODES)
    factory.start()
    clock.wait_until_blocked(3)  # the informers, and the reflector that backs off
    with pytest.raises(CacheSyncError, match=r"^not synced within 0 s: nodes \(list: 403 .*nodes is forbidden\)$"):
        factory.require_sync(0.0)
    factory.stop()


def test_all_that_sync_in_time_are_enough(factory):
    factory.informer(PODS)
    factory.start()
    factory.require_sync(10.0)


def test_stop_ends_every_thread_and_forbids_another_start(factory):
    before = threading.active_count()
    factory.informer(PODS)
    factory.informer(STATEFUL_SETS)
    factory.start()
    factory.stop()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="stopped"):
        factory.start()
