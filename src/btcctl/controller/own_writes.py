"""A reconcile sees what the one before it has written.

A cache lags behind. A reconcile that decides on a state from before its own last write creates
twice, or takes back what it has just done. So a key waits until the caches that its controller
watches hold what was written for it; not for long, because a cache may never get to see it (a
selector, a deletion, a server in trouble).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from btcctl.clock import Clock
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.written import Written

logger = structlog.get_logger(__name__)

Cached = Callable[[ObjectKey], Object | None]

LOOK_AGAIN_SECONDS = 0.02  # the event of the write usually brings the key back sooner


@dataclass(slots=True)
class _Pending:
    writes: list[Written]
    give_up_at: float
    has_waited: bool = False


class OwnWrites:
    """What was written for each key, and not seen in a cache yet. Thread-safe.

    Args:
        seconds: How long a key waits; 0 for never.
        clock: What they are measured with.

    Attributes:
        waits: How often a key had to wait.
        timeouts: How often in vain.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.waits = 0
        self.timeouts = 0
        self._seconds = seconds
        self._clock = clock
        self._caches: dict[ResourceType, Cached] = {}
        self._lock = threading.Lock()  # guards the two counters
        self._pending: dict[ObjectKey, _Pending] = {}  # each entry belongs to the worker that has its key

    def watch(self, type_: ResourceType, cached: Cached) -> None:
        """Wait for writes of this type until `cached` shows them."""
        self._caches[type_] = cached

    def note(self, key: ObjectKey, writes: Iterable[Written]) -> None:
        """`writes` were made in a reconcile of `key`."""
        latest = {(each.type, each.key): each for each in writes if each.type in self._caches}
        if latest and self._seconds > 0:
            self._pending[key] = _Pending([*latest.values()], self._clock.now() + self._seconds)

    def must_wait(self, key: ObjectKey) -> bool:
        """Whether `key` is to be left alone for now."""
        pending = self._pending.get(key)
        if pending is None:
            return False
        pending.writes = [each for each in pending.writes if not each.is_seen_in(self._caches[each.type](each.key))]
        if pending.writes and self._clock.now() < pending.give_up_at:
            self._count(pending)
            return True
        del self._pending[key]
        if pending.writes:
            self._give_up(key, pending.writes[0])
        return False

    def _count(self, pending: _Pending) -> None:
        if not pending.has_waited:
            pending.has_waited = True
            with self._lock:
                self.waits += 1

    def _give_up(self, key: ObjectKey, missing: Written) -> None:
        with self._lock:
            self.timeouts += 1
        logger.warning(
            "a cache does not show what was written",
            key=str(key),
            type=str(missing.type),
            missing=str(missing.key),
            seconds=self._seconds,
        )
