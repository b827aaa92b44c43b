"""What is remembered of each key: for the logs and for debug pages."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import describe_error
from btcctl.logging import scrub
from btcctl.objects import Object, ObjectKey

_KEYS = 10_000  # of which the last reconcile is remembered

#: Told the stage, what is to be said of it, the key, the object that changed, and the id of the reconcile. Stages:
#: `handler`, said of the informer that told it; `queue`, `reconcile`, and `done`, said what came of it. In the thread
#: that is at work: must be quick, and must not raise.
WorkObserver: TypeAlias = Callable[[str, str, ObjectKey, Object | None, str], None]


class Running(msgspec.Struct, frozen=True):
    """A reconcile that goes on."""

    id: str
    began_at: float  #: monotonic seconds
    thread: int  #: as `threading.get_ident` has it


class Ended(msgspec.Struct, frozen=True):
    """The last reconcile of a key that ended."""

    id: str
    ended_at: float  #: monotonic seconds
    seconds: float
    result: str  #: one of `btcctl.controller.metrics.RESULTS`
    error: str = ""  #: type and message, without secrets


class Journal:
    """Gives each reconcile an id: all changes that lead to one reconcile share its id. Thread-safe.

    Args:
        name: The controller's; its reconciles are called that, a dash and a number.
        clock: What durations are measured with.
    """

    def __init__(self, name: str, clock: Clock = SYSTEM_CLOCK) -> None:
        self._name = name
        self._clock = clock
        self.observer: WorkObserver | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # guards the three below
        self._coming: dict[ObjectKey, str] = {}
        self._running: dict[ObjectKey, Running] = {}
        self._ended: dict[ObjectKey, Ended] = {}  # the last that ended last

    def change(self, key: ObjectKey) -> str:
        """There is a reason to reconcile `key`, something that happened or a failure; returns that reconcile's id."""
        with self._lock:
            return self._coming.get(key) or self._coming.setdefault(key, self._next_id())

    def begin(self, key: ObjectKey) -> str:
        """The calling thread reconciles `key` now; returns the id. What happens from now on leads to another."""
        with self._lock:
            id_ = self._coming.pop(key, None) or self._next_id()
            self._running[key] = Running(id_, self._clock.now(), threading.get_ident())
        if self.observer is not None:
            self.observer("reconcile", "", key, None, id_)
        return id_

    def end(self, key: ObjectKey, result: str, error: BaseException | None = None) -> None:
        """It has ended."""
        text = "" if error is None else str(scrub(describe_error(error)))
        with self._lock:
            running = self._running.pop(key)
            now = self._clock.now()
            self._ended.pop(key, None)
            self._ended[key] = Ended(running.id, now, now - running.began_at, result, text)
            if len(self._ended) > _KEYS:
                del self._ended[next(iter(self._ended))]
        if self.observer is not None:
            self.observer("done", f"{result}: {text}" if text else result, key, None, running.id)

    def running(self) -> dict[ObjectKey, Running]:
        """What is being reconciled."""
        with self._lock:
            return dict(self._running)

    def last(self, key: ObjectKey) -> Ended | None:
        """The last reconcile of `key` that ended, None if there was none or it is forgotten."""
        with self._lock:
            return self._ended.get(key)

    def _next_id(self) -> str:
        return f"{self._name}-{next(self._numbers)}"
