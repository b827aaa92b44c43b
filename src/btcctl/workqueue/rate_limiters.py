"""How long a key that failed has to wait."""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from btcctl.backoff import ExponentialBackoff, TokenBucket, check_numbers
from btcctl.clock import SYSTEM_CLOCK, Clock

K = TypeVar("K", bound=Hashable)
K_contra = TypeVar("K_contra", bound=Hashable, contravariant=True)

# client-go's DefaultTypedControllerRateLimiter: 5 ms doubling up to 1000 s.
BASE_SECONDS = 0.005
CAP_SECONDS = 1000.0


class RateLimiter(Protocol[K_contra]):
    """Thread-safe."""

    def delay(self, key: K_contra) -> float:
        """Count one more failure of `key`; return the seconds it has to wait."""

    def forget(self, key: K_contra) -> None:
        """The failures of `key` count no longer."""

    def num_requeues(self, key: K_contra) -> int:
        """How often `key` failed in a row."""


class ItemExponentialRateLimiter(Generic[K]):
    """Doubles the delay of each key with each of its own failures; others are not held up.

    Args:
        base: Seconds after the first failure.
        cap: Seconds that no delay before jitter exceeds.
        jitter: Each delay d becomes a random one in [d, d * (1 + jitter)].
    """

    def __init__(self, base: float = BASE_SECONDS, cap: float = CAP_SECONDS, jitter: float = 0.0) -> None:
        self._backoff = ExponentialBackoff(base, cap, jitter=jitter)
        self._lock = threading.Lock()  # guards the counts
        self._failures: dict[K, int] = {}

    def delay(self, key: K) -> float:
        """Count one more failure of `key`; return the seconds it has to wait."""
        with self._lock:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
        return self._backoff.delay(failures)

    def forget(self, key: K) -> None:
        """The failures of `key` count no longer."""
        self._failures.pop(key, None)  # every success comes here: no lock that workers would queue up at

    def num_requeues(self, key: K) -> int:
        """How often `key` failed in a row."""
        return self._failures.get(key, 0)


class FastSlowRateLimiter(Generic[K]):
    """`fast` for the first `attempts` failures of a key in a row, `slow` for all that follow.

    Args:
        fast: Seconds.
        slow: Seconds.
        attempts: How many failures are taken for passing ones.
    """

    def __init__(self, fast: float, slow: float, attempts: int) -> None:
        check_numbers("fast and slow", fast, slow)
        if not 0 <= fast <= slow < math.inf or attempts < 0:
            raise ValueError(f"not fast and slow: {fast} s for {attempts} attempts, then {slow} s")
        self._fast = fast
        self._slow = slow
        self._attempts = attempts
        self._failures: ItemExponentialRateLimiter[K] = ItemExponentialRateLimiter()  # for its count

    def delay(self, key: K) -> float:
        """Count one more failure of `key`; return the seconds it has to wait."""
        self._failures.delay(key)
        return self._fast if self._failures.num_requeues(key) <= self._attempts else self._slow

    def forget(self, key: K) -> None:
        """The failures of `key` count no longer."""
        self._failures.forget(key)

    def num_requeues(self, key: K) -> int:
        """How often `key` failed in a row."""
        return self._failures.num_requeues(key)


class BucketRateLimiter(Generic[K]):
    """One bucket for all keys: `per_second` in the long run, `burst` at once.

    It delays everybody when one key storms: an addition to a limiter per key, not a substitute.
    """

    def __init__(self, per_second: float, burst: int, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bucket = TokenBucket(per_second, burst)
        self._clock = clock
        self._lock = threading.Lock()  # guards the bucket

    def delay(self, key: K) -> float:
        """Count one more failure of `key`; return the seconds it has to wait."""
        with self._lock:
            return self._bucket.reserve(self._clock.now())

    def forget(self, key: K) -> None:
        """Nothing to forget."""

    def num_requeues(self, key: K) -> int:
        """0: it counts nothing by key."""
        return 0


class MaxOfRateLimiter(Generic[K]):
    """The longest delay that any of `limiters` asks for."""

    def __init__(self, *limiters: RateLimiter[K]) -> None:
        if not limiters:
            raise ValueError("needs at least one limiter")
        self._limiters = limiters

    def delay(self, key: K) -> float:
        """Count one more failure of `key`; return the seconds it has to wait."""
        return max([limiter.delay(key) for limiter in self._limiters])

    def forget(self, key: K) -> None:
        """The failures of `key` count no longer."""
        for limiter in self._limiters:
            limiter.forget(key)

    def num_requeues(self, key: K) -> int:
        """How often `key` failed in a row."""
        return max(limiter.num_requeues(key) for limiter in self._limiters)
