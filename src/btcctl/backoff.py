"""How long to wait before trying again. Pure: no clock, no sleeping."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec


class ExponentialBackoff(msgspec.Struct, frozen=True):
    """Doubles from `base` to `cap`, with jitter.

    Attributes:
        base: Seconds before the first retry.
        cap: Seconds that no delay before jitter exceeds.
        factor: What each further failure multiplies the delay by.
        jitter: Each delay d becomes a random one in [d, d * (1 + jitter)].
        uniform: Source of randomness, `random.uniform` by default.
    """

    base: float
    cap: float
    factor: float = 2.0
    jitter: float = 0.0
    uniform: Callable[[float, float], float] = random.uniform

    def __post_init__(self) -> None:
        check_numbers("a back-off", self.base, self.cap, self.factor, self.jitter)
        if not (0 <= self.base <= self.cap < math.inf and 1 <= self.factor < math.inf and 0 <= self.jitter < math.inf):
            raise ValueError(f"not a back-off: {self}")

    def delay(self, failures: int) -> float:
        """Seconds to wait after the `failures`-th failure in a row; 0 failures wait 0."""
        if failures <= 0:
            return 0.0
        delay = self._undisturbed(failures)
        return delay if self.jitter == 0 else self.uniform(delay, delay * (1 + self.jitter))

    def _undisturbed(self, failures: int) -> float:
        try:
            return min(self.cap, self.base * self.factor ** (failures - 1))
        except OverflowError:
            return self.cap


def check_backoff(name: str, given: object) -> None:
    """Raise TypeError if it is none: it would fail at the first failure only."""
    if not isinstance(given, ExponentialBackoff):
        kind = type(given).__name__
        raise TypeError(f"{name} is of type {kind}, must be an ExponentialBackoff(base=…, cap=…)")


def check_numbers(what: str, *given: object) -> None:
    """Raise TypeError if one is none: a Decimal or a timedelta compares well, and fails when it is added to a time."""
    for each in given:
        if not isinstance(each, int | float) or isinstance(each, bool):
            raise TypeError(f"{what} is made of numbers of seconds and the like, not of type {type(each).__name__}")


def jittered(seconds: float, fraction: float, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """A random duration within ± `fraction` of `seconds`: 600 s ± 0.1 is 540–660 s. Infinity stays what it is."""
    return seconds if math.isinf(seconds) else uniform(seconds * (1 - fraction), seconds * (1 + fraction))


class TokenBucket:
    """Allows `burst` at once and `per_second` in the long run. Not thread-safe.

    Args:
        per_second: Tokens that come back each second.
        burst: Tokens there can be at most, and are at the start.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        check_numbers("a token bucket", per_second, burst)
        if not (0 < per_second < math.inf and burst >= 1):
            raise ValueError(f"not a token bucket: {per_second} per second, burst {burst}")
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._counted_at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token if there is one at the monotonic instant `now`."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self, now: float) -> float:
        """Take a token, if need be one that is still to come; return the seconds until it comes."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_second)

    def _refill(self, now: float) -> None:
        if self._counted_at is not None and now > self._counted_at:
            self._tokens = min(self._burst, self._tokens + (now - self._counted_at) * self._per_second)
        self._counted_at = now if self._counted_at is None else max(now, self._counted_at)
