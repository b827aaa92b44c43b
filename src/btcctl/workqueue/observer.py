"""What a queue reports to: an observer of how long keys took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from btcctl.workqueue.queue import WorkQueue


class QueueObserver(Protocol):
    """Told how long keys took, by many threads at once. `btcctl.workqueue.metrics.QueueMetrics` is one."""

    def watch(self, queue: WorkQueue[Any]) -> None:
        """Called once, by the queue: its `statistics` are yours to read."""

    def waited(self, seconds: float) -> None:
        """From the add of a key until a worker got it."""

    def worked(self, seconds: float) -> None:
        """From there until the worker was done."""

    def flush(self) -> None:
        """Called by a worker, every thousand keys or so: the two above need not do more than take a note."""
