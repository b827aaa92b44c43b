"""How long to wait before trying again. Pure: no clock, no sleeping."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ExponentialBackoff:
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
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.base <= self.cap or self.factor < 1 or self.jitter < 0:
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


def jittered(seconds: float, fraction: float, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """A random duration within ± `fraction` of `seconds`: 600 s ± 0.1 is 540–660 s."""
    return uniform(seconds * (1 - fraction), seconds * (1 + fraction))
