"""One informer per resource, shared by whoever asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import CacheSyncError
from btcctl.informers.list_watch import ListerWatcher
from btcctl.informers.shared_informer import SharedInformer
from btcctl.resources import ResourceType


class SharedInformerFactory:
    """Makes informers on demand, and starts and stops them together.

    Args:
        source_for: Makes the ListerWatcher of a resource; each is used by one informer.
        resync_seconds: Of every informer, see `SharedInformer`.
        clock: Of every informer.
    """

    def __init__(
        self,
        source_for: Callable[[ResourceType], ListerWatcher],
        *,
        resync_seconds: float = 0.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._source_for = source_for
        self._resync_seconds = resync_seconds
        self._clock = clock
        self._lock = threading.Lock()  # guards the three below
        self._informers: dict[ResourceType, SharedInformer] = {}
        self._started: list[SharedInformer] = []
        self._stopped = False

    def informer(self, type_: ResourceType) -> SharedInformer:
        """The informer of a resource: the same object on every call.

        One made after `start` runs only after another `start`.
        """
        with self._lock:
            existing = self._informers.get(type_)
        if existing is not None:
            return existing
        fresh = SharedInformer(
            self._source_for(type_), name=str(type_), resync_seconds=self._resync_seconds, clock=self._clock
        )
        with self._lock:
            return self._informers.setdefault(type_, fresh)

    @property
    def informers(self) -> list[SharedInformer]:
        """Every informer made so far."""
        with self._lock:
            return [*self._informers.values()]

    def start(self) -> None:
        """Start what is not started yet. Call it again after asking for further informers.

        Raises:
            RuntimeError: The factory is stopped.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError("the informer factory is stopped")
            self._started = [*self._informers.values()]
            informers = self._started
        for informer in informers:
            informer.start()

    def wait_for_sync(self, timeout: float) -> dict[str, bool]:
        """Wait until every started informer has synced, at most `timeout` seconds in all.

        Returns:
            By the informer's name, whether it has synced.
        """
        deadline = self._clock.now() + timeout
        with self._lock:
            informers = [*self._started]
        return {each.name: each.wait_for_sync(max(0.0, deadline - self._clock.now())) for each in informers}

    def require_sync(self, timeout: float) -> None:
        """Wait as `wait_for_sync` does, and fail if that was not enough.

        Raises:
            CacheSyncError: Names each informer that has not synced, and why.
        """
        synced = self.wait_for_sync(timeout)
        reasons = [f"{each.name} ({each.why_unsynced()})" for each in self.informers if not synced.get(each.name, True)]
        if reasons:
            raise CacheSyncError(f"not synced within {timeout:g} s: {'; '.join(reasons)}")

    def stop(self, timeout: float = 10.0) -> None:
        """Stop every informer; none can be started afterwards. Idempotent.

        Args:
            timeout: Seconds to wait in all.

        Raises:
            TimeoutError: A handler is still busy.
            BaseException: What killed an informer's thread, if something did.
        """
        with self._lock:
            self._stopped = True
            informers = [*self._informers.values()]
        for informer in informers:
            informer.request_stop()
        deadline = self._clock.now() + timeout
        with ExitStack() as stack:  # one that fails does not keep the others from being stopped
            for informer in informers:
                stack.callback(self._stop_by, deadline, informer)

    def _stop_by(self, deadline: float, informer: SharedInformer) -> None:
        informer.stop(max(0.0, deadline - self._clock.now()))
