"""A handler's place at an informer."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.backoff import jittered
from btcctl.clock import Clock
from btcctl.informers.sharing.listener import Listener
from btcctl.threads import Runner

RESYNC_JITTER = 0.1  #: so that the resyncs of many informers spread
NEVER = float("inf")


class Registration:
    """A handler's place at an informer. Made by `SharedInformer.add_handler`."""

    def __init__(
        self,
        listener: Listener,
        resync_seconds: float,
        clock: Clock,
        on_removed: Callable[[Registration], None],
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.listener = listener
        self.resync_seconds = resync_seconds
        self.resync_at = NEVER  #: monotonic; only the informer's thread reads and writes it
        self._clock = clock
        self._runner = Runner(listener.name, listener.run, clock=clock, on_failure=on_failure)
        self._on_removed = on_removed

    def has_synced(self) -> bool:
        """Whether the handler was notified of everything that existed when it came."""
        return self.listener.has_synced()

    def wait_for_sync(self, timeout: float) -> bool:
        """Wait until `has_synced`, at most `timeout` seconds; return `has_synced`."""
        return self.listener.wait_for_sync(timeout)

    def remove(self, timeout: float = 10.0) -> None:
        """Tell the handler nothing more. Idempotent.

        Returns when a call under way has returned; called from the handler itself, at once.

        Args:
            timeout: Real seconds to wait.

        Raises:
            TimeoutError: The handler is still busy.
        """
        self.listener.close()
        try:
            self._runner.stop(timeout)
        finally:
            self._on_removed(self)

    def rearm(self) -> None:
        """Let the next resync be a whole period from now: the informer's business."""
        if self.resync_seconds:
            self.resync_at = self._clock.now() + jittered(self.resync_seconds, RESYNC_JITTER)

    def is_alive(self) -> bool:
        """Whether the handler's thread runs: the informer's business."""
        return self._runner.is_alive()

    def start(self) -> None:
        """Let the handler's thread run: the informer's business."""
        self._runner.start()

    def stop(self, timeout: float) -> None:
        """End the handler's thread: the informer's business."""
        self._runner.stop(timeout)
