"""Requests to restart a pod's processes without a word: from any thread to the kubelet's workers."""

from __future__ import annotations

import threading

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.objects import ObjectKey


class RestartRequests:
    """Asked for by one thread, begun and finished by another."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # guards the dict
        self._begun: dict[ObjectKey, bool] = {}

    def ask(self, key: ObjectKey) -> None:
        with self._changed:
            self._begun[key] = False

    def begin(self, key: ObjectKey) -> bool:
        """Whether there is a request that nobody has begun; it counts as begun now."""
        with self._changed:
            new = self._begun.get(key) is False
            if new:
                self._begun[key] = True
            return new

    def finish(self, key: ObjectKey) -> None:
        """What was begun is done; what was asked for since is still to be begun."""
        with self._changed:
            if self._begun.get(key):
                self._drop(key)

    def cancel(self, key: ObjectKey) -> None:
        """What was asked for can no longer be done."""
        with self._changed:
            self._drop(key)

    def wait(self, key: ObjectKey, timeout: float) -> bool:
        """Wait until the request is finished; False if it is not within `timeout` seconds."""
        deadline = self._clock.now() + timeout
        with self._changed:
            while key in self._begun:
                left = deadline - self._clock.now()
                if left <= 0:
                    return False
                self._clock.wait(self._changed, left)
        return True

    def _drop(self, key: ObjectKey) -> None:
        if self._begun.pop(key, None) is not None:
            self._changed.notify_all()
