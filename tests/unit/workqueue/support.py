"""Workers that report what they got."""

from __future__ import annotations

from queue import SimpleQueue

from btcctl.threads import Runner, Stop
from btcctl.workqueue.queue import ShutDown, WorkQueue

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang


class Worker(Runner):
    """Gets keys, and is done with each at once, until the queue is shut down."""

    def __init__(self, queue: WorkQueue[str], name: str = "worker") -> None:
        super().__init__(name, self._work)
        self._source = queue
        self._received: SimpleQueue[str] = SimpleQueue()

    def next(self) -> str:
        """The next key it got; waits for it."""
        return self._received.get(timeout=REAL_LIMIT_SECONDS)

    def received(self) -> list[str]:
        """What it got and nobody has asked for yet."""
        return [self._received.get() for _ in range(self._received.qsize())]

    def _work(self, stop: Stop) -> None:
        stop.on_set(self._source.shut_down)
        while True:
            try:
                key = self._source.get()
            except ShutDown:
                return
            self._received.put(key)
            self._source.done(key)


class Drainer(Runner):
    """Drains a queue."""

    def __init__(self, queue: WorkQueue[str], timeout: float) -> None:
        super().__init__("drainer", lambda _: self._left.put(queue.drain(timeout)))
        self._left: SimpleQueue[list[str]] = SimpleQueue()

    def left(self) -> list[str]:
        """What the drain returned; waits for it."""
        return self._left.get(timeout=REAL_LIMIT_SECONDS)
