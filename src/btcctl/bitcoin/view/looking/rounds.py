"""Which node is asked when. Pure.

A node is asked again `interval` seconds after it has answered, and later, up to `SILENT_SECONDS`, if it has not. All
together are asked MOST_A_SECOND times a second at most: the more nodes, the less often each.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

#: Each takes a millisecond or two of this process' time.
MOST_A_SECOND: Final = 100.0
SILENT_SECONDS: Final = 4.0


@dataclass(slots=True)
class _Entry:
    due_at: float
    number: int  #: of its place in the heap: others are out of date
    is_asked: bool = False
    failures: int = 0
    is_wanted_again: bool = False  #: while it is being asked


class Rounds(Generic[K]):
    """Not thread-safe.

    Args:
        interval: Seconds, for a few nodes.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._entries: dict[K, _Entry] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def interval(self) -> float:
        """Seconds from an answer of a node to the next call, with as many nodes as there are."""
        return max(self._interval, len(self._entries) / MOST_A_SECOND)

    def keep(self, keys: Iterable[K], now: float) -> None:
        """These are asked, and no others; new ones at once."""
        wanted = dict.fromkeys(keys)
        for key in [key for key in self._entries if key not in wanted]:
            del self._entries[key]
        for key in wanted:
            if key not in self._entries:
                self._entries[key] = _Entry(now, -1)
                self._push(key, now)

    def soon(self, key: K, now: float) -> None:
        """Something happened to it: ask it next."""
        entry = self._entries.get(key)
        if entry is None:
            return
        if entry.is_asked:
            entry.is_wanted_again = True
        elif entry.due_at > now:
            self._push(key, now)

    def take(self, now: float, most: int) -> list[K]:
        """The nodes to ask now, `most` at most; each is not asked again before `done`."""
        taken: list[K] = []
        while len(taken) < most and self._heap and self._heap[0][0] <= now:
            _, number, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is not None and entry.number == number:
                entry.is_asked = True
                taken.append(key)
        return taken

    def done(self, key: K, now: float, *, failed: bool) -> None:
        """It has answered, or not."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.is_asked = False
        entry.failures = entry.failures + 1 if failed else 0
        again, entry.is_wanted_again = entry.is_wanted_again, False
        pause = self.interval
        if failed:
            pause = max(pause, min(SILENT_SECONDS, pause * 2.0 ** min(entry.failures, 10)))
        self._push(key, now if again else now + pause)

    def next_at(self) -> float | None:
        """When `take` has something again, unless `soon` is called before; None: not before."""
        while self._heap:
            due_at, number, key = self._heap[0]
            entry = self._entries.get(key)
            if entry is not None and entry.number == number and not entry.is_asked:
                return due_at
            heapq.heappop(self._heap)
        return None

    def _push(self, key: K, due_at: float) -> None:
        entry = self._entries[key]
        entry.due_at, entry.number = due_at, next(self._numbers)
        heapq.heappush(self._heap, (due_at, entry.number, key))
