"""Daemons on the bench: threads, of which one runs at a time, and only when the test's thread lets it.

A wait by the operator's clock gives the turn back, and the thread goes on once time has come so far, or it is asked to
end. So what daemons do has one order, and nothing waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from btcctl.clock import bounded
from btcctl.testing.bench.clock import JumpingClock
from btcctl.threads import Runner, Stop

_REAL_LIMIT_SECONDS = 10.0  # until a thread waits by the clock, or ends
_MOST_TURNS = 1000  # until one ends that was asked to
_NEVER = float("inf")


class Killed(BaseException):
    """Raised in a daemon where it waits when its process is killed."""


class SteppedRunner:
    """Has a Runner's face; its thread runs in `go` alone.

    Attributes:
        due_at: At which instant it goes on.
        has_ended: It runs no more.
    """

    def __init__(self, name: str, run: Callable[[Stop], None], clock: JumpingClock) -> None:
        self.due_at = -_NEVER
        self.has_ended = False
        self._name = name
        self._run = run
        self._clock = clock
        self._is_killed = False
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._runner = Runner(name, self._main, clock=clock)

    def start(self) -> None:
        """It begins with the first `go`."""
        self._runner.start()

    def request_stop(self) -> None:
        """Ask it to end, which it sees with the next `go`."""
        self.due_at = -_NEVER
        self._runner.request_stop()

    def is_alive(self) -> bool:
        return not self.has_ended

    def stop(self, timeout: float = 10.0) -> None:
        """Let it go on until it has ended.

        Raises:
            TimeoutError: It goes on and on.
        """
        self.request_stop()
        for _ in range(_MOST_TURNS):
            if self.has_ended:
                self._runner.stop(bounded(timeout))
                return
            self.go()
        raise TimeoutError(f"{self._name} was asked to end, and has not after {_MOST_TURNS} turns")

    def kill(self) -> None:
        """End it where it waits."""
        self._is_killed = True
        self.stop()

    def go(self) -> None:
        """Let it run until it waits, or ends.

        Raises:
            AssertionError: It does neither.
        """
        self._turn.release()
        if not self._back.acquire(timeout=_REAL_LIMIT_SECONDS):
            raise AssertionError(
                f"the daemon {self._name} neither ends nor waits by its Stop, or by the operator's clock, within "
                f"{_REAL_LIMIT_SECONDS:g} s"
            )

    def _main(self, stop: Stop) -> None:
        self._turn.acquire()
        self._clock.pauses[threading.get_ident()] = self._pause
        try:
            if not self._is_killed:
                self._run(stop)
        finally:
            self.has_ended = True
            del self._clock.pauses[threading.get_ident()]
            self._back.release()

    def _pause(self, condition: threading.Condition, timeout: float | None) -> bool:
        self.due_at = _NEVER if timeout is None else self._clock.now() + max(0.0, bounded(timeout))
        condition.release()
        self._back.release()
        self._turn.acquire()
        condition.acquire()
        if self._is_killed:
            raise Killed
        return self._clock.now() < self.due_at


class Lockstep:
    """All such threads of one operator."""

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self._runners: list[SteppedRunner] = []

    def runner(self, name: str, run: Callable[[Stop], None]) -> SteppedRunner:
        """One more."""
        self._runners.append(SteppedRunner(name, run, self._clock))
        return self._runners[-1]

    def step(self) -> bool:
        """Let each go on whose time has come; return whether there was one."""
        self._runners = [each for each in self._runners if not each.has_ended]
        due = [each for each in self._runners if each.due_at <= self._clock.now()]
        for each in due:
            each.go()
        return bool(due)

    def next_due(self) -> float:
        """At which instant one goes on; infinity is never."""
        return min((each.due_at for each in self._runners if not each.has_ended), default=_NEVER)

    def close(self) -> None:
        """End all, as a kill does."""
        for each in self._runners:
            if not each.has_ended:
                each.kill()
