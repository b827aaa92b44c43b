"""The threads, or the event loop, and the processes in which a controller's reconciles run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from btcctl.clock import Clock
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.processing import Processor, Reconcile
from btcctl.objects import ObjectKey
from btcctl.threads import Runner, Stop
from btcctl.workqueue.queue import WorkQueue
from btcctl.workqueue.rate_limited import RateLimitingQueue

if TYPE_CHECKING:  # asyncio and multiprocessing are for controllers that have coroutines or processes
    from btcctl.controller.metrics import ControllerMetrics
    from btcctl.controller.reconciling.coroutines import CoroutineProcessor
    from btcctl.controller.reconciling.looping import LoopingWorkers
    from btcctl.metrics import Metrics
    from btcctl.processes.computing import ComputingProcesses
    from btcctl.workqueue.metrics import QueueMetrics

_JOIN_SECONDS = 2.0  # for threads that have nothing left to do
_HANGING_JOIN_SECONDS = 0.1  # for threads that had their time already


def processor_for(
    name: str,
    reconcile: Reconcile,
    queue: RateLimitingQueue[ObjectKey],
    *,
    clock: Clock,
    metrics: ControllerMetrics | None,
    options: ControllerOptions,
) -> Processor:
    """Of a function, or of a coroutine function.

    Raises:
        TypeError: `reconcile` cannot be called.
    """
    if not _is_async(reconcile):
        return Processor(name, reconcile, queue, clock=clock, metrics=metrics, options=options)
    from btcctl.controller.reconciling.coroutines import CoroutineProcessor  # noqa: PLC0415

    return CoroutineProcessor(name, reconcile, queue, clock=clock, metrics=metrics, options=options)


def _is_async(reconcile: Any) -> bool:
    functions = (reconcile, reconcile.__call__) if callable(reconcile) else ()
    return any(inspect.iscoroutinefunction(each) for each in functions)


class Workers:
    """All of one controller. They start once, and end together.

    Args:
        name: The controller's.
        processor: What is done with a key.
        queue: Where keys come from.
        work: What a worker that is a thread does: takes keys until the queue is shut down.
        count: How many reconciles run at once.
        on_failure: Told the name of a thread that has died, and of what.
    """

    def __init__(
        self,
        name: str,
        processor: Processor,
        queue: WorkQueue[ObjectKey],
        work: Callable[[Stop], None],
        options: ControllerOptions,
        count: int,
        clock: Clock,
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._processor = processor
        self._processes = processor.processes = _processes(name, options.processes)
        self._workers: list[Runner | LoopingWorkers]
        if processor.is_async:
            from btcctl.controller.reconciling.looping import LoopingWorkers  # noqa: PLC0415

            process = cast("CoroutineProcessor", processor).process_async
            self._workers = [LoopingWorkers(name, count, queue, process, clock, on_failure)]
        else:
            names = [f"{name}-worker-{number}" for number in range(count)]
            self._workers = [Runner(each, work, clock=clock, on_failure=partial(on_failure, each)) for each in names]

    def start(self) -> None:
        """All of them."""
        for each in self._workers:
            each.start()

    def stop(self, *, is_unfinished: bool) -> None:
        """End them; the queue is shut down by then.

        Args:
            is_unfinished: Some did not end within their time: no more of it is spent on threads that hang.

        Raises:
            TimeoutError: One does not end.
            BaseException: What has killed one.
        """
        self._processor.is_ending = True
        hangs = is_unfinished and not (self._processor.calls.are_broken_off or self._processor.is_async)
        with ExitStack() as stack:
            if self._processes is not None:
                stack.callback(self._processes.close)
            for each in self._workers:
                each.stop(_HANGING_JOIN_SECONDS if hangs else _JOIN_SECONDS)


def _processes(name: str, count: int) -> ComputingProcesses | None:
    if not count:
        return None
    from btcctl.processes.computing import ComputingProcesses  # noqa: PLC0415

    return ComputingProcesses(f"{name}-computing", count)


def observers_for(
    metrics: Metrics | None, name: str, workers: int, waiting: Callable[[], dict[str, int]]
) -> tuple[QueueMetrics, ControllerMetrics] | tuple[None, None]:
    """What counts for the queue of a controller, and what for its reconciles."""
    if metrics is None:
        return None, None
    # Late: they are a fifth of the start-up time of a program that may not want them.
    from btcctl.controller.metrics import ControllerCollector  # noqa: PLC0415
    from btcctl.workqueue.metrics import QueueCollector  # noqa: PLC0415

    return metrics.part(QueueCollector).queue(name), metrics.part(ControllerCollector).controller(
        name, workers, waiting
    )
