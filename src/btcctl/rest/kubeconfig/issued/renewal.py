"""Keeps a credential that ends by renewing it: one renewal at a time, however many callers ask.

Rules:
* A credential serves until its very end. Shortly before it, the first caller has it renewed and waits a moment for
  that; the others go on with the old one.
* After the end all callers wait for the one renewal under way. A caller leaves at its deadline; if none waits any
  more for a renewal that is overdue, it is broken off.
* After a failure there is a pause, longer from failure to failure. In it the old credential serves as long as it is
  good; then the failure is repeated to each caller.
* What ends at once after it was issued is used all the same, and not renewed for every request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import time_left
from btcctl.errors import BtcctlError, DeadlineExceeded, Interrupted, TransportError, describe_error
from btcctl.logging import get_logger
from btcctl.rest.kubeconfig.issued.exec_plugin import Issued
from btcctl.secret import hiding_frames
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

Issue = Callable[[float, Stop], Issued]  #: takes the seconds it may take, and what breaks it off

EARLY_SECONDS = 30.0  # a credential this close to its end is renewed while it still serves
RENEWAL_SECONDS = 60.0  # what one renewal may take
PAUSE_SECONDS = 10.0  # between two renewals, at least
_PATIENCE_SECONDS = 5.0  # how long a renewal is waited for while the old credential still serves
_GRACE_SECONDS = 1.0  # for a renewal that ends itself at its time
_LOOK_SECONDS = 0.1  # a deadline may be by another clock than the one that processes live by
_PAUSES = ExponentialBackoff(base=PAUSE_SECONDS, cap=300.0, jitter=0.2)


@dataclass(frozen=True, slots=True)
class _Held:
    """What is in force. Replaced as a whole."""

    issued: Issued
    since: float


@dataclass(slots=True)
class _Renewal:
    """One that is under way."""

    is_overdue: bool  #: the old credential serves no longer
    until: float  #: by the real clock: then it is given up, even if it does not heed `stop`
    stop: Stop = field(default_factory=Stop)
    waiting: int = 0
    has_ended: bool = False


@dataclass(slots=True)
class _Failures:
    """In a row."""

    count: int = 0
    until: float = float("-inf")  #: when the pause is over
    text: str = ""


class Renewed:
    """A credential, renewed as it ends. Thread-safe.

    Args:
        issue: Makes one.
        first: The one that is there already.
        what: Names it in messages.
        clock: What pauses and ends are measured by.
        seconds: What one renewal may take, by the real clock.
    """

    def __init__(
        self,
        issue: Issue,
        first: Issued,
        what: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        seconds: float = RENEWAL_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._issue = issue
        self._what = what
        self._clock = clock
        self._held = _Held(first, clock.now())
        self._changed = threading.Condition()  # guards the two below
        self._renewal: _Renewal | None = None
        self._failures = _Failures()

    @property
    def latest(self) -> Issued:
        """As it is, even if it has ended."""
        return self._held.issued

    @hiding_frames
    def current(self) -> Issued:
        """One that serves.

        Raises:
            TransportError: The old one has ended, and there is no new one.
            DeadlineExceeded: `btcctl.deadline` left no time to wait for one.
        """
        held = self._held
        left = self._seconds_left(held)
        if left > EARLY_SECONDS:
            return held.issued
        renewal, is_ours = self._join(held, is_overdue=left <= 0)
        if left > 0:
            if renewal is not None and is_ours:
                self._wait_a_moment(renewal, min(left, _PATIENCE_SECONDS))
            return self._held.issued
        if renewal is not None:
            self._wait(renewal)
        if self._held is held:
            raise TransportError(self._failures.text or f"{self._what}: the credentials have ended")
        return self._held.issued

    def replaces(self, header: str) -> bool:
        """The server has refused `header`: whether there is another one now. Has one issued if need be.

        Raises:
            DeadlineExceeded: `btcctl.deadline` left no time to wait for it.
        """
        held = self._held
        if held.issued.header != header:
            return True
        if self._clock.now() - held.since < PAUSE_SECONDS:
            return False
        renewal, _ = self._join(held, is_overdue=True)
        if renewal is not None:
            self._wait(renewal)
        return self._held is not held

    def _seconds_left(self, held: _Held) -> float:
        """Until it ends; one that has just been issued is good for a while, whatever it says."""
        fresh = held.since + PAUSE_SECONDS - self._clock.now()
        if held.issued.expires is None or fresh > 0:
            return float("inf")
        return (held.issued.expires - self._clock.wall_time()).total_seconds()

    def _join(self, held: _Held, *, is_overdue: bool) -> tuple[_Renewal | None, bool]:
        """The renewal under way, or a new one, and whether it is new; None in a pause, or if `held` was replaced."""
        with self._changed:
            if self._held is not held:
                return None, False
            renewal = self._renewal
            is_ours = renewal is None and self._clock.now() >= self._failures.until
            if is_ours:
                renewal = self._renewal = _Renewal(is_overdue, SYSTEM_CLOCK.now() + self._seconds + _GRACE_SECONDS)
            elif renewal is not None:
                renewal.is_overdue |= is_overdue
        if is_ours and renewal is not None:
            self._start(renewal)
        return renewal, is_ours

    def _start(self, renewal: _Renewal) -> None:
        # A thread of its own: a caller that waits for it may leave before it has ended.
        runner = Runner(
            "login",
            lambda _: self._renew(renewal),
            on_failure=lambda error: self._failed(renewal, describe_error(error)),
        )
        try:
            runner.start()
        except OSError as error:
            self._failed(renewal, f"{self._what}: {error}")

    def _renew(self, renewal: _Renewal) -> None:
        try:
            issued = self._issue(self._seconds, renewal.stop)
        except Interrupted:
            self._failed(renewal, f"{self._what}: login was given up: no caller had the time to wait for it")
        except BtcctlError as error:
            self._failed(renewal, str(error))
        else:
            with self._changed:
                self._held = _Held(issued, self._clock.now())
                self._failures = _Failures()
                self._end(renewal)

    def _failed(self, renewal: _Renewal, text: str) -> None:
        with self._changed:
            if renewal.has_ended:  # it was given up meanwhile
                return
            count = self._failures.count + 1
            pause = _PAUSES.delay(count)
            self._failures = _Failures(count, self._clock.now() + pause, text)
            self._end(renewal)
        logger.warning("credentials cannot be renewed", error=text, failures=count, next_try_seconds=round(pause))

    def _end(self, renewal: _Renewal) -> None:
        """Under the lock."""
        renewal.has_ended = True
        if self._renewal is renewal:
            self._renewal = None
        self._changed.notify_all()

    def _wait(self, renewal: _Renewal) -> None:
        """Until it has ended, or its time is over."""
        with self._changed:
            renewal.waiting += 1
            try:
                while not renewal.has_ended and SYSTEM_CLOCK.now() < renewal.until:
                    SYSTEM_CLOCK.wait(self._changed, time_left(_LOOK_SECONDS))
            finally:
                renewal.waiting -= 1
                if renewal.is_overdue and not renewal.waiting:
                    renewal.stop.set()
        self._failed(renewal, f"{self._what}: login took more than {self._seconds:g} s")

    def _wait_a_moment(self, renewal: _Renewal, seconds: float) -> None:
        """Until it has ended, but not for long, and without complaint."""
        until = SYSTEM_CLOCK.now() + seconds
        with self._changed:
            while not renewal.has_ended and SYSTEM_CLOCK.now() < until:
                try:
                    SYSTEM_CLOCK.wait(self._changed, time_left(_LOOK_SECONDS))
                except DeadlineExceeded:
                    return
