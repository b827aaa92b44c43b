"""How long faults last, next to the deadlines of the client that is tested with them."""

from __future__ import annotations

import random
from collections.abc import Callable

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.threads import Stop

_LOOKS = 200


class Pace:
    """Waits, and makes choices.

    Args:
        scale: What every duration is multiplied with: 1/50 goes with deadlines that are 1/50.
        random_: Of choices.
        clock: Waits.
        stop: Ends every wait.
    """

    def __init__(
        self,
        scale: float = 1.0,
        random_: random.Random | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        stop: Stop | None = None,
    ) -> None:
        self.scale = scale
        self.random = random_ or random.Random()  # nothing secret
        self._stop = stop or Stop(clock)

    def wait(self, seconds: float) -> None:
        """Let `seconds`, scaled, go by."""
        self._stop.wait(seconds * self.scale)

    def wait_for(self, is_true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true, at most `seconds`, scaled; return whether it is."""
        for _ in range(_LOOKS):
            if is_true():
                return True
            self.wait(seconds / _LOOKS)
        return is_true()

    def wait_briefly(self) -> None:
        """Let a random moment of up to a second, scaled, go by."""
        self.wait(self.random.random())
