"""What is used of urllib3 beyond its documentation is there, and does what it is used for."""

from __future__ import annotations

import inspect
import ssl

import pytest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssltransport import SSLTransport

from btcctl.rest.exchange.connection import Connections, PlainPool, TlsPool, open_pool
from btcctl.rest.exchange.failures import ConnectError
from btcctl.rest.exchange.names import Names, in_turn
from btcctl.rest.exchange.proxies import parse_proxy


@pytest.mark.parametrize("name", ["_get_conn", "_put_conn", "_prepare_proxy"])
@pytest.mark.parametrize("pool", [HTTPConnectionPool, HTTPSConnectionPool])
def test_a_pool_gives_takes_and_tunnels(pool: type[HTTPConnectionPool], name: str):
    needed = inspect.signature(getattr(pool, name)).parameters
    assert [each for each in needed if needed[each].default is inspect.Parameter.empty] in (["self"], ["self", "conn"])


@pytest.mark.parametrize("connection", [HTTPConnection, HTTPSConnection])
def test_a_connection_dials_by_a_method_of_its_own_and_knows_its_name_with_its_dot(connection: type[HTTPConnection]):
    assert [*inspect.signature(connection._new_conn).parameters] == ["self"]
    assert connection("api.example.", 1)._dns_host == "api.example."


def test_tls_within_tls_reads_from_an_attribute():
    assert "self.socket.recv" in inspect.getsource(SSLTransport)
    assert "self.socket.sendall" in inspect.getsource(SSLTransport)


def test_proxies_lead_to_pools_of_ours_that_know_them():
    for scheme, proxy, kind in (("https", "http://p:1", TlsPool), ("http", "http://u:p@p:1", PlainPool)):
        pool = open_pool(scheme, "h", 2, maxsize=3, proxy=parse_proxy(proxy, "x"), proxy_context=None)
        assert type(pool) is kind
        assert pool.proxy is not None
    assert ("proxy-authorization" in pool.proxy_headers) is True
    assert "proxy_ssl_context" in inspect.signature(ProxyManager).parameters


def test_a_proxy_over_tls_is_given_a_context_of_its_own():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pool = open_pool("https", "h", 2, maxsize=3, proxy=parse_proxy("https://p:1", "x"), proxy_context=context)
    assert pool.proxy_config is not None
    assert pool.proxy_config.ssl_context is context


def test_connections_that_were_closed_are_not_made_again():
    connections = Connections(PlainPool("h", 1), Names())
    connections.close()
    connections.close()
    with pytest.raises(ConnectError, match="closed"):
        connections.take()


def test_addresses_of_both_families_are_tried_in_turn():
    found = [(6, "a"), (6, "b"), (6, "c"), (4, "d")]
    assert in_turn(found) == [(6, "a"), (4, "d"), (6, "b"), (6, "c")]
