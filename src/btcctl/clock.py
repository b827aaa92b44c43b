"""The only reader of time.

Durations are float seconds. Monotonic instants (`now`) order and delay things; wall time is
for the timestamps inside API objects and nothing else: it may jump.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any, Protocol

#: Seconds that anything of ours waits at a time, twelve days. Locks would take more (threading.TIMEOUT_MAX),
#: sockets and poll would not: they count milliseconds in 31 bits (CPython's socketmodule.c, selectmodule.c).
MAX_WAIT_SECONDS = 1_000_000.0


def seconds_of(given: float) -> float:
    """How long somebody is to wait, as a float; infinity is for ever.

    Raises:
        TypeError: No number.
        ValueError: NaN. No comparison is true of that: a loop that waits would spin.
    """
    try:
        if math.isnan(given):
            raise ValueError("cannot wait for NaN seconds")
        return float(given)
    except OverflowError:  # an int of hundreds of digits
        return math.inf if given > 0 else -math.inf
    except TypeError:
        raise TypeError(f"a time to wait is {_no_seconds(given)}") from None


def bounded(seconds: float) -> float:
    """`seconds`, as what waits may be given them: MAX_WAIT_SECONDS at most.

    Raises:
        TypeError, ValueError: As of `seconds_of`.
    """
    return min(seconds_of(seconds), MAX_WAIT_SECONDS)


def _no_seconds(given: object) -> str:
    hint = ": of a timedelta, total_seconds()" if hasattr(given, "total_seconds") else ""
    return f"of type {type(given).__name__}, must be a number of seconds{hint}"


def check_seconds(name: str, seconds: float, *, most: float = math.inf) -> float:
    """Return `seconds`, an option. Infinity is a number like another: never, or no limit.

    Args:
        name: Of the option, for the error.
        seconds: What was chosen.
        most: The greatest that is right.

    Raises:
        TypeError: No number.
        ValueError: Negative, NaN, or more.
    """
    given: Any = seconds  # by programs that no type checker has seen
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise TypeError(f"{name} is {_no_seconds(given)}")
    if isinstance(given, int) and given > sys.float_info.max:
        raise ValueError(f"{name} is more than can be counted; infinity is math.inf")
    if not 0 <= seconds <= most:
        wanted = "0 or more" if math.isinf(most) else f"from 0 to {most:g}"
        raise ValueError(f"{name} is {seconds} s, must be {wanted}")
    return seconds


def ends_at(clock: Clock, timeout: float) -> float:
    """When a wait is over that begins now, by `clock`.

    Raises:
        TypeError, ValueError: As of `seconds_of`.
    """
    return clock.now() + seconds_of(timeout)


class Clock(Protocol):
    """What everything that waits or measures is given; tests give it a FakeClock."""

    def now(self) -> float:
        """Monotonic seconds since an arbitrary start."""

    def wall_time(self) -> datetime:
        """The time of day, aware, in UTC."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait on `condition`, which the caller holds, for at most `timeout` seconds.

        Wakes spuriously, after MAX_WAIT_SECONDS at the latest: wait on a predicate, in a loop.
        None waits without limit.

        Returns:
            False if the time is certainly over; True otherwise.

        Raises:
            ValueError: `timeout` is NaN.
        """


class SystemClock:
    """The real thing."""

    now = staticmethod(time.monotonic)  # without a frame of its own: the work queue asks three times per key

    def wall_time(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        if timeout is None:
            return condition.wait()
        return condition.wait(bounded(timeout)) or timeout > MAX_WAIT_SECONDS


class AwakeClock(SystemClock):
    """Counts the time during which the machine was suspended, too: a lease runs out meanwhile.

    Linux' CLOCK_MONOTONIC, behind `time.monotonic`, stands still then (clock_gettime(2)).
    """

    def now(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


SYSTEM_CLOCK: Clock = SystemClock()
AWAKE_CLOCK: Clock = AwakeClock()


def sleep(seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
    """Let `seconds` go by. Nothing ends it early: a loop that can be stopped waits on its `Stop` instead.

    Raises:
        ValueError: They are NaN.
    """
    until = ends_at(clock, seconds)
    never = threading.Condition()  # known to this call alone
    with never:
        while (left := until - clock.now()) > 0:
            clock.wait(never, left)


def rfc3339(instant: datetime) -> str:
    """As `metadata.creationTimestamp` is written: `2026-11-23T15:27:18Z`."""
    return f"{instant.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def rfc3339_micro(instant: datetime) -> str:
    """As Lease and Event times are written, with exactly six decimals (metav1.MicroTime)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
