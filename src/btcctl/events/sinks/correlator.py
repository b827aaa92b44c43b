"""Turns a stream of events into few objects: pure but for its memory.

Three stages in client-go's order (tools/record/events_cache.go, EventCorrelate): similar events
are aggregated, identical ones counted, and an object that talks too much is silenced. Counting
comes before silencing, so the count stays true.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime

from cachetools import LRUCache

from btcctl.backoff import TokenBucket
from btcctl.events.event import Event, EventNames
from btcctl.events.limits import MESSAGE_BYTES, shortened

# client-go's defaultAggregateMaxEvents, defaultAggregateIntervalInSeconds, defaultSpamBurst,
# defaultSpamQPS and maxLruCacheEntries.
AGGREGATE_MESSAGES = 10
AGGREGATE_SECONDS = 600.0
SPAM_BURST = 25
SPAM_PER_SECOND = 1 / 300
CACHE_ENTRIES = 4096

_AGGREGATE_PREFIX = "(combined from similar events): "


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The `count`-th time that `event` happened; from the second on, its object exists."""

    event: Event
    name: str  #: of the Event object
    count: int
    first_time: datetime


@dataclass(slots=True)
class _Similar:
    """The events that differ in nothing but their message, within the rolling interval."""

    last_at: float
    messages: set[str] = field(default_factory=set)


class EventCorrelator:
    """Not thread-safe: one thread owns it. All instants are monotonic seconds."""

    def __init__(self) -> None:
        self._similar: LRUCache[Hashable, _Similar] = LRUCache(CACHE_ENTRIES)
        self._seen: LRUCache[Hashable, Occurrence] = LRUCache(CACHE_ENTRIES)
        self._buckets: LRUCache[Hashable, TokenBucket] = LRUCache(CACHE_ENTRIES)
        self._names = EventNames()

    def correlate(self, event: Event, now: float) -> Occurrence | None:
        """What to write for `event`, or None if its object has had too many.

        Args:
            event: What happened.
            now: When it is correlated.
        """
        occurrence = self._count(*self._aggregate(event, now))
        return occurrence if self._take_token(event, now) else None

    def _aggregate(self, event: Event, now: float) -> tuple[Event, Hashable]:
        """Return the event and what makes it identical to another."""
        family = (event.component, event.reference, event.type, event.reason)
        similar = self._similar.get(family)
        if similar is None or now - similar.last_at > AGGREGATE_SECONDS:
            similar = _Similar(now)
        similar.last_at = now
        similar.messages.add(event.message)
        self._similar[family] = similar
        if len(similar.messages) < AGGREGATE_MESSAGES:
            return event, (*family, event.message)
        similar.messages.discard(event.message)  # the set must not grow; what it knows is still counted apart
        return replace(event, message=shortened(_AGGREGATE_PREFIX + event.message, MESSAGE_BYTES)), family

    def _count(self, event: Event, identity: Hashable) -> Occurrence:
        earlier = self._seen.get(identity)
        if earlier is None:
            occurrence = Occurrence(event, self._names.name(event), 1, event.time)
        else:
            occurrence = replace(earlier, event=event, count=earlier.count + 1)
        self._seen[identity] = occurrence
        return occurrence

    def _take_token(self, event: Event, now: float) -> bool:
        """Return whether its object may say something more, and count that it does."""
        speaker = (event.component, event.reference, event.type)
        bucket = self._buckets.get(speaker)
        if bucket is None:
            bucket = self._buckets[speaker] = TokenBucket(SPAM_PER_SECOND, SPAM_BURST)
        return bucket.take(now)
