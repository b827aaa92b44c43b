"""Hands events to watchers without ever making the sender wait."""

from __future__ import annotations

import math
from collections.abc import Callable

from btcctl.clock import SYSTEM_CLOCK, Clock, ends_at
from btcctl.events.event import Event
from btcctl.events.watcher_queue import QUEUE_LENGTH, Watcher, WatcherQueue
from btcctl.logging import get_logger
from btcctl.threads import Stop

logger = get_logger(__name__)


class Broadcaster:
    """Takes events into one bounded queue, and gives each to every watcher, which has a queue of its own.

    Args:
        clock: What waiting is measured with.
        queue_length: How many events may wait, in each of the queues.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, queue_length: int = QUEUE_LENGTH) -> None:
        self.clock = clock
        self._queue_length = queue_length
        self._incoming = WatcherQueue(self._distribute, clock, queue_length)
        self._queues: list[WatcherQueue] = []

    @property
    def dropped(self) -> int:
        """How many events did not reach some watcher."""
        return self._incoming.dropped + sum(queue.dropped for queue in self._queues)

    def watch(self, watcher: Watcher, wants: Callable[[Event], bool] | None = None) -> WatcherQueue:
        """Call `watcher` for each later event, in a thread of its own. Before `start`.

        Args:
            wants: Only for those for which it is true.
        """
        queue = WatcherQueue(watcher, self.clock, self._queue_length, wants)
        self._queues.append(queue)
        return queue

    def publish(self, event: Event) -> None:
        """Never blocks: what does not fit is dropped and counted."""
        self._incoming.offer(event)

    def start(self) -> None:
        """Begin to distribute; events published before are kept. Idempotent."""
        for queue in (*self._queues, self._incoming):
            queue.start()

    def step(self) -> bool:
        """Distribute and deal with what was published, in the calling thread, instead of `start`. For tests.

        Returns:
            Whether there was anything.
        """
        did = [queue.step() for queue in (self._incoming, *self._queues)]  # each, whatever the one before has done
        return True in did

    def flush(self, timeout: float) -> int:
        """Wait until every event published so far is dealt with; return how many are left, each once per watcher."""
        deadline = ends_at(self.clock, timeout)
        published = self._incoming.taken()
        self._incoming.flush(timeout)
        self._flush(max(0.0, deadline - self.clock.now()))
        return self._owed(published)

    def stop(self, timeout: float = 5.0) -> None:
        """Flush, then end. Idempotent.

        Args:
            timeout: Seconds; what is not written by then is lost, and counted in the log.
        """
        deadline = ends_at(self.clock, timeout)
        self._end(self._incoming.close(timeout), deadline)

    def finish(self, timeout: float, patience: float) -> None:
        """Stop, but only as long as at least one event is dealt with in each `patience` seconds.

        Args:
            timeout: Seconds in all.
            patience: Seconds.
        """
        deadline = ends_at(self.clock, timeout)
        lost = self._incoming.close(min(timeout, patience))
        for queue in self._queues:
            queue.hurry()
        before, left = math.inf, self._flush(0.0)
        while 0 < left < before and (seconds := min(patience, deadline - self.clock.now())) > 0:
            before, left = left, self._flush(seconds)
        self._end(lost, self.clock.now())

    def _end(self, never_offered: int, deadline: float) -> None:
        """End the threads; what has not been dealt with by then is lost."""
        lost = never_offered * max(1, len(self._queues))
        lost += sum(queue.close(max(0.0, deadline - self.clock.now())) for queue in self._queues)
        if lost:
            logger.warning("events lost at the end", count=lost)

    def _flush(self, timeout: float) -> int:
        """Of what the watchers were offered: wait for it, and return how much is left."""
        deadline = ends_at(self.clock, timeout)
        return sum(queue.flush(max(0.0, deadline - self.clock.now())) for queue in self._queues)

    def _owed(self, published: int) -> int:
        if not self._queues:
            return self._incoming.flush(0.0)
        return sum(queue.owed(published) for queue in self._queues)

    def _distribute(self, event: Event, _stop: Stop) -> None:
        for queue in self._queues:
            queue.offer(event)
