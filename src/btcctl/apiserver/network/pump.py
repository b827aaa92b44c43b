"""One thread that writes all watches.

A request thread hands over a socket whose response headers are sent. From then on only the pump
touches it. Events arrive from whatever thread writes to the store, framed once, and wait in a
backlog until the pump gets round to them; it never blocks on a client.

Why one thread: a prototype with 200 watchers spent 0.5 µs per delivery in bursts and 6 µs in a
trickle, a thread per watch 43 µs, server libraries 5 to 58 µs.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from btcctl.apiserver.network.stream import Stream, Watch
from btcctl.apiserver.streaming.chunks import frame
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.logging import get_logger
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

BOOKMARK_SECONDS = 60.0  # the real server's: 59.4 to 61.1 s were seen
#: One more bookmark this long before a watch's deadline, if it lasts longer than twice that.
LAST_BOOKMARK_SECONDS = 2.0
BACKLOG_BYTES = 8 << 20  #: of live events that one watcher may leave unread before it is evicted

_READ_BYTES = 4096


class Pump:
    """Writes watches. Owns one thread, one selector, and every socket it is given.

    Args:
        clock: Times bookmarks and deadlines. After moving a fake one, call `wake`.
        backlog_bytes: Live events one watcher may leave unread. The replay at its start does not count.
        bookmark_seconds: From one bookmark to the next.
    """

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        backlog_bytes: int = BACKLOG_BYTES,
        bookmark_seconds: float = BOOKMARK_SECONDS,
    ) -> None:
        self._clock = clock
        self._bookmark_seconds = bookmark_seconds
        self._backlog_bytes = backlog_bytes
        self._runner = Runner("apiserver-pump", self.run)
        self._lock = threading.Lock()  # guards the six below, and what `Stream` says it guards
        self._adopted: list[Stream] = []
        self._dirty: list[Stream] = []
        self._waker: socket.socket | None = None
        self._woken = False
        self._stopped = False
        self._streams: set[Stream] = set()
        self._framed: tuple[bytes, bytes] = (b"", b"")  # replaced whole, by whoever writes
        # The pump's thread alone touches these.
        self._timers: list[tuple[float, int, Stream]] = []
        self._tiebreak = itertools.count()

    def __len__(self) -> int:
        """How many watches are open."""
        with self._lock:
            return len(self._streams) + len(self._adopted)

    def start(self) -> None:
        self._runner.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End every watch and close its socket.

        Args:
            timeout: Real seconds to wait.
        """
        self._runner.stop(timeout)
        self._close_all()  # what was adopted by a pump that never ran

    def adopt(self, sock: socket.socket, watch: Watch, *, about: str = "") -> None:
        """Take over `sock`, start `watch` and write it until either side ends it. Any thread.

        Args:
            sock: Connected, with the response headers sent.
            watch: Not started yet.
            about: Names the watch in logs.
        """
        sock.setblocking(False)
        stream = Stream(self, self._lock, sock, watch, about)
        try:
            watch.start(stream.put, stream.end)
        except BaseException:
            stream.close()
            raise
        with self._lock:
            stream.limit = stream.backlog + self._backlog_bytes
            stream.due_at = self._next_due(watch)
            if not self._stopped:
                self._adopted.append(stream)
                self._wake_locked()
                return
        _end_now(stream)

    def wake(self) -> None:
        """Have the pump look at the clock again."""
        with self._lock:
            self._wake_locked()

    def frame(self, line: bytes) -> bytes:
        """`line` as a chunk; the same line handed to many watchers is framed once."""
        last, framed = self._framed
        if last is not line:
            framed = frame(line)
            self._framed = (line, framed)
        return framed

    def mark_dirty_locked(self, stream: Stream) -> None:
        """Have `stream` written. The caller holds the lock that it was given."""
        if not stream.dirty:
            stream.dirty = True
            self._dirty.append(stream)
            self._wake_locked()

    def run(self, stop: Stop) -> None:
        """Write until `stop` is set. Blocks; `start` calls it in a thread."""
        with selectors.DefaultSelector() as selector, self._open_waker(selector):
            forget = stop.on_set(self.wake)
            try:
                while not stop.is_set():
                    self._turn(selector)
            finally:
                forget()
                self._close_all()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        for key, events in selector.select(self._seconds_to_next_timer()):
            if key.data is None:
                self._drain_waker(key.fileobj)
            elif events & selectors.EVENT_READ and key.data.has_left():
                self._drop(key.data, selector)
            else:
                self._write(key.data, selector)
        for stream in self._take_adopted():
            selector.register(stream.sock, selectors.EVENT_READ, stream)
            self._schedule(stream)
            self._write(stream, selector)
        self._run_timers()
        for stream in self._take_dirty():
            self._write(stream, selector)

    def _write(self, stream: Stream, selector: selectors.BaseSelector) -> None:
        if stream.closed:
            return
        try:
            done = stream.write()
        except OSError:
            self._drop(stream, selector)
            return
        if stream.overrun:
            logger.warning("watch evicted: its client does not keep up", watch=stream.about, limit_bytes=stream.limit)
        if stream.overrun or stream.finished:
            self._drop(stream, selector)
        elif done is stream.wants_write:
            stream.wants_write = not done
            wanted = selectors.EVENT_READ | (0 if done else selectors.EVENT_WRITE)
            selector.modify(stream.sock, wanted, stream)

    def _drop(self, stream: Stream, selector: selectors.BaseSelector) -> None:
        if stream.closed:
            return
        selector.unregister(stream.sock)
        with self._lock:
            self._streams.discard(stream)
        stream.close()

    def _take_adopted(self) -> list[Stream]:
        with self._lock:
            self._woken = False
            adopted, self._adopted = self._adopted, []
            self._streams.update(adopted)
            for stream in adopted:
                stream.dirty = False
            return adopted

    def _take_dirty(self) -> list[Stream]:
        with self._lock:
            dirty, self._dirty = self._dirty, []
            for stream in dirty:
                stream.dirty = False
            return dirty

    def _seconds_to_next_timer(self) -> float | None:
        return max(0.0, self._timers[0][0] - self._clock.now()) if self._timers else None

    def _next_due(self, watch: Watch) -> float:
        """When to see to `watch` next: a bookmark, or its end."""
        now = self._clock.now()
        due_at = now + self._bookmark_seconds
        if watch.deadline is None:
            return due_at
        last = watch.deadline - LAST_BOOKMARK_SECONDS
        return min(due_at, last if last - now > LAST_BOOKMARK_SECONDS else watch.deadline)

    def _schedule(self, stream: Stream) -> None:
        heapq.heappush(self._timers, (stream.due_at, next(self._tiebreak), stream))

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self._clock.now():
            stream = heapq.heappop(self._timers)[2]
            if stream.closed:
                continue
            if stream.watch.deadline is not None and stream.watch.deadline <= self._clock.now():
                stream.watch.stop()
                stream.end()
            else:
                stream.watch.bookmark()
                stream.due_at = self._next_due(stream.watch)
                self._schedule(stream)

    @contextmanager
    def _open_waker(self, selector: selectors.BaseSelector) -> Iterator[None]:
        read_end, write_end = socket.socketpair()
        with read_end, write_end:
            read_end.setblocking(False)
            write_end.setblocking(False)
            selector.register(read_end, selectors.EVENT_READ, None)
            with self._lock:
                self._waker, self._woken = write_end, False
                self._wake_locked()  # for what came before
            try:
                yield
            finally:
                with self._lock:
                    self._waker = None

    def _wake_locked(self) -> None:
        if self._waker is not None and not self._woken:
            self._woken = True
            self._waker.send(b"\0")

    @staticmethod
    def _drain_waker(waker: object) -> None:
        if isinstance(waker, socket.socket):
            with suppress(BlockingIOError):
                waker.recv(_READ_BYTES)

    def _close_all(self) -> None:
        with self._lock:
            self._stopped = True
            streams = [*self._streams, *self._adopted]
            self._streams.clear()
            self._adopted = []
            self._dirty = []
            self._timers = []
        for stream in streams:
            _end_now(stream)


def _end_now(stream: Stream) -> None:
    """End it cleanly, if the client takes that without waiting."""
    stream.watch.stop()
    stream.end()
    with suppress(OSError):
        stream.write()
    stream.close()
