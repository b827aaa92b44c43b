"""The way to a server: directly or through a proxy, over TLS or not. Nothing on it blocks for longer than its call may.

A proxy is given no more time in all than twice what a connection may take: what goes on with it has waits of its own.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from btcctl.rest.config.tls import TlsContexts
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.failures import ExchangeError
from btcctl.rest.exchange.head import format_fields, format_request, parse_head
from btcctl.rest.exchange.reaching.names import AddressInfo, Names
from btcctl.rest.exchange.reaching.proxies import Proxy
from btcctl.rest.transport.breaker import Breaker

# A peer that vanished is noticed after 30 + 3 × 10 s, also by a connection nothing is sent on.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
# An address among several is given this at least, so that the first ones do not leave too little to be of use;
# net.Dialer of Go does the same (partialDeadline in net/dial.go).
_MIN_SECONDS = 2.0
_READ_BYTES = 1 << 12


#: Host, port and the seconds there are → something like a socket, or None: connect as usual. Raises OSError.
Dial = Callable[[str, int, float], Any]


class Route:
    """Leads to one server. Thread-safe.

    Args:
        host: The server's name or address.
        names: Knows where names lead.
        tls: What connections are made with; None for plain HTTP.
        proxy: What they lead through.
        proxy_context: What is trusted of a proxy that is spoken to over TLS.
        dial: Asked first for each new connection: how to reach what has no address here.
    """

    def __init__(
        self,
        host: str,
        port: int,
        names: Names,
        *,
        tls: TlsContexts | None = None,
        proxy: Proxy | None = None,
        proxy_context: ssl.SSLContext | None = None,
        dial: Dial | None = None,
    ) -> None:
        self._server = (host, port)
        self._names = names
        self._dial = dial
        self._proxy_context = proxy_context
        self.tls = tls
        self.proxy = proxy

    @property
    def is_forwarded(self) -> bool:
        """Whether requests are addressed to the proxy, because no tunnel is asked for."""
        return self.proxy is not None and not self.proxy.is_socks and self.tls is None

    def connect(self, call: Call, guard: Breaker | None) -> tuple[Any, ssl.SSLContext | None]:
        """Something like a socket, and what TLS on it was made with.

        Args:
            guard: Ends it when its time is over, where a proxy could drag it out.

        Raises:
            OSError: No connection was had.
            ValueError: A name that cannot be one.
            OutOfTime: The call's time is over.
            Interrupted: The call was broken off.
        """
        sock = self._first_hop(call, guard)
        try:
            sock.settimeout(min(call.connect_seconds, call.seconds_left()))  # for a handshake as a whole
            if self._proxy_context is not None and self.proxy is not None:
                sock = _start_tls(sock, self._proxy_context, self.proxy.host)
            if self.tls is None:
                return sock, None
            if self.proxy is not None and not self.proxy.is_socks:
                _open_tunnel(sock, self._server, self.proxy)
            name = self.tls.tls().server_name or self._server[0]
            context = self.tls.current()
            return _start_tls(sock, context, name), context
        except BaseException:
            sock.close()
            raise

    def _first_hop(self, call: Call, guard: Breaker | None) -> Any:
        """To the server, or to the proxy before it: in turn to each address that its name leads to."""
        host, port = self._server if self.proxy is None else (self.proxy.host, self.proxy.port)
        call.seconds_left()  # there are some
        ends_at = min(call.clock.now() + call.connect_seconds, call.deadline)
        if self._dial is not None:
            sock = self._dial(host, port, ends_at - call.clock.now())
            if sock is not None:
                try:
                    call.watch_over(sock.fileno())
                except BaseException:
                    sock.close()
                    raise
                return sock
        addresses = self._names.resolve(host, port, ends_at - call.clock.now(), call.breaker)
        failure: OSError = TimeoutError("timed out")
        for number, address in enumerate(addresses):
            left = ends_at - call.clock.now()
            if left <= 0:
                break
            share = min(left, max(_MIN_SECONDS, left / (len(addresses) - number)))
            try:
                return self._connected(address, share, (guard, call.breaker))
            except OSError as error:
                if call.breaker is not None:
                    call.breaker.check()
                failure = error
        raise failure

    def _connected(self, info: AddressInfo, seconds: float, breakers: tuple[Breaker | None, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if self.proxy is not None and self.proxy.is_socks:
            sock = _socks_socket(family, kind, protocol, address, self.proxy)
            address = self._server
        else:
            sock = socket.socket(family, kind, protocol)
        try:
            _configure(sock)
            sock.settimeout(seconds)
            for breaker in breakers:
                if breaker is not None:
                    breaker.attach(sock)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock


def _start_tls(sock: Any, context: ssl.SSLContext, host: str) -> Any:
    """TLS on a connection; the name that has to stand in the certificate is without a zone, and without a last dot."""
    name = host.partition("%")[0].rstrip(".")
    if not isinstance(sock, ssl.SSLSocket):
        return context.wrap_socket(sock, server_hostname=name)
    from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415  TLS within TLS: for few, and loads much

    return SSLTransport(sock, context, server_hostname=name)


def _open_tunnel(sock: Any, server: tuple[str, int], proxy: Proxy) -> None:
    """Ask a proxy to carry bytes to and from a server (RFC 9110, section 9.3.6).

    Raises:
        OSError: It does not.
    """
    host, port = server
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sock.sendall(format_request("CONNECT", target, format_fields(target, proxy.fields()), None))
    data = b""
    try:
        while (head := parse_head(data)) is None:
            received = sock.recv(_READ_BYTES)
            if not received:
                raise ConnectionResetError("it has closed the connection without an answer")
            data += received
    except ExchangeError as error:
        raise OSError(f"it opens no tunnel: {error}") from error
    if not 200 <= head.status < 300:
        raise OSError(f"it opens no tunnel, and answers {head.status}")
    if len(data) > head.size:
        raise OSError("it says more than that the tunnel is open")


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
