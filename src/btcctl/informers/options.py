"""The pace of a reflector. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec
from msgspec.structs import fields, replace

from btcctl.backoff import ExponentialBackoff, check_backoff
from btcctl.clock import MAX_WAIT_SECONDS, check_seconds

# client-go tools/cache/reflector.go
RELIST_BACKOFF = ExponentialBackoff(base=0.8, cap=30.0, factor=2.0, jitter=1.0)
# About a tenth of the time that the server has been away: soon enough when it is back, and 5 s at most.
UNREACHABLE_BACKOFF = ExponentialBackoff(base=0.4, cap=4.0, factor=1.1, jitter=0.25)
# Random times are chosen around these, and instants reckoned from them: infinity will not do.
_FINITE = frozenset({"spread_seconds", "list_interval_seconds", "poll_seconds"})


class ReflectorOptions(msgspec.Struct, frozen=True):
    """Deadlines and delays of a reflector, in seconds; some are client-go's (tools/cache/reflector.go).

    Attributes:
        backoff: Delays after answers in a row that were failures; begun anew by a success. After 401,
            502, 503 and 504 no delay is longer than the longest of `unreachable`.
        unreachable: Delays while there is no answer at all.
        min_watch_seconds: The server is asked to end each watch after a random time between this
        max_watch_seconds: and this, so that the watches of many informers do not end together.
        suspect_watch_seconds: The same for a watch that may skip a line that cannot be read. A relist
            follows, and all of it shall take less than five minutes.
        short_watch_seconds: A watch that ends sooner, without an event, has failed.
        initial_seconds: How long a streamed list may take before it is read in pages instead.
        paged_seconds: For how long lists are then read in pages.
        spread_seconds: A list that a refused version makes necessary begins at a random moment within
            this time, so that not all informers list at once when a server is back.
        list_interval_seconds: From the beginning of one list to that of the next, at least. A list that was
            refused, or for which there was no connection, does not count: it has cost the server nothing.
        fallback_seconds: For how long a server that answers may fail to give a watch, by errors that may
            pass, before lists are polled instead. An error that is meant for good (403, 405, …) need only come twice.
        poll_seconds: From one polled list to the next, ± 10 %.
        rewatch_seconds: How often a watch is tried while lists are polled.
        accept_polling: Lists that are polled are no complaint in `why_silent`: for kinds that cannot be watched.
        uniform: Source of random times.
    """

    backoff: ExponentialBackoff = RELIST_BACKOFF
    unreachable: ExponentialBackoff = UNREACHABLE_BACKOFF
    min_watch_seconds: float = 300.0
    max_watch_seconds: float = 600.0
    suspect_watch_seconds: float = 180.0
    short_watch_seconds: float = 1.0
    initial_seconds: float = 120.0
    paged_seconds: float = 3600.0
    spread_seconds: float = 0.5
    list_interval_seconds: float = 5.0
    fallback_seconds: float = 30.0
    poll_seconds: float = 30.0
    rewatch_seconds: float = 300.0
    accept_polling: bool = False
    uniform: Callable[[float, float], float] = random.uniform

    def __post_init__(self) -> None:
        check_backoff("backoff", self.backoff)
        check_backoff("unreachable", self.unreachable)
        for name in _durations():
            # The server is asked for a watch of so many seconds, and counts in 63 bits of nanoseconds.
            is_finite = name in _FINITE or name.endswith("watch_seconds")
            check_seconds(name, getattr(self, name), most=MAX_WAIT_SECONDS if is_finite else math.inf)
        if self.min_watch_seconds > self.max_watch_seconds:
            least, most = self.min_watch_seconds, self.max_watch_seconds
            raise ValueError(f"min_watch_seconds is {least:g}, must be at most max_watch_seconds, which is {most:g}")

    def scaled(self, factor: float) -> ReflectorOptions:
        """All times, `factor` times as long."""
        return replace(
            self,
            backoff=_scaled(self.backoff, factor),
            unreachable=_scaled(self.unreachable, factor),
            **{name: getattr(self, name) * factor for name in _durations()},
        )


def _durations() -> list[str]:
    return [each.name for each in fields(ReflectorOptions) if each.name.endswith("_seconds")]


def _scaled(backoff: ExponentialBackoff, factor: float) -> ExponentialBackoff:
    return replace(backoff, base=backoff.base * factor, cap=backoff.cap * factor)
