"""Controllers that wait until this process leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from btcctl.clock import SYSTEM_CLOCK, Clock, ends_at
from btcctl.errors import describe_error
from btcctl.threads import Latch, Runner, Stop, stop_all


class Service(Protocol):
    """Anything with threads of its own: a controller, an event recorder, a server."""

    def start(self) -> None: ...

    def stop(self, timeout: float = ...) -> None: ...


@runtime_checkable
class Stoppable(Protocol):
    """A service that can be asked to stop without waiting for it."""

    def begin_stop(self, timeout: float = ...) -> None: ...


class WhenLeading:
    """Starts work once we lead. Until then caches and queues fill, so that it can begin at once.

    Args:
        leading: Set when we lead.
        work: Started in order, stopped together.

    Attributes:
        died: Set if the work could not be started.
    """

    def __init__(self, leading: Latch, work: Sequence[Service], clock: Clock = SYSTEM_CLOCK) -> None:
        self.died = Latch(clock)
        self._leading = leading
        self._work = list(work)
        self._clock = clock
        self._cause = ""
        self._runner = Runner("when-leading", self.run, clock=clock, on_failure=self._failed)

    def start(self) -> None:
        """Wait in a thread of its own."""
        self._runner.start()

    def run(self, stop: Stop) -> None:
        """Wait until we lead, and start the work. Blocks."""
        either = Latch(self._clock)
        for each in (stop, self._leading):
            each.on_set(either.set)
        either.wait()
        for part in self._work:
            if not stop.is_set():  # a process that is stopping begins nothing
                part.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop what was started. Idempotent.

        Args:
            timeout: Seconds for all of it together.

        Raises:
            BaseException: What killed a part, or TimeoutError. One that fails does not keep the
                others from being stopped.
        """
        deadline = ends_at(self._clock, timeout)
        try:
            self._runner.stop(timeout)
            for part in self._work:
                if isinstance(part, Stoppable):  # together: in the time that the slowest takes
                    part.begin_stop(max(0.0, deadline - self._clock.now()))
        finally:
            stop_all(self._work, deadline, self._clock)

    def why_dead(self) -> str:
        """Why the work could not be started; "" if nothing went wrong."""
        return self._cause

    def _failed(self, error: BaseException) -> None:
        self._cause = f"thread when-leading ended by {describe_error(error)}"
        self.died.set()
