"""What a reflector can be told about its pace. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import LONGEST_WAIT, check_seconds
from btcctl.informers.recovery import QUIET_SECONDS, RELIST_BACKOFF


@dataclass(frozen=True, slots=True)
class ReflectorOptions:
    """Deadlines and delays of a reflector, in seconds; most are client-go's (tools/cache/reflector.go).

    Attributes:
        backoff: Delays after failures in a row.
        quiet_seconds: Time without a failure after which the next counts as the first.
        min_watch_seconds: The server is asked to end each watch after a random time between this
        max_watch_seconds: and this, so that the watches of many informers do not end together.
        suspect_watch_seconds: The same for a watch that may skip a line that cannot be read. A relist
            follows, and all of it shall take less than five minutes.
        short_watch_seconds: A watch that ends sooner, without an event, has failed.
        initial_seconds: How long a streamed list may take before it is read in pages instead.
        paged_seconds: For how long lists are then read in pages.
        uniform: Source of random times.
    """

    backoff: ExponentialBackoff = RELIST_BACKOFF
    quiet_seconds: float = QUIET_SECONDS
    min_watch_seconds: float = 300.0
    max_watch_seconds: float = 600.0
    suspect_watch_seconds: float = 180.0
    short_watch_seconds: float = 1.0
    initial_seconds: float = 120.0
    paged_seconds: float = 3600.0
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name.endswith("_seconds"):
                # The server is told how long a watch shall last, and counts in 63 bits of nanoseconds.
                most = LONGEST_WAIT if each.name.endswith("watch_seconds") else math.inf
                check_seconds(each.name, getattr(self, each.name), most=most)

    def scaled(self, factor: float) -> ReflectorOptions:
        """All times, `factor` times as long."""
        return replace(
            self,
            backoff=replace(self.backoff, base=self.backoff.base * factor, cap=self.backoff.cap * factor),
            quiet_seconds=self.quiet_seconds * factor,
            min_watch_seconds=self.min_watch_seconds * factor,
            max_watch_seconds=self.max_watch_seconds * factor,
            suspect_watch_seconds=self.suspect_watch_seconds * factor,
            short_watch_seconds=self.short_watch_seconds * factor,
            initial_seconds=self.initial_seconds * factor,
            paged_seconds=self.paged_seconds * factor,
        )
