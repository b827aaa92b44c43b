"""Connections to servers: made when they are needed, and kept for the next exchange.

A connection that is out belongs to one exchange. It is given back when the whole answer has come and nothing else has,
or closed. Those that are kept stand in a deque, and there is no lock: each step is one of a deque's.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any

from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.failures import ConnectError
from btcctl.rest.exchange.reaching.proxies import Proxy
from btcctl.rest.exchange.reaching.route import Route
from btcctl.rest.exchange.wire import Wire, wire_to
from btcctl.rest.transport.breaker import Breaker
from btcctl.threads import Runner, Stop


class Connection:
    """For one exchange at a time.

    Attributes:
        sock: Something like a socket.
        wire: What is read and written; None if it is not connected.
        context: What TLS was made with.
    """

    __slots__ = ("context", "sock", "wire")

    def __init__(self) -> None:
        self.sock: Any = None
        self.wire: Wire | None = None
        self.context: ssl.SSLContext | None = None

    def close(self) -> None:
        """Idempotent."""
        sock, self.sock, self.wire = self.sock, None, None
        if sock is not None:
            sock.close()


class Connections:
    """Those to one server. Thread-safe. Those that are kept are closed with it, if nobody has closed it before.

    Args:
        route: Leads there.
        size: How many are kept.
    """

    def __init__(self, route: Route, size: int = 1) -> None:
        self._route = route
        self._tls = route.tls
        self._kept: deque[Connection] = deque()
        weakref.finalize(self, _close_all, self._kept).atexit = False
        self._size = size
        self._is_closed = False

    def take(self) -> Connection:
        """One for an exchange, the last that was kept, or one that is to be connected. Give it back, whatever happens.

        One that was kept is not connected any more if the server has closed it or has sent what was not asked for, or
        if the certificates that it was made under have been replaced since.

        Raises:
            ConnectError: They have been closed.
        """
        try:
            connection = self._kept.pop()
        except IndexError:
            if self._is_closed:
                raise ConnectError("the client has been closed") from None
            return Connection()
        wire, tls = connection.wire, self._tls
        if wire is None or wire.poll(0) or (tls is not None and not tls.is_in_force(connection.context)):
            connection.close()
        return connection

    def connect(self, connection: Connection, call: Call) -> None:
        """Connect one that is not.

        Raises:
            ConnectError: In vain; its cause says why.
            OutOfTime: The call's time is over.
            Interrupted: The call was broken off.
        """
        proxy = self._route.proxy
        guard = None if proxy is None else Breaker()
        try:
            with ended_after(2 * call.connect_seconds, call, guard):
                connection.sock, connection.context = self._route.connect(call, guard)
                connection.wire = wire_to(connection.sock, call.clock)
        except (OSError, ValueError) as error:
            raise _why_not(error, call, guard, proxy) from error

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next exchange, if it is connected."""
        if connection.wire is None:
            return
        if len(self._kept) >= self._size:
            connection.close()
            return
        self._kept.append(connection)
        if not self._size:  # since just now: what had been kept is closed, perhaps without this one
            self._close_idle()

    def keep_none(self) -> None:
        """Close those that are not in use, and from now on all of them after use."""
        self._size = 0
        self._close_idle()

    def close(self) -> None:
        """The same; and no more are made. Idempotent."""
        self._is_closed = True
        self.keep_none()

    def _close_idle(self) -> None:
        _close_all(self._kept)


def _close_all(kept: deque[Connection]) -> None:
    with contextlib.suppress(IndexError):
        while True:
            kept.pop().close()


class ConnectionsByServer:
    """Those to any number of servers, one kept for each. Thread-safe.

    Args:
        most: To how many servers some are kept: those to the one that was asked longest ago are closed first.
        route_to: The way to a host and port.
    """

    def __init__(self, most: int, route_to: Callable[[str, int], Route]) -> None:
        self._most = most
        self._route_to = route_to
        self._lock = threading.Lock()  # guards the next
        self._all: OrderedDict[tuple[str, int], Connections] = OrderedDict()

    def to(self, host: str, port: int) -> Connections:
        with self._lock:
            found = self._all.get((host, port))
            if found is None:
                found = self._all[host, port] = Connections(self._route_to(host, port))
            self._all.move_to_end((host, port))
            oldest = self._all.popitem(last=False)[1] if len(self._all) > self._most else None
        if oldest is not None:
            oldest.keep_none()
        return found

    def close(self) -> None:
        """Close what is idle, and the others after use. Idempotent."""
        with self._lock:
            closing = [*self._all.values()]
            self._all.clear()
        for each in closing:
            each.keep_none()


@contextlib.contextmanager
def ended_after(seconds: float, call: Call, guard: Breaker | None) -> Iterator[None]:
    """Trip `guard`, if there is one, when the time of what is done within, or that of the call, is over."""
    if guard is None:
        yield
        return
    limit = min(seconds, call.seconds_left())

    def watch(stop: Stop) -> None:
        if not stop.wait(limit):
            guard.trip()

    try:
        with Runner("exchange-deadline", watch):
            yield
    finally:
        guard.release()


def _why_not(error: Exception, call: Call, guard: Breaker | None, proxy: Proxy | None) -> Exception:
    """What it means that no connection was had."""
    if call.breaker is not None:
        call.breaker.check()
    call.seconds_left()
    through = "" if proxy is None else f" through the proxy {proxy}"
    if isinstance(error, TimeoutError) or (guard is not None and guard.tripped):
        return ConnectError(f"no connection in time{through}", is_proxied=bool(through))
    return ConnectError(f"no connection{through}: {error}", is_proxied=bool(through))
