"""Runs a reconcile function for every key that changed, on N workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.handlers import KeysOf, own_key
from btcctl.controller.predicates import Predicate
from btcctl.controller.result import Result
from btcctl.controller.sources import Informer, KeyHandler, Source, wait_for_sources
from btcctl.errors import CacheSyncError, TerminalError
from btcctl.objects import ObjectKey
from btcctl.threads import Runner, Stop
from btcctl.workqueue.queue import ShutDown
from btcctl.workqueue.rate_limited import RateLimitingQueue
from btcctl.workqueue.rate_limiters import RateLimiter

if TYPE_CHECKING:
    from btcctl.metrics import Metrics  # a fifth of the start-up time of a program that may not want it

logger = structlog.get_logger(__name__)

Reconcile = Callable[[ObjectKey], Result]

CACHE_SYNC_TIMEOUT_SECONDS = 120.0  # controller-runtime's CacheSyncTimeout
_JOIN_SECONDS = 2.0  # for threads that have nothing left to do
_HANGING_JOIN_SECONDS = 0.1  # for threads that had their time already


class Controller:
    """Level-triggered: a reconcile is told which object to look at, never what happened.

    The reconcile is called for one key by at most one worker at a time. It returns a Result,
    or raises: TerminalError rests until the object changes, everything else is tried again
    with back-off, not before the error's `retry_after` seconds if it has some. It may bind
    more to its log lines with `structlog.contextvars.bind_contextvars`.

    Args:
        name: Names threads, logs and metrics; unique in the process.
        reconcile: Brings the world closer to what the object asks for.
        workers: How many reconciles run at once.
        clock: What delays and durations are measured with.
        rate_limiter: How long a key that failed waits; by default 5 ms doubling to 1000 s.
        cache_sync_timeout: Seconds the watched informers have to fill their caches.
        metrics: Where to count; None counts nothing.

    Attributes:
        queue: The keys that need a reconcile.
        drain_seconds: How long `run` waits for queued and running reconciles when asked to stop.
        on_failure: Called with what ended a started controller before its time.
    """

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        workers: int = 2,
        clock: Clock = SYSTEM_CLOCK,
        rate_limiter: RateLimiter[ObjectKey] | None = None,
        cache_sync_timeout: float = CACHE_SYNC_TIMEOUT_SECONDS,
        metrics: Metrics | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}, must be 1 or more")
        self.name = name
        self.queue: RateLimitingQueue[ObjectKey] = RateLimitingQueue(
            clock, name, rate_limiter=rate_limiter, observer=None if metrics is None else metrics.queue(name)
        )
        self.drain_seconds = 10.0
        self._metrics = None if metrics is None else metrics.controller(name, workers)
        self.on_failure: Callable[[BaseException], None] | None = None
        self._reconcile = reconcile
        self._workers = workers
        self._clock = clock
        self._cache_sync_timeout = cache_sync_timeout
        self._sources: list[Source] = []
        self._lock = threading.Lock()  # guards the three below
        self._runner: Runner | None = None
        self._died = False
        self._unraised: BaseException | None = None

    def watch(self, informer: Informer, keys_of: KeysOf = own_key, predicate: Predicate | None = None) -> None:
        """Reconcile what `informer`'s objects map to, whenever one changes. Before `start`.

        Args:
            informer: Need not be started yet.
            keys_of: Which keys an object concerns.
            predicate: Drops the changes for which it is false.
        """
        self._sources.append(Source(informer, KeyHandler(self.queue.add, keys_of, predicate)))

    def start(self) -> None:
        """Run in threads of its own. Idempotent."""
        with self._lock:
            if self._runner is not None:
                return
            runner = self._runner = Runner(self.name, self._run_in_thread, clock=self._clock, on_failure=self._failed)
        runner.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish what is queued and running, then end. Idempotent.

        Args:
            timeout: Seconds; what is still queued then is dropped and logged.

        Raises:
            TimeoutError: A reconcile is still running.
            BaseException: What ended the controller before its time, CacheSyncError for one.
        """
        self.drain_seconds = timeout
        if self._runner is None:
            self._close()
            return
        self._runner.stop(timeout + 2 * _JOIN_SECONDS)
        with self._lock:
            error, self._unraised = self._unraised, None
        if error is not None:
            raise error

    def idle(self) -> bool:
        """Whether nothing is queued, due or being reconciled."""
        return self.queue.idle()

    @property
    def healthy(self) -> bool:
        """False once a started controller has ended before its time."""
        return not self._died

    def run(self, stop: Stop) -> None:
        """Wait for the caches, reconcile until `stop` is set, drain.

        Raises:
            CacheSyncError: A cache was not filled in time.
            TimeoutError: A reconcile did not end within `drain_seconds`.
            BaseException: What killed a worker; no Exception does.
        """
        try:
            if wait_for_sources(self.name, self._sources, stop, timeout=self._cache_sync_timeout, clock=self._clock):
                self._run_workers(stop)
        finally:
            self._close()

    def _run_in_thread(self, stop: Stop) -> None:
        try:
            self.run(stop)
        except (CacheSyncError, TimeoutError) as error:  # expected: worth a line, no traceback
            with self._lock:
                self._unraised = error
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            self._died = True
        if self.on_failure is not None:
            self.on_failure(error)

    def _run_workers(self, stop: Stop) -> None:
        ended = Stop(self._clock)  # asked to stop, or a worker died
        unlink = stop.on_set(ended.set)
        workers = [
            Runner(f"{self.name}-worker-{number}", self._work, clock=self._clock, on_failure=lambda _: ended.set())
            for number in range(self._workers)
        ]
        for worker in workers:
            worker.start()
        logger.info("controller started", controller=self.name, workers=self._workers)
        ended.wait()
        unlink()
        unfinished = self.queue.drain(self.drain_seconds if stop.is_set() else 0.0)
        if unfinished:
            logger.warning("stopped with work left", controller=self.name, keys=[str(key) for key in unfinished])
        for worker in workers:
            worker.stop(_HANGING_JOIN_SECONDS if unfinished else _JOIN_SECONDS)
        logger.info("controller stopped", controller=self.name)

    def _close(self) -> None:
        self.queue.shut_down()
        for source in self._sources:
            source.close()
        for source in self._sources:
            source.remove(_JOIN_SECONDS)

    def _work(self, stop: Stop) -> None:
        while True:
            try:
                key = self.queue.get()
            except ShutDown:
                return
            try:
                self._process(key)
            finally:
                self.queue.done(key)

    def _process(self, key: ObjectKey) -> None:
        clear_contextvars()
        bind_contextvars(controller=self.name, key=str(key))
        if self._metrics is not None:
            self._metrics.started()
        started_at = self._clock.now()
        outcome = self._outcome(key)
        duration = self._clock.now() - started_at
        if self._metrics is not None:
            self._metrics.finished(outcome, duration)
        logger.debug("reconciled", result=outcome, duration=round(duration, 6))

    def _outcome(self, key: ObjectKey) -> str:
        """Reconcile, see to what comes next, return one of `btcctl.metrics.RESULTS`."""
        try:
            result = self._reconcile(key)
            if not isinstance(result, Result):
                raise TypeError(f"reconcile returned {type(result).__name__}, not a Result")
        except TerminalError as error:
            self.queue.forget(key)
            logger.error("giving up until it changes", error=str(error))  # noqa: TRY400
            return "terminal_error"
        except Exception as error:
            self._retry(key, error)
            return "error"
        self.queue.forget(key)
        if result.requeue_after is None:
            return "success"
        self.queue.add_after(key, result.requeue_after)
        return "requeue_after"

    def _retry(self, key: ObjectKey, error: Exception) -> None:
        delay = self.queue.add_rate_limited(key, minimum=getattr(error, "retry_after", None) or 0.0)
        logger.warning(
            "reconcile failed",
            error=f"{type(error).__name__}: {error}",
            failures=self.queue.num_requeues(key),
            retry_in=round(delay, 3),
        )
        logger.debug("traceback of the failure", exc_info=error)
