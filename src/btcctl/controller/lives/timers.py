"""A function that is called for each object from time to time, as long as the object lives.

It is a reconcile that comes back by itself, so it has all that reconciles have: workers, deadlines, back-off, metrics,
the journal. Changes of an object do not bring it forward; a namesake that comes after it begins anew.
"""

from __future__ import annotations

import inspect
import math
import random
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from btcctl.backoff import check_numbers
from btcctl.clock import Clock, check_seconds
from btcctl.controller.reconciling.result import Result
from btcctl.informers.clusters import ReadsOne
from btcctl.mistakes import check_takes
from btcctl.objects import Object, ObjectKey

#: Called with the key of an object: a function, or a coroutine function.
Timed: TypeAlias = Callable[[ObjectKey], None] | Callable[[ObjectKey], Coroutine[Any, Any, None]]


def is_birth_or_death(old: Object | None, new: Object | None) -> bool:
    """A predicate: an object has come, is being deleted, has gone, or is another than the one of that name before."""
    if old is None or new is None:
        return True
    return old.uid != new.uid or (old.deletion_timestamp is None) != (new.deletion_timestamp is None)


class Timer:
    """Says when an object's next call is due. Thread-safe; of one object one thread asks at a time.

    Args:
        seconds: From the beginning of one call to that of the next.
        jitter: By which part of that each may come sooner or later, so that the calls of many objects spread.
        first_after: Seconds from when the object is first seen to the first call.
        lister: The cache of the objects.
        rng: Makes the jitter.

    Raises:
        TypeError: A duration is no number.
        ValueError: `seconds` is not positive and finite, `jitter` not from 0 up to 1.
    """

    def __init__(
        self,
        seconds: float,
        lister: ReadsOne[Object],
        clock: Clock,
        *,
        jitter: float = 0.1,
        first_after: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        if not 0 < check_seconds("every", seconds) < math.inf:
            raise ValueError(f"every is {seconds} s, must be more than 0, and finite")
        check_numbers("the jitter", jitter)
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter is {jitter}, must be from 0 up to, and without, 1")
        self._seconds = seconds
        self._jitter = jitter
        self._first_after = check_seconds("first_after", first_after)
        self._lister = lister
        self._clock = clock
        self._rng = rng or random.Random()
        self._lock = threading.Lock()  # guards the next one
        self._due: dict[ObjectKey, tuple[str, float]] = {}  # the UID, and the instant

    def until_due(self, key: ObjectKey) -> float | None:
        """Seconds until the object's next call: 0 or less is now; None: it does not live any more."""
        obj = self._lister.get(key)
        now = self._clock.now()
        with self._lock:
            if obj is None or obj.deletion_timestamp is not None:
                self._due.pop(key, None)
                return None
            uid, due = self._due.get(key, ("", 0.0))
            if uid != obj.uid:
                uid, due = self._due[key] = obj.uid, now + self._first_after
            return due - now

    def is_due(self, key: ObjectKey) -> bool:
        """Whether the object's next call is now."""
        left = self.until_due(key)
        return left is not None and left <= 0

    @contextmanager
    def turn(self, key: ObjectKey) -> Iterator[None]:
        """Inside, the call is made; whatever it raises is raised on."""
        self.begin(key)
        try:
            yield
        except BaseException:  # of foreign code, a cancelled coroutine included
            self.failed(key)
            raise

    def begin(self, key: ObjectKey) -> float:
        """A call begins: seconds until the next one."""
        after = self._seconds * (1 + self._jitter * self._rng.uniform(-1, 1))
        with self._lock:
            if key in self._due:
                self._due[key] = (self._due[key][0], self._clock.now() + after)
        return after

    def failed(self, key: ObjectKey) -> None:
        """The call has to be made again as soon as the queue's back-off says."""
        with self._lock:
            if key in self._due:
                self._due[key] = (self._due[key][0], self._clock.now())

    def next(self, key: ObjectKey) -> Result:
        """When to come back after a call."""
        left = self.until_due(key)
        return Result() if left is None else Result(requeue_after=max(0.005, left), background=True)


def timed(function: Timed, timer: Timer) -> Callable[[ObjectKey], Any]:
    """The reconcile of a timer: a coroutine function if `function` is one.

    Raises:
        TypeError: It cannot be called.
    """
    if not callable(function):
        raise TypeError(f"a timer calls a function of a key, not {function!r}")
    check_takes("a timer's function", function, "key")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004  whether that is one
        return _timed_async(function, timer)
    call: Callable[[ObjectKey], Any] = function

    def reconcile(key: ObjectKey) -> Result:
        if timer.is_due(key):
            with timer.turn(key):
                _refuse_coroutine(call(key))
        return timer.next(key)

    return reconcile


def _refuse_coroutine(returned: object) -> None:
    if inspect.iscoroutine(returned):
        returned.close()  # or the interpreter warns that it was never awaited
        raise TypeError(
            "a timer's function returned a coroutine, but is no coroutine function: write it as `async def`"
        )


def _timed_async(function: Callable[[ObjectKey], Any], timer: Timer) -> Callable[[ObjectKey], Any]:
    async def reconcile(key: ObjectKey) -> Result:
        if timer.is_due(key):
            with timer.turn(key):
                await function(key)
        return timer.next(key)

    return reconcile
