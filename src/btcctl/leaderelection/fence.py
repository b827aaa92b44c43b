"""Lets effects begin only while we lead."""

from __future__ import annotations

from btcctl.clock import AWAKE_CLOCK, Clock
from btcctl.errors import NotLeading
from btcctl.logging import get_logger

logger = get_logger(__name__)


class Fence:
    """What the transports ask right before they send; it is given to them from outside.

    No call has to shut it: once the deadline has passed nothing goes through, even if the
    thread that renews the lease hangs, or the whole process was stopped for a while. What it
    cannot take back is a request that is on its way.

    Args:
        clock: Must be the elector's, and go on while the machine sleeps.
    """

    def __init__(self, clock: Clock = AWAKE_CLOCK) -> None:
        self.refused = 0  #: effects that were not begun
        self.overtaken = 0  #: effects that were being sent while the deadline passed
        self._clock = clock
        self._until = float("-inf")
        self._closed = False

    def extend(self, until: float) -> None:
        """Let effects begin until this instant. After `close` nothing opens it again."""
        self._until = until

    def close(self) -> None:
        """Let nothing begin any more. Idempotent."""
        self._closed = True

    def check(self) -> None:
        """Return if an effect may begin now.

        Raises:
            NotLeading: It may not.
        """
        if self._closed or self._clock.now() >= self._until:
            self.refused += 1
            raise NotLeading("we do not lead: nothing was sent")

    def sent(self) -> None:
        """Count it if the deadline passed between `check` and now: that could only be if we were stopped."""
        if self._clock.now() >= self._until:
            self.overtaken += 1
            logger.warning("a request was on its way when the lease ran out", count=self.overtaken)
