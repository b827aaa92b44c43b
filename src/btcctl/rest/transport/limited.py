"""A stream that is read in a piece of work: it ends with the time that there is for that, and is broken off with it."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import PendingCalls, limiting_clock, pending_calls, time_left
from btcctl.errors import DeadlineExceeded, TransportError
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import StreamResponse
from btcctl.threads import Runner, Stop


def within_work(response: StreamResponse, breaker: Breaker) -> StreamResponse:
    """The same stream, limited as `btcctl.deadline` says; itself if nothing limits the calling thread.

    Raises:
        DeadlineExceeded: No time is left.
        Interrupted: The work has been broken off.
        OSError: No thread can be had that would mind the time.
    """
    seconds, calls = time_left(math.inf), pending_calls()
    if seconds == math.inf and calls is None:
        return response
    return _LimitedStream(response, breaker, seconds, calls)


class _LimitedStream:
    """Belongs to the thread that reads it, but for the thread that minds the time."""

    def __init__(self, response: StreamResponse, breaker: Breaker, seconds: float, calls: PendingCalls | None) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._breaker = breaker
        self._seconds = seconds
        self._calls = calls
        self._is_late = False
        self._timer = Runner("stream-limit", self._end_in_time, clock=limiting_clock(SYSTEM_CLOCK))
        if seconds < math.inf:
            self._timer.start()

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the body as it comes.

        Raises:
            DeadlineExceeded: The work has had its time.
            TransportError: As of any stream.
        """
        chunks = self._response.chunks()
        while (chunk := self._next(chunks)) is not None:
            yield chunk

    def set_idle_timeout(self, seconds: float) -> None:
        """Change how long the next piece may take."""
        self._response.set_idle_timeout(seconds)

    def close(self) -> None:
        """Let the connection go."""
        self._timer.request_stop()
        self._response.close()

    def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        try:
            with self._breakable():
                return next(chunks, None)
        except TransportError:
            if not self._is_late:
                raise
        time_left(math.inf)  # says how long the work had
        raise DeadlineExceeded("the work that the stream was opened in has had its time")

    def _breakable(self) -> AbstractContextManager[None]:
        return nullcontext() if self._calls is None else self._calls.breakable(self._breaker.trip)

    def _end_in_time(self, stop: Stop) -> None:
        if not stop.wait(self._seconds):
            self._is_late = True
            self._breaker.trip()
