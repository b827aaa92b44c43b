"""What is used of urllib3 beyond its documentation is there, and does what it is used for."""

from __future__ import annotations

import inspect
import ssl

import pytest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssltransport import SSLTransport

from btcctl.rest.exchange.connection import Connections, Kept, PlainPool, TlsPool, open_pool
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


class Idle:
    """A connection that is kept."""

    def __init__(self, *, is_connected: bool = True) -> None:
        self.is_connected = is_connected
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("kind", [PlainPool, TlsPool])
def test_what_a_pool_keeps_its_connections_in_is_ours(kind: type[HTTPConnectionPool]):
    assert isinstance(kind("h", 1, maxsize=3).pool, Kept)


def test_the_connection_that_was_used_last_is_taken_first_and_no_more_are_kept_than_may_be():
    connections, idle = Connections(PlainPool("h", 1, maxsize=2), Names()), [Idle(), Idle(), Idle()]
    taken = [connections.take() for _ in idle]
    assert len({id(each) for each in taken}) == 3
    for each in idle:
        connections.give_back(each)
    assert [bool(each.closed) for each in idle] == [False, False, True]
    assert (connections.take(), connections.take()) == (idle[1], idle[0])
    assert connections.take() not in idle


def test_a_connection_that_the_server_has_closed_meanwhile_is_connected_again():
    connections, idle = Connections(PlainPool("h", 1), Names()), Idle(is_connected=False)
    connections.take()
    connections.give_back(idle)
    assert connections.take() is idle
    assert idle.closed == 1


def test_closing_closes_what_is_idle_and_what_comes_back_later():
    connections, early, late = Connections(PlainPool("h", 1), Names()), Idle(), Idle()
    connections.take()
    connections.give_back(early)
    connections.close()
    connections.give_back(late)
    assert (early.closed, late.closed) == (1, 1)


def test_connections_that_were_closed_are_not_made_again():
    connections = Connections(PlainPool("h", 1), Names())
    connections.close()
    connections.close()
    with pytest.raises(ConnectError, match="closed"):
        connections.take()


def test_addresses_of_both_families_are_tried_in_turn():
    found = [(6, "a"), (6, "b"), (6, "c"), (4, "d")]
    assert in_turn(found) == [(6, "a"), (4, "d"), (6, "b"), (6, "c")]
