"""Our work queue, measured: `python -m benchmarks.queue_program KEYS [metrics|locked]`.

Prints one JSON object per number of workers, as client-go's program does: CPU microseconds per key
of the whole process. With `locked` it is the queue of `benchmarks.locked_queue`, for comparison.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from benchmarks.locked_queue import LockedQueue
from btcctl.objects import ObjectKey
from btcctl.threads import Runner, Stop
from btcctl.workqueue.metrics import QueueMetrics
from btcctl.workqueue.queue import ShutDown, WorkQueue

WORKERS = (1, 2, 4, 8)
_LIMIT_SECONDS = 100.0

Queue = WorkQueue[ObjectKey] | LockedQueue[ObjectKey]


def main(count: int, *, with_metrics: bool, locked: bool) -> None:
    keys = [ObjectKey("default", f"key-{number:06}") for number in range(count)]
    for workers in WORKERS:
        figures = measure(keys, workers, with_metrics=with_metrics, locked=locked)
        print(json.dumps({"workers": workers, **figures}), flush=True)


def measure(keys: list[ObjectKey], workers: int, *, with_metrics: bool, locked: bool) -> dict[str, float]:
    def new_queue() -> Queue:
        if locked:
            return LockedQueue()
        return WorkQueue(name="queue", observer=QueueMetrics("queue") if with_metrics else None)

    def add_all(queue: Queue) -> None:
        for key in keys:
            queue.add(key)
        queue.shut_down()

    def take_all(queue: Queue) -> None:
        end(start(queue, workers))

    def stream(queue: Queue) -> None:
        running = start(queue, workers)
        add_all(queue)
        end(running)

    queue = new_queue()
    each = len(keys) / 1e6
    return {
        "add_us": cpu_seconds(add_all, queue) / each,
        "take_us": cpu_seconds(take_all, queue) / each,
        "stream_us": cpu_seconds(stream, new_queue()) / each,
    }


def cpu_seconds(action: Callable[[Queue], None], queue: Queue) -> float:
    began = time.process_time()
    action(queue)
    return time.process_time() - began


def start(queue: Queue, workers: int) -> list[Runner]:
    def work(_: Stop) -> None:
        try:
            while True:
                queue.done(queue.get())
        except ShutDown:
            return

    runners = [Runner(f"worker-{number}", work) for number in range(workers)]
    for runner in runners:
        runner.start()
    return runners


def end(runners: list[Runner]) -> None:
    for runner in runners:
        runner.stop(_LIMIT_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]), with_metrics="metrics" in sys.argv[2:], locked="locked" in sys.argv[2:])
