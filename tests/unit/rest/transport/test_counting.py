from __future__ import annotations

import pytest

from btcctl.errors import ConnectionRefused
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.transport import Request
from btcctl.testing.clock import FakeClock
from tests.unit.rest.fakes import ScriptedTransport, answer, status

GET = Request("GET", "/api")


def test_requests_and_streams_are_counted_by_status_method_and_host():
    seen: list[tuple[int | str, str, str]] = []
    transport = CountingTransport(ScriptedTransport(answer(), status(404)), lambda *each: seen.append(each), "host")
    transport.request(GET, timeout=1.0)
    transport.stream(GET, timeout=1.0, idle_timeout=1.0, breaker=Breaker())
    assert seen == [(200, "GET", "host"), (404, "GET", "host")]


def test_a_request_without_an_answer_is_counted_and_its_error_passed_on():
    seen: list[tuple[int | str, str, str]] = []
    refused = ScriptedTransport(ConnectionRefused("nobody there"))
    transport = CountingTransport(refused, lambda *each: seen.append(each), "host")
    for call in (
        lambda: transport.request(GET, timeout=1.0),
        lambda: transport.stream(GET, timeout=1.0, idle_timeout=1.0, breaker=Breaker()),
    ):
        with pytest.raises(ConnectionRefused):
            call()
    assert seen == [("<error>", "GET", "host")] * 2


def test_closing_reaches_what_carries_the_requests():
    carrier = ScriptedTransport(answer())
    CountingTransport(carrier, lambda *_: None, "host").close()
    assert carrier.is_closed


def test_each_request_is_timed_also_the_one_without_an_answer():
    clock = FakeClock()
    seen: list[tuple[str, str, float]] = []

    inner = ScriptedTransport(answer(), ConnectionRefused("nobody there"))
    send = inner.request
    inner.request = lambda *args, **options: (clock.advance(0.5), send(*args, **options))[1]
    transport = CountingTransport(inner, lambda *_: None, "host", lambda *each: seen.append(each), clock)
    transport.request(GET, timeout=1.0)
    with pytest.raises(ConnectionRefused):
        transport.request(GET, timeout=1.0)
    assert seen == [("GET", "host", 0.5), ("GET", "host", 0.5)]
