"""A small HTTP server that no client can hold up.

One thread reads and writes all connections, and never blocks; answers are computed by others, which are
made as they are needed, MAX_AT_ONCE at most. The rules:

- A request has REQUEST_SECONDS, from its first byte (or the connection) until its answer is sent.
- There are MAX_CONNECTIONS at most. For another one the one goes that has kept us waiting longest: so those who
  say nothing cannot keep out those who do.
- What is still computed when its request's time is over hangs. It takes no thread from the others: there may be one
  more for each. A page of which MAX_HANGING do is not computed again until one comes to its end.
- If the process has no descriptor left, one of those who say nothing goes, too, but not before it had a moment to
  say something; and one descriptor is kept in reserve. If that is not enough, no client is accepted for a moment: no
  spinning. Linux says "no descriptor" before it checks for waiting clients, so only the first try means that one waits.
- Only the loop's thread touches connections. A computed answer reaches it through a queue and a socket that wakes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from queue import Empty, SimpleQueue

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.serving.connection import WAITS, Connection, Phase
from btcctl.controller.serving.http_answer import Answer
from btcctl.controller.serving.http_request import BadRequest, Request, take_request
from btcctl.errors import describe_error
from btcctl.logging import get_logger
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

REQUEST_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 90.0  # between two requests: Prometheus asks every minute or sooner
MAX_AT_ONCE = 32
MAX_HANGING = 4  # of one page
MAX_CONNECTIONS = 256
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64  # before the others have their turn
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_PAUSE_SECONDS = 0.1  # before the next try to accept
_COMPLAINT_SECONDS = 60.0
_LINGER_SECONDS = 1.0  # a client that is still sending would lose its answer if the connection just closed
_END_SECONDS = 0.2  # for computing threads to end
_READ_BYTES = 1 << 14  # a whole record of TLS: of less the rest would wait where no selector sees it


_Job = tuple[Connection, Request]
_HANGS = Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"earlier requests for this page still hang\n")
_SKIPPED = Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"")  # nobody waits for it any more


class HttpServer:
    """Answers GET and HEAD.

    Args:
        listener: Listens already.
        answer: Called for each request, by many threads at once.
        clock: What deadlines are measured with.
        tls: The context of new connections; None as long as there is none, and then none is let in. Without this
            function all is plain.
    """

    def __init__(
        self,
        listener: socket.socket,
        answer: Callable[[Request], Answer],
        clock: Clock = SYSTEM_CLOCK,
        tls: Callable[[], ssl.SSLContext | None] | None = None,
    ) -> None:
        self._listener = listener
        self._answer = answer
        self._clock = clock
        self._tls = tls
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[Connection, Answer]] = SimpleQueue()
        self._computing = 0  # jobs that are not back yet
        self._hanging: Counter[str] = Counter()  # those of them that are late, by page
        self._threads: list[Runner] = []
        self._wake_in, self._wake_out = socket.socketpair()
        self._reserve: int | None = None  # a descriptor
        self._accepts_again_at: float | None = None
        self._complains_again_at = float("-inf")
        self._keep_reserve()  # now: when `run` begins in its thread there may be no descriptor left
        for each in (listener, self._wake_in, self._wake_out):
            each.setblocking(False)

    def run(self, stop: Stop) -> None:
        """Answer until `stop` is set. Blocks. Once only: all sockets are closed at the end."""
        unlink = stop.on_set(self._wake)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        try:
            while not stop.is_set():
                for key, _ in self._selector.select(self._until_next_deadline()):
                    self._handle(key.fileobj, key.data)
                self._take_answers()
                self._end_late_ones()
        finally:
            unlink()
            self._close()

    def _handle(self, ready: object, connection: Connection | None) -> None:
        if ready is self._listener:
            self._accept()
        elif connection is None:
            with contextlib.suppress(BlockingIOError):
                self._wake_in.recv(_READ_BYTES)
        elif connection in self._connections:  # it may have had to go for another one
            with self._dropping(connection):
                if connection.phase is Phase.WRITING:
                    self._write(connection)
                elif connection.phase is Phase.GREETING:
                    self._greet(connection)
                else:
                    self._read(connection)

    @contextlib.contextmanager
    def _dropping(self, connection: Connection) -> Iterator[None]:
        """What goes wrong on a connection is the end of it, and of nothing else."""
        try:
            yield
        except OSError:
            self._drop(connection)

    # Accepting.

    def _accept(self) -> None:
        for number in range(_ACCEPTED_AT_ONCE):
            try:
                sock, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM or (number == 0 and not self._make_room()):
                    self._pause_accepting(error)
                return  # and come back at once if a client waits
            sock.setblocking(False)
            if len(self._connections) >= MAX_CONNECTIONS and not self._drop_silent_one():
                sock.close()
                continue
            with contextlib.suppress(OSError):  # it has left meanwhile
                self._let_in(sock)

    def _let_in(self, sock: socket.socket) -> None:
        context = None if self._tls is None else self._tls()
        if self._tls is not None and context is None:
            sock.close()
            return
        connection = Connection(sock, context, self._clock.now() + REQUEST_SECONDS, self._clock.now())
        self._connections.add(connection)
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def _make_room(self) -> bool:
        if self._reserve is None:
            return self._drop_silent_one(_PAUSE_SECONDS, refill=False)
        os.close(self._reserve)
        self._reserve = None
        return True

    def _drop_silent_one(self, least_seconds: float = 0.0, *, refill: bool = True) -> bool:
        """Drop the connection that has been silent for longest; False if none has been for so long."""
        silent = [each for each in self._connections if each.phase not in {Phase.COMPUTING, Phase.WRITING}]
        first = min(silent, key=lambda each: each.since, default=None)
        if first is None or self._clock.now() - first.since < least_seconds:
            return False
        self._drop(first, refill=refill)
        return True

    def _pause_accepting(self, error: OSError) -> None:
        now = self._clock.now()
        if now >= self._complains_again_at:
            self._complains_again_at = now + _COMPLAINT_SECONDS
            logger.warning("no client can be let in at the moment", error=describe_error(error))
        self._selector.unregister(self._listener)
        self._accepts_again_at = now + _PAUSE_SECONDS

    def _accept_again(self) -> None:
        self._accepts_again_at = None
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _keep_reserve(self) -> None:
        if self._reserve is None:
            with contextlib.suppress(OSError):
                self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    # One connection.

    def _greet(self, connection: Connection) -> None:
        """Have the next step of TLS's handshake done."""
        try:
            connection.shake_hands()
        except ssl.SSLWantWriteError:
            self._wait_for(connection, selectors.EVENT_WRITE)
        except ssl.SSLWantReadError:
            self._wait_for(connection, selectors.EVENT_READ)
        else:
            connection.phase = Phase.READING  # silent since it came, until it asks for something
            self._wait_for(connection, selectors.EVENT_READ)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(_READ_BYTES)
        except WAITS:
            return
        if not data:
            self._drop(connection)
        elif connection.phase is Phase.READING:
            if not connection.received:  # a new request begins
                connection.deadline = min(connection.deadline, self._clock.now() + REQUEST_SECONDS)
            connection.received += data
            self._begin(connection)

    def _begin(self, connection: Connection) -> None:
        """Have the next request answered, if it has come."""
        try:
            request = take_request(connection.received)
        except BadRequest as bad:
            connection.keep_alive = False
            self._send(connection, Answer(bad.status, f"{bad}\n".encode()))
            return
        if request is None:
            return
        connection.keep_alive, connection.is_head = request.keep_alive, request.is_head
        if self._computing >= MAX_CONNECTIONS:
            connection.keep_alive = False
            self._send(connection, Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"those who answer all hang\n"))
            return
        connection.page = _page_of(request)
        if self._hanging[connection.page] >= MAX_HANGING:
            connection.keep_alive = False  # or those that have come already would be answered one within the other
            self._send(connection, _HANGS)
            return
        connection.enter(Phase.COMPUTING, self._clock.now())
        self._selector.unregister(connection.sock)  # what it sends now can wait: the kernel holds it back
        self._computing += 1
        self._jobs.put((connection, request))
        self._add_threads()

    def _send(self, connection: Connection, answer: Answer) -> None:
        now = self._clock.wall_time()
        text = answer.encoded(now, keep_alive=connection.keep_alive, is_head=connection.is_head)
        connection.unsent = memoryview(text)
        connection.enter(Phase.WRITING, self._clock.now())
        self._write(connection)

    def _write(self, connection: Connection) -> None:
        with contextlib.suppress(*WAITS):
            while connection.unsent:
                connection.unsent = connection.unsent[connection.sock.send(connection.unsent) :]
        if connection.unsent:
            self._wait_for(connection, selectors.EVENT_WRITE)
        elif connection.keep_alive:
            seconds = REQUEST_SECONDS if connection.received else KEEP_ALIVE_SECONDS
            connection.enter(Phase.READING, self._clock.now(), seconds)
            self._wait_for(connection, selectors.EVENT_READ)
            self._begin(connection)
        else:
            connection.end_sending()
            connection.enter(Phase.LINGERING, self._clock.now(), _LINGER_SECONDS)
            self._wait_for(connection, selectors.EVENT_READ)

    def _wait_for(self, connection: Connection, events: int) -> None:
        if connection.sock.fileno() in self._selector.get_map():
            self._selector.modify(connection.sock, events, connection)
        else:
            self._selector.register(connection.sock, events, connection)

    def _drop(self, connection: Connection, *, refill: bool = True) -> None:
        self._connections.discard(connection)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        connection.sock.close()
        if refill:
            self._keep_reserve()

    # Deadlines.

    def _until_next_deadline(self) -> float | None:
        instants = [each.deadline for each in self._connections]
        if self._accepts_again_at is not None:
            instants.append(self._accepts_again_at)
        return max(0.0, min(instants) - self._clock.now()) if instants else None

    def _end_late_ones(self) -> None:
        now = self._clock.now()
        if self._accepts_again_at is not None and now >= self._accepts_again_at:
            self._accept_again()
        for connection in [each for each in self._connections if now >= each.deadline]:
            with self._dropping(connection):
                self._end_late(connection)

    def _end_late(self, connection: Connection) -> None:
        connection.keep_alive = False
        connection.deadline = self._clock.now() + _LINGER_SECONDS
        if connection.phase is Phase.COMPUTING:
            connection.is_late = True
            self._hanging[connection.page] += 1
            self._add_threads()
            self._send(connection, Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"no answer was found in time\n"))
        elif connection.phase is Phase.READING and connection.received:
            self._send(connection, Answer(HTTPStatus.REQUEST_TIMEOUT, b"the request did not come in time\n"))
        else:
            self._drop(connection)

    # Computing.

    def _add_threads(self) -> None:
        while len(self._threads) < min(self._computing, MAX_AT_ONCE + self._hanging.total()):
            runner = Runner(f"http-answers-{len(self._threads)}", self._compute, clock=self._clock)
            try:
                runner.start()
            except OSError:  # no thread can be had: those that there are do it
                return
            self._threads.append(runner)

    def _compute(self, _stop: Stop) -> None:
        while (job := self._jobs.get()) is not None:
            connection, request = job
            try:
                answer = _SKIPPED if connection.is_late else self._answer(request)
            except BaseException as error:  # of a check or a collector: its failure, and not the end of this thread
                logger.exception("a status page failed", path=request.path)
                answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"{describe_error(error)}\n".encode(errors="replace"))
            self._done.put((connection, answer))
            self._wake()

    def _take_answers(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                connection, answer = self._done.get_nowait()
                self._computing -= 1
                if connection.is_late:
                    self._hanging[connection.page] -= 1
                if connection in self._connections and connection.phase is Phase.COMPUTING:
                    with self._dropping(connection):
                        self._send(connection, answer)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # it is full, so it wakes; or closed, so there is nothing to wake
            self._wake_out.send(b"\0")

    def _close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for connection in [*self._connections]:
            self._drop(connection, refill=False)
        self._selector.close()
        for each in (self._listener, self._wake_in, self._wake_out):
            each.close()
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None
        self._join_threads()

    def _join_threads(self) -> None:
        """A check that hangs has a daemon, and does not keep us."""
        deadline = self._clock.now() + _END_SECONDS
        for thread in self._threads:
            with contextlib.suppress(TimeoutError):
                thread.stop(max(0.0, deadline - self._clock.now()))


def _page_of(request: Request) -> str:
    """What may hang by itself: all below /debug/ is one."""
    return request.path.split("/", 2)[1] if "/" in request.path else ""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host`; "" and "::" are all addresses of both IP families, if the machine has both.

    Raises:
        OSError: It cannot be had.
        UnicodeError: `host` cannot be a name.
    """
    if host in {"", "::"} and socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
        except OSError as error:
            if host or error.errno not in _NO_IPV6:
                raise
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
