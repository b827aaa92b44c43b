"""What may change something is stopped at the last moment, on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from btcctl.errors import NotLeading
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.exchange.exchange import SEND_BYTES
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Request
from tests.integration.rest.servers import Handler, Peer, SocketServer, always
from tests.integration.support import eventually

PATCH = Request("PATCH", "/x", body=b'{"changed": true}')


class Switch:
    """A fence that lets through so many parts of requests."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.passed = 0

    def check(self) -> None:
        if self.parts == 0:
            raise NotLeading("shut")
        self.parts -= 1

    def sent(self) -> None:
        self.passed += 1


@contextmanager
def fenced(fence: Switch, *handlers: Handler) -> Iterator[tuple[HttpTransport, SocketServer]]:
    with SocketServer(list(handlers) or [always()]) as server:
        transport = HttpTransport(ClientConfig(server.url), fence=fence)
        try:
            yield transport, server
        finally:
            transport.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_behind_a_fence_that_is_shut_nothing_is_sent_although_it_was_connected(method: str) -> None:
    with fenced(Switch(0)) as (transport, server):
        with pytest.raises(NotLeading):
            transport.request(Request(method, "/x"), timeout=5.0)
        eventually(lambda: server.connection_count == 1)
        assert server.requests == []


def test_reading_is_no_effect() -> None:
    with fenced(Switch(0)) as (transport, _):
        assert transport.request(Request("GET", "/x"), timeout=5.0).status == 200


def test_a_fence_that_shuts_in_the_middle_keeps_the_rest_back_and_the_request_has_no_effect() -> None:
    large = Request("PATCH", "/x", body=b"x" * (2 * SEND_BYTES))
    with fenced(Switch(1)) as (transport, server):
        with pytest.raises(NotLeading):
            transport.request(large, timeout=5.0)
        eventually(lambda: [len(each.body) < len(large.body or b"") for each in server.requests] == [True])


def test_what_was_let_through_arrives_whole_and_the_next_is_asked_for_again() -> None:
    fence = Switch(1)
    with fenced(fence) as (transport, server):
        assert transport.request(PATCH, timeout=5.0).status == 200
        with pytest.raises(NotLeading):
            transport.request(PATCH, timeout=5.0)
        assert [each.body for each in server.requests] == [PATCH.body]
        assert fence.passed == 1
        assert transport.request(Request("GET", "/x"), timeout=5.0).status == 200


def test_a_request_that_is_sent_again_after_a_dead_connection_is_asked_for_again() -> None:
    def hang_up(peer: Peer) -> None:
        peer.read_request()
        peer.respond()
        peer.read_request()

    with fenced(Switch(2), hang_up, always()) as (transport, server):
        put = Request("PUT", "/x", body=b"{}")
        transport.request(put, timeout=5.0)
        with pytest.raises(NotLeading):
            transport.request(put, timeout=5.0)
        assert [each.body for each in server.requests] == [b"{}", b"{}"]  # and none on a third connection
