"""Breaker, for calls that have no socket; with sockets it is tested where they are."""

from __future__ import annotations

import os
import socket

import pytest

from btcctl.errors import Interrupted
from btcctl.rest.transport.breaker import Breaker


def test_a_callback_is_called_once_when_tripped():
    calls: list[str] = []
    breaker = Breaker()
    breaker.on_trip(lambda: calls.append("tripped"))
    breaker.trip()
    breaker.trip()
    assert calls == ["tripped"]


def test_a_call_that_is_over_is_not_called_back():
    calls: list[str] = []
    breaker = Breaker()
    breaker.on_trip(lambda: calls.append("tripped"))
    breaker.release()
    breaker.trip()
    assert calls == []


def test_once_tripped_no_call_begins():
    breaker = Breaker()
    breaker.trip()
    with pytest.raises(Interrupted):
        breaker.on_trip(lambda: None)
    with pytest.raises(Interrupted):
        breaker.check()


def test_a_socket_that_does_not_block_does_not_block_because_it_is_watched_over():
    ours, theirs = socket.socketpair()
    breaker = Breaker()
    with ours, theirs:
        ours.setblocking(False)
        with socket.socket(fileno=os.dup(ours.fileno())) as plain:
            breaker.attach(plain)
        assert not os.get_blocking(ours.fileno())
        with pytest.raises(BlockingIOError):
            ours.recv(1)
        breaker.trip()
        assert ours.recv(1) == theirs.recv(1) == b""
        breaker.release()
