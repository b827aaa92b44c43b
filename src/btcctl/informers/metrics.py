"""Informers as Prometheus sees them: nothing is counted twice, statistics are read when scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.informers.reflector.statistics import ReflectorStatistics
from btcctl.informers.shared_informer import InformerStatistics, SharedInformer

_Values: TypeAlias = tuple[str, ...]


class InformerMetrics(Collector):
    """Registers with a Prometheus registry: `metrics.registry.register(InformerMetrics(lambda: factory.informers))`.

    Args:
        informers: Returns the informers there are; called at each scrape.
        clock: The informers' own.
    """

    def __init__(self, informers: Callable[[], Iterable[SharedInformer]], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._informers = informers
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped. Of several clusters each sample says which, in `cluster`."""
        informers = [*self._informers()]
        has_clusters = any(each.cluster for each in informers)
        labels = ["name", "cluster"] if has_clusters else ["name"]
        read = [(_values(each, has_clusters), each.statistics()) for each in informers]
        yield from _informer_families(labels, read)
        yield from _handler_families(labels, read)
        reflectors = [(name, each) for name, statistics in read for each in statistics.reflectors]
        yield from _reflector_families(labels, reflectors, self._clock.now())


def _values(informer: SharedInformer, has_clusters: bool) -> _Values:
    name = informer.name.removeprefix(f"{informer.cluster}:")
    return (name, informer.cluster) if has_clusters else (name,)


def _informer_families(labels: list[str], read: list[tuple[_Values, InformerStatistics]]) -> Iterator[Metric]:
    objects = GaugeMetricFamily("informer_objects", "Objects in the cache.", labels=labels)
    queued = GaugeMetricFamily("informer_queued_items", "Keys and lists not in the cache yet.", labels=labels)
    quarantined = GaugeMetricFamily(
        "informer_quarantined_objects", "Objects a transform or an index could not take.", labels=labels
    )
    for name, statistics in read:
        objects.add_metric(name, statistics.objects)
        queued.add_metric(name, statistics.queued)
        quarantined.add_metric(name, statistics.quarantined)
    yield from (objects, queued, quarantined)


def _handler_families(labels: list[str], read: list[tuple[_Values, InformerStatistics]]) -> Iterator[Metric]:
    labels = [*labels, "handler"]
    pending = GaugeMetricFamily("informer_handler_pending_keys", "Keys a handler is to be notified of.", labels=labels)
    behind = GaugeMetricFamily(
        "informer_handler_behind_seconds", "For how long a handler has not caught up.", labels=labels
    )
    calls = CounterMetricFamily("informer_handler_calls", "Calls of a handler.", labels=labels)
    failures = CounterMetricFamily("informer_handler_failures", "Calls of a handler that raised.", labels=labels)
    for name, statistics in read:
        for handler in statistics.handlers:
            values = [*name, handler.name]
            pending.add_metric(values, handler.pending)
            behind.add_metric(values, handler.behind_seconds)
            calls.add_metric(values, handler.calls)
            failures.add_metric(values, handler.failures)
    yield from (pending, behind, calls, failures)


def _reflector_families(
    labels: list[str], read: list[tuple[_Values, ReflectorStatistics]], now: float
) -> Iterator[Metric]:
    """Of several reflectors of one informer the counts are summed, and the worst age is shown."""
    counters = {
        attribute: CounterMetricFamily(f"reflector_{attribute}", text, labels=labels)
        for attribute, text in (
            ("lists", "Lists begun."),
            ("watches", "Watches asked for."),
            ("short_watches", "Watches that ended at once."),
            ("events", "Events received, without bookmarks."),
            ("bookmarks", "Bookmarks received."),
            ("skipped", "Events and listed objects that could not be read."),
        )
    }
    relists = CounterMetricFamily("reflector_relists", "Lists after the first, by reason.", labels=[*labels, "reason"])
    watch_age = GaugeMetricFamily("reflector_watch_age_seconds", "Age of the open watch.", labels=labels)
    event_age = GaugeMetricFamily(
        "reflector_last_event_age_seconds", "Since the last event or bookmark.", labels=labels
    )
    silence = GaugeMetricFamily("reflector_silence_seconds", "Since the server last said anything.", labels=labels)
    by_name: dict[_Values, list[ReflectorStatistics]] = {}
    for name, each in read:
        by_name.setdefault(name, []).append(each)
    for name, reflectors in by_name.items():
        for attribute, counter in counters.items():
            counter.add_metric(name, sum(getattr(each, attribute) for each in reflectors))
        for reason in sorted({reason for each in reflectors for reason in each.relists}):
            relists.add_metric([*name, reason], sum(each.relists.get(reason, 0) for each in reflectors))
        silence.add_metric(name, max(each.silence(now) for each in reflectors))
        for family, instants in (
            (watch_age, [each.watch_opened_at for each in reflectors]),
            (event_age, [each.last_event_at for each in reflectors]),
        ):
            known = [instant for instant in instants if instant is not None]
            if known:
                family.add_metric(name, now - min(known))
    yield from (*counters.values(), relists, watch_age, event_age, silence)
