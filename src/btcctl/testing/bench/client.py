"""The client that a stepped operator is given: its watches do not wait."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Protocol, runtime_checkable

from btcctl.errors import BtcctlError, Interrupted
from btcctl.metadata import TypeMeta
from btcctl.objects import WatchEvent
from btcctl.rest.client import ApiClient
from btcctl.rest.limits import StreamLimits
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Transport
from btcctl.rest.watching.stream import WatchStream
from btcctl.testing.bench.clock import JumpingClock
from btcctl.threads import Runner, Stop

_END: list[WatchEvent] = []


@runtime_checkable
class Pollable(Protocol):
    """A body that comes at once, as FakeClient's do."""

    def poll(self) -> bytes | None:
        """What has come, None for the end. Raises queue.Empty if nothing has."""


class SteppedStream(WatchStream):
    """A watch over a body that can be polled.

    Attributes:
        is_dropped: It ends here, whatever comes.
    """

    is_dropped = False

    def take(self) -> list[WatchEvent] | None:  # type: ignore[override]
        """What has come; None for nothing, [] at the end."""
        while not self.is_dropped:
            if events := self._decode():
                return events
            try:
                line = self._response.poll()  # type: ignore[attr-defined]
            except Empty:
                return None
            if line is None:
                return _END
            self._breaker.check()
            self._events = self._decoder.feed(line)
        return _END


class ReadAheadStream(WatchStream):
    """A watch over a socket, which a thread reads.

    Attributes:
        is_dropped: As of SteppedStream.
    """

    is_dropped = False

    def __init__(self, inner: WatchStream) -> None:
        self._inner = inner
        self._read: SimpleQueue[list[WatchEvent] | BtcctlError] = SimpleQueue()
        self._runner = Runner("watch-ahead", self._read_all)
        self._runner.start()

    def take(self) -> list[WatchEvent] | None:  # type: ignore[override]
        """What has come; None for nothing, [] at the end. Raises as the inner one."""
        if self.is_dropped:
            return _END
        try:
            found = self._read.get_nowait()
        except Empty:
            return None
        if isinstance(found, BtcctlError):
            raise found
        return found

    def interrupt(self) -> None:
        self._inner.interrupt()

    def close(self) -> None:
        self._inner.interrupt()
        self._runner.stop()

    def _read_all(self, _stop: Stop) -> None:
        with self._inner:
            while True:
                try:
                    events = self._inner.take()
                except Interrupted:
                    return
                except BtcctlError as error:
                    self._read.put(error)
                    return
                self._read.put(events)
                if not events:
                    return


class SteppedClient(ApiClient):
    """An ApiClient for one thread; nothing is sent again because a server asks for it."""

    def __init__(
        self, transport: Transport, clock: JumpingClock, *, field_manager: str | None, cluster: str = ""
    ) -> None:
        one = RetryPolicy(attempts=1)
        super().__init__(transport, clock=clock, field_manager=field_manager, retries=one, cluster=cluster)
        self._streams: list[SteppedStream | ReadAheadStream] = []

    def open_watch(
        self, request: Request, *, limits: StreamLimits, breaker: Breaker, type_meta: TypeMeta | None = None
    ) -> WatchStream:
        idle = limits.initial_idle_seconds or limits.idle_seconds
        breaker = Breaker()  # the reader's own is for one call at a time, and here it lists while a watch is open
        response = self.open_stream(request, idle_timeout=idle, breaker=breaker)
        stream: SteppedStream | ReadAheadStream
        if isinstance(response, Pollable):
            stream = SteppedStream(response, breaker, limits, type_meta=type_meta, clock=self.clock)
        else:  # of a socket the real seconds count, not the test's
            stream = ReadAheadStream(WatchStream(response, breaker, limits, type_meta=type_meta))
        self._streams.append(stream)
        return stream

    def drop_watches(self) -> None:
        """End every watch that is open."""
        for each in self._streams:
            each.is_dropped = True
        self._streams.clear()
