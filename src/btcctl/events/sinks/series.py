"""events.k8s.io/v1: what repeats itself becomes a series, whose count is written now and then.

client-go's numbers and order (tools/events/event_broadcaster.go): the second occurrence is written
at once, later ones are counted here and written every half hour, and when the series has ended.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cachetools import LRUCache

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339_micro
from btcctl.events.event import Event, EventNames
from btcctl.events.sinks.correlator import CACHE_ENTRIES
from btcctl.events.sinks.writer import EventClient, EventWriter, Write
from btcctl.resources import EVENTS_V1
from btcctl.threads import Stop

FINISH_SECONDS = 360.0  # client-go's finishTime: a series that was silent for so long has ended
REFRESH_SECONDS = 1800.0  # client-go's refreshTime


@dataclass(slots=True)
class _Series:
    """One event, and how often it has happened since."""

    event: Event
    name: str
    last_at: float
    written_at: float
    last_time: datetime
    count: int = 1
    written: int = 1  #: the count that the server knows

    def due_at(self) -> float:
        """When it has ended, or its count has to be written."""
        ends_at = self.last_at + FINISH_SECONDS
        return ends_at if self.count == self.written else min(ends_at, self.written_at + REFRESH_SECONDS)


class SeriesCorrelator:
    """Not thread-safe: one thread owns it. All instants are monotonic seconds."""

    def __init__(self) -> None:
        self._names = EventNames()
        self._series: LRUCache[Hashable, _Series] = LRUCache(CACHE_ENTRIES)

    def correlate(self, event: Event, now: float) -> Write | None:
        """What to write for `event`, None if it is only counted. Its message does not tell it from another."""
        identity = (event.type, event.action, event.reason, event.component, event.instance)
        key = (*identity, event.reference, event.related)
        series = self._series.get(key)
        if series is None:
            self._series[key] = series = _Series(event, self._names.name(event), now, now, event.time)
            return Write(event, _body(series))
        series.count += 1
        series.last_at, series.last_time = now, event.time
        return _written(series, now) if series.count == 2 else None

    def due(self, now: float) -> Iterator[Write]:
        """What to write without a new event; series that have ended are forgotten."""
        for key, series in list(self._series.items()):
            has_ended = now - series.last_at >= FINISH_SECONDS
            if series.count != series.written and (has_ended or now - series.written_at >= REFRESH_SECONDS):
                yield _written(series, now)
            if has_ended:
                self._series.pop(key, None)

    def rest(self, now: float) -> Iterator[Write]:
        """Every count that the server does not know yet."""
        for series in list(self._series.values()):
            if series.count != series.written:
                yield _written(series, now)

    def next_due(self) -> float | None:
        """When to look again, None if there is nothing to wait for."""
        if not self._series:
            return None
        return min(
            min(
                each.last_at + FINISH_SECONDS,
                each.written_at + REFRESH_SECONDS if each.count != each.written else _NEVER,
            )
            for each in self._series.values()
        )


_NEVER = float("inf")


class SeriesSink:
    """Writes events.k8s.io/v1 Events.

    Args:
        client: Reaches the API server.
        clock: What waiting and series are measured with.
        uniform: Source of randomness for the first retry.
    """

    def __init__(
        self,
        client: EventClient,
        clock: Clock = SYSTEM_CLOCK,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.suppressed = 0  #: always: a series makes a filter unnecessary
        self._clock = clock
        self._writer = EventWriter(client, EVENTS_V1, clock, uniform)
        self._correlator = SeriesCorrelator()

    def __call__(self, event: Event, stop: Stop) -> None:
        """Write or count `event`; once `stop` is set nothing is tried twice."""
        write = self._correlator.correlate(event, self._clock.now())
        if write is not None:
            self._writer.write(write, stop)

    def idle(self, stop: Stop) -> float | None:
        """Called when there is no event to deal with: write what is due, at the end all that is left.

        Returns:
            Seconds after which to be called again even if nothing happens.
        """
        now = self._clock.now()
        for write in self._correlator.rest(now) if stop.is_set() else self._correlator.due(now):
            self._writer.write(write, stop)
        due = self._correlator.next_due()
        return None if due is None else max(0.0, due - now)


def _written(series: _Series, now: float) -> Write:
    series.written, series.written_at = series.count, now
    return Write(series.event, _body(series), {"series": _counted(series)})


def _counted(series: _Series) -> dict[str, Any]:
    return {"count": series.count, "lastObservedTime": rfc3339_micro(series.last_time)}


def _body(series: _Series) -> dict[str, Any]:
    event = series.event
    body = {
        "apiVersion": EVENTS_V1.api_version,
        "kind": "Event",
        "metadata": {"name": series.name, "namespace": event.reference.event_namespace},
        "eventTime": rfc3339_micro(event.time),
        "reportingController": event.component,
        "reportingInstance": event.instance,
        "action": event.action or event.reason,
        "reason": event.reason,
        "type": event.type,
        "note": event.message,
        "regarding": event.reference.body(),
    }
    if event.related is not None:
        body["related"] = event.related.body()
    return body if series.count == 1 else {**body, "series": _counted(series)}
