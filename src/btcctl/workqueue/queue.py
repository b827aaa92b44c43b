"""Keys that need work, each handed to at most one worker at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.workqueue.delayed import DelayedKeys

K = TypeVar("K", bound=Hashable)


class ShutDown(Exception):
    """Raised by `get` when the queue is shut down and nothing is left in it."""


class QueueObserver(Protocol):
    """Told of every change, under the queue's lock: be quick, never call back.

    `btcctl.metrics.QueueMetrics` is one.
    """

    def added(self, key: Hashable, now: float) -> None:
        """A key became dirty."""

    def taken(self, key: Hashable, now: float) -> None:
        """A worker got it."""

    def finished(self, key: Hashable, now: float) -> None:
        """The worker was done with it."""

    def delayed(self, key: Hashable) -> None:
        """It was held back until later."""


class WorkQueue(Generic[K]):
    """Collapses duplicate keys, and can hold a key back until later.

    Invariants, whenever `_lock` is free:
        queue ⊆ dirty, without duplicates
        queue ∩ processing = ∅
        dirty ⊆ queue ∪ processing
        no worker waits for longer than until the earliest delayed key is due
    So a key added while it is being processed waits in `dirty` until `done`.

    A worker blocked in `get` sleeps until the next delayed key is due; there is no thread
    for delays.

    Args:
        clock: What delays are measured with.
        name: Names the queue in metrics and logs.
        observer: Told of every change; None costs nothing.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, name: str = "", *, observer: QueueObserver | None = None) -> None:
        self.name = name
        self.unknown_done = 0  #: how often `done` was called for a key that was not being processed
        self._clock = clock
        self._observer = observer
        self._lock = threading.Lock()  # guards everything below
        self._work = threading.Condition(self._lock)  # there is something to get, or an earlier time to wake at
        self._settled = threading.Condition(self._lock)  # nothing queued, nothing processed
        self._queue: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._delayed: DelayedKeys[K] = DelayedKeys()
        self._shutting_down = False

    def __len__(self) -> int:
        """How many keys are ready to be handed out."""
        with self._lock:
            return len(self._queue)

    def add(self, key: K) -> None:
        """Mark `key` as needing work. Ignored after `shut_down`."""
        with self._lock:
            self._add(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add `key` once `seconds` have passed. Of two times for one key, the earlier wins."""
        with self._lock:
            if self._shutting_down:
                return
            if self._observer is not None:
                self._observer.delayed(key)
            if seconds <= 0:
                self._add(key)
                return
            ready_at = self._clock.now() + seconds
            earliest = self._delayed.next_ready_at()
            self._delayed.add(key, ready_at)
            if earliest is None or ready_at < earliest:
                self._work.notify_all()  # no waiting worker may sleep past the earliest key

    def get(self) -> K:
        """Block until a key is ready. The caller must pass it to `done`.

        Raises:
            ShutDown: The queue is shut down and nothing is left in it.
        """
        with self._lock:
            while True:
                wake_at = self._release_delayed()
                if self._queue:
                    return self._take()
                if self._shutting_down:
                    raise ShutDown
                self._clock.wait(self._work, None if wake_at is None else wake_at - self._clock.now())

    def done(self, key: K) -> None:
        """Finish `key`; it is queued again if it was added meanwhile.

        A key that is not being processed is left alone, and counted in `unknown_done`.
        """
        with self._lock:
            if key not in self._processing:
                self.unknown_done += 1
                return
            self._processing.remove(key)
            if self._observer is not None:
                self._observer.finished(key, self._clock.now())
            if key in self._dirty:
                self._push(key)
            elif not self._queue and not self._processing:
                self._settled.notify_all()

    def shut_down(self) -> None:
        """Accept nothing new, drop what is delayed. Workers get what is queued, then ShutDown."""
        with self._lock:
            self._close()

    def drain(self, timeout: float) -> list[K]:
        """Shut down, and wait until every queued and every processed key is done.

        Args:
            timeout: Seconds after which what is still queued is dropped.

        Returns:
            The keys that were not done in time, those being processed first; [] if all were.
        """
        with self._lock:
            self._close()
            deadline = self._clock.now() + timeout
            while self._queue or self._processing:
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._settled, left)
            unfinished = [*self._processing, *self._queue]
            self._queue.clear()
            self._dirty.clear()
            return unfinished

    def idle(self) -> bool:
        """Whether nothing is queued, being processed or due; what is due later does not count."""
        with self._lock:
            due = self._delayed.next_ready_at()
            return not (self._queue or self._processing or (due is not None and due <= self._clock.now()))

    def _add(self, key: K) -> None:
        if self._shutting_down or key in self._dirty:
            return
        self._dirty.add(key)
        if self._observer is not None:
            self._observer.added(key, self._clock.now())
        if key not in self._processing:
            self._push(key)

    def _push(self, key: K) -> None:
        self._queue.append(key)
        self._work.notify()

    def _release_delayed(self) -> float | None:
        """Queue the delayed keys that are due; return when the next one will be."""
        if not self._delayed:
            return None
        for key in self._delayed.pop_ready(self._clock.now()):
            self._add(key)
        return self._delayed.next_ready_at()

    def _take(self) -> K:
        key = self._queue.popleft()
        self._dirty.remove(key)
        self._processing.add(key)
        if self._observer is not None:
            self._observer.taken(key, self._clock.now())
        return key

    def _close(self) -> None:
        self._shutting_down = True
        self._delayed.clear()
        self._work.notify_all()
