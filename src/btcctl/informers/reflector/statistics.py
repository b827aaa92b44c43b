"""What a reflector has done so far, and whether that is enough to be called alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

#: Longer than any pause of a server that is well (it sends a bookmark a minute), its restart included.
MAX_SILENCE_SECONDS = 300.0


class ReflectorStatistics(msgspec.Struct, frozen=True):
    """What a reflector has done so far.

    Attributes:
        lists: Whole reads, in pages or streamed, that were begun.
        streamed: Those of them that were completed as the beginning of a watch.
        watches: Watches asked for.
        short_watches: Those that ended at once.
        relists: By reason: expired, too_large, undecodable, skipped, unordered, silent, error, polled.
        events: Without bookmarks.
        skipped: Events, and objects of lists, that could not be read.
        watch_opened_at: Monotonic seconds; None while no watch is open.
        last_event_at: Monotonic seconds; bookmarks count, too. None: never.
        heard_at: When the server last said anything of the collection: an event, a bookmark, a list, or
            that a watch's time is over. When the reflector started, if it never has.
    """

    lists: int
    streamed: int
    watches: int
    short_watches: int
    relists: Mapping[str, int]
    events: int
    bookmarks: int
    skipped: int
    watch_opened_at: float | None
    last_event_at: float | None
    heard_at: float | None

    def silence(self, now: float) -> float:
        """Seconds since anything was heard; 0 before the reflector has started."""
        return 0.0 if self.heard_at is None else now - self.heard_at


class ReflectorCounters(msgspec.Struct):
    """What the statistics count; changed by the reflector's thread only. As of `ReflectorStatistics`."""

    streams: int = 0
    streamed: int = 0
    watches: int = 0
    short_watches: int = 0
    events: int = 0
    bookmarks: int = 0
    skipped: int = 0
    relists: Counter[str] = msgspec.field(default_factory=Counter)
