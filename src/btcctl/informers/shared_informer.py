"""One cache of one collection, and any number of handlers that are told of its changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, islice
from types import TracebackType
from typing import Self

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError, CacheSyncError
from btcctl.informers.changes import News, apply_entry, is_sync, replay
from btcctl.informers.delta_fifo import DeltaFIFO, Entry, Replaced, Resync
from btcctl.informers.indexer import Indexer, IndexFunc
from btcctl.informers.list_watch import ListerWatcher
from btcctl.informers.listener import Listener, ListenerStatistics
from btcctl.informers.lister import Lister
from btcctl.informers.notifications import EventHandler
from btcctl.informers.recovery import RELIST_BACKOFF
from btcctl.informers.reflector import Reflector, ReflectorStatistics
from btcctl.informers.registration import NEVER, Registration
from btcctl.objects import Object
from btcctl.threads import Runner, Stop

_BATCH = 500  # news handed to listeners at once


@dataclass(frozen=True, slots=True)
class InformerStatistics:
    """What an informer holds and has done so far."""

    reflector: ReflectorStatistics
    objects: int
    queued: int  #: keys and lists that are not in the store yet
    quarantined: int  #: objects that an index could not take
    handlers: tuple[ListenerStatistics, ...]


class SharedInformer:
    """Keeps a cache equal to a collection of the API server, and tells handlers of each change.

    The cache changes first, then handlers are told. Each handler has a thread of its own; one that
    is slow or raises holds up nobody else. Runs once: it cannot be started again after `stop`.

    Args:
        source: The collection.
        name: Names the collection in logs and threads.
        resync_seconds: How often handlers are told again of everything in the cache, ± 10 %, if
            they do not say otherwise; 0 is never. Costs the API server nothing.
        indexers: Indices to begin with, by name.
        clock: Measures everything.
        backoff: Delays after failed lists and watches.
    """

    def __init__(
        self,
        source: ListerWatcher,
        *,
        name: str,
        resync_seconds: float = 0.0,
        indexers: Mapping[str, IndexFunc] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        backoff: ExponentialBackoff = RELIST_BACKOFF,
    ) -> None:
        self.name = name
        self._resync_seconds = _checked(resync_seconds)
        self._clock = clock
        self._fifo = DeltaFIFO(clock)
        self._indexer = Indexer(name, indexers)
        self.lister = Lister(self._indexer)
        self._reflector = Reflector(name, source, self._fifo, clock=clock, backoff=backoff)
        self._runners = [
            Runner(f"reflector-{name}", self._reflector.run, clock=clock, on_failure=self._died),
            Runner(f"informer-{name}", self.run, clock=clock, on_failure=self._died),
        ]
        # Only the informer's thread changes these two.
        self._attached: tuple[Registration, ...] = ()
        self._sync_announced = False

        self._changed = threading.Condition()  # guards everything below
        self._numbers = count(1)
        self._registrations: list[Registration] = []
        self._newcomers: list[Registration] = []
        self._started = False
        self._stopped = False
        self._death: CacheSyncError | None = None

    def add_handler(self, handler: EventHandler, *, resync_seconds: float | None = None) -> Registration:
        """Tell `handler` of everything in the cache, then of each change: no gap, no duplicate.

        Args:
            handler: Whom to tell. Also from another handler, and at any time before `stop`.
            resync_seconds: How often to tell it again of everything in the cache; 0 is never,
                None as the informer does. A handler that resyncs is also told of objects that a
                relist found unchanged.

        Raises:
            RuntimeError: The informer is stopped.
        """
        resync = self._resync_seconds if resync_seconds is None else _checked(resync_seconds)
        with self._changed:
            if self._stopped:
                raise RuntimeError(f"informer {self.name} is stopped")
            listener = Listener(f"listener-{self.name}-{next(self._numbers)}", handler, clock=self._clock)
            registration = Registration(listener, resync, self._clock, self._forget)
            self._registrations = [*self._registrations, registration]
            self._newcomers.append(registration)
            if self._started:
                registration.start()
        self._fifo.wake()
        return registration

    def add_index(self, name: str, index: Callable[[Object], Iterable[str]]) -> None:
        """Index the cache, whatever it holds already. An object for which `index` raises is left out.

        Raises:
            ValueError: Another index has that name.
        """
        self._indexer.add_index(name, index)

    def has_synced(self) -> bool:
        """Whether the cache holds the first list."""
        return self._fifo.has_synced()

    @property
    def last_error(self) -> BtcctlError | None:
        """Why the last list or watch failed, None when healthy."""
        return self._death or self._reflector.last_error

    def wait_for_sync(self, timeout: float) -> bool:
        """Wait until `has_synced`, at most `timeout` seconds, or until stopped; return `has_synced`."""
        deadline = self._clock.now() + timeout
        with self._changed:
            while not (self.has_synced() or self._stopped or self._death):
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
        return self.has_synced()

    def why_unsynced(self) -> str:
        """For a message: what was tried last and what came of it."""
        if self._death is not None:
            return str(self._death)
        if not self._started:
            return "not started"
        error = self._reflector.last_error
        return f"{self._reflector.action}: {error or 'no answer yet'}"

    def statistics(self) -> InformerStatistics:
        with self._changed:
            registrations = [each for each in self._registrations if not each.listener.closed]
        return InformerStatistics(
            reflector=self._reflector.statistics(),
            objects=len(self._indexer),
            queued=len(self._fifo),
            quarantined=self._indexer.quarantined(),
            handlers=tuple(each.listener.statistics() for each in registrations),
        )

    def start(self) -> None:
        """Begin to list, watch and tell handlers. Idempotent.

        Raises:
            RuntimeError: The informer is stopped.
        """
        with self._changed:
            if self._stopped:
                raise RuntimeError(f"informer {self.name} is stopped")
            if self._started:
                return
            self._started = True
            for registration in self._registrations:
                registration.start()
            for runner in self._runners:
                runner.start()

    def request_stop(self) -> tuple[Registration, ...]:
        """Ask all threads to end, without waiting for them; returns the handlers' registrations."""
        with self._changed:
            self._stopped = True
            registrations = tuple(self._registrations)
            self._changed.notify_all()
        for each in registrations:
            each.listener.close()
        for runner in self._runners:
            runner.request_stop()
        return registrations

    def stop(self, timeout: float = 10.0) -> None:
        """Break off whatever is under way, and end all threads. Idempotent.

        What handlers were not told yet they are not told. Called from a handler, it does not wait
        for that handler's own thread.

        Args:
            timeout: Seconds to wait in all.

        Raises:
            TimeoutError: A handler is still busy.
            BaseException: What killed a thread, if something did.
        """
        deadline = self._clock.now() + timeout
        registrations = self.request_stop()
        with ExitStack() as stack:  # one that fails does not keep the others from being waited for
            for registration in registrations:
                stack.callback(self._stop_by, deadline, registration)
            for runner in reversed(self._runners):
                stack.callback(self._stop_by, deadline, runner)

    def run(self, stop: Stop) -> None:
        """Move what the reflector queues into the cache and to the handlers, until `stop` is set. Blocks."""
        forget = stop.on_set(self._fifo.close)
        try:
            self._attach_newcomers()
            while self._fifo.pop(self._process, self._until_resync()):
                self._announce_sync()
                self._attach_newcomers()
                self._resync_if_due()
        finally:
            forget()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _process(self, entry: Entry) -> None:
        if isinstance(entry, Resync):
            self._resync(entry)
            return
        for batch in _batches(apply_entry(self._indexer, entry)):
            self._tell(batch)
        if isinstance(entry, Replaced) and entry.initial:
            for each in self._attached:
                each.listener.complete_initial_list()

    def _tell(self, batch: list[News]) -> None:
        changes = [each for each in batch if not is_sync(each[1])]
        for each in self._attached:
            each.listener.add(batch if each.resync_seconds else changes)

    def _announce_sync(self) -> None:
        if self._sync_announced or not self._fifo.has_synced():
            return
        self._sync_announced = True
        with self._changed:
            self._changed.notify_all()

    def _attach_newcomers(self) -> None:
        """Between two entries the cache stands still, so what is replayed here has no gap and no duplicate."""
        with self._changed:
            newcomers, self._newcomers = self._newcomers, []
        for each in newcomers:
            each.listener.add(replay(self._indexer))
            if self._fifo.has_synced():
                each.listener.complete_initial_list()
            each.rearm()
        self._attached = tuple(each for each in (*self._attached, *newcomers) if not each.listener.closed)

    def _until_resync(self) -> float | None:
        due_at = min((each.resync_at for each in self._attached), default=NEVER)
        return None if due_at == NEVER else due_at - self._clock.now()

    def _resync_if_due(self) -> None:
        due = self._due()
        if due and self._fifo.has_synced():
            self._fifo.resync()
            return
        for each in due:
            each.rearm()

    def _resync(self, entry: Resync) -> None:
        due = self._due()
        for batch in _batches(apply_entry(self._indexer, entry)):
            for each in due:
                each.listener.add(batch)
        for each in due:
            each.rearm()

    def _due(self) -> list[Registration]:
        now = self._clock.now()
        return [each for each in self._attached if each.resync_at <= now]

    def _forget(self, registration: Registration) -> None:
        with self._changed:
            # A handler that removes itself is still running: `stop` must wait for it, too.
            self._registrations = [each for each in self._registrations if not each.listener.closed or each.is_alive()]
            self._newcomers = [each for each in self._newcomers if each is not registration]
        self._fifo.wake()

    def _stop_by(self, deadline: float, thread: Runner | Registration) -> None:
        thread.stop(max(0.0, deadline - self._clock.now()))

    def _died(self, error: BaseException) -> None:
        with self._changed:
            self._death = CacheSyncError(f"informer {self.name} died: {error!r}")
            self._changed.notify_all()
        for runner in self._runners:
            runner.request_stop()


def _checked(resync_seconds: float) -> float:
    if resync_seconds < 0:
        raise ValueError(f"resync_seconds is {resync_seconds}, must be 0 or more")
    return resync_seconds


def _batches(news: Iterator[News]) -> Iterator[list[News]]:
    while batch := list(islice(news, _BATCH)):
        yield batch
