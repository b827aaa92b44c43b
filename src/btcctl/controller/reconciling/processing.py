"""One key after the other: reconcile it, and see to what comes next. Knows no threads.

A reconcile is foreign code. Whatever it raises, BaseExceptions among them (asyncio's CancelledError, a SystemExit of a
library), is the failure of that one call: the key comes back, the worker goes on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from logging import DEBUG
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

from btcctl.clock import Clock
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.failures import Tracebacks, deciding, retry_after_of
from btcctl.controller.reconciling.journal import Journal
from btcctl.controller.reconciling.own_writes import OwnWrites
from btcctl.controller.reconciling.passing import PassingFailures, is_passing
from btcctl.controller.reconciling.result import MIN_REQUEUE_SECONDS, Result
from btcctl.deadline import PendingCalls, limited_to
from btcctl.errors import DeadlineExceeded, Interrupted, TerminalError, describe_error
from btcctl.logging import bind, get_logger
from btcctl.mistakes import check_takes
from btcctl.objects import ObjectKey
from btcctl.processes.at_hand import processes_at_hand
from btcctl.rest.collection.written import recording_writes
from btcctl.workqueue.rate_limited import RateLimitingQueue
from btcctl.workqueue.turns import Turns

if TYPE_CHECKING:
    from btcctl.controller.metrics import ControllerMetrics
    from btcctl.processes.at_hand import Processes

logger = get_logger(__name__)

Reconcile: TypeAlias = Callable[[ObjectKey], Result] | Callable[[ObjectKey], Coroutine[Any, Any, Result]]

# Instead of the rate limiter's, if that raises.
_LIMITERLESS_SECONDS = 1.0


class Processor:
    """What a worker does with a key. Thread-safe; nothing that a reconcile raises gets out.

    Attributes:
        calls: What reconciles wait for. Once they have been broken off, none begins any more.
        own_writes: What each key waits for.
        journal: What became of each key.
        processes: What `compute` uses in a reconcile; None: it computes there. Before there are workers, a stand-in.
        turns: Of several clusters none has all the workers.
        is_ending: The controller stops, and what is under way is broken off: none of those keys has failed.
        is_async: It is a CoroutineProcessor.

    Raises:
        TypeError: `reconcile` cannot be called.
    """

    is_async: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        queue: RateLimitingQueue[ObjectKey],
        *,
        clock: Clock,
        metrics: ControllerMetrics | None,
        options: ControllerOptions,
    ) -> None:
        self._name = name
        self._reconcile = _checked(name, reconcile)
        self.processes: Processes | None = _stand_in() if options.processes else None
        self.turns = Turns(options.workers, queue.add)
        self._has_clusters = False
        self.is_ending = False
        self._queue = queue
        self._clock = clock
        self._metrics = metrics
        self._timeout = options.reconcile_timeout
        self._uses_background = options.background
        self.calls = PendingCalls(clock)
        self._tracebacks = Tracebacks()
        self._passing = PassingFailures()
        self.journal = Journal(name, clock)
        self.own_writes = OwnWrites(options.own_writes_timeout, clock, queue.add)
        if metrics is not None:
            metrics.own_writes = self.own_writes

    def share_among(self, clusters: Sequence[str]) -> None:
        """Of several clusters, have each wait for turns of its own. Before the first key."""
        self._has_clusters = len(clusters) > 1

    def process(self, key: ObjectKey) -> None:
        """Reconcile `key`, unless a cache does not show yet what the last reconcile of it has written."""
        if self._has_turn(key):
            try:
                copy_context().run(self._process, key)  # what is bound to log lines ends with it
            finally:
                self._end_turn(key)

    def _has_turn(self, key: ObjectKey) -> bool:
        """Whether it is `key`'s turn. Otherwise it comes again once another of its cluster is done.

        What is no key at all, which a program may have put into the queue, has none.
        """
        given: Any = key  # by programs that no type checker has seen
        if not isinstance(given, ObjectKey):
            logger.error(
                "dropped what is no key: queue.add takes an ObjectKey(namespace, name)",
                controller=self._name,
                type=type(given).__name__,
            )
            return False
        return not self._has_clusters or self.turns.take(key)

    def _end_turn(self, key: ObjectKey) -> None:
        if self._has_clusters:
            self.turns.release(key)

    def _process(self, key: ObjectKey) -> None:
        started_at = self._begin(key)
        if started_at is not None:
            self._end(key, started_at, *self._outcome(key))

    def _begin(self, key: ObjectKey) -> float | None:
        """When it began; None if the key is held back."""
        bind(controller=self._name, key=str(key))
        if not self._queue.is_shut_down and self._hold(key):
            return None
        if self._metrics is not None:
            self._metrics.started()
        bind(reconcile_id=self.journal.begin(key))
        if self.processes is not None:
            processes_at_hand.set(self.processes)
        return self._clock.now()

    def _end(self, key: ObjectKey, started_at: float, outcome: str, error: BaseException | None) -> None:
        duration = self._clock.now() - started_at
        self.journal.end(key, outcome, error)
        if self._metrics is not None:
            self._metrics.finished(outcome, duration, key.cluster)
        if logger.is_enabled(DEBUG):
            logger.debug("reconciled", result=outcome, duration=round(duration, 6))

    def _hold(self, key: ObjectKey) -> bool:
        """Hold `key` back if a cache does not show yet what was written for it; return whether it is held."""
        was_held = self.own_writes.has_held(key)
        delay = self.own_writes.hold(key)
        if delay:
            self._queue.add_after(key, delay)
        elif was_held:
            self._queue.cancel_delay(key)  # or it would be reconciled again, for a check that is not needed
        return delay > 0

    def _outcome(self, key: ObjectKey) -> tuple[str, BaseException | None]:
        """Reconcile, see to what comes next, return one of `btcctl.controller.metrics.RESULTS` and what was raised."""
        try:
            result = self._call(key)
        except BaseException as error:
            return self._failed(key, error)
        return self._succeeded(key, result)

    def _failed(self, key: ObjectKey, error: BaseException) -> tuple[str, BaseException]:
        error = deciding(error)
        kind = type(error)  # what its `__class__` says is foreign code, too
        if issubclass(kind, TerminalError):
            self._passing.forget(key)
            self._forget(key)
            logger.error("giving up until it changes", error=describe_error(error))
            return "terminal_error", error
        if issubclass(kind, Interrupted) and self.calls.are_broken_off:
            logger.info("reconcile broken off: the server is silent, and the controller stops")
            return "interrupted", error
        if self._is_cancelled(kind):
            logger.info("reconcile cancelled: the controller stops")
            return "interrupted", error
        if self._passing.is_accident(key, error):
            self._run_again(key, error)
            return "conflict", error
        self._retry(key, error)
        return "timeout" if issubclass(kind, DeadlineExceeded) else "error", error

    def _succeeded(self, key: ObjectKey, result: Result) -> tuple[str, None]:
        seconds = result.requeue_after
        self._passing.forget(key)
        if seconds == 0:
            self._add_rate_limited(key, MIN_REQUEUE_SECONDS)
            return "requeue_after", None
        self._forget(key)
        if seconds is None:
            return "success", None
        in_background = result.background and self._uses_background
        self._queue.add_after(key, max(seconds, MIN_REQUEUE_SECONDS), background=in_background)
        return "requeue_after", None

    def _limited(self) -> AbstractContextManager[None]:
        return limited_to(self._timeout, self._clock, self.calls)

    def _call(self, key: ObjectKey) -> Result:
        with recording_writes() as writes, self._limited():
            try:
                result: Any = self._reconcile(key)
            finally:
                self.own_writes.record(key, writes)
        return checked_result(result)

    def _is_cancelled(self, kind: type[BaseException]) -> bool:
        """Whether a reconcile that has raised that was cancelled by us."""
        return False

    def _retry(self, key: ObjectKey, error: BaseException) -> None:
        """Have `key` come back; show the traceback of what is not ours, the first time that the key fails so."""
        delay = self._hold_back(key, error)
        traceback = self._tracebacks.take(key, error)
        log = logger.error if traceback else logger.warning
        log(
            "reconcile failed",
            error=describe_error(error),
            failures=self._failures(key) + self._passing.count(key),
            retry_in=round(delay, 3),
            retry_id=self.journal.change(key),
            **({"exception": traceback} if traceback else {}),
        )

    def _run_again(self, key: ObjectKey, error: BaseException) -> None:
        """Have `key` come back that has lost a race, as is normal with caches: no failure, and no warning."""
        delay = self._hold_back(key, error)
        logger.info(
            "what was read has changed meanwhile",
            error=describe_error(error),
            retry_in=round(delay, 3),
            retry_id=self.journal.change(key),
        )

    def _hold_back(self, key: ObjectKey, error: BaseException) -> float:
        asked = retry_after_of(error)
        if not is_passing(error):
            return self._add_rate_limited(key, max(asked, MIN_REQUEUE_SECONDS))  # a limiter may say 0, for ever
        seconds = max(asked, self._passing.delay(key))
        self._queue.add_after(key, seconds)
        return seconds

    # A rate limiter may be foreign code, too.

    def _add_rate_limited(self, key: ObjectKey, minimum: float) -> float:
        try:
            return self._queue.add_rate_limited(key, minimum)
        except BaseException as error:
            self._report_limiter(error)
        seconds = max(minimum, _LIMITERLESS_SECONDS)
        self._queue.add_after(key, seconds)
        return seconds

    def _forget(self, key: ObjectKey) -> None:
        try:
            self._queue.forget(key)
        except BaseException as error:
            self._report_limiter(error)

    def _failures(self, key: ObjectKey) -> int:
        try:
            return self._queue.num_requeues(key)
        except BaseException:
            return 0

    def _report_limiter(self, error: BaseException) -> None:
        logger.error("the rate limiter failed", controller=self._name, error=describe_error(error))


def _stand_in() -> Processes:
    from btcctl.processes.pickling import ComputingHere  # noqa: PLC0415  pickle is for who computes

    return ComputingHere()


def _checked(name: str, reconcile: Any) -> Reconcile:
    if not callable(reconcile):
        raise TypeError(
            f"controller {name}: reconcile is of type {type(reconcile).__name__}, must be a function of a key"
        )
    check_takes(f"controller {name}: reconcile", reconcile, "key")
    return cast("Reconcile", reconcile)


def checked_result(result: Any) -> Result:
    if not isinstance(result, Result):
        raise TypeError(_why_no_result(result))
    return result


def _why_no_result(returned: object) -> str:
    if inspect.iscoroutine(returned):
        returned.close()  # or the interpreter warns that it was never awaited
        return "reconcile returned a coroutine, but is no coroutine function: write it as `async def`"
    if returned is None:
        return "reconcile returned None, not a Result: end it with `return Result()`"
    if returned is Result:
        return "reconcile returned the class Result: write `return Result()`"
    hint = f"; to come back later, `Result(requeue_after={returned})`" if type(returned) in {int, float} else ""
    return f"reconcile returned {type(returned).__name__}, not a Result{hint}"
