"""One key after the other: reconcile it, and see to what comes next. Knows no threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from btcctl.clock import Clock
from btcctl.controller.journal import Journal
from btcctl.controller.options import ControllerOptions
from btcctl.controller.own_writes import LOOK_AGAIN_SECONDS, OwnWrites
from btcctl.controller.result import Result
from btcctl.deadline import limited_to
from btcctl.errors import DeadlineExceeded, TerminalError
from btcctl.objects import ObjectKey
from btcctl.rest.written import noting_writes
from btcctl.workqueue.rate_limited import RateLimitingQueue

if TYPE_CHECKING:
    from btcctl.metrics import ControllerMetrics

logger = structlog.get_logger(__name__)

Reconcile = Callable[[ObjectKey], Result]


class Processor:
    """What a worker does with a key. Thread-safe; no Exception of a reconcile gets out.

    Attributes:
        own_writes: What each key waits for.
        journal: What became of each key.
    """

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
        self._reconcile = reconcile
        self._queue = queue
        self._clock = clock
        self._metrics = metrics
        self._timeout = options.reconcile_timeout
        self.journal = Journal(name, clock)
        self.own_writes = OwnWrites(options.own_writes_timeout, clock)
        if metrics is not None:
            metrics.own_writes = self.own_writes

    def process(self, key: ObjectKey) -> None:
        """Reconcile `key`, unless a cache does not show yet what the last reconcile of it has written."""
        clear_contextvars()
        bind_contextvars(controller=self._name, key=str(key))
        if not self._queue.is_shut_down and self.own_writes.must_wait(key):
            self._queue.add_after(key, LOOK_AGAIN_SECONDS)
            return
        if self._metrics is not None:
            self._metrics.started()
        bind_contextvars(reconcile_id=self.journal.begin(key))
        started_at = self._clock.now()
        outcome, error = self._outcome(key)
        duration = self._clock.now() - started_at
        self.journal.end(key, outcome, error)
        if self._metrics is not None:
            self._metrics.finished(outcome, duration)
        logger.debug("reconciled", result=outcome, duration=round(duration, 6))

    def _outcome(self, key: ObjectKey) -> tuple[str, Exception | None]:
        """Reconcile, see to what comes next, return one of `btcctl.metrics.RESULTS` and what was raised."""
        try:
            result = self._call(key)
        except TerminalError as error:
            self._queue.forget(key)
            logger.error("giving up until it changes", error=str(error))  # noqa: TRY400
            return "terminal_error", error
        except Exception as error:
            self._retry(key, error)
            return "timeout" if isinstance(error, DeadlineExceeded) else "error", error
        self._queue.forget(key)
        if result.requeue_after is None:
            return "success", None
        self._queue.add_after(key, result.requeue_after)
        return "requeue_after", None

    def _call(self, key: ObjectKey) -> Result:
        with noting_writes() as writes, limited_to(self._timeout, self._clock):
            try:
                result = self._reconcile(key)
            finally:
                self.own_writes.note(key, writes)
        if not isinstance(result, Result):
            raise TypeError(f"reconcile returned {type(result).__name__}, not a Result")
        return result

    def _retry(self, key: ObjectKey, error: Exception) -> None:
        delay = self._queue.add_rate_limited(key, minimum=getattr(error, "retry_after", None) or 0.0)
        logger.warning(
            "reconcile failed",
            error=f"{type(error).__name__}: {error}",
            failures=self._queue.num_requeues(key),
            retry_in=round(delay, 3),
            retry_id=self.journal.change(key),
        )
        logger.debug("traceback of the failure", exc_info=error)
