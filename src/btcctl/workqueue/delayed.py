"""Keys that wait for their time. Pure: it knows no clock and no lock."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_NEVER = float("inf")
_SLACK = 64  # superseded heap entries that are not worth a rebuild


class DelayedKeys(Generic[K]):
    """A heap of keys ordered by the time at which they become ready.

    Not thread-safe: the owner holds its own lock. All times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._ready_at: dict[K, float] = {}
        self._in_background: set[K] = set()  # keys that were not added otherwise
        self._heap: list[tuple[float, int, K]] = []
        self._tiebreak = itertools.count()  # keys need not be orderable

    def __len__(self) -> int:
        return len(self._ready_at)

    def add(self, key: K, ready_at: float, *, background: bool = False) -> None:
        """Schedule `key`. Of two times for one key, the earlier wins; it is for the background only if both are."""
        if not background:
            self._in_background.discard(key)
        elif key not in self._ready_at:
            self._in_background.add(key)
        if ready_at >= self._ready_at.get(key, _NEVER):
            return
        self._ready_at[key] = ready_at
        heapq.heappush(self._heap, (ready_at, next(self._tiebreak), key))
        if len(self._heap) > 2 * len(self._ready_at) + _SLACK:
            self._rebuild()

    def is_for_background(self, key: K) -> bool:
        """Whether `key` may wait behind others when it is ready."""
        return key in self._in_background

    def discard(self, key: K) -> None:
        """Forget the time of `key`, if it has one."""
        self._in_background.discard(key)
        self._ready_at.pop(key, None)  # its entry in the heap is skipped

    def ready(self, now: float) -> Iterator[K]:
        """Every key due at `now`, earliest first. Each has to be removed, before the next one is asked for."""
        while (ready_at := self.next_ready_at()) is not None and ready_at <= now:
            yield self._heap[0][2]

    def remove(self, key: K) -> None:
        """Forget `key`, which is there."""
        self._in_background.discard(key)
        del self._ready_at[key]

    def next_ready_at(self) -> float | None:
        """When to look again, or None if nothing is scheduled."""
        # A key that was removed or rescheduled leaves its old entry in the heap.
        while self._heap and self._ready_at.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def ready_at(self, key: K) -> float | None:
        """When `key` becomes ready, or None if it is not scheduled."""
        return self._ready_at.get(key)

    def keys(self) -> list[K]:
        """Every key that is scheduled."""
        return [*self._ready_at]

    def clear(self) -> None:
        """Forget every key."""
        self._ready_at.clear()
        self._in_background.clear()
        self._heap.clear()

    def _rebuild(self) -> None:
        self._heap = [entry for entry in self._heap if self._ready_at.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)
