"""One exchange on its way: how long it may take, who may break it off, and who must agree to it."""

from __future__ import annotations

import os
import socket

from btcctl.clock import MAX_WAIT_SECONDS, SYSTEM_CLOCK, Clock, bounded, check_seconds
from btcctl.rest.exchange.failures import OutOfTime
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Fence

CONNECT_SECONDS = 10.0


class Call:
    """Belongs to one thread.

    Args:
        seconds: For all of it, whatever is waited for.
        connect_seconds: For a connection, the resolver included; and as much again for TLS and proxies.
        breaker: Breaks it off when tripped.
        fence: Asked before each part of the request is sent.

    Attributes:
        deadline: When its time is over, by `clock`.

    Raises:
        ValueError: `seconds` is negative or NaN.
        OutOfTime: They are none.
    """

    __slots__ = ("_seconds", "breaker", "clock", "connect_seconds", "deadline", "fence")

    def __init__(
        self,
        seconds: float,
        clock: Clock = SYSTEM_CLOCK,
        breaker: Breaker | None = None,
        fence: Fence | None = None,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._seconds = seconds
        if not 0 < seconds <= MAX_WAIT_SECONDS:
            seconds = bounded(check_seconds("timeout", seconds))
            if not seconds:
                raise self.out_of_time()
        self.clock = clock
        self.deadline = clock.now() + seconds
        self.breaker = breaker
        self.fence = fence
        self.connect_seconds = connect_seconds

    def seconds_left(self) -> float:
        """How long the next step may wait.

        Raises:
            OutOfTime: Not at all.
        """
        left = self.deadline - self.clock.now()
        if left <= 0:
            raise self.out_of_time()
        return left

    def out_of_time(self) -> OutOfTime:
        """That the call has had its time."""
        return OutOfTime(f"connected, but silent or too slow: no whole answer within {self._seconds:g} s")

    def watch_over(self, fd: int) -> None:
        """Let the breaker end what blocks on the socket of this descriptor.

        Raises:
            Interrupted: It is tripped already.
        """
        if self.breaker is not None:
            watch_over(fd, self.breaker)


def watch_over(fd: int, breaker: Breaker) -> None:
    """Let `breaker` end what blocks on the socket of this descriptor.

    Raises:
        Interrupted: It is tripped already.
    """
    # A TLS socket refuses dup(), its descriptor does not.
    with socket.socket(fileno=os.dup(fd)) as plain:
        breaker.attach(plain)
