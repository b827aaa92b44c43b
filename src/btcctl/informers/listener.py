"""Tells one handler, in a thread of its own, and remembers for it what it has not been told yet."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import structlog

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.informers.notifications import Added, Deleted, EventHandler, Notification, Updated, tell
from btcctl.objects import ObjectKey
from btcctl.threads import Stop

logger = structlog.get_logger(__name__)


class Recreated(NamedTuple):
    """A key's object is gone, and another one is there."""

    deleted: Deleted
    added: Added


Pending: TypeAlias = Added | Updated | Deleted | Recreated


def merge(pending: Pending, news: Notification) -> Pending | None:
    """What to tell of a key when `news` come before `pending` was told; None is nothing at all."""
    if isinstance(news, Deleted):
        return _merge_deletion(pending, news)
    if isinstance(pending, Added):
        return Added(news.new, pending.in_initial_list)
    if isinstance(pending, Updated):
        return Updated(pending.old, news.new)
    deleted = pending.deleted if isinstance(pending, Recreated) else pending
    return Recreated(deleted, Added(news.new, in_initial_list=False))


def _merge_deletion(pending: Pending, news: Deleted) -> Pending | None:
    if isinstance(pending, Added):
        return None
    if isinstance(pending, Updated):
        return news
    return pending.deleted if isinstance(pending, Recreated) else pending


class PendingNotifications:
    """What a handler is to be told, at most one entry per key, in the order in which keys changed first.

    It holds no more keys than are alive, plus those the handler knows and was not yet told to be
    deleted. Not thread-safe: the owner holds its own lock.
    """

    def __init__(self) -> None:
        self._pending: OrderedDict[ObjectKey, Pending] = OrderedDict()
        self.initial = 0  #: how many of them belong to the initial list

    def add(self, key: ObjectKey, news: Notification) -> None:
        pending = self._pending.get(key)
        after = news if pending is None else merge(pending, news)
        self.initial += _is_initial(after) - _is_initial(pending)
        if after is None:
            del self._pending[key]
        else:
            self._pending[key] = after

    def take(self) -> Notification | None:
        """Remove and return what has waited longest, None if nothing waits."""
        if not self._pending:
            return None
        key, pending = self._pending.popitem(last=False)
        if isinstance(pending, Recreated):
            self._pending[key] = pending.added
            return pending.deleted
        self.initial -= _is_initial(pending)
        return pending

    def clear(self) -> None:
        self._pending.clear()
        self.initial = 0

    def __len__(self) -> int:
        return len(self._pending)


def _is_initial(pending: Pending | None) -> bool:
    return isinstance(pending, Added) and pending.in_initial_list


@dataclass(frozen=True, slots=True)
class ListenerStatistics:
    """What a handler has been told so far."""

    name: str
    pending: int  #: keys
    told: int  #: calls, failed ones included
    failures: int  #: calls that raised


class Listener:
    """Buffers notifications for one handler and calls it. A handler that raises is told the next.

    Args:
        name: Names the handler in logs.
        handler: Whom to tell.
        clock: Waits.
    """

    def __init__(self, name: str, handler: EventHandler, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.name = name
        self._handler = handler
        self._clock = clock
        self._changed = threading.Condition()  # guards everything below
        self._pending = PendingNotifications()
        self._initial_in_hand = False
        self._initial_list_complete = False
        self._closed = False
        # Only the handler's thread changes these two.
        self._told = 0
        self._failures = 0

    def add(self, news: Iterable[tuple[ObjectKey, Notification]]) -> None:
        """Have the handler told, later. Never blocks; ignored once closed."""
        with self._changed:
            if self._closed:
                return
            for key, notification in news:
                self._pending.add(key, notification)
            self._changed.notify_all()

    def complete_initial_list(self) -> None:
        """All that existed when the handler came has been passed to `add`."""
        with self._changed:
            self._initial_list_complete = not self._closed
            self._changed.notify_all()

    def has_synced(self) -> bool:
        """Whether the handler was told all of the initial list, whether it raised or not."""
        with self._changed:
            return self._synced()

    def wait_for_sync(self, timeout: float) -> bool:
        """Wait until `has_synced`, at most `timeout` seconds, or until closed; return `has_synced`."""
        deadline = self._clock.now() + timeout
        with self._changed:
            while not (self._synced() or self._closed):
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
            return self._synced()

    def close(self) -> None:
        """Forget what was not told and let `run` end. Idempotent."""
        with self._changed:
            self._initial_list_complete = self._synced()  # what is forgotten will never be told
            self._closed = True
            self._pending.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def statistics(self) -> ListenerStatistics:
        with self._changed:
            return ListenerStatistics(self.name, len(self._pending), self._told, self._failures)

    def run(self, stop: Stop) -> None:
        """Call the handler until closed or `stop` is set. Blocks."""
        forget = stop.on_set(self.close)
        try:
            while (notification := self._next()) is not None:
                self._tell(notification)
        finally:
            forget()

    def _synced(self) -> bool:
        return self._initial_list_complete and not self._pending.initial and not self._initial_in_hand

    def _next(self) -> Notification | None:
        with self._changed:
            while not (self._pending or self._closed):
                self._clock.wait(self._changed, None)
            notification = self._pending.take()
            self._initial_in_hand = _is_initial(notification)
            return notification

    def _tell(self, notification: Notification) -> None:
        try:
            tell(self._handler, notification)
        except Exception as error:
            self._failures += 1
            self._log_failure(notification, error)
        finally:
            self._told += 1
            if _is_initial(notification):
                self._initial_told()

    def _initial_told(self) -> None:
        with self._changed:
            self._initial_in_hand = False
            self._changed.notify_all()

    def _log_failure(self, notification: Notification, error: Exception) -> None:
        """The first, second, fourth, eighth … time: a handler that always raises must not flood the log."""
        count = self._failures
        if count & (count - 1) == 0:
            key = notification.key if isinstance(notification, Deleted) else notification.new.key
            logger.error("handler failed", listener=self.name, key=str(key), failures=count, exc_info=error)
