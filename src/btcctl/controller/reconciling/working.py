"""The threads, or the event loop, and the processes in which a controller's reconciles run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from btcctl.clock import Clock
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.looping import LoopingWorkers
from btcctl.controller.reconciling.processing import Processor
from btcctl.objects import ObjectKey
from btcctl.processes.computing import ComputingProcesses
from btcctl.threads import Runner, Stop
from btcctl.workqueue.queue import WorkQueue

_JOIN_SECONDS = 2.0  # for threads that have nothing left to do
_HANGING_JOIN_SECONDS = 0.1  # for threads that had their time already


class Workers:
    """All of one controller. They start once, and end together.

    Args:
        name: The controller's.
        processor: What is done with a key.
        queue: Where keys come from.
        work: What a worker that is a thread does: takes keys until the queue is shut down.
        on_failure: Told the name of a thread that has died, and of what.
    """

    def __init__(
        self,
        name: str,
        processor: Processor,
        queue: WorkQueue[ObjectKey],
        work: Callable[[Stop], None],
        options: ControllerOptions,
        clock: Clock,
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._processor = processor
        self._processes = ComputingProcesses(f"{name}-computing", options.processes) if options.processes else None
        processor.processes = self._processes
        self._workers: list[Runner | LoopingWorkers]
        if processor.is_async:
            self._workers = [LoopingWorkers(name, options.workers, queue, processor.process_async, clock, on_failure)]
        else:
            names = [f"{name}-worker-{number}" for number in range(options.workers)]
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
