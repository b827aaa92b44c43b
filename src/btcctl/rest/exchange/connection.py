"""Connections, made and kept by urllib3, with deadline and Breaker attached before anything can block.

What is used of urllib3 beyond its documentation, and checked by a test: `_get_conn`, `_put_conn`, `_prepare_proxy`,
`QueueCls` and `pool` of a pool; `_new_conn`, `_dns_host` of a connection. requests and urllib3's own SOCKS support use
most of the same.

A connection that is out of the pool belongs to one exchange. It goes back when the whole answer has come and nothing
else has, or closed: urllib3 connects a closed one again. What a pool keeps them in is ours, and without a lock: each of
its operations is one of a deque.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, make_headers
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ClosedPoolError, HTTPError

from btcctl.rest.config.tls import TlsContexts
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.failures import ConnectError
from btcctl.rest.exchange.names import AddressInfo, Names
from btcctl.rest.exchange.proxies import Proxy
from btcctl.rest.exchange.wire import Wire, wire_to
from btcctl.rest.transport.breaker import Breaker
from btcctl.threads import Runner, Stop

# A peer that vanished is noticed after 30 + 3 × 10 s, also by a connection nothing is sent on.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
# An address among several is given this at least, so that the first ones do not leave too little to be of use;
# net.Dialer of Go does the same (partialDeadline in net/dial.go).
_MIN_SECONDS = 2.0


#: Host, port and the seconds there are → something like a socket, or None: connect as usual. Raises OSError.
Dial = Callable[[str, int, float], Any]


@dataclass(frozen=True, slots=True)
class _Making:
    """What a connection needs to know while it is made."""

    call: Call
    names: Names
    tls: TlsContexts | None
    guard: Breaker | None  #: ends it when its time is over, where a proxy could drag it out
    proxy: Proxy | None
    dial: Dial | None  #: how to reach what has no address here


class PlainConnection(HTTPConnection):
    """Over TCP."""

    making: _Making | None = None
    wire: Wire | None = None

    @property
    def is_connected(self) -> bool:
        """False if the server has closed it, or has sent what was not asked for."""
        wire = self.wire
        return self.sock is not None and wire is not None and not wire.poll(0)

    def _new_conn(self) -> socket.socket:
        return _dial(self)


class TlsConnection(HTTPSConnection):
    """Over TLS, with the context that is in force when it connects."""

    making: _Making | None = None
    contexts: TlsContexts | None = None
    wire: Wire | None = None

    def _new_conn(self) -> socket.socket:
        return _dial(self)

    def connect(self) -> None:
        """Connect; nothing is trusted or shown but what the context says."""
        if self.making is not None and self.making.tls is not None:
            self.contexts = self.making.tls
            tls = self.contexts.tls()
            self.ssl_context = self.contexts.current()
            self.cert_reqs = self.ssl_context.verify_mode
            self.server_hostname = tls.server_name or None
        super().connect()

    @property
    def is_connected(self) -> bool:
        """False, too, for a connection made under certificates that have been replaced since."""
        if self.contexts is not None and not self.contexts.is_in_force(self.ssl_context):
            return False
        wire = self.wire
        return self.sock is not None and wire is not None and not wire.poll(0)


Connection = PlainConnection | TlsConnection


class Kept(deque[Any]):
    """What a pool keeps its connections in: the last that came goes first. None stands for one that is to be made."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    # As queue.LifoQueue has them.

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return self.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: Any, block: bool = True) -> None:
        if len(self) >= self.size:
            raise queue.Full
        self.append(connection)

    def qsize(self) -> int:
        return len(self)


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection
    QueueCls = Kept  # type: ignore[assignment]


class TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection
    QueueCls = Kept  # type: ignore[assignment]


def open_pool(
    scheme: str, host: str, port: int, *, maxsize: int, proxy: Proxy | None, proxy_context: ssl.SSLContext | None
) -> HTTPConnectionPool:
    """A pool for one server.

    Args:
        scheme: Of the server, http or https.
        proxy_context: What is trusted of a proxy that is spoken to over TLS.
    """
    classes: dict[str, type[HTTPConnectionPool]] = {"http": PlainPool, "https": TlsPool}
    if proxy is None or proxy.is_socks:
        return classes[scheme](host, port, maxsize=maxsize)
    login = make_headers(proxy_basic_auth=f"{proxy.user}:{proxy.password}") if proxy.user else None
    manager = ProxyManager(str(proxy), maxsize=maxsize, proxy_headers=login, proxy_ssl_context=proxy_context)
    manager.pool_classes_by_scheme = classes
    return manager.connection_from_host(host, port, scheme)


class Connections:
    """Those to one server. Thread-safe.

    Args:
        pool: Keeps them; of the classes above.
        names: Knows where names lead.
        tls: What new ones are made with; None for plain HTTP.
        proxy: What they lead through.
        dial: Asked first for each new one.
    """

    def __init__(
        self,
        pool: HTTPConnectionPool,
        names: Names,
        tls: TlsContexts | None = None,
        proxy: Proxy | None = None,
        dial: Dial | None = None,
    ) -> None:
        self._pool = pool
        self._names = names
        self._tls = tls
        self._proxy = proxy
        self._dial = dial

    def take(self) -> Connection:
        """One for an exchange, connected if it was kept. Give it back, whatever happens.

        Raises:
            ConnectError: They have been closed.
        """
        kept: Any = self._pool.pool
        try:
            connection: Connection | None = kept.pop() if kept else None
        except IndexError:  # another thread was faster
            connection = None
        if connection is not None:
            if not connection.is_connected:
                connection.close()
            return connection
        try:
            return self._pool._get_conn()  # type: ignore[return-value]  # noqa: SLF001
        except ClosedPoolError:
            raise ConnectError("the client has been closed") from None

    def connect(self, connection: Connection, call: Call) -> None:
        """Connect one that is not.

        Raises:
            ConnectError: In vain; its cause says why.
            OutOfTime: The call's time is over.
            Interrupted: The call was broken off.
        """
        guard = None if self._proxy is None else Breaker()
        connection.making = _Making(call, self._names, self._tls, guard, self._proxy, self._dial)
        try:
            with ended_after(2 * call.connect_seconds, call, guard):
                self._connect(connection)
        except (OSError, http.client.HTTPException, HTTPError, ValueError) as error:
            raise _why_not(error, call, guard, self._proxy) from error
        finally:
            connection.making = None
        connection.wire = wire_to(connection.sock, call.clock)

    def _connect(self, connection: Connection) -> None:
        if self._pool.proxy is not None and self._tls is not None:
            self._pool._prepare_proxy(connection)  # noqa: SLF001
        else:
            connection.connect()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next exchange, if it is connected."""
        kept: Any = self._pool.pool
        if kept is None or len(kept) >= kept.size:
            self._pool._put_conn(connection)  # noqa: SLF001
            return
        kept.append(connection)
        if self._pool.pool is not kept:  # closed meanwhile, and emptied perhaps before that
            connection.close()

    def close(self) -> None:
        """Close those that are not in use, and the others after use. Idempotent."""
        self._pool.close()


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


def _dial(connection: Connection) -> socket.socket:
    """Connect to the server, or to the proxy before it: in turn to each address that its name leads to."""
    making = connection.making
    if making is None:
        raise ConnectError("connections are made by `Connections` only")
    call = making.call
    ends_at = call.clock.now() + min(call.connect_seconds, call.seconds_left())
    # With a dot at its end, if it has one: that keeps the resolver from trying the search domains.
    host, port = connection._dns_host, connection.port or connection.default_port  # noqa: SLF001
    target = (host, port)
    if making.dial is not None:
        sock = making.dial(host, port, ends_at - call.clock.now())
        if sock is not None:
            call.watch_over(sock)
            return sock  # type: ignore[no-any-return]
    if making.proxy is not None and making.proxy.is_socks:
        host, port = making.proxy.host, making.proxy.port
    addresses = making.names.resolve(host, port, ends_at - call.clock.now(), call.breaker)
    failure: OSError = TimeoutError("timed out")
    for number, address in enumerate(addresses):
        left = ends_at - call.clock.now()
        if left <= 0:
            break
        share = min(left, max(_MIN_SECONDS, left / (len(addresses) - number)))
        try:
            sock = _dial_address(address, share, making, target)
        except OSError as error:
            if call.breaker is not None:
                call.breaker.check()
            failure = error
        else:
            sock.settimeout(min(call.connect_seconds, call.seconds_left()))  # for a handshake as a whole
            return sock
    raise failure


def _dial_address(info: AddressInfo, seconds: float, making: _Making, target: tuple[str, int]) -> socket.socket:
    family, kind, protocol, _, address = info
    proxy = making.proxy
    if proxy is not None and proxy.is_socks:
        sock = _socks_socket(family, kind, protocol, address, proxy)
        address = target
    else:
        sock = socket.socket(family, kind, protocol)
    try:
        _configure(sock)
        sock.settimeout(seconds)
        for breaker in (making.guard, making.call.breaker):
            if breaker is not None:
                breaker.attach(sock)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _socks_socket(family: int, kind: int, protocol: int, address: tuple[Any, ...], proxy: Proxy) -> socket.socket:
    """Connects through the proxy at this address, which resolves the names."""
    import socks  # noqa: PLC0415 - PySocks, which need not be there

    sock = socks.socksocket(family, kind, protocol)
    login = {"username": proxy.user, "password": proxy.password} if proxy.user else {}
    sock.set_proxy(socks.SOCKS5, address[0], address[1], rdns=True, **login)
    return sock  # type: ignore[no-any-return]


def _configure(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
