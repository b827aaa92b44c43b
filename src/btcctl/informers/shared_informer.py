"""One cache of one collection, and any number of handlers that are notified of its changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import count
from types import TracebackType
from typing import Self

import msgspec

from btcctl.clock import SYSTEM_CLOCK, Clock, check_seconds, ends_at
from btcctl.errors import BtcctlError, CacheSyncError, describe_error
from btcctl.informers.cache.delta_fifo import ALL, Changes, DeltaFIFO, Entry, Resync
from btcctl.informers.cache.indexer import Indexer, IndexFunc
from btcctl.informers.cache.lister import Lister
from btcctl.informers.observing import PathObserver
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.list_watch import ListerWatcher
from btcctl.informers.reflector.statistics import MAX_SILENCE_SECONDS, ReflectorStatistics
from btcctl.informers.reflector.transform import Transform
from btcctl.informers.scoped_reflector import ScopedReflector
from btcctl.informers.sharing.changes import apply_entry, replay
from btcctl.informers.sharing.listener import Listener, ListenerStatistics
from btcctl.informers.sharing.notifications import EventHandler, Witness, check_handler
from btcctl.informers.sharing.processor import SharedProcessor
from btcctl.informers.sharing.registration import Registration
from btcctl.informers.stepper import Stepper
from btcctl.mistakes import check_is, check_plain
from btcctl.objects import Object, is_version_at_least
from btcctl.resources import ResourceType
from btcctl.threads import Latch, Runner, Stop, stop_all


class InformerStatistics(msgspec.Struct, frozen=True):
    """What an informer holds and has done so far."""

    reflectors: tuple[ReflectorStatistics, ...]  #: one for each source
    objects: int
    queued: int  #: keys and lists that are not in the store yet
    quarantined: int  #: objects that the transform or an index could not take
    handlers: tuple[ListenerStatistics, ...]

    @property
    def reflector(self) -> ReflectorStatistics:
        """The only one; of several, the first."""
        return self.reflectors[0]


class SharedInformer:
    """Keeps a cache equal to a collection of the API server, and notifies handlers of each change.

    The cache changes first, then handlers are notified. Each handler has a thread of its own; one that
    is slow or raises does not delay the others. Runs once: it cannot be started again after `stop`.

    Args:
        source: The collection, or of several namespaces each one's part of it.
        name: Names the collection in logs and threads.
        resync_seconds: How often handlers are notified again of everything in the cache, ± 10 %, if
            they do not say otherwise; 0 is never. Costs the API server nothing.
        indexers: Indices to begin with, by name.
        transform: Done to each object, once, before it is cached. An object for which it raises is
            quarantined: what the cache holds of it stays as it was until it changes again.
        clock: Measures everything.
        options: Deadlines and delays of lists and watches.
        cluster: Where the collection is, in a program that looks after several clusters.

    Attributes:
        type: What it holds; None if it was made by hand.
        died: Set once one of its threads has ended before its time: see `why_dead`.
    """

    def __init__(
        self,
        source: ListerWatcher | Mapping[str, ListerWatcher],
        *,
        name: str,
        resync_seconds: float = 0.0,
        indexers: Mapping[str, IndexFunc] | None = None,
        transform: Transform | None = None,
        clock: Clock = SYSTEM_CLOCK,
        options: ReflectorOptions = ReflectorOptions(),
        cluster: str = "",
    ) -> None:
        self.name = name
        self.type: ResourceType | None = None
        self.cluster = cluster
        self.died = Latch(clock)
        if transform is not None:
            check_plain("a transform", transform, "obj")
        check_is("options", options, ReflectorOptions, "ReflectorOptions(poll_seconds=…)")
        self._resync_seconds = check_seconds("resync_seconds", resync_seconds)
        self._clock = clock
        sources = source if isinstance(source, Mapping) else {ALL: source}
        self._indexer = Indexer(name, indexers)
        self._processor = SharedProcessor(clock)  # used by the thread that has the FIFO's turn
        self._fifo = DeltaFIFO(clock, sources, at_once=self._handle_deltas)
        self.lister = Lister(self._indexer, cluster)
        self._reflectors = [
            ScopedReflector(name, each, self._fifo, scope, transform=transform, clock=clock, options=options)
            for scope, each in sources.items()
        ]
        self._runners = [self._runner(f"reflector-{each.name}", each.reflector.run) for each in self._reflectors]
        self._runners.append(self._runner(f"informer-{name}", self.run))
        self._observer: PathObserver | None = None
        self._sync_announced = False  # only the informer's thread uses it

        self._changed = threading.Condition()  # guards everything below
        self._numbers = count(1)
        self._registrations: list[Registration] = []
        self._newcomers: list[Registration] = []
        self._started = False
        self._is_stepped = False
        self._stopped = False
        self._death: CacheSyncError | None = None

    def add_handler(
        self, handler: EventHandler, *, resync_seconds: float | None = None, witness: Witness | None = None
    ) -> Registration:
        """Notify `handler` of everything in the cache, then of each change: no gap, no duplicate.

        Args:
            handler: What to notify. May be added by another handler, and at any time before `stop`.
            resync_seconds: How often to notify it again of everything in the cache; 0 is never,
                None as the informer does. A handler that resyncs is also notified of objects that a
                relist found unchanged.
            witness: Shown every change when the cache has just made it, and so also what comes and goes while
                `handler` is busy. In the thread that keeps the cache: it must be quick, and must not raise.

        Raises:
            TypeError: `handler` lacks one of the three methods.
            RuntimeError: The informer is stopped.
        """
        check_handler(handler)
        resync = self._resync_seconds if resync_seconds is None else check_seconds("resync_seconds", resync_seconds)
        with self._changed:
            if self._stopped:
                raise RuntimeError(f"informer {self.name} is stopped")
            listener = Listener(
                f"listener-{self.name}-{next(self._numbers)}", handler, clock=self._clock, witness=witness
            )
            registration = Registration(listener, resync, self._clock, self._forget, partial(self._died, listener.name))
            self._registrations = [*self._registrations, registration]
            self._newcomers.append(registration)
            if self._started and not self._is_stepped:
                registration.start()
        self._fifo.wake()
        return registration

    def add_index(self, name: str, index: Callable[[Object], Iterable[str]]) -> None:
        """Index the cache, whatever it holds already. An object for which `index` raises is left out.

        Raises:
            ValueError: Another index has that name.
        """
        self._indexer.add_index(name, index)

    def observe(self, observer: PathObserver | None) -> None:
        """Have `observer` told of each change of a watch, at each stage of its way; None: nobody.

        Lists and resyncs are not told of. Costs nothing where nobody observes.
        """
        self._observer = observer
        for each in self._reflectors:
            each.observer = observer

    def has_synced(self) -> bool:
        """Whether the cache holds the first list."""
        return self._fifo.has_synced()

    def has_read(self, version: str, namespace: str = "") -> bool:
        """Whether the cache has taken in all that has happened up to a resourceVersion, as far as it selects it.

        Args:
            version: Of one object of the collection, or of a list of it.
            namespace: Where that is; "" for cluster scope.
        """
        versions = [each.reflector.version for each in self._reflectors if each.scope in {ALL, namespace}]
        return all(is_version_at_least(each, version) for each in versions) and self._fifo.is_drained()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called: what the cache holds stays as it was then."""
        return self._stopped

    @property
    def last_error(self) -> BtcctlError | None:
        """Why the last list or watch failed, None when healthy."""
        errors = (each.reflector.last_error for each in self._reflectors)
        return self._death or next((error for error in errors if error is not None), None)

    def why_dead(self) -> str:
        """Which thread has ended before its time, and by what; "" if none has."""
        return "" if self._death is None else str(self._death)

    def wait_for_sync(self, timeout: float) -> bool:
        """Wait until `has_synced`, at most `timeout` seconds, or until stopped; return `has_synced`."""
        deadline = ends_at(self._clock, timeout)
        with self._changed:
            while not (self.has_synced() or self._stopped or self._death):
                left = deadline - self._clock.now()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
        return self.has_synced()

    def why_unsynced(self) -> str:
        """For a message: what was tried last and what came of it; "" if it has synced."""
        if self._death is not None:
            return str(self._death)
        if self._stopped or not self._started:
            return "stopped" if self._stopped else "not started"
        unsynced = self._fifo.unsynced_scopes()
        return "; ".join(each.why_unsynced() for each in self._reflectors if each.scope in unsynced)

    def why_silent(self, limit: float = MAX_SILENCE_SECONDS) -> str:
        """What is wrong if changes do not come as they should, else "".

        That is the case if the server has not said anything of the collection for `limit` seconds, and at once
        if it refuses watches and means it, lists that are polled instead or not.
        """
        now = self._clock.now()
        return "; ".join(why for each in self._reflectors if (why := each.why_silent(now, limit)))

    def statistics(self) -> InformerStatistics:
        """Counters and sizes of its reflectors, cache and handlers, at this moment."""
        with self._changed:
            registrations = [each for each in self._registrations if not each.listener.closed]
        return InformerStatistics(
            reflectors=tuple(each.reflector.statistics() for each in self._reflectors),
            objects=len(self._indexer),
            queued=len(self._fifo),
            quarantined=sum(len(each.quarantine) for each in self._reflectors) + self._indexer.quarantined(),
            handlers=tuple(each.listener.statistics() for each in registrations),
        )

    def start(self) -> None:
        """Begin to list, watch and notify handlers. Idempotent.

        Raises:
            RuntimeError: The informer is stopped.
        """
        if not self.start_unless_stopped():
            raise RuntimeError(f"informer {self.name} is stopped")

    def start_unless_stopped(self) -> bool:
        """Start it, if that has not been done; False if it is stopped."""
        with self._changed:
            if self._stopped or self._started:
                return not self._stopped
            self._started = True
            for registration in self._registrations:
                registration.start()
            for runner in self._runners:
                runner.start()
            return True

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

        Notifications that handlers have not received yet are dropped. Called from a handler, it does not wait
        for that handler's own thread.

        Args:
            timeout: Seconds to wait in all.

        Raises:
            TimeoutError: A handler is still busy.
            BaseException: What killed a thread, if something did.
        """
        deadline = ends_at(self._clock, timeout)
        registrations = self.request_stop()
        stop_all([*registrations, *reversed(self._runners)], deadline, self._clock)

    def run(self, stop: Stop) -> None:
        """Move what the reflectors queue into the cache and to the handlers, until `stop` is set. Blocks."""
        forget = stop.on_set(self._fifo.close)
        try:
            self._between_entries()
            while self._fifo.pop(self._handle_deltas, self._processor.until_resync()):
                self._between_entries()
        finally:
            forget()

    def stepper(self) -> Stepper:
        """Start without threads: who calls `step` does what they would do. For tests.

        Raises:
            RuntimeError: It was started, or stopped.
        """
        with self._changed:
            if self._started or self._stopped:
                raise RuntimeError(f"informer {self.name} was started or stopped already")
            self._started = self._is_stepped = True
        until_resync = self._processor.until_resync
        return Stepper(self._reflectors, self._step, until_resync, lambda: self._registrations, self._clock)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _step(self) -> bool:
        """Handle what is queued, in the calling thread; return whether anything was."""
        self._between_entries()
        was_queued = not self._fifo.is_drained()
        while not self._fifo.is_drained():
            self._fifo.pop(self._handle_deltas, 0.0)
            self._between_entries()
        return was_queued

    def _handle_deltas(self, entry: Entry) -> None:
        """Change the cache as `entry` says, and have the handlers notified. Holding the FIFO's turn."""
        observer = self._observer
        if observer is None or not isinstance(entry, Changes):
            notifications = apply_entry(self._indexer, entry)
        else:
            events = [event for deltas in entry.deltas.values() for event in deltas]
            observer("fifo", events)
            notifications = apply_entry(self._indexer, entry)
            observer("cache", events)
        if isinstance(entry, Resync):
            self._processor.resync(notifications)
        else:
            self._processor.distribute(notifications)

    def _between_entries(self) -> None:
        with self._fifo.turn:
            self._announce_sync()
            self._attach_newcomers()
            self._resync_if_due()

    def _announce_sync(self) -> None:
        if self._sync_announced or not self._fifo.has_synced():
            return
        self._sync_announced = True
        self._processor.complete_initial_list()
        with self._changed:
            self._changed.notify_all()

    def _attach_newcomers(self) -> None:
        with self._changed:
            newcomers, self._newcomers = self._newcomers, []
        for each in newcomers:  # the cache stands still: what each gets first has neither a gap nor a duplicate
            self._processor.attach(each, replay(self._indexer), synced=self._fifo.has_synced())
        self._processor.drop_closed()

    def _resync_if_due(self) -> None:
        due = self._processor.due()
        if due and self._fifo.has_synced():
            self._fifo.resync()
            return
        for each in due:
            each.rearm()

    def _forget(self, registration: Registration) -> None:
        with self._changed:
            # A handler that removes itself is still running: `stop` must wait for it, too.
            self._registrations = [each for each in self._registrations if not each.listener.closed or each.is_alive()]
            self._newcomers = [each for each in self._newcomers if each is not registration]
        self._fifo.wake()

    def _runner(self, name: str, run: Callable[[Stop], None]) -> Runner:
        return Runner(name, run, clock=self._clock, on_failure=partial(self._died, name))

    def _died(self, thread: str, error: BaseException) -> None:
        with self._changed:
            if self._death is None:
                self._death = CacheSyncError(f"thread {thread} ended by {describe_error(error)}")
            self._changed.notify_all()
        for runner in self._runners:
            runner.request_stop()
        self.died.set()
