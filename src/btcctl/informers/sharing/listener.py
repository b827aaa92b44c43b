"""Notifies one handler, in a thread of its own, and keeps for it what it has not received yet."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import msgspec

from btcctl.clock import SYSTEM_CLOCK, Clock, ends_at
from btcctl.informers.sharing.notifications import Added, Deleted, EventHandler, Notification, Witness, notify
from btcctl.informers.sharing.pending import PendingNotifications, Recreated
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.threads import Stop

logger = get_logger(__name__)


class ListenerStatistics(msgspec.Struct, frozen=True):
    """The notifications of one handler so far."""

    name: str
    pending: int  #: keys
    calls: int  #: failed ones included
    failures: int  #: calls that raised
    behind_seconds: float  #: since when it has not caught up; 0 if it has


class Listener:
    """Buffers notifications for one handler and calls it. A handler that raises gets the next one.

    The lock is taken once per batch that comes in, and once each time all that was pending has
    been handed on; never per notification.

    Args:
        name: Names the handler in logs.
        handler: What to notify.
        clock: Waits, and measures how far behind the handler is.
        witness: Shown all that is passed to `add`, there and then.
    """

    def __init__(
        self, name: str, handler: EventHandler, *, clock: Clock = SYSTEM_CLOCK, witness: Witness | None = None
    ) -> None:
        self.name = name
        self._witness = witness
        self._handler = handler
        self._clock = clock
        self._changed = threading.Condition()  # guards what goes into _pending, and these two
        self._pending = PendingNotifications()
        self._initial_list_complete = False
        self._closed = False
        # Only the handler's thread changes these four.
        self._calls = 0
        self._failures = 0
        self._initial_notified = 0
        self._behind_since: float | None = None

    def add(self, notifications: Sequence[tuple[ObjectKey, Notification]]) -> None:
        """Have the handler notified, later. Never blocks; ignored once closed."""
        if self._witness is not None:
            self._witness(notifications)
        with self._changed:
            if self._closed:
                return
            self._pending.add_all(notifications)
            self._changed.notify_all()

    def complete_initial_list(self) -> None:
        """All that existed when the handler came has been passed to `add`."""
        with self._changed:
            self._initial_list_complete = not self._closed
            self._changed.notify_all()

    def has_synced(self) -> bool:
        """Whether the handler was notified of all of the initial list, whether it raised or not."""
        with self._changed:
            return self._synced()

    def wait_for_sync(self, timeout: float) -> bool:
        """Wait until `has_synced`, at most `timeout` seconds, or until closed; return `has_synced`."""
        deadline = ends_at(self._clock, timeout)
        with self._changed:
            while not (self._synced() or self._closed):
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
            return self._synced()

    def close(self) -> None:
        """Forget what is pending and let `run` end. Idempotent."""
        with self._changed:
            self._initial_list_complete = self._synced()  # what is forgotten will never be handed on
            self._closed = True
            self._pending.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def statistics(self) -> ListenerStatistics:
        since = self._behind_since
        behind = 0.0 if since is None else self._clock.now() - since
        return ListenerStatistics(self.name, len(self._pending), self._calls, self._failures, behind)

    def run(self, stop: Stop) -> None:
        """Call the handler until closed or `stop` is set. Blocks."""
        forget = stop.on_set(self.close)
        try:
            while keys := self._wait_for_keys():
                self.deliver(keys)
        finally:
            forget()

    def deliver(self, keys: Iterable[ObjectKey] | None = None) -> None:
        """Notify the handler of `keys` (None: all that are pending now), each as it is when its turn comes."""
        take = self._pending.take
        for key in self._pending.keys() if keys is None else keys:
            pending = take(key)
            if isinstance(pending, Recreated):
                with self._changed:  # the rest may still change, or cancel out, while the handler has this
                    if not self._closed:
                        self._pending.put_back(key, pending.added)
                pending = pending.deleted
            if pending is not None:
                self._notify(pending)

    def _synced(self) -> bool:
        return self._initial_list_complete and self._initial_notified >= self._pending.initial_owed

    def _wait_for_keys(self) -> list[ObjectKey]:
        """What is pending, as soon as anything is; [] once closed."""
        with self._changed:
            while not (self._pending or self._closed):
                self._behind_since = None
                self._clock.wait(self._changed, None)
            if self._behind_since is None:
                self._behind_since = self._clock.now()
            return self._pending.keys()

    def _notify(self, notification: Notification) -> None:
        try:
            notify(self._handler, notification)
        except BaseException as error:  # asyncio's CancelledError, SystemExit: none may end the thread
            self._failures += 1
            self._log_failure(notification, error)
        finally:
            self._calls += 1
            if type(notification) is Added and notification.in_initial_list:
                self._count_initial()

    def _count_initial(self) -> None:
        self._initial_notified += 1
        if self._synced():
            with self._changed:
                self._changed.notify_all()

    def _log_failure(self, notification: Notification, error: BaseException) -> None:
        """The first, second, fourth, eighth … time: a handler that always raises must not flood the log."""
        count = self._failures
        if count & (count - 1) == 0:
            key = notification.key if isinstance(notification, Deleted) else notification.new.key
            logger.error("handler failed", listener=self.name, key=str(key), failures=count, exc_info=error)
