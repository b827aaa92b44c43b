"""Which connections are kept, and for how long."""

from __future__ import annotations

import gc
import inspect
import socket
import ssl

import pytest
from urllib3.util.ssltransport import SSLTransport

from btcctl.rest.config.tls import Tls, build_context
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.connection import Connection, Connections, ConnectionsByServer
from btcctl.rest.exchange.failures import ConnectError
from btcctl.rest.exchange.reaching.names import Names, in_turn
from btcctl.rest.exchange.reaching.route import Route
from btcctl.testing.clock import FakeClock


class Socket:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class QuietWire:
    """Of a connection that is idle, unless something has come."""

    def __init__(self, has_come: bool) -> None:
        self._has_come = has_come

    def poll(self, milliseconds: float) -> bool:
        assert milliseconds == 0
        return self._has_come


class Contexts:
    """One context is in force."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context

    def tls(self) -> Tls:
        return Tls(insecure=True)

    def current(self) -> ssl.SSLContext | None:
        return self._context

    def is_in_force(self, context: ssl.SSLContext | None) -> bool:
        return context is self._context


def idle(*, has_come: bool = False) -> Connection:
    connection = Connection()
    connection.sock, connection.wire = Socket(), QuietWire(has_come)
    return connection


def is_open(connection: Connection) -> bool:
    return connection.wire is not None


def connections(size: int = 1, **options: object) -> Connections:
    return Connections(Route("h", 1, Names(), **options), size)


def test_the_connection_that_was_used_last_is_taken_first_and_no_more_are_kept_than_may_be():
    kept, three = connections(2), [idle(), idle(), idle()]
    for each in three:
        kept.give_back(each)
    assert [is_open(each) for each in three] == [True, True, False]
    assert (kept.take(), kept.take()) == (three[1], three[0])
    assert kept.take() not in three


def test_what_is_kept_is_closed_with_who_keeps_it():
    kept, connection = connections(), idle()
    kept.give_back(connection)
    del kept
    gc.collect()
    assert not is_open(connection)


def test_a_connection_on_which_something_has_come_or_that_has_ended_is_connected_again():
    kept, connection = connections(), idle(has_come=True)
    sock = connection.sock
    kept.give_back(connection)
    assert (kept.take(), is_open(connection), sock.is_closed) == (connection, False, True)


def test_a_connection_of_certificates_that_were_replaced_is_connected_again():
    kept, connection = connections(tls=Contexts(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))), idle()
    kept.give_back(connection)
    assert (kept.take(), is_open(connection)) == (connection, False)


def test_a_connection_that_is_not_connected_is_not_kept():
    kept, connection = connections(), Connection()
    kept.give_back(connection)
    assert kept.take() is not connection


def test_closing_closes_what_is_idle_and_what_comes_back_later():
    kept, early, late = connections(), idle(), idle()
    kept.give_back(early)
    kept.close()
    kept.give_back(late)
    assert (is_open(early), is_open(late)) == (False, False)


def test_connections_that_were_closed_are_not_made_again():
    kept = connections()
    kept.close()
    kept.close()
    with pytest.raises(ConnectError, match="closed"):
        kept.take()


def test_a_connection_that_ends_before_the_handshake_is_none():
    """As after a reset: the standard library leaves the handshake out then, and gives a socket without TLS."""
    contexts = Contexts(build_context(Tls(insecure=True)))
    ways = connections(tls=contexts, dial=lambda *_: socket.socket())
    connection = Connection()
    with pytest.raises(ConnectError, match="ended before the TLS handshake"):
        ways.connect(connection, Call(30.0, FakeClock()))
    connection.close()


def test_of_many_servers_those_that_were_asked_longest_ago_are_let_go_and_can_be_asked_again():
    servers, first = ConnectionsByServer(2, lambda host, port: Route(host, port, Names())), idle()
    a = servers.to("a", 1)
    a.give_back(first)
    b = servers.to("b", 1)
    assert servers.to("a", 1) is a
    servers.to("c", 1)
    assert (is_open(first), servers.to("b", 1) is b) == (True, False)
    servers.to("c", 1)
    assert (is_open(first), is_open(a.take())) == (False, False)


def test_tls_within_tls_reads_from_an_attribute():
    assert "self.socket.recv" in inspect.getsource(SSLTransport)
    assert "self.socket.sendall" in inspect.getsource(SSLTransport)


def test_addresses_of_both_families_are_tried_in_turn():
    found = [(6, "a"), (6, "b"), (6, "c"), (4, "d")]
    assert in_turn(found) == [(6, "a"), (4, "d"), (6, "b"), (6, "c")]
