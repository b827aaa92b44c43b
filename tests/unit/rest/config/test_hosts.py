"""What a server's URL says of where it is, and what is told of that to others."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.urls import authority_of, host_of
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Request
from btcctl.threads import Runner, Stop


@pytest.mark.parametrize(
    ("url", "host", "authority"),
    [
        ("https://Api.example:6443/x", "api.example", "Api.example:6443"),
        ("https://[fe80::1%25eth0]:6443", "fe80::1%eth0", "[fe80::1]:6443"),
        ("https://[fe80::1%25eth0]", "fe80::1%eth0", "[fe80::1]"),
        ("https://bücher.example:6443", "xn--bcher-kva.example", "xn--bcher-kva.example:6443"),
        (f"https://{'ü' * 70}.example", f"{'ü' * 70}.example", f"{'ü' * 70}.example"),
    ],
)
def test_a_host_is_resolved_as_it_is_and_told_without_what_means_nothing_to_others(url, host, authority):
    assert (host_of(urlsplit(url)), authority_of(urlsplit(url))) == (host, authority)


def test_an_address_with_a_zone_is_connected_to():
    """As of a server on the same link: kubectl takes `https://[fe80::1%25eth0]:6443`."""
    heard: list[bytes] = []
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]

        def answer(_: Stop) -> None:
            client, _address = listener.accept()
            with client:
                heard.append(client.recv(1 << 16))
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        with Runner("server", answer):
            transport = HttpTransport(ClientConfig(f"http://[::1%251]:{port}"), environ={})
            assert transport.request(Request("GET", "/version"), timeout=10.0).status == 200
            transport.close()
    assert f"Host: [::1]:{port}\r\n".encode() in heard[0]
