"""Runs a reconcile function for every key that changed, on N workers."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable
from functools import partial
from logging import DEBUG
from typing import TYPE_CHECKING, Any, Self

from msgspec.structs import replace

from btcctl.clock import SYSTEM_CLOCK, Clock, seconds_of
from btcctl.controller.builder import ControllerBuilder, Informer
from btcctl.controller.keys.gates import Gates
from btcctl.controller.keys.handlers import KeysOf, own_key
from btcctl.controller.keys.predicates import Predicate
from btcctl.controller.keys.sources import KeyHandler, wait_for_sources
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.draining import finish_work
from btcctl.controller.reconciling.journal import Journal, WorkObserver
from btcctl.controller.reconciling.processing import Reconcile
from btcctl.controller.reconciling.working import Workers, observers_for, processor_for
from btcctl.errors import CacheSyncError, describe_error
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.typed import TypedInformer, cache_of
from btcctl.logging import get_logger
from btcctl.mistakes import check_is
from btcctl.names import check_name
from btcctl.objects import Object, ObjectKey
from btcctl.threads import Latch, Runner, Stop
from btcctl.typed.kinds import AnyKind, type_of
from btcctl.workqueue.queue import ShutDown
from btcctl.workqueue.rate_limited import RateLimitingQueue
from btcctl.workqueue.rate_limiters import RateLimiter

if TYPE_CHECKING:
    from btcctl.metrics import Metrics

logger = get_logger(__name__)

_JOIN_SECONDS = 2.0  # for threads that have nothing left to do


class Controller:
    """Level-triggered: a reconcile is told which object to look at, never what happened.

    The reconcile is called for one key by at most one worker at a time. It returns a Result,
    or raises: TerminalError rests until the object changes, everything else is tried again
    with back-off, not before the error's `retry_after` seconds if it has some (600 at most). It
    sees in the watched caches what it wrote itself the last time. It may bind more to its log
    lines with `structlog.contextvars.bind_contextvars`. Runs once: a stopped one stays stopped.

    Args:
        name: Names threads, logs and metrics; unique in the process.
        reconcile: Brings the world closer to what the object asks for: a function, or a coroutine function. Those of
            one controller run in one event loop.
        workers: How many reconciles run at once; instead of `options.workers`.
        clock: What delays and durations are measured with.
        rate_limiter: How long a key that failed waits; by default 5 ms doubling to 1000 s.
        metrics: Where to count; None counts nothing.
        options: How to work.

    Attributes:
        queue: The keys that need a reconcile.
        died: Set once a started controller has ended before its time.

    Raises:
        TypeError: `reconcile` cannot be called.
        ValueError: The name is no qualified name (`btcctl.names`), as its events need it.
    """

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        workers: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rate_limiter: RateLimiter[ObjectKey] | None = None,
        metrics: Metrics | None = None,
        options: ControllerOptions = ControllerOptions(),
    ) -> None:
        check_name(name, "a controller")
        check_is("options", options, ControllerOptions, "ControllerOptions(workers=4)")
        options = options if workers is None else replace(options, workers=workers)
        self.name = name
        self.died = Latch(clock)
        of_queue, counted = observers_for(metrics, name, options.workers, self.waiting_in_clusters)
        self.queue: RateLimitingQueue[ObjectKey] = RateLimitingQueue(
            clock, name, rate_limiter=rate_limiter, observer=of_queue
        )
        # A copy that waits for its Lease gathers keys: they are not its backlog.
        self._begin_work: Callable[[], object] = dict if of_queue is None else of_queue.idle_until_called()
        self._options = options
        self._clock = clock
        self._processor = processor_for(name, reconcile, self.queue, clock=clock, metrics=counted, options=options)
        self._gates = Gates()
        self._observer: WorkObserver | None = None
        self._noted: dict[ObjectKey, str] = {}  # of keys on their way into the queue; each step on it is atomic
        self._lock = threading.Lock()  # guards everything below
        self._runner: Runner | None = None
        self._has_begun = False
        self._is_stopped = False
        self._drain_seconds = 10.0
        self._cause = ""  # of its death: the first that is known
        self._unraised: BaseException | None = None

    @classmethod
    def for_(
        cls,
        type_: AnyKind,
        predicate: Predicate | None = None,
        *,
        informer: Informer | None = None,
    ) -> ControllerBuilder[Self]:
        """Begin to build a controller that reconciles objects of `type_`.

            Controller.for_(FOOS).owns(DEPLOYMENTS).build("foos", reconcile, factory)

        Args:
            predicate: Drops the changes of these objects for which it is false.
            informer: Of these objects, or a typed view of it, instead of the factory's of all.
        """
        return ControllerBuilder(cls, type_, predicate, informer)

    def watch(
        self,
        informer: SharedInformer | TypedInformer[Any],
        keys_of: KeysOf = own_key,
        predicate: Predicate | None = None,
        *,
        type_: AnyKind | None = None,
    ) -> None:
        """Reconcile what `informer`'s objects map to, whenever one changes. Before `start`.

        Args:
            informer: Or a typed view of it; need not be started yet.
            keys_of: Which keys an object concerns.
            predicate: Drops the changes for which it is false.
            type_: What the informer holds, if the next reconcile is to see in it what the last
                one wrote.

        Raises:
            RuntimeError: The controller was started: its workers do not wait for a further cache.
        """
        informer = cache_of(informer)
        with self._lock:
            if self._has_begun:
                raise RuntimeError(f"controller {self.name} was started already: watch {informer.name} before that")
        background = self.queue.add_background if self._options.background else self.queue.add
        note, witness = self._noting(informer.name), None
        if type_ is not None:
            self._processor.own_writes.watch(type_of(type_), informer)
            witness = partial(self._processor.own_writes.witness, type_of(type_))
        handler = KeyHandler(self.queue.add, keys_of, predicate, add_background=background, note=note)
        self._gates.watch(informer, handler, witness)
        self._processor.share_among(self._gates.clusters())

    def enqueue(self, key: ObjectKey) -> None:
        """Reconcile `key` for a reason that no cache knows of, such as a call from outside of the cluster.

        From any thread, at any time: it waits for the caches, and of several clusters for those of its own, as keys of
        changes do. Once the controller is stopped it is ignored.

        Raises:
            TypeError: It is no ObjectKey.
            ValueError: It is in none of the watched clusters.
        """
        check_is("what is enqueued", key, ObjectKey, "ObjectKey(namespace, name)")
        if key.cluster not in (clusters := self._gates.clusters() or [key.cluster]):
            raise ValueError(f"{key} is in none of the clusters that {self.name} watches: {', '.join(clusters)}")
        self._gates.enqueue(key, self.queue.add)

    @property
    def journal(self) -> Journal:
        """What became of each key, and what is being reconciled."""
        return self._processor.journal

    def observe(self, observer: WorkObserver) -> None:
        """Have `observer` told of each change that a handler is told of, each key that is about to be added to the
        queue, each reconcile that begins, and each that ends. Before `start`."""
        self._observer = observer
        self.journal.observer = observer
        for handler in self._gates.handlers():
            handler.adding = lambda key: observer("queue", "", key, None, self._noted.pop(key, ""))

    def start(self) -> None:
        """Run in threads of its own. Idempotent.

        Raises:
            RuntimeError: It was stopped.
        """
        with self._lock:
            if self._is_stopped:
                raise RuntimeError(f"controller {self.name} was stopped: to run it again, make a new one")
            if self._runner is not None:
                return
            self._has_begun = True
            runner = self._runner = Runner(self.name, self._run_in_thread, clock=self._clock, on_failure=self._failed)
        runner.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish what is queued and running, then end. Idempotent.

        Args:
            timeout: Seconds; what is still queued then is dropped and logged.

        Raises:
            RuntimeError: Called in one of its own reconciles, for which it would have to wait.
            TimeoutError: A reconcile is still running.
            BaseException: What ended the controller before its time, CacheSyncError for one.
        """
        self.begin_stop(timeout)
        with self._lock:
            runner = self._runner
        if runner is None:
            self._close()
            return
        runner.stop(seconds_of(timeout) + 2 * _JOIN_SECONDS)
        with self._lock:
            error, self._unraised = self._unraised, None
        if error is not None:
            raise error

    def begin_stop(self, timeout: float = 10.0) -> None:
        """What `stop` does, without waiting for it: several controllers stop in the time that one takes.

        Raises:
            RuntimeError: Called in one of its own reconciles.
        """
        self.refuse_in_reconcile("stop")
        with self._lock:
            self._drain_seconds, self._is_stopped = seconds_of(timeout), True
            runner = self._runner
        if runner is not None:
            runner.request_stop()

    def idle(self) -> bool:
        """Whether nothing is queued, due, being reconciled, or held until a cache shows what was written for it."""
        is_holding = self._processor.own_writes.is_holding() and not self.queue.is_shut_down
        return self.queue.idle() and not is_holding and not any(self.waiting_in_clusters().values())

    def waiting_in_clusters(self) -> dict[str, int]:
        """Of each cluster, how many keys wait for its caches, or for others of it: {} if there is but one cluster."""
        return {name: held + self._processor.turns.waiting(name) for name, held in self._gates.held().items()}

    @property
    def healthy(self) -> bool:
        """False once a started controller has ended before its time."""
        return not self.died.is_set()

    def why_dead(self) -> str:
        """What ended it before its time: of a thread its name, and what it ended by; "" if it is healthy."""
        with self._lock:
            return self._cause if self.died.is_set() else ""

    def refuse_in_reconcile(self, what: str) -> None:
        """Raise RuntimeError if the calling thread is just reconciling for this controller."""
        thread = threading.get_ident()
        if any(each.thread == thread for each in self.journal.running().values()):
            raise RuntimeError(
                f"{what} was called in a reconcile of {self.name}, for whose end it would wait: "
                "call it from another thread, or set the Stop that Manager.run was given"
            )

    def run(self, stop: Stop, *, drain_seconds: float | None = None) -> None:
        """Wait for the caches, reconcile until `stop` is set, drain.

        Args:
            stop: Asks to end.
            drain_seconds: How long to wait then for queued and running reconciles; 10 if None.

        Raises:
            CacheSyncError: A cache was not filled in time.
            TimeoutError: A reconcile did not end within `drain_seconds`.
            BaseException: What killed a worker; nothing that a reconcile raises does.
        """
        with self._lock:
            self._has_begun = True
            if drain_seconds is not None:
                self._drain_seconds = drain_seconds
        try:
            timeout = self._options.cache_sync_timeout
            if wait_for_sources(self.name, self._gates.of_home(), stop, timeout=timeout, clock=self._clock):
                self._run_workers(stop)
        finally:
            self._close()

    def _noting(self, informer: str) -> Callable[[ObjectKey, Object | None], None]:
        """Gives the reconcile to come its id, so that the logs lead from what happened to what was done."""
        journal = self._processor.journal

        def note(key: ObjectKey, obj: Object | None) -> None:
            version = None if obj is None else obj.resource_version
            id_ = journal.change(key)
            if self._observer is not None:
                self._noted[key] = id_
                self._observer("handler", informer, key, obj, id_)
            if logger.is_enabled(DEBUG):
                logger.debug(
                    "change", controller=self.name, key=str(key), reconcile_id=id_, of=informer, version=version
                )

        return note

    def _run_in_thread(self, stop: Stop) -> None:
        try:
            self.run(stop)
        except (CacheSyncError, TimeoutError) as error:  # expected: worth a line, no traceback
            with self._lock:
                self._unraised = error
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        self._note_cause(describe_error(error))
        self.died.set()

    def _note_cause(self, cause: str) -> None:
        with self._lock:
            self._cause = self._cause or cause

    def _run_workers(self, stop: Stop) -> None:
        ended = Latch(self._clock)  # asked to stop, or a worker died
        unlink = stop.on_set(ended.set)

        def failed(worker: str, error: BaseException) -> None:
            self._note_cause(f"thread {worker} ended by {describe_error(error)}")
            ended.set()

        count = self._options.workers * max(1, len(self._gates.clusters()))
        workers = Workers(self.name, self._processor, self.queue, self._work, self._options, count, self._clock, failed)
        self._begin_work()
        workers.start()
        logger.info("controller started", controller=self.name, workers=count)
        self._gates.open_all(self.name, ended)
        ended.wait()
        unlink()
        with self._lock:
            drain_seconds = self._drain_seconds if stop.is_set() else 0.0
        self._processor.turns.end()
        if unfinished := finish_work(self.queue, self._processor.calls, drain_seconds, self._clock):
            logger.warning("stopped with work left", controller=self.name, keys=[str(key) for key in unfinished])
        workers.stop(is_unfinished=bool(unfinished))
        logger.info("controller stopped", controller=self.name)

    def _close(self) -> None:
        self.queue.shut_down()
        self._gates.close(_JOIN_SECONDS)

    def process_next(self) -> None:
        """Wait for a key, and do what a worker does with it, in the calling thread: for tests without threads.

        Raises:
            ShutDown: The queue is shut down and nothing is left in it.
        """
        self._begin_work()
        contextvars.copy_context().run(self._process_next)  # what it binds to log lines is none of the caller's

    @property
    def workers(self) -> int:
        """How many reconciles run at once; of several clusters, in each."""
        return self._options.workers

    @property
    def leading(self) -> bool:
        """Whether it works only while this process leads."""
        return self._options.leading

    @property
    def clock(self) -> Clock:
        """What its delays and durations are measured with."""
        return self._clock

    def step(self) -> ObjectKey | None:
        """Do the same, if a key is ready and the watched caches are filled; return the key, or None. For tests."""
        with self._lock:
            self._has_begun = True
        self._gates.open_ready()
        is_ready = len(self.queue) > 0 or self.queue.statistics().next_due_seconds == 0.0
        if not is_ready or self.queue.is_shut_down or not all(each.has_synced() for each in self._gates.of_home()):
            return None
        return contextvars.copy_context().run(self._process_next)

    def _process_next(self) -> ObjectKey:
        key = self.queue.get()
        try:
            self._processor.process(key)
        finally:
            self.queue.done(key)
        return key

    def _work(self, stop: Stop) -> None:
        with contextlib.suppress(ShutDown):
            while True:
                self._process_next()
