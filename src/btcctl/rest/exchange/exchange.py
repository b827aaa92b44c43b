"""Sends a request in one piece and reads its answer, under the deadline of its call.

What holds here:

* Every wait is given what is left of the call's time, and no more; only the body of a stream has limits of its own.
* A connection goes back to its pool connected if the answer has come to its end as it said it would, nothing has come
  after that, and the server agrees; else closed. No error of any kind leaves one behind.
* Between the fence's consent and the system call that sends stands nothing that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from btcctl.clock import bounded
from btcctl.rest.exchange.body import (
    WITHOUT_BODY,
    Framing,
    Gunzip,
    Sized,
    framing_of,
    leaves_connection_usable,
    unpacking_of,
)
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.connection import Connection, Connections
from btcctl.rest.exchange.failures import CUT_SHORT, NO_ANSWER, ExchangeError, NoAnswer, Silent, is_broken_off
from btcctl.rest.exchange.head import Head, Headers, parse_head

RECEIVE_BYTES = 1 << 16
SEND_BYTES = 1 << 18  # the fence is asked again before each further part
MAX_INFORMATIONAL = 100  # answers of the kind "100 Continue" before the one that counts


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it goes over the wire. Shows nothing of it."""

    method: str
    data: bytes = field(repr=False)
    may_be_sent_twice: bool = False
    upgrades: bool = False  #: asks for another protocol on the same connection: 101 is an answer to it


def exchange(connections: Connections, call: Call, message: Message) -> Answer:
    """Send a request; returns when the head of its answer has come.

    A kept connection that turns out to be dead is replaced once, if the message may be sent twice.

    Raises:
        ExchangeError: There was no answer, or none that makes sense.
        OSError: The connection broke.
        Interrupted: The call's breaker was tripped.
    """
    connection = connections.take()
    try:
        while True:
            is_kept = connection.sock is not None
            if not is_kept:
                connections.connect(connection, call)
            elif call.breaker is not None:
                call.watch_over(connection.sock)
            try:
                _send(connection.sock, call, message)
                head, rest = _receive_head(connection.sock, call, 101 if message.upgrades else 200)
                return Answer(head, rest, message.method, call, connection, connections)
            except NoAnswer:
                connection.close()
                if not (is_kept and message.may_be_sent_twice):
                    raise
    except BaseException:
        connection.close()
        connections.give_back(connection)
        raise


class Answer:
    """An answer whose head has come. Its body is read once, by one thread; `close` it if that is not to the end.

    Attributes:
        status: 200 to 599; or 101, and then `detach`.
        headers: The fields of the head.
    """

    __slots__ = (
        "_call",
        "_connection",
        "_connections",
        "_framing",
        "_head",
        "_idle_seconds",
        "_rest",
        "_unpack",
        "headers",
        "status",
    )

    def __init__(
        self, head: Head, rest: bytes, method: str, call: Call, connection: Connection, connections: Connections
    ) -> None:
        self.status: int = head.status
        self.headers: Headers = head.headers
        self._head = head
        self._rest = rest  # what has come of the body
        # None: it has come as a whole, and leaves the connection to the next.
        self._framing: Framing | None = None
        self._unpack: Gunzip | None = None
        if head.plain_length != len(rest) or not rest or method == "HEAD" or head.status in WITHOUT_BODY:
            self._framing = framing_of(head, method)
            self._unpack = None if self._framing.is_complete else unpacking_of(head)
        self._call = call
        self._connection: Connection | None = connection
        self._connections = connections
        self._idle_seconds: float | None = None

    def set_idle_timeout(self, seconds: float) -> None:
        """From now on each piece may take so long, and the call's deadline is none."""
        self._idle_seconds = seconds

    def pieces(self) -> Iterator[bytes]:
        """Yield the content as it comes, in pieces of any size.

        Raises:
            ExchangeError: It does not come to the end that it should have, or not in time.
            OSError: The connection broke.
        """
        framing = self._framing = self._framing or Sized(len(self._rest))
        try:
            while not framing.is_complete:
                if content := self._next(framing):
                    yield content
            self._finish(framing)
        except BaseException:
            self.close()
            raise

    def read(self, receive: Callable[[bytes], object] | None = None) -> bytes:
        """All of the content; raises as `pieces` does.

        Args:
            receive: Given the content piece by piece, which is not returned then. What it raises is raised.
        """
        framing, connection = self._framing, self._connection
        if framing is None and receive is None and connection is not None:
            self._connection = None
            self._connections.give_back(connection)
            return self._rest
        framing = self._framing = framing or Sized(len(self._rest))
        parts: list[bytes] = []
        take = receive or parts.append
        try:
            while not framing.is_complete:
                if content := self._next(framing):
                    take(content)
            self._finish(framing)
        except BaseException:
            self.close()
            raise
        return b"".join(parts)

    def detach(self) -> tuple[Connection, bytes]:
        """After a 101: the connection, which is the caller's to close, and what has come on it behind the head."""
        connection, self._connection = self._connection, None
        if connection is None:
            raise ExchangeError("the answer has been closed")
        return connection, self._rest

    def close(self) -> None:
        """Let the connection go. Idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            self._connections.give_back(connection)

    def _next(self, framing: Framing) -> bytes:
        data, self._rest = self._rest, b""
        if not data:
            data = self._receive()
            if not data:
                framing.end()
                return b""
        content = framing.feed(data)
        return content if self._unpack is None else self._unpack.feed(content)

    def _finish(self, framing: Framing) -> None:
        """All has come: keep the connection for the next exchange, if it is good for one."""
        if self._unpack is not None:
            self._unpack.end()
        if self._rest or framing.is_overfull or not leaves_connection_usable(self._head, framing):
            self.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.give_back(connection)

    def _receive(self) -> bytes:
        connection, idle_seconds = self._connection, self._idle_seconds
        if connection is None:
            raise ExchangeError("the answer has been closed")
        if idle_seconds is None:
            return _receive(connection.sock, self._call)
        if connection.sock.gettimeout() != idle_seconds:
            connection.sock.settimeout(bounded(idle_seconds))
        try:
            return connection.sock.recv(RECEIVE_BYTES)
        except TimeoutError as error:
            raise Silent(f"connected, but silent or too slow: nothing came for {idle_seconds:g} s") from error


def _send(sock: Any, call: Call, message: Message) -> None:
    """Send all of it; if the server hangs up meanwhile, it may have said why."""
    data: memoryview | bytes = message.data
    if len(data) > SEND_BYTES:
        data = memoryview(data)
    fence = call.fence
    try:
        while data:
            call.limit(sock)
            if fence is not None:
                fence.check()
            sent = sock.send(data if len(data) <= SEND_BYTES else data[:SEND_BYTES])
            if fence is not None:
                fence.sent()
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
    except TimeoutError as error:
        raise call.out_of_time() from error
    except OSError as error:
        if not is_broken_off(error):
            raise


def _receive_head(sock: Any, call: Call, least: int = 200) -> tuple[Head, bytes]:
    """The head that counts, and what has come after it.

    Args:
        least: The lowest status of an answer that counts.
    """
    call.limit(sock)
    try:
        data = sock.recv(RECEIVE_BYTES)
    except TimeoutError as error:
        raise call.out_of_time() from error
    except OSError as error:
        if is_broken_off(error):
            raise NoAnswer(NO_ANSWER) from error
        raise
    if not data:
        raise NoAnswer(NO_ANSWER)
    head = parse_head(data)
    if head is not None and head.status >= least:
        return head, data[head.size :]
    return _receive_rest_of_head(bytearray(data), head, sock, call, least)


def _receive_rest_of_head(data: bytearray, head: Head | None, sock: Any, call: Call, least: int) -> tuple[Head, bytes]:
    """The same, for one that has come in pieces, or after others.

    Args:
        data: What has come; begins with `head`, if that is not None.
    """
    informational = 0
    while head is None or head.status < least:
        if head is not None:
            informational += 1
            if head.status == 101 or informational > MAX_INFORMATIONAL:
                raise ExchangeError(f"the server answers {head.status} instead of an answer")
            del data[: head.size]
            head = parse_head(data)
            continue
        more = _receive(sock, call)
        if not more:
            raise ExchangeError(CUT_SHORT)
        data += more
        head = parse_head(data, len(data) - len(more))
    return head, bytes(data[head.size :])


def _receive(sock: Any, call: Call) -> bytes:
    call.limit(sock)
    try:
        data: bytes = sock.recv(RECEIVE_BYTES)
    except TimeoutError as error:
        raise call.out_of_time() from error
    return data
