"""Hands events to watchers without ever making the sender wait."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from collections.abc import Callable

import structlog

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.events.event import Event
from btcctl.threads import Runner, Stop

logger = structlog.get_logger(__name__)

QUEUE_LENGTH = 1000  # client-go's maxQueuedEvents (tools/record/event.go)
_JOIN_SECONDS = 1.0

#: Called for each event in a thread of its own; once the Stop is set, it is in a hurry.
Watcher = Callable[[Event, Stop], None]

_numbers = itertools.count()


class Outlet:
    """One watcher, its bounded queue and its thread."""

    def __init__(self, watcher: Watcher, clock: Clock = SYSTEM_CLOCK, length: int = QUEUE_LENGTH) -> None:
        self.dropped = 0  #: events that found the queue full, or came after the end
        self._watcher = watcher
        self._clock = clock
        self._length = length
        self._changed = threading.Condition()  # guards everything below, and `dropped`
        self._queue: deque[Event] = deque()
        self._busy = False
        self._closed = False
        self._failed = False
        self._runner: Runner | None = None

    def offer(self, event: Event) -> None:
        """Take the event, or drop it; never blocks."""
        with self._changed:
            if not self._closed and len(self._queue) < self._length:
                self._queue.append(event)
                self._changed.notify_all()
                return
            self.dropped += 1
            is_first = self.dropped == 1
        if is_first:
            logger.warning("events come faster than they can be written: dropped and counted", limit=self._length)

    def start(self) -> None:
        with self._changed:
            if self._runner is not None or self._closed:
                return
            runner = self._runner = Runner(f"events-{next(_numbers)}", self.run, clock=self._clock)
        runner.start()

    def flush(self, timeout: float) -> int:
        """Wait until every event taken so far is dealt with.

        Args:
            timeout: Seconds.

        Returns:
            How many are left.
        """
        with self._changed:
            deadline = self._clock.now() + timeout
            while self._queue or self._busy:
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
            return len(self._queue) + self._busy

    def close(self, timeout: float) -> int:
        """Take nothing more, flush, end the thread. Idempotent; never raises.

        Returns:
            How many events were lost.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._runner is None:
            with self._changed:
                lost = len(self._queue)
                self._queue.clear()
                return lost
        self._runner.request_stop()
        lost = self.flush(timeout)
        with self._changed:
            self._queue.clear()
        with contextlib.suppress(TimeoutError):  # the watcher hangs in a call: its thread is a daemon
            self._runner.stop(_JOIN_SECONDS)
        return lost

    def run(self, stop: Stop) -> None:
        """Call the watcher for each event, until closed and empty."""
        while (event := self._next()) is not None:
            try:
                self._watcher(event, stop)
            except Exception:
                if not self._failed:
                    self._failed = True
                    logger.exception("an event watcher failed; further failures are not logged")
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _next(self) -> Event | None:
        with self._changed:
            while not self._queue:
                if self._closed:
                    return None
                self._clock.wait(self._changed, None)
            self._busy = True
            return self._queue.popleft()


class Broadcaster:
    """Gives each event to every watcher.

    Args:
        clock: What waiting is measured with.
        queue_length: How many events may wait for one watcher.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, queue_length: int = QUEUE_LENGTH) -> None:
        self._clock = clock
        self._queue_length = queue_length
        self._outlets: list[Outlet] = []
        self._started = False

    @property
    def dropped(self) -> int:
        """How many events did not reach some watcher."""
        return sum(outlet.dropped for outlet in self._outlets)

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` for each later event, in a thread of its own. Before `start`."""
        self._outlets.append(Outlet(watcher, self._clock, self._queue_length))

    def publish(self, event: Event) -> None:
        """Never blocks."""
        for outlet in self._outlets:
            outlet.offer(event)

    def start(self) -> None:
        """Idempotent."""
        for outlet in self._outlets:
            outlet.start()

    def flush(self, timeout: float) -> int:
        """Wait until every event published so far is dealt with; return how many are left."""
        deadline = self._clock.now() + timeout
        return sum(outlet.flush(max(0.0, deadline - self._clock.now())) for outlet in self._outlets)

    def stop(self, timeout: float = 5.0) -> None:
        """Flush, then end. Idempotent.

        Args:
            timeout: Seconds; what is not written by then is lost, and counted in the log.
        """
        deadline = self._clock.now() + timeout
        lost = sum(outlet.close(max(0.0, deadline - self._clock.now())) for outlet in self._outlets)
        if lost:
            logger.warning("events lost at the end", count=lost)
