from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry

from btcctl.errors import Gone
from btcctl.informers.metrics import InformerMetrics
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import HandlerFuncs
from btcctl.objects import Object
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from tests.unit.informers.support import LiveSource, Recorder, pod


class Scraped:
    """An informer, and what Prometheus sees of it."""

    def __init__(self, source: object, **options: object) -> None:
        self.clock = FakeClock()
        self.informer = SharedInformer(source, name="pods", clock=self.clock, **options)
        self.registry = CollectorRegistry()
        self.registry.register(InformerMetrics(lambda: [self.informer], clock=self.clock))

    def value(self, metric: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(metric, {"name": "pods", **labels})


def failing_on_bad(obj: Object) -> Object:
    if obj.name == "bad":
        raise ValueError("poison")
    return obj


def test_what_an_informer_holds_and_does_can_be_scraped():
    source, recorder = LiveSource(pod("a", 5), pod("bad", 6)), Recorder()
    scraped = Scraped(source, transform=failing_on_bad)
    registration = scraped.informer.add_handler(recorder)
    with capture_logs(), scraped.informer:
        assert registration.wait_for_sync(10.0)
        source.put("a")
        recorder.wait_until_told(2)
        scraped.clock.wait_until_blocked(2)
        scraped.clock.advance(7.0)
        values = {name: scraped.value(name) for name in EXPECTED}
    assert values == EXPECTED


EXPECTED = {
    "informer_objects": 1.0,
    "informer_quarantined_objects": 1.0,
    "informer_queued_items": 0.0,
    "reflector_lists_total": 1.0,
    "reflector_watches_total": 1.0,
    "reflector_events_total": 1.0,
    "reflector_skipped_total": 0.0,
    "reflector_watch_age_seconds": 7.0,
    "reflector_last_event_age_seconds": 7.0,
    "reflector_silence_seconds": 7.0,
}


def test_a_handler_that_hangs_or_raises_shows():
    source, entered, go_on = LiveSource(pod("a", 5), pod("b", 6)), threading.Event(), threading.Event()
    scraped = Scraped(source)
    scraped.informer.add_handler(HandlerFuncs(on_add=lambda *_: entered.set() or go_on.wait(60.0)))
    raising = scraped.informer.add_handler(HandlerFuncs(on_add=lambda *_: 1 / 0))
    with capture_logs(), scraped.informer:
        assert entered.wait(60.0)
        assert raising.wait_for_sync(10.0)
        scraped.clock.advance(30.0)
        hanging, failing = "listener-pods-1", "listener-pods-2"
        assert scraped.value("informer_handler_pending_keys", handler=hanging) == 1.0
        assert scraped.value("informer_handler_behind_seconds", handler=hanging) == 30.0
        assert scraped.value("informer_handler_calls_total", handler=failing) == 2.0
        assert scraped.value("informer_handler_failures_total", handler=failing) == 2.0
        go_on.set()


def test_relists_are_counted_by_reason_over_all_namespaces():
    one, two = LiveSource(pod("a", 5, namespace="one")), LiveSource(pod("a", 6, namespace="two"))
    scraped, recorder = Scraped({"one": one, "two": two}, options=ReflectorOptions().scaled(0.0)), Recorder()
    scraped.informer.add_handler(recorder)
    with scraped.informer:
        recorder.wait_until_told(2)
        for each, namespace in ((one, "one"), (two, "two")):
            each.delete("a", silently=True, namespace=namespace)
            each.fail(Gone(410, "Expired"))
        recorder.wait_until_told(4)
        assert scraped.value("reflector_relists_total", reason="expired") == 2.0
        assert scraped.value("reflector_lists_total") == 4.0


def test_before_the_start_nothing_is_old():
    scraped = Scraped(LiveSource())
    assert scraped.value("reflector_silence_seconds") == 0.0
    assert scraped.value("reflector_watch_age_seconds") is None
