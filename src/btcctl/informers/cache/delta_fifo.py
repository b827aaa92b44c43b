"""The changes of each key that are not processed yet, in order, between two threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from btcctl.clock import SYSTEM_CLOCK, Clock, ends_at
from btcctl.objects import DELETED, Object, ObjectKey, WatchEvent

ALL = ""  #: the scope of a list of everything
MAX_DELTAS_PER_KEY = 100  #: a consumer that is far behind gets the sum of what happened


class Changes(msgspec.Struct, frozen=True):
    """What happened to some objects: ADDED, MODIFIED and DELETED events, per key oldest first.

    Between two keys no order is promised.
    """

    deltas: dict[ObjectKey, list[WatchEvent]]


class Replaced(msgspec.Struct, frozen=True):
    """The whole collection as listed, or all of it that is in one scope."""

    objects: dict[ObjectKey, Object]
    initial: bool  #: it is the first of its scope
    scope: str = ALL  #: a namespace


class Resync(msgspec.Struct, frozen=True):
    """Tell handlers again of what the store holds."""

    skip: frozenset[ObjectKey]  #: of which there are changes underway anyway


Entry: TypeAlias = Changes | Replaced | Resync


class DeltaFIFO:
    """Deltas by key, with lists and resyncs as single entries between them.

    client-go's DeltaFIFO, but for two changes its own successor made, too: a list or a resync is
    one entry, compared with the store when it is processed; and it is a barrier: what comes later
    is neither merged into nor handed out before what came earlier. All keys changed between two
    barriers are handed out together. Any number of producers; one entry is processed at a time.

    Args:
        clock: Measures the timeout of `pop`.
        scopes: What is listed on its own: namespaces, or everything.
        at_once: What `pop` would be given, for changes that need not wait for it: see `apply`.
    """

    def __init__(
        self,
        clock: Clock = SYSTEM_CLOCK,
        scopes: Iterable[str] = (ALL,),
        *,
        at_once: Callable[[Changes], None] | None = None,
    ) -> None:
        self._clock = clock
        self._at_once = at_once
        self._unprocessed = frozenset(scopes)  #: scopes whose first list was not; changed by the thread that pops
        #: Held while an entry is processed, from before it leaves the queue: its holder has the store for itself.
        self.turn = threading.Lock()
        self._changed = threading.Condition()  # guards everything below: there is something to pop, or no more will be
        self._entries: deque[Entry] = deque()
        self._listed: set[str] = set()
        self._woken = False
        self._closed = False

    def apply(self, *events: WatchEvent) -> None:
        """Note changes: ADDED, MODIFIED and DELETED. Ignored once closed.

        If nothing else is queued or under way, they are processed here: to wake the thread that
        waits in `pop` costs more than most changes do, in time and in latency.
        """
        with self._changed:
            if self._closed:
                return
            newest = self._entries[-1] if self._entries else None
            if not isinstance(newest, Changes):
                newest = Changes({})
                self._entries.append(newest)
            _add(newest.deltas, events)
            if self._at_once is None or len(self._entries) > 1 or not self.turn.acquire(blocking=False):
                self._changed.notify_all()
                return
            self._entries.clear()
        try:
            self._at_once(newest)
        finally:
            self.turn.release()

    def replace(self, objects: Iterable[Object], scope: str = ALL) -> None:
        """Note that `objects` are all there is in `scope`. Ignored once closed."""
        by_key = {obj.key: obj for obj in objects}
        with self._changed:
            self._push(Replaced(by_key, scope not in self._listed, scope))
            self._listed.add(scope)

    def resync(self) -> None:
        """Have the store's content distributed again; one request at a time is kept."""
        with self._changed:
            if not any(isinstance(entry, Resync) for entry in self._entries):
                self._push(Resync(frozenset()))

    def pop(self, process: Callable[[Entry], None], timeout: float | None = None) -> bool:
        """Wait for an entry and pass it to `process`, which may take its time: others are queued meanwhile.

        Args:
            process: Called at most once.
            timeout: Seconds to wait; None waits without limit.

        Returns:
            False once closed. True otherwise, also if it was woken or there was nothing in time.
        """
        self._wait(timeout)
        with self.turn:
            entry = self._take()
            if entry is not None:
                process(entry)
                if isinstance(entry, Replaced):
                    self._unprocessed -= {entry.scope}
        return not self._closed

    def wake(self) -> None:
        """Make the `pop` under way, or else the next, return without waiting."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Drop everything, take nothing more, and wake the thread that waits in `pop`. Idempotent."""
        with self._changed:
            self._closed = True
            self._entries.clear()
            self._changed.notify_all()

    def is_drained(self) -> bool:
        """Whether everything that was put in has been processed."""
        with self._changed:
            # Who takes an entry out holds the turn from before that until it is processed.
            return not (self._entries or self.turn.locked())

    def has_synced(self) -> bool:
        """Whether the first list of each scope has been processed, to its end."""
        return not self._unprocessed

    def unsynced_scopes(self) -> frozenset[str]:
        """The scopes that are not processed yet."""
        return self._unprocessed

    def __len__(self) -> int:
        """How many keys and other entries are queued."""
        with self._changed:
            return sum(len(entry.deltas) if isinstance(entry, Changes) else 1 for entry in self._entries)

    def _push(self, entry: Entry) -> None:
        if self._closed:
            return
        self._entries.append(entry)
        self._changed.notify_all()

    def _wait(self, timeout: float | None) -> None:
        deadline = None if timeout is None else ends_at(self._clock, timeout)
        with self._changed:
            while not (self._entries or self._woken or self._closed):
                left = None if deadline is None else deadline - self._clock.now()
                if left is not None and left <= 0:
                    break
                self._clock.wait(self._changed, left)
            self._woken = False

    def _take(self) -> Entry | None:
        with self._changed:
            entry = self._entries.popleft() if self._entries else None
            if isinstance(entry, Resync):
                return Resync(frozenset(key for later in self._entries for key in _keys(later)))
            return entry


def _add(queued: dict[ObjectKey, list[WatchEvent]], events: Iterable[WatchEvent]) -> None:
    for event in events:
        key = event.object.key
        deltas = queued.get(key)
        if deltas is None:
            queued[key] = [event]
        elif event.type == DELETED == deltas[-1].type:
            deltas[-1] = event
        else:
            deltas.append(event)
            if len(deltas) > MAX_DELTAS_PER_KEY:
                queued[key] = summed_up(deltas)


def summed_up(deltas: list[WatchEvent]) -> list[WatchEvent]:
    """What `deltas` come to: that what there was is gone, if it was ever deleted, and what is there now."""
    gone = next((each for each in deltas if each.type == DELETED), None)
    last = deltas[-1]
    if gone is None:
        return [last]
    return [gone] if last.type == DELETED else [gone, last]


def _keys(entry: Entry) -> frozenset[ObjectKey]:
    return frozenset(entry.deltas) if isinstance(entry, Changes) else frozenset()
