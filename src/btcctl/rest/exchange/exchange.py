"""Sends a request in one piece and reads its answer, under the deadline of its call.

What holds here:

* Every wait is given what is left of the call's time, and no more; only the body of a stream has limits of its own.
* A connection goes back to its pool connected if the answer has come to its end as it said it would, nothing has come
  after that, and the server agrees; else closed. No error of any kind leaves one behind.
* Between the fence's consent and the system call that sends stands nothing that waits.
* An answer that is whole when its head has come, as most are, has let go of its connection before anyone sees it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

from btcctl.clock import bounded
from btcctl.deadline import pending_calls
from btcctl.rest.exchange.body import (
    WITHOUT_BODY,
    Framing,
    Gunzip,
    framing_of,
    leaves_connection_usable,
    unpacking_of,
)
from btcctl.rest.exchange.call import Call, watch_over
from btcctl.rest.exchange.connection import Connection, Connections
from btcctl.rest.exchange.failures import CUT_SHORT, NO_ANSWER, ExchangeError, NoAnswer, Silent, is_broken_off
from btcctl.rest.exchange.head import Head, parse_head
from btcctl.rest.exchange.wire import MAX_READ, WOULD_BLOCK
from btcctl.rest.transport.breaker import Breaker

SEND_BYTES = 1 << 18  # the fence is asked again before each further part
SOON_SECONDS = 0.25  # an answer that takes longer is worth the system calls that make it breakable
MAX_INFORMATIONAL = 100  # answers of the kind "100 Continue" before the one that counts


def exchange(
    connections: Connections,
    call: Call,
    method: str,
    message: bytes,
    *,
    may_be_sent_twice: bool = False,
    upgrades: bool = False,
) -> Answer:
    """Send a request; returns when the head of its answer has come.

    A kept connection that turns out to be dead is replaced once, if the message may be sent twice.

    Args:
        message: The request as `format_request` has it: a SecretBytes, for it is in the frames of errors.
        upgrades: It asks for another protocol on the same connection: 101 is an answer to it.

    Raises:
        ExchangeError: There was no answer, or none that makes sense.
        OSError: The connection broke.
        Interrupted: The call's breaker was tripped.
    """
    connection, why = connections.take(), None
    try:
        while True:
            is_kept = connection.wire is not None
            if not is_kept:
                _connect(connections, connection, call)
            wire: Any = connection.wire
            if is_kept and call.breaker is not None:
                call.watch_over(wire.fd)
            try:
                _send(wire, call, message)
                data = _receive_soon(wire, call)
            except OSError as error:
                if not is_broken_off(error):
                    raise
                data, why = b"", error
            if data:
                return Answer(data, method, call, connection, connections, 101 if upgrades else 200)
            if data is None:
                raise call.out_of_time()
            connection.close()
            if not (is_kept and may_be_sent_twice):
                raise NoAnswer(NO_ANSWER) from why
    except BaseException:
        connection.close()
        connections.give_back(connection)
        raise


class Answer:
    """An answer whose head has come. Its body is read once, by one thread; `close` it if that is not to the end.

    Args:
        data: What has come, not nothing.
        least: The lowest status of an answer that counts.

    Attributes:
        status: 200 to 599; or 101, and then `detach`.
        headers: The fields of the head.
        content: All of it, if it had come with the head; else None.

    Raises:
        ExchangeError: It makes no sense, or is not there in time; the connection is still the caller's.
    """

    __slots__ = (
        "_call",
        "_connection",
        "_connections",
        "_framing",
        "_idle_seconds",
        "_rest",
        "_unpack",
        "content",
        "headers",
        "status",
    )

    def __init__(
        self, data: bytes, method: str, call: Call, connection: Connection, connections: Connections, least: int
    ) -> None:
        head = parse_head(data)
        if head is None or head.status < least:
            head, rest = _receive_rest_of_head(bytearray(data), head, connection, call, least)
        else:
            rest = data[head.size :]
        self.headers: Head = head
        self.status: int = head.status
        if head.plain_length == len(rest) and rest and method != "HEAD" and head.status not in WITHOUT_BODY:
            self._connection: Connection | None = None
            self.content: bytes | None = rest
            connections.give_back(connection)
            return
        self.content = None
        self._rest = rest  # what has come of the body
        self._framing: Framing = framing_of(head, method)
        self._unpack: Gunzip | None = None if self._framing.is_complete else unpacking_of(head)
        self._call = call
        self._connection = connection
        self._connections = connections
        self._idle_seconds: float | None = None

    def set_idle_timeout(self, seconds: float) -> None:
        """From now on each piece may take so long, and the call's deadline is none."""
        self._idle_seconds = bounded(seconds)

    def pieces(self) -> Iterator[bytes]:
        """Yield the content as it comes, in pieces of any size.

        Raises:
            ExchangeError: It does not come to the end that it should have, or not in time.
            OSError: The connection broke.
        """
        if self.content is not None:
            yield self.content
            return
        framing = self._framing
        try:
            while not self._is_over(framing):
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
        parts: list[bytes] = []
        take = receive or parts.append
        if self.content is not None:
            take(self.content)
            return b"".join(parts)
        framing = self._framing
        try:
            while not self._is_over(framing):
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
        unpack = self._unpack
        if unpack is not None and unpack.has_more:
            return unpack.feed(b"")
        data, self._rest = self._rest, b""
        if not data:
            data = self._receive()
            if not data:
                framing.end()
                return b""
        content = framing.feed(data)
        return content if unpack is None else unpack.feed(content)

    def _is_over(self, framing: Framing) -> bool:
        return framing.is_complete and (self._unpack is None or not self._unpack.has_more)

    def _finish(self, framing: Framing) -> None:
        """All has come: keep the connection for the next exchange, if it is good for one."""
        if self._unpack is not None:
            self._unpack.end()
        if self._rest or framing.is_overfull or not leaves_connection_usable(self.headers, framing):
            self.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.give_back(connection)

    def _receive(self) -> bytes:
        connection, idle_seconds, call = self._connection, self._idle_seconds, self._call
        if connection is None or connection.wire is None:
            raise ExchangeError("the answer has been closed")
        if idle_seconds is None:
            data = _receive_soon(connection.wire, call)
            if data is None:
                raise call.out_of_time()
            return data
        data = _receive(connection.wire, call, call.clock.now() + idle_seconds)
        if data is not None:
            return data
        raise Silent(f"connected, but silent or too slow: nothing came for {idle_seconds:g} s")


def _connect(connections: Connections, connection: Connection, call: Call) -> None:
    """Connect; those can break that off who want the work to end that the call belongs to."""
    calls = pending_calls()
    if calls is None or call.breaker is not None:
        connections.connect(connection, call)
        return
    breaker = call.breaker = Breaker()
    try:
        with calls.breakable(breaker.trip):
            connections.connect(connection, call)
    finally:
        call.breaker = None
        breaker.release()


def _send(wire: Any, call: Call, message: bytes) -> None:
    """Send all of it; if the server hangs up meanwhile, it may have said why."""
    fence = call.fence
    left: bytes | memoryview = message if len(message) <= SEND_BYTES else memoryview(message)
    try:
        while left:
            if wire.limit is not None:
                wire.limit(call.seconds_left())
            if fence is not None:
                fence.check()
            try:
                sent = wire.write(left if len(left) <= SEND_BYTES else left[:SEND_BYTES])
            except WOULD_BLOCK as error:
                wire.wait_after(error, call.seconds_left())
                continue  # with the same bytes: of TLS, half a record may be on its way
            if fence is not None:
                fence.sent()
            if sent == len(left):
                return
            left = memoryview(left)[sent:]
            call.seconds_left()
    except TimeoutError as error:
        raise (call.out_of_time() if error.errno is None else error) from error
    except OSError as error:
        if not is_broken_off(error):
            raise


def _receive_rest_of_head(
    data: bytearray, head: Head | None, connection: Connection, call: Call, least: int
) -> tuple[Head, bytes]:
    """The head that counts, and what has come after it, for one that has come in pieces, or after others.

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
        more = _receive_soon(connection.wire, call)
        if not more:
            raise ExchangeError(CUT_SHORT) if more is not None else call.out_of_time()
        data += more
        head = parse_head(data, len(data) - len(more))
    return head, bytes(data[head.size :])


def _receive_soon(wire: Any, call: Call) -> bytes | None:
    """What comes next: b"" at the end, None if nothing comes in the call's time.

    What does not come soon can be broken off by those who want the work to end that the call belongs to.

    Raises:
        Interrupted: It was.
    """
    soon = call.clock.now() + SOON_SECONDS
    data = _receive(wire, call, min(call.deadline, soon))
    if data is not None or soon >= call.deadline:
        return data
    calls = pending_calls()
    if calls is None or call.breaker is not None:
        return _receive(wire, call, call.deadline)
    breaker = Breaker()
    try:
        with calls.breakable(breaker.trip):
            watch_over(wire.fd, breaker)
            return _receive(wire, call, call.deadline)
    finally:
        breaker.release()


def _receive(wire: Any, call: Call, ends_at: float) -> bytes | None:
    """What comes next: b"" at the end, None if nothing comes until then."""
    now = call.clock.now
    while (left := ends_at - now()) > 0:
        wire.poll(left * 1000)
        try:
            data: bytes = wire.read(MAX_READ)
        except WOULD_BLOCK as error:
            if isinstance(error, ssl.SSLWantWriteError):
                wire.wait_after(error, left)
        except TimeoutError as error:
            if error.errno is not None:  # the kernel's: the peer has vanished
                raise
        except ssl.SSLEOFError:
            return b""
        else:
            return data
    return None
