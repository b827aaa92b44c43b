"""Through real proxies: HTTP, HTTPS and SOCKS, for requests and for watches."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import CallTimedOut, TransportError
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Request
from btcctl.threads import Runner
from tests.integration.rest.conftest import Authority
from tests.integration.rest.servers import Handler, Peer, SocketServer, always, event
from tests.integration.support import closed_port

GET = Request("GET", "/x", {"a": "b"})


def pump(source: Callable[[], bytes], sink: Callable[[bytes], object], end: Callable[[], object]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := source():
            sink(data)
    with contextlib.suppress(OSError):
        end()


def join(peer: Peer, server: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended."""
    answering = Runner("proxy-answers", lambda _: pump(lambda: server.recv(65536), peer.send, peer.shut_down))
    answering.start()
    pump(peer.read_some, server.sendall, lambda: server.shutdown(socket.SHUT_RDWR))
    answering.stop()
    server.close()


def connecting(peer: Peer) -> None:
    """An HTTP proxy: opens tunnels, forwards nothing."""
    request = peer.read_request()
    if request is None:
        return
    if request.method != "CONNECT":
        peer.respond({"forwarded": request.target})
        return
    host, _, port = request.target.rpartition(":")
    server = socket.create_connection((host, int(port)))
    peer.send(b"HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n")
    join(peer, server)


def socks(peer: Peer) -> None:
    """A SOCKS5 proxy (RFC 1928) without authentication, or with any user and password (RFC 1929)."""
    _, count = peer.read_exactly(2)
    methods = peer.read_exactly(count)
    if 2 in methods:
        peer.send(b"\x05\x02")
        _, size = peer.read_exactly(2)
        user = peer.read_exactly(size)
        password = peer.read_exactly(peer.read_exactly(1)[0])
        peer.note(f"{user.decode()}:{password.decode()}")
        peer.send(b"\x01\x00")
    else:
        peer.send(b"\x05\x00")
    kind = peer.read_exactly(4)[3]
    host = peer.read_exactly(peer.read_exactly(1)[0]).decode() if kind == 3 else "address"
    port = int.from_bytes(peer.read_exactly(2), "big")
    peer.note(host)
    server = socket.create_connection(("127.0.0.1", port))
    peer.send(b"\x05\x00\x00\x01" + bytes(6))
    join(peer, server)


@contextlib.contextmanager
def through(
    proxy: SocketServer, server: SocketServer, authority: Authority, url: str = "", **options: str
) -> Iterator[HttpTransport]:
    config = ClientConfig(server.url, tls=authority.trusting, proxy_url=url or proxy.url, **options)
    transport = HttpTransport(config)
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture(params=["http", "https"])
def proxy_tls(request: pytest.FixtureRequest, authority: Authority) -> object:
    return authority.server_context() if request.param == "https" else None


def test_an_https_server_is_reached_through_a_tunnel_that_is_kept(authority: Authority, proxy_tls):
    with (
        SocketServer([always({"n": 1})], authority.server_context()) as server,
        SocketServer([connecting], proxy_tls) as proxy,
        through(proxy, server, authority) as transport,
    ):
        for _ in range(3):
            assert transport.request(GET, timeout=5.0).body == b'{"n": 1}'
        assert [each.target for each in proxy.requests] == [f"127.0.0.1:{server.port}"]
        assert [each.target for each in server.requests] == ["/x?a=b"] * 3
        assert server.connection_count == 1


def test_the_servers_certificate_is_verified_through_the_tunnel(authority: Authority, other_authority: Authority):
    with (
        SocketServer([always()], other_authority.server_context()) as server,
        SocketServer([connecting]) as proxy,
        through(proxy, server, authority) as transport,
        pytest.raises(TransportError, match="certificate"),
    ):
        transport.request(GET, timeout=5.0)


def test_an_http_server_is_forwarded_to(authority: Authority, proxy_tls):
    with (
        SocketServer([always()]) as server,
        SocketServer([connecting], proxy_tls) as proxy,
        through(proxy, server, authority, proxy.url.replace("//", "//u:p@")) as transport,
    ):
        assert transport.request(GET, timeout=5.0).body == b'{"forwarded": "%b/x?a=b"}' % server.url.encode()
        assert proxy.requests[0].headers["host"] == f"127.0.0.1:{server.port}"
        assert proxy.requests[0].headers["proxy-authorization"] == "Basic " + b64encode(b"u:p").decode()


def test_a_watch_goes_through_a_tunnel_too(authority: Authority, proxy_tls):
    def watched(peer: Peer) -> None:
        peer.read_request()
        peer.start_stream()
        peer.send_chunk(event("ADDED", "a"))
        peer.wait_until_gone()

    with (
        SocketServer([watched], authority.server_context()) as server,
        SocketServer([connecting], proxy_tls) as proxy,
        through(proxy, server, authority) as transport,
        ApiClient(transport).resource(PODS).watch(resource_version="1") as stream,
    ):
        assert next(stream).object.key.name == "a"


def test_the_proxy_alone_is_shown_its_credentials(authority: Authority):
    with (
        SocketServer([always()], authority.server_context()) as server,
        SocketServer([connecting]) as proxy,
        through(proxy, server, authority, proxy.url.replace("//", "//u:p@")) as transport,
    ):
        transport.request(GET, timeout=5.0)
        assert proxy.requests[0].headers["proxy-authorization"] == "Basic " + b64encode(b"u:p").decode()
        assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("is_tls", [True, False])
def test_a_socks_proxy_resolves_the_name_and_is_shown_its_credentials(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, scheme: str, is_tls: bool
):
    tls = authority.server_context(name="named") if is_tls else None
    with SocketServer([always({"n": 1})], tls) as server, SocketServer([socks]) as proxy:
        url = f"{'https' if is_tls else 'http'}://api.example:{server.port}"
        config = ClientConfig(url, tls=authority.trusting, proxy_url=f"{scheme}://u:p@127.0.0.1:{proxy.port}")
        transport = HttpTransport(config)
        assert transport.request(GET, timeout=5.0).body == b'{"n": 1}'
        assert transport.request(GET, timeout=5.0).body == b'{"n": 1}'
        transport.close()
    assert proxy.notes == ["u:p", "api.example"]


def test_the_environments_proxy_is_used_by_a_program_that_configures_none(authority: Authority):
    program = (
        "import sys; from btcctl import ClientConfig, HttpTransport;"
        "from btcctl.rest.transport.transport import Request;"
        "print(HttpTransport(ClientConfig('http://api.example')).request(Request('GET', '/x'), timeout=5.0).body)"
    )

    with SocketServer([connecting]) as proxy:
        environ = {**os.environ, "http_proxy": proxy.url}
        run = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert "http://api.example/x" in run.stdout


def refusing(peer: Peer) -> None:
    peer.read_request()
    peer.respond(b"no", 407)


def test_a_proxy_that_refuses_is_named_without_its_credentials(authority: Authority):
    with (
        SocketServer([always()], authority.server_context()) as server,
        SocketServer([refusing]) as proxy,
        through(proxy, server, authority, proxy.url.replace("//", "//u:s3cret@")) as transport,
        pytest.raises(TransportError, match=f"through the proxy {proxy.url}: .*407") as caught,
    ):
        transport.request(GET, timeout=5.0)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_is_not_there_is_to_blame_rather_than_the_server(authority: Authority, scheme: str):
    with closed_port() as port:
        url = f"{scheme}://127.0.0.1:{port}"
        transport = HttpTransport(ClientConfig("https://127.0.0.1:1", tls=authority.trusting, proxy_url=url))
        with pytest.raises(TransportError, match=f"no connection through the proxy {url}: .*refused"):
            transport.request(GET, timeout=60.0)


def dripping(beginning: bytes) -> Handler:
    def handle(peer: Peer) -> None:
        pause = threading.Event()
        peer.send(beginning)
        while not pause.wait(0.05):
            peer.send(b"a")

    return handle


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\na: ", b"\x05"])
def test_a_proxy_that_drips_is_given_up_at_the_deadline_or_as_soon_as_it_makes_no_sense(
    authority: Authority, scheme: str, beginning: bytes
):
    tls = authority.server_context() if scheme == "https" else None
    with SocketServer([dripping(beginning)], tls) as proxy:
        url = f"{scheme}://127.0.0.1:{proxy.port}"
        transport = HttpTransport(ClientConfig("https://127.0.0.1:1", tls=authority.trusting, proxy_url=url))
        began = SYSTEM_CLOCK.now()
        with pytest.raises(TransportError) as caught:
            transport.request(GET, timeout=0.6)
        assert SYSTEM_CLOCK.now() - began < 30.0
    assert isinstance(caught.value, CallTimedOut) or b"HTTP" not in beginning or scheme == "socks5"


def test_a_server_that_drips_within_two_layers_of_tls_is_given_up_at_the_deadline(authority: Authority):
    def handle(peer: Peer) -> None:
        peer.read_request()
        dripping(b"HTTP/1.1 200 OK\r\na: ")(peer)

    with (
        SocketServer([handle], authority.server_context()) as server,
        SocketServer([connecting], authority.server_context()) as proxy,
        through(proxy, server, authority) as transport,
    ):
        began = SYSTEM_CLOCK.now()
        with pytest.raises(CallTimedOut):
            transport.request(GET, timeout=0.6)
        assert SYSTEM_CLOCK.now() - began < 30.0
