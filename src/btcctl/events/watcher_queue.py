"""A bounded queue with a thread that hands its events to one function."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import Protocol, runtime_checkable

from btcctl.clock import SYSTEM_CLOCK, Clock, check_seconds, ends_at
from btcctl.events.event import Event
from btcctl.logging import bind, get_logger
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

QUEUE_LENGTH = 1000  # client-go's maxQueuedEvents (tools/record/event.go)
_JOIN_SECONDS = 1.0  # for a thread that has nothing left to do
_MIN_PAUSE_SECONDS = 0.005  # a watcher that always has something to do would spin
_HANGING_JOIN_SECONDS = 0.1  # for one whose watcher hangs in a call

#: Called for each event in a thread of its own; once the Stop is set, it is in a hurry.
Watcher = Callable[[Event, Stop], None]

_numbers = itertools.count()


@runtime_checkable
class IdleHook(Protocol):
    """A watcher that has something to do while there are no events, too."""

    def idle(self, stop: Stop) -> float | None:
        """Called when the queue is empty, and once more at the end, when `stop` is set.

        Returns:
            Seconds after which to be called again even if nothing happens, None for never.
        """


class WatcherQueue:
    """One watcher, its bounded queue and its thread.

    Args:
        wants: Which events the watcher is told of; None: of all.
    """

    def __init__(
        self,
        watcher: Watcher,
        clock: Clock = SYSTEM_CLOCK,
        length: int = QUEUE_LENGTH,
        wants: Callable[[Event], bool] | None = None,
    ) -> None:
        self.dropped = 0  #: events that found the queue full, or came after the end
        self._offered = 0  # events, dropped or not
        self._watcher = watcher
        self._wants = wants
        self._idle_hook = _idle_hook_of(watcher)
        self._clock = clock
        self._length = length
        self._changed = threading.Condition()  # guards everything below, and the two counts
        self._queue: deque[Event] = deque()
        self._busy = False
        self._closed = False
        self._failed = False
        self._runner: Runner | None = None

    def offer(self, event: Event) -> None:
        """Take the event, or drop it; never blocks."""
        is_wanted = self._is_wanted(event)
        with self._changed:
            self._offered += 1
            if not is_wanted:
                return
            if not self._closed and len(self._queue) < self._length:
                self._queue.append(event)
                self._changed.notify_all()
                return
            self.dropped += 1
            is_first = self.dropped == 1
            is_late = self._closed
        if is_first and is_late:
            logger.warning("an event came after the end of its recorder: dropped and counted", reason=event.reason)
        elif is_first:
            logger.warning("events come faster than they can be written: dropped and counted", limit=self._length)

    def _is_wanted(self, event: Event) -> bool:
        """What cannot be judged is wanted: an event must not be lost, neither here nor for the other watchers."""
        try:
            return self._wants is None or bool(self._wants(event))
        except BaseException as error:
            self._note_failure(error)
            return True

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
            deadline = ends_at(self._clock, timeout)
            while self._queue or self._busy:
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
            return len(self._queue) + self._busy

    def taken(self) -> int:
        """How many events were not dropped."""
        with self._changed:
            return self._offered - self.dropped

    def owed(self, published: int) -> int:
        """How many of the first `published` events have not been dealt with here, offered or not."""
        with self._changed:
            return max(0, published - self._offered) + len(self._queue) + self._busy

    def hurry(self) -> None:
        """Tell the watcher that the end is near: it shall not wait for better times."""
        if self._runner is not None:
            self._runner.request_stop()

    def close(self, timeout: float) -> int:
        """Take nothing more, flush, end the thread. Idempotent; never raises.

        Returns:
            How many events were lost.
        """
        deadline = ends_at(self._clock, timeout)
        self.hurry()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._runner is not None:
            self.flush(timeout)
        with self._changed:
            lost, is_hanging = len(self._queue), self._busy
            self._queue.clear()
        if self._runner is not None:
            least = _HANGING_JOIN_SECONDS if is_hanging else _JOIN_SECONDS
            with contextlib.suppress(TimeoutError):  # the watcher hangs in a call: its thread is a daemon
                self._runner.stop(max(least, deadline - self._clock.now()))
        with self._changed:
            return lost + self._busy

    def step(self) -> bool:
        """Deal with the next event in the calling thread, instead of `start`; False if there is none. For tests."""
        with self._changed:
            event = self._queue.popleft() if self._queue else None
        if event is not None:
            self._deal_with(event, Stop(self._clock))
        return event is not None

    def run(self, stop: Stop) -> None:
        """Call the watcher for each event, until closed and empty."""
        pause: float | None = None
        is_last = False
        while not is_last:
            event = self._next(pause)
            is_last = event is None and self._closed
            try:
                pause = self._deal_with(event, stop)
            except BaseException as error:  # CancelledError, SystemExit: the watcher's failure, not the thread's end
                pause = None
                self._note_failure(error)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _next(self, pause: float | None) -> Event | None:
        """The next event; None if there was none for `pause` seconds, or will be none any more."""
        with self._changed:
            due_at = None if pause is None else self._clock.now() + pause
            while not (self._queue or self._closed):
                left = None if due_at is None else due_at - self._clock.now()
                if left is not None and left <= 0:
                    break
                self._clock.wait(self._changed, left)
            event = self._queue.popleft() if self._queue else None
            self._busy = event is not None
            return event

    def _deal_with(self, event: Event | None, stop: Stop) -> float | None:
        if event is not None:
            copy_context().run(self._tell, event, stop)
        if self._idle_hook is None:
            return None
        if self._queue:
            return 0.0
        pause = self._idle_hook.idle(stop)
        return None if pause is None else max(_MIN_PAUSE_SECONDS, check_seconds("what idle returns", pause))

    def _note_failure(self, error: BaseException) -> None:
        """The first one is logged."""
        if not self._failed:
            self._failed = True
            logger.error("an event watcher failed; further failures are not logged", exc_info=error)

    def _tell(self, event: Event, stop: Stop) -> None:
        bind(**event.log_context)
        self._watcher(event, stop)


def _idle_hook_of(watcher: object) -> IdleHook | None:
    return watcher if isinstance(watcher, IdleHook) else None
