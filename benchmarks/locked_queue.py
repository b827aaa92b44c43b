"""A work queue with one plain lock, as client-go's is made: what our queue without locks is compared with.

It can do less than ours: no delays, no background lane, no drain, nothing to look at. So it is rather too fast.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from btcctl.clock import SYSTEM_CLOCK
from btcctl.workqueue.queue import ShutDown

K = TypeVar("K", bound=Hashable)


class LockedQueue(Generic[K]):
    """`add`, `get`, `done` and `shut_down` of `btcctl.workqueue.queue.WorkQueue`, without an observer."""

    def __init__(self) -> None:
        self._now = SYSTEM_CLOCK.now
        self._ready: deque[K] = deque()
        self._dirty: dict[K, float] = {}  # since when
        self._processing: dict[K, float] = {}  # since when
        self._is_shut_down = False
        self._waiting = 0  # workers: as long as there are none, a notification is saved
        self._lock = threading.Lock()  # guards everything above
        self._work = threading.Condition(self._lock)

    def add(self, key: K) -> None:
        with self._lock:
            if self._is_shut_down or key in self._dirty:
                return
            self._dirty[key] = self._now()
            if key not in self._processing:
                self._ready.append(key)
                if self._waiting:
                    self._work.notify()

    def get(self) -> K:
        with self._lock:
            while not self._ready:
                if self._is_shut_down:
                    raise ShutDown
                self._waiting += 1
                self._work.wait()
                self._waiting -= 1
            key = self._ready.popleft()
            self._processing[key] = self._now()
            del self._dirty[key]
            return key

    def done(self, key: K) -> None:
        with self._lock:
            del self._processing[key]
            if key in self._dirty:
                self._ready.append(key)
                if self._waiting:
                    self._work.notify()

    def shut_down(self) -> None:
        with self._lock:
            self._is_shut_down = True
            self._work.notify_all()
