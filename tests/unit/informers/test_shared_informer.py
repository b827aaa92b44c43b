from __future__ import annotations

import random
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import CacheSyncError, Forbidden, Gone, TransportError
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.transform import Transform
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import HandlerFuncs
from btcctl.objects import Object
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from tests.unit.informers.support import AT_ONCE, LiveSource, Recorder, key, pod


def informer_of(source: LiveSource, **options: object) -> SharedInformer:
    return SharedInformer(source, name="pods", **{"options": AT_ONCE, **options})


def test_a_handler_is_told_of_what_exists_then_of_each_change():
    source, recorder = LiveSource(pod("a", 5)), Recorder()
    informer = informer_of(source)
    registration = informer.add_handler(recorder)
    with informer:
        assert registration.wait_for_sync(10.0)
        source.put("a")
        source.put("b")
        source.delete("b")
        recorder.wait_until_knows(source.objects())
    assert recorder.told[:2] == ["add a 5 initially", "update a 5 -> 6"]


def test_the_cache_has_changed_before_handlers_are_told():
    source = LiveSource(pod("a", 5))
    informer = informer_of(source)
    seen: list[bool] = []
    registration = informer.add_handler(
        HandlerFuncs(on_add=lambda obj, _: seen.append(informer.lister.get(obj.key) is not None))
    )
    with informer:
        assert registration.wait_for_sync(10.0)
    assert seen == [True]


def test_nothing_runs_before_start_and_nothing_after_stop():
    before = threading.active_count()
    informer = informer_of(LiveSource())
    informer.add_handler(Recorder())
    assert threading.active_count() == before
    informer.start()
    informer.start()
    assert threading.active_count() == before + 3
    informer.stop()
    informer.stop()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="stopped"):
        informer.start()
    with pytest.raises(RuntimeError, match="stopped"):
        informer.add_handler(Recorder())


def test_an_informer_that_never_ran_can_be_stopped():
    informer_of(LiveSource()).stop()


def test_threads_are_named_after_what_they_serve():
    informer = informer_of(LiveSource())
    informer.add_handler(Recorder())
    with informer:
        names = {thread.name for thread in threading.enumerate()}
    assert {"reflector-pods", "informer-pods", "listener-pods-1"} <= names


def test_an_empty_list_is_a_list():
    informer = informer_of(LiveSource())
    registration = informer.add_handler(Recorder())
    assert not informer.has_synced()
    with informer:
        assert informer.wait_for_sync(10.0)
        assert registration.wait_for_sync(10.0)
    assert informer.lister.list() == []


def test_a_late_handler_is_told_of_the_present_first():
    source = LiveSource(pod("a", 5), pod("b", 6))
    with informer_of(source) as informer:
        assert informer.wait_for_sync(10.0)
        recorder = Recorder()
        assert informer.add_handler(recorder).wait_for_sync(10.0)
        source.put("a")
        assert recorder.wait_until_told(3) == ["add a 5 initially", "add b 6 initially", "update a 5 -> 7"]


def test_a_missed_deletion_is_found_by_the_next_list():
    source, recorder = LiveSource(pod("a", 5), pod("b", 6)), Recorder()
    informer = informer_of(source)
    informer.add_handler(recorder)
    with informer:
        recorder.wait_until_told(2)
        source.delete("a", silently=True)
        source.fail(Gone(410, "Expired"))
        assert recorder.wait_until_told(3)[2:] == ["delete a unseen"]
    assert informer.statistics().reflector.relists == {"expired": 1}


def test_objects_a_relist_finds_unchanged_are_told_only_to_who_resyncs():
    source, plain, resyncing = LiveSource(pod("a", 5)), Recorder(), Recorder()
    informer = informer_of(source)
    informer.add_handler(plain)
    informer.add_handler(resyncing, resync_seconds=3600.0)
    with informer:
        for recorder in (plain, resyncing):  # or the first news and the next would be told as one
            recorder.wait_until_told(1)
        source.fail(Gone(410, "Expired"))
        assert resyncing.wait_until_told(2)[1] == "update a 5 -> 5"
        source.put("a")
        assert plain.wait_until_told(2)[1] == "update a 5 -> 6"


def test_resync_tells_from_the_cache_only_those_who_asked():
    clock, source = FakeClock(), LiveSource(pod("a", 5))
    often, seldom, never = Recorder(), Recorder(), Recorder()
    informer = informer_of(source, clock=clock, resync_seconds=100.0)
    handlers = [
        informer.add_handler(often),
        informer.add_handler(seldom, resync_seconds=1000.0),
        informer.add_handler(never, resync_seconds=0.0),
    ]
    with informer:
        for recorder in (often, seldom, never):
            recorder.wait_until_told(1)
        clock.wait_until_blocked(4)  # the informer and three handlers
        clock.advance(111.0)
        assert often.wait_until_told(2)[1] == "update a 5 -> 5"
        clock.wait_until_blocked(4)
        clock.advance(1000.0)
        assert seldom.wait_until_told(2)[1] == "update a 5 -> 5"
        assert often.wait_until_told(3)[2] == "update a 5 -> 5"
    assert never.told == ["add a 5 initially"]
    assert [each.statistics().failures for each in (registration.listener for registration in handlers)] == [0, 0, 0]
    assert informer.statistics().reflector.lists == 1


def test_a_removed_handler_is_told_nothing_more():
    source, removed, other = LiveSource(), Recorder(), Recorder()
    informer = informer_of(source)
    registration = informer.add_handler(removed)
    informer.add_handler(other)
    with informer:
        source.put("a")
        removed.wait_until_told(1)
        registration.remove()
        registration.remove()
        source.put("b")
        other.wait_until_told(2)
        assert [each.name for each in informer.statistics().handlers] == ["listener-pods-2"]
    assert len(removed.told) == 1


def test_a_removed_handler_is_let_go():
    gone = threading.Event()
    with informer_of(LiveSource(pod("a", 5))) as informer:
        handler = Recorder()
        weakref.finalize(handler, gone.set)
        registration = informer.add_handler(handler)
        assert registration.wait_for_sync(10.0)
        registration.remove()
        del handler, registration
        assert gone.wait(60.0)


def test_a_handler_may_remove_itself():
    source, other = LiveSource(), Recorder()
    informer = informer_of(source)
    calls: list[str] = []
    removed = threading.Event()

    def once(obj: Object, _: bool) -> None:
        calls.append(obj.name)
        registration.remove()
        removed.set()

    registration = informer.add_handler(HandlerFuncs(on_add=once))
    informer.add_handler(other)
    with informer:
        source.put("a")
        assert removed.wait(60.0)
        source.put("b")
        other.wait_until_told(2)
    assert calls == ["a"]


def test_a_handler_may_be_removed_before_the_start():
    informer = informer_of(LiveSource(pod("a", 5)))
    removed, kept = Recorder(), Recorder()
    informer.add_handler(removed).remove()
    assert informer.statistics().handlers == ()
    informer.add_handler(kept)
    with informer:
        kept.wait_until_told(1)
    assert removed.told == []


def test_a_handler_may_add_a_handler_and_stop_the_informer():
    source, second, stopped = LiveSource(pod("a", 5)), Recorder(), threading.Event()
    informer = informer_of(source)

    def adding(obj: Object, _: bool) -> None:
        informer.add_handler(second)
        second.wait_until_told(1)
        informer.stop()
        stopped.set()

    informer.add_handler(HandlerFuncs(on_add=adding))
    informer.start()
    assert stopped.wait(60.0)
    informer.stop()
    assert second.told == ["add a 5 initially"]


def test_a_handler_that_raises_or_hangs_hurts_no_other():
    source, good, go_on = LiveSource(pod("a", 5)), Recorder(), threading.Event()
    informer = informer_of(source)
    raising = informer.add_handler(HandlerFuncs(on_add=lambda *_: 1 / 0))
    informer.add_handler(HandlerFuncs(on_add=lambda *_: go_on.wait(60.0)))
    informer.add_handler(good)
    with capture_logs(), informer:
        assert raising.wait_for_sync(10.0)
        for _ in range(100):
            source.put("a")
        good.wait_until_knows(source.objects())
        go_on.set()
    assert raising.listener.statistics().failures == 1


def test_a_handler_that_does_not_end_is_named_and_the_rest_is_stopped():
    entered, go_on = threading.Event(), threading.Event()
    informer = informer_of(LiveSource(pod("a", 5)))
    informer.add_handler(HandlerFuncs(on_add=lambda *_: entered.set() or go_on.wait(60.0)))
    informer.start()
    assert entered.wait(60.0)
    with pytest.raises(TimeoutError, match="listener-pods-1"):
        informer.stop(timeout=0.05)
    go_on.set()
    informer.stop()


def test_indices_are_told_by_name_before_and_after_the_start():
    source = LiveSource(pod("a", 5), pod("b", 6))
    informer = informer_of(source, indexers={"name": lambda obj: [obj.name]})
    with informer:
        assert informer.wait_for_sync(10.0)
        informer.add_index("version", lambda obj: [obj.resource_version])
        assert [obj.name for obj in informer.lister.by_index("name", "a")] == ["a"]
        assert [obj.name for obj in informer.lister.by_index("version", "6")] == ["b"]


def test_an_object_no_index_takes_is_told_and_counted():
    source, recorder = LiveSource(pod("a", 5)), Recorder()
    informer = informer_of(source, indexers={"broken": lambda obj: [str(1 // 0)]})
    informer.add_handler(recorder)
    with capture_logs(), informer:
        recorder.wait_until_told(1)
    assert informer.statistics().quarantined == 1


def shrink_but_not(name: str) -> Transform:
    def shrink(obj: Object) -> Object:
        assert obj.raw != b"{}", "transformed twice"
        if obj.name == name and obj.resource_version != "7":
            raise ValueError("poison")
        return Object(obj.meta, b"{}")

    return shrink


def test_objects_are_transformed_once_and_poison_waits_for_its_next_change():
    source, recorder = LiveSource(pod("a", 5), pod("bad", 6)), Recorder()
    informer = informer_of(source, transform=shrink_but_not("bad"))
    registration = informer.add_handler(recorder, resync_seconds=3600.0)
    with capture_logs(), informer:
        assert registration.wait_for_sync(10.0)
        assert recorder.told == ["add a 5 initially"]
        assert informer.statistics().quarantined == 1
        source.put("bad")
        recorder.wait_until_told(2)
        source.fail(Gone(410, "Expired"))
        recorder.wait_until_told(4)
        assert {obj.raw for obj in informer.lister.list()} == {b"{}"}
    assert recorder.told[1] == "add bad 7"
    assert informer.statistics().quarantined == 0


def test_poison_that_a_list_no_longer_shows_is_not_counted():
    source = LiveSource(pod("bad", 6))
    informer = informer_of(source, transform=shrink_but_not("bad"))
    with capture_logs(), informer:
        assert informer.wait_for_sync(10.0)
        source.delete("bad", silently=True)
        source.fail(Gone(410, "Expired"))
        source.put("a")
        informer.add_handler(recorder := Recorder())
        recorder.wait_until_knows(source.objects())
    assert informer.statistics().quarantined == 0


def test_several_namespaces_are_one_cache_and_one_audience():
    one, two = LiveSource(pod("a", 5, namespace="one")), LiveSource(pod("a", 6, namespace="two"))
    informer, recorder = informer_of({"one": one, "two": two}), Recorder()
    registration = informer.add_handler(recorder)
    with informer:
        assert registration.wait_for_sync(10.0)
        assert sorted(recorder.told) == ["add a 5 initially", "add a 6 initially"]
        one.delete("a", silently=True, namespace="one")
        one.fail(Gone(410, "Expired"))
        assert recorder.wait_until_told(3)[2] == "delete a unseen"
        assert [str(obj.key) for obj in informer.lister.list()] == ["two/a"]
    assert len(informer.statistics().reflectors) == 2


def test_it_has_synced_when_each_namespace_has_and_says_which_has_not():
    clock, forbidden = FakeClock(), Forbidden(403, "Forbidden", "no")
    sources = {"one": LiveSource(), "two": Refusing(forbidden)}
    informer = informer_of(
        sources, clock=clock, options=ReflectorOptions(backoff=ExponentialBackoff(base=5.0, cap=5.0))
    )
    registration = informer.add_handler(Recorder())
    with informer:
        clock.wait_until_blocked(3)  # the informer, the handler, and the reflector that backs off
        assert informer.why_unsynced() == "list in two: 403 Forbidden: no"
        assert not registration.has_synced()
        clock.advance(5.0)
        assert registration.wait_for_sync(10.0)
        assert informer.why_unsynced() == ""


class Refusing(LiveSource):
    """Refuses to be listed, for a while."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__(pod("a", 5))
        self.errors = list(errors)

    def list_page(self, **options: str | int) -> object:
        if self.errors:
            raise self.errors.pop(0)
        return super().list_page(**options)


def test_why_it_has_not_synced_can_be_asked():
    clock, forbidden = FakeClock(), Forbidden(403, "Forbidden", "pods is forbidden")
    in_five_seconds = ReflectorOptions(backoff=ExponentialBackoff(base=5.0, cap=5.0))
    informer = informer_of(Refusing(forbidden), clock=clock, options=in_five_seconds)
    assert informer.why_unsynced() == "not started"
    with informer:
        clock.wait_until_blocked(2)
        assert informer.last_error is forbidden
        assert informer.why_unsynced() == "list: 403 Forbidden: pods is forbidden"
        clock.advance(5.0)
        assert informer.wait_for_sync(10.0)
        informer.add_handler(recorder := Recorder())
        recorder.wait_until_told(1)
    assert informer.last_error is None


def test_waiting_for_sync_ends_in_time_and_when_stopped():
    clock = FakeClock()
    informer = informer_of(LiveSource(), clock=clock)
    ended: list[bool] = []
    with Runner("waiter", lambda stop: ended.append(informer.wait_for_sync(5.0)), clock=clock):
        clock.wait_until_blocked()
        clock.advance(5.0)
    with Runner("waiter", lambda stop: ended.append(informer.wait_for_sync(5.0)), clock=clock):
        clock.wait_until_blocked()
        informer.stop()
    assert ended == [False, False]


def test_a_thread_that_dies_is_never_silent():
    informer = informer_of(Refusing(ZeroDivisionError("a bug")))
    with capture_logs():
        informer.start()
        assert not informer.wait_for_sync(10.0)
    assert isinstance(informer.last_error, CacheSyncError)
    assert "a bug" in informer.why_unsynced()
    with pytest.raises(ZeroDivisionError):
        informer.stop()


def test_when_the_informers_thread_dies_the_reflector_ends_too():
    def deadly(_: object) -> None:
        raise SystemExit("not an Exception")

    source = LiveSource(pod("a", 5))
    informer = informer_of(source)
    informer.add_handler(HandlerFuncs(), witness=deadly)  # the only foreign code there that must not raise
    with capture_logs():
        informer.start()
        assert source.interrupted.wait(60.0)
    with pytest.raises(SystemExit):
        informer.stop()


@pytest.mark.parametrize("seconds", [-1.0, -600.0])
def test_a_negative_resync_is_refused(seconds):
    with pytest.raises(ValueError, match="resync_seconds"):
        informer_of(LiveSource(), resync_seconds=seconds)
    with pytest.raises(ValueError, match="resync_seconds"):
        informer_of(LiveSource()).add_handler(Recorder(), resync_seconds=seconds)


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads are switched as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_switches")
def test_handlers_come_and_go_while_everything_changes_and_none_misses_anything():
    source = LiveSource(*(pod(f"p{n}", n + 1) for n in range(20)))
    informer = informer_of(source)
    stayed: list[Recorder] = []
    done = threading.Event()

    def abuse(stop: object) -> None:
        while not done.is_set():
            registration = informer.add_handler(recorder := Recorder())
            if len(stayed) < 10 and random.random() < 0.3:
                stayed.append(recorder)
            else:
                registration.remove()

    with informer:
        abusers = [Runner(f"abuser-{n}", abuse) for n in range(3)]
        for each in abusers:
            each.start()
        change_at_random(source, 1500)
        done.set()
        for each in abusers:
            each.stop()
        stayed.append(last := Recorder())
        informer.add_handler(last)
        for recorder in stayed:
            recorder.wait_until_knows(source.objects())
        assert {obj.key: obj.resource_version for obj in informer.lister.list()} == last.versions()
        assert informer.statistics().reflector.lists > 1
        assert [each.failures for each in informer.statistics().handlers] == [0] * len(stayed)


def change_at_random(source: LiveSource, times: int) -> None:
    for _ in range(times):
        name = f"p{random.randrange(30)}"
        chance = random.random()
        if chance < 0.02:
            with suppress(KeyError):
                source.delete(name, silently=True)
            source.fail(Gone(410, "Expired"))
        elif chance < 0.3 and key(name) in source.objects():
            source.delete(name)
        elif chance < 0.31:
            source.fail(TransportError("reset"))
        else:
            source.put(name)


def test_silence_is_a_complaint_with_its_cause_only_when_it_lasts():
    clock, forbidden = FakeClock(), Forbidden(403, "Forbidden", "pods is forbidden")
    informer = informer_of(
        Refusing(forbidden), clock=clock, options=ReflectorOptions(backoff=ExponentialBackoff(base=900.0, cap=900.0))
    )
    assert informer.why_silent() == ""
    with informer:
        clock.wait_until_blocked(2)  # the informer, and the reflector that backs off
        clock.advance(299.0)
        assert informer.why_silent() == ""
        clock.advance(1.0)
        assert informer.why_silent() == "nothing heard for 300 s: list: 403 Forbidden: pods is forbidden"
