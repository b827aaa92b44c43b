"""A work queue that makes keys that failed wait."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TypeVar

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.workqueue.observer import QueueObserver
from btcctl.workqueue.queue import WorkQueue
from btcctl.workqueue.rate_limiters import CAP_SECONDS, ItemExponentialRateLimiter, RateLimiter

K = TypeVar("K", bound=Hashable)


class RateLimitingQueue(WorkQueue[K]):
    """Retries with the delays of a rate limiter.

    Args:
        clock: What delays are measured with.
        name: Names the queue in metrics and logs.
        rate_limiter: By default each key backs off on its own, 5 ms doubling up to 1000 s.
        observer: Told of every change; None costs nothing.
    """

    def __init__(
        self,
        clock: Clock = SYSTEM_CLOCK,
        name: str = "",
        *,
        rate_limiter: RateLimiter[K] | None = None,
        observer: QueueObserver | None = None,
    ) -> None:
        super().__init__(clock, name, observer=observer)
        if rate_limiter is not None:
            _check_limiter(rate_limiter)
        self._limiter: RateLimiter[K] = ItemExponentialRateLimiter() if rate_limiter is None else rate_limiter

    def add_rate_limited(self, key: K, minimum: float = 0.0) -> float:
        """Add `key` once its rate limiter allows; `done` is still to be called.

        Args:
            key: What failed.
            minimum: Seconds it waits at least, for example a server's Retry-After.

        Returns:
            The delay in seconds; CAP_SECONDS where the limiter or `minimum` says NaN or infinity.
        """
        delay = max(_finite(minimum), _finite(self._limiter.delay(key)))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The next failure of `key` counts as its first. Does not take it out of the queue."""
        self._limiter.forget(key)

    def num_requeues(self, key: K) -> int:
        """How often `key` failed in a row."""
        return self._limiter.num_requeues(key)


def _check_limiter(limiter: object) -> None:
    """Raise TypeError, in words for its author, if it is no RateLimiter."""
    methods = ("delay", "forget", "num_requeues")
    if isinstance(limiter, type) or not all(callable(getattr(limiter, each, None)) for each in methods):
        what = limiter.__name__ if isinstance(limiter, type) else type(limiter).__name__
        raise TypeError(f"a rate limiter is an object with the methods {', '.join(methods)}; {what} is none")


def _finite(seconds: float) -> float:
    """A foreign limiter may say anything, and the key must come back, but not at once."""
    return seconds if seconds < math.inf else CAP_SECONDS
