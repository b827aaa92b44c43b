"""Keys that need work, each handed to at most one worker at a time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Hashable
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from btcctl.clock import SYSTEM_CLOCK, Clock, bounded, ends_at, seconds_of
from btcctl.workqueue.background import BackgroundLane
from btcctl.workqueue.claim import Claim, Nowhere
from btcctl.workqueue.delayed import DelayedKeys
from btcctl.workqueue.observer import QueueObserver
from btcctl.workqueue.state import KeyState, QueueStatistics

K = TypeVar("K", bound=Hashable)

_NEVER, _MOST_SECONDS = float("inf"), 1e300  # more is for ever; an int may be more than any float
_UNFLUSHED = 1024  # keys after which an observer may sum up what it has noted
_ABSENT: Any = object()  # no key


class ShutDown(Exception):
    """Raised by `get` when the queue is shut down and nothing is left in it."""


class WorkQueue(Generic[K]):
    """Collapses duplicate keys, and can hold a key back until later.

    A key is
        claimed     by the thread that puts it into the queue, until it is done: once at a time;
        processing  from `get` to `done`;
        again       if it was added while it was claimed: `done` claims it anew.

    A key that needs work, or is worked on, or is to be added later, is at every instant in at least one
    of `_claims`, `_again` and `_delayed`: it is put into the next one before it leaves the last.

    `add`, `get` and `done` take no lock, because workers that share one convoy behind the
    interpreter's (several µs per key instead of less than one). They stand on single dict
    operations, each of which is atomic, and on their order: `again` is marked *before* checking
    whether the key is still claimed, and a claim is given up *before* looking for a mark. So one
    of two that race sees the other, and no add is lost. Only one of two that claim a key gets it,
    so none is in the queue twice; and only one of two that see a mark can take it away, so an add
    counts once. A `get` takes it away, too: the run begins after the add.

    The order needs no interpreter lock, nor a processor that keeps stores and loads in order: a dict's
    own lock, which each change takes, is enough. Who gives up changes `_claims`, and looks for a mark
    after that; who marks takes the lock of `_claims`, too, by a pop of what is not there, before looking
    for the claim. If the pop comes first, so did the mark, and it is seen; otherwise the claim is seen to
    be gone. For a worker that is about to wait the lock of the ready keys does the same: `_worker_waiting`
    is set before it looks there, and read after a key was put there.

    A worker that finds nothing waits on a condition until the next delayed key is due; there is
    no thread for delays. A thread that puts a key in wakes a worker, which wakes the next if there is more.

    Args:
        clock: What delays are measured with.
        name: Names the queue in metrics and logs.
        observer: Told of every change; None costs nothing.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, name: str = "", *, observer: QueueObserver | None = None) -> None:
        self.name = name
        self._clock = clock
        self._now = clock.now
        self._observer = observer
        self._claims: dict[K, Claim] = {}
        self._processing: dict[K, float] = {}  # since when
        self._again: dict[K, float] = {}  # since when
        self._ready: SimpleQueue[K] = SimpleQueue()
        self._background: BackgroundLane[K] = BackgroundLane()
        self._background_keys = self._background.waiting
        self._next_number = itertools.count().__next__  # of what an observer was told
        self._last_mark_taken: object = None  # another one each time that a mark is about to go
        self._due_at = _NEVER  # of the first delayed key
        self._has_delayed = False
        self._worker_waiting = False  # that has not been woken yet
        self._is_shut_down = False
        # Guards everything below. Re-entrant, because a worker that waits puts in what is due.
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)  # there is something to get, or an earlier time to wake at
        self._settled = threading.Condition(self._lock)  # a drain may be over
        self._delayed: DelayedKeys[K] = DelayedKeys()
        self._waiting = 0  # workers
        self._is_draining = False
        self._is_over = False  # nothing is handed out any more
        self._retries = 0
        self._unknown_done = 0
        if observer is not None:
            observer.watch(self)

    def __len__(self) -> int:
        """How many keys are ready to be handed out."""
        return self._ready.qsize() + len(self._background_keys)

    @property
    def is_shut_down(self) -> bool:
        """Whether nothing is accepted any more."""
        return self._is_shut_down

    @property
    def unknown_done(self) -> int:
        """How often `done` was called for a key that was not being processed."""
        return self._unknown_done

    def add(self, key: K) -> None:
        """Mark `key` as needing work. Ignored after `shut_down`."""
        if self._is_shut_down:
            return
        claim = Claim(self._now())
        if self._claims.setdefault(key, claim) is claim:  # as _try_claim, without a call
            self._ready.put(key)
            if self._worker_waiting:
                self._wake()
        elif self._background_keys and self._background.call_away(key):
            self._put(key)
        else:
            self._add_again(key)

    def add_background(self, key: K) -> None:
        """Add `key` behind all that is added otherwise: nothing has happened to it.

        What has waited for 10 s gets every second turn. An `add` of the key calls it to the front.
        """
        if self._is_shut_down:
            return
        if not self._try_claim(key, self._now()):
            self._add_again(key)
            return
        self._background.put(key, self._now())
        if self._worker_waiting:
            self._wake()

    def add_after(self, key: K, seconds: float, *, background: bool = False) -> None:
        """Add `key` once `seconds` have passed, at once if that is no time. Of two times for one key, the earlier wins.

        With `background` it is added as by `add_background`, unless it is delayed without it as well.

        Raises:
            TypeError, ValueError: `seconds` is no number, NaN or infinite: the key would wait for ever.
        """
        if not (seconds := seconds_of(seconds)) <= _MOST_SECONDS:
            raise ValueError(f"cannot add {key} after {seconds} s: must be a finite number of seconds")
        with self._lock:
            if self._is_shut_down:
                return
            self._retries += 1
            if seconds > 0:
                self._delayed.add(key, self._now() + seconds, background=background)
                self._look_at_delayed()
                return
        (self.add_background if background else self.add)(key)

    def cancel_delay(self, key: K) -> None:
        """Take back every `add_after` of `key` whose time has not come. What is queued already stays queued."""
        with self._lock:
            self._delayed.discard(key)
            self._look_at_delayed()

    def get(self) -> K:
        """Block until a key is ready. The caller must pass it to `done`.

        Raises:
            ShutDown: The queue is shut down and nothing is left in it.
        """
        if self._has_delayed:
            self._add_due()
        try:
            key = self._next() if self._background_keys else self._ready.get_nowait()
        except Empty:
            key = self._wait()
        now = self._processing[key] = self._now()
        if self._again:
            self._take_mark(key)
        if self._observer is not None:
            self._observer.waited(now - self._claims[key].since)
            if self._next_number() % _UNFLUSHED == 0:
                self._observer.flush()
        return key

    def done(self, key: K) -> None:
        """Finish `key`; it is queued again if it was added meanwhile.

        A key that is not being processed is left alone, and counted in `unknown_done`.
        """
        taken_at = self._processing.pop(key, None)
        if taken_at is None:
            with self._lock:
                self._unknown_done += 1
            return
        if self._observer is not None:
            self._observer.worked(self._now() - taken_at)
        del self._claims[key]
        if self._again:
            self._redo(key)
        if self._is_draining:
            self._end_if_settled()

    def shut_down(self) -> None:
        """Accept nothing new, drop what is delayed. Workers get what is queued, then ShutDown."""
        with self._lock:
            self._is_shut_down = True
            self._delayed.clear()
            self._look_at_delayed()
            self._work.notify_all()

    def drain(self, timeout: float) -> list[K]:
        """Shut down, and wait until every queued and every processed key is done, or `timeout` seconds are over.

        Meanwhile a worker that finds nothing waits for what others may still have to do again.

        Returns:
            The keys that were not done in time, those being processed first; [] if all were.
        """
        bounded(timeout)
        self.begin_drain()
        self.wait_drained(timeout)
        with self._lock:
            unfinished = self._unfinished()
            self._end()
            return unfinished

    def begin_drain(self) -> None:
        """Begin what `drain` waits for: accept nothing new, drop what is delayed, hand out the rest. Idempotent."""
        with self._lock:
            self._is_draining = True
            self.shut_down()
            self._end_if_settled()

    def wait_drained(self, timeout: float) -> bool:
        """Wait, once a drain has begun, until all is done; return whether it is."""
        deadline = ends_at(self._clock, timeout)
        with self._lock:
            while not self._is_over and (left := deadline - self._now()) > 0:
                self._clock.wait(self._settled, left)
            return self._is_over

    def idle(self) -> bool:
        """Whether nothing is queued, being processed or due; what is due later does not count."""
        with self._lock:
            if self._is_over:
                return not self._processing
            return self._due_at > self._now() and self._is_settled()

    def statistics(self) -> QueueStatistics:
        """What there is, at some instant."""
        with self._lock:  # or a delayed key that is just being added would count twice
            now = self._now()
            running = [now - taken_at for taken_at in self._processing.copy().values()]
            due_at = self._due_at
            return QueueStatistics(
                depth=len(self._dirty()),
                delayed=len(self._delayed),
                next_due_seconds=None if due_at == _NEVER else max(0.0, due_at - now),
                running_seconds=tuple(running),
                retries=self._retries,
                unknown_done=self._unknown_done,
            )

    def state_of(self, key: K) -> KeyState:
        """Where `key` is, at some instant."""
        with self._lock:
            now = self._now()
            due_at = self._delayed.ready_at(key)
            taken_at = self._processing.get(key)
            return KeyState(
                is_dirty=key in self._again or (key in self._claims and taken_at is None),
                running_seconds=None if taken_at is None else now - taken_at,
                due_seconds=None if due_at is None else max(0.0, due_at - now),
            )

    def keys(self) -> list[K]:
        """Every key that is queued, being processed or delayed, at some instant."""
        with self._lock:
            return list(dict.fromkeys([*self._processing.copy(), *self._dirty(), *self._delayed.keys()]))

    def _try_claim(self, key: K, since: float) -> bool:
        claim = Claim(since)
        return self._claims.setdefault(key, claim) is claim

    def _take_mark(self, key: K) -> float | None:
        """Take the mark of `key` away, if it has one, and say since when it had."""
        self._last_mark_taken = object()  # before it goes: for `_is_settled`
        return self._again.pop(key, None)

    def _add_again(self, key: K) -> None:
        """Another thread has the claim, or had it a moment ago."""
        self._again.setdefault(key, self._now())
        self._claims.pop(_ABSENT, None)  # for its lock, between the mark and the look: see above
        if key not in self._claims:
            self._redo(key)

    def _redo(self, key: K) -> None:
        """Queue `key` if it is marked and not claimed: a thread that claims it looks for the mark itself."""
        while key in self._again and self._try_claim(key, self._now()):
            since = self._take_mark(key)
            if since is not None:
                self._claims[key].since = since
                self._put(key)
                return
            del self._claims[key]

    def _dirty(self) -> list[K]:
        """What needs work and no worker has taken up, at about one instant."""
        processing, again = self._processing.copy(), self._again.copy()
        return [key for key in {**self._claims.copy(), **again} if key not in processing or key in again]

    def _put(self, key: K) -> None:
        self._ready.put(key)
        if self._worker_waiting:
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            self._worker_waiting = False
            self._work.notify()

    def _next(self) -> K:
        """Changes go first, mostly."""
        if not self._background.take_turn(self._now()):
            try:
                return self._ready.get_nowait()
            except Empty:
                pass
        key = self._background.take()
        return self._ready.get_nowait() if key is None else key

    def _wait(self) -> K:
        with self._lock:
            self._waiting += 1
            try:
                while True:
                    self._worker_waiting = True  # before looking: who puts a key in after that sees it
                    self._add_due()
                    try:
                        return self._next()
                    except Empty:
                        self._raise_if_shut_down()
                    self._clock.wait(self._work, None if self._due_at == _NEVER else self._due_at - self._now())
            finally:
                self._waiting -= 1
                self._worker_waiting = self._waiting > 0
                if self._worker_waiting and len(self):
                    self._work.notify()

    def _raise_if_shut_down(self) -> None:
        if self._is_draining:
            self._end_if_settled()
        if self._is_over or (self._is_shut_down and not self._is_draining):
            raise ShutDown

    def _add_due(self) -> None:
        """Add what is due. It leaves the delayed keys only then: at no moment is it nowhere."""
        if self._due_at > self._now():
            return
        with self._lock:
            for key in self._delayed.ready(self._now()):
                add = self.add_background if self._delayed.is_for_background(key) else self.add
                add(key)
                self._delayed.remove(key)
            self._look_at_delayed()

    def _look_at_delayed(self) -> None:
        """Under the lock, after each change. No waiting worker may sleep past the earliest key."""
        next_at = self._delayed.next_ready_at()
        is_earlier = next_at is not None and next_at < self._due_at
        self._due_at = _NEVER if next_at is None else next_at
        self._has_delayed = next_at is not None
        if is_earlier:
            self._work.notify_all()

    def _is_settled(self) -> bool:
        """Nothing queued, nothing processed.

        A key that is not claimed may still be marked, and claimed again before we see that. But then
        its mark has been taken away meanwhile, and that shows. Copies, because they take the dicts' locks.
        """
        last_mark_taken = self._last_mark_taken
        if self._claims:  # mostly: and cheap
            return False
        return not self._claims.copy() and not self._again.copy() and self._last_mark_taken is last_mark_taken

    def _end_if_settled(self) -> None:
        with self._lock:
            if self._is_draining and not self._is_over and self._is_settled():
                self._end()

    def _unfinished(self) -> list[K]:
        queued = () if self._is_over else (*self._claims.copy(), *self._again.copy())
        return list(dict.fromkeys([*self._processing.copy(), *queued]))

    def _end(self) -> None:
        """Hand out nothing any more, not even what another thread is just putting in."""
        self._is_over = True
        self._ready = Nowhere()
        self._background.clear()
        self._settled.notify_all()
        self._work.notify_all()
