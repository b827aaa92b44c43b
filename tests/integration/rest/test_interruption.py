"""A Breaker ends a call in every phase of it, within a second and without a leak."""

from __future__ import annotations

import contextlib
import gc
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError, Interrupted
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request
from btcctl.threads import Runner
from tests.integration.rest.conftest import Authority
from tests.integration.rest.servers import Handler, Peer, SocketServer, always, event
from tests.integration.support import eventually

GET = Request("GET", "/x")


def headers_never_come(peer: Peer) -> None:
    peer.read_request()
    peer.wait_until_gone()


def body_is_idle(peer: Peer) -> None:
    peer.read_request()
    peer.start_stream()
    peer.send_chunk(event("ADDED", "a"))
    peer.wait_until_gone()


def body_stops_inside_a_chunk(peer: Peer) -> None:
    peer.read_request()
    peer.start_stream()
    peer.send(b"ff\r\n{")
    peer.wait_until_gone()


def body_stops_inside_a_chunk_size(peer: Peer) -> None:
    peer.read_request()
    peer.start_stream()
    peer.send(b"4")
    peer.wait_until_gone()


def body_is_busy(peer: Peer) -> None:
    peer.read_request()
    peer.start_stream()
    while True:
        peer.send_chunk(event("MODIFIED", "a"))


def kept_connection_then_silence(peer: Peer) -> None:
    peer.read_request()
    peer.respond({})
    headers_never_come(peer)


PHASES = [
    headers_never_come,
    body_is_idle,
    body_stops_inside_a_chunk,
    body_stops_inside_a_chunk_size,
    body_is_busy,
]


@pytest.fixture(params=["plain", "tls"])
def serve(
    request: pytest.FixtureRequest, authority: Authority
) -> Iterator[Callable[..., tuple[HttpTransport, SocketServer]]]:
    with contextlib.ExitStack() as stack:

        def start(*handlers: Handler) -> tuple[HttpTransport, SocketServer]:
            tls = authority.server_context() if request.param == "tls" else None
            server = stack.enter_context(SocketServer(list(handlers), tls))
            transport = HttpTransport(ClientConfig(server.url, tls=authority.trusting))
            stack.callback(transport.close)
            return transport, server

        yield start


def read_stream(transport: HttpTransport, breaker: Breaker) -> None:
    stream = transport.stream(GET, timeout=30.0, idle_timeout=30.0, breaker=breaker)
    with contextlib.closing(stream):
        for _ in stream.chunks():
            pass


def assert_trip_ends(
    call: Callable[[], None], breaker: Breaker, is_ready: Callable[[], object], pause: float = 0.05
) -> None:
    """Run `call` in a thread; trip once it is in the phase meant; it must end at once, Interrupted."""
    outcomes: list[BaseException] = []

    def run(_: object) -> None:
        try:
            call()
        except BtcctlError as error:
            outcomes.append(error)

    runner = Runner("caller", run)
    runner.start()
    eventually(is_ready)
    threading.Event().wait(pause)  # into the blocking read that follows
    assert outcomes == []
    began = SYSTEM_CLOCK.now()
    breaker.trip()
    runner.stop(30.0)
    assert SYSTEM_CLOCK.now() - began < 20.0  # of the thirty that the call has
    assert [type(outcome) for outcome in outcomes] == [Interrupted]


@pytest.mark.parametrize("handler", PHASES)
def test_a_stream_ends_at_once_in_any_phase_of_the_answer(serve, handler: Handler):
    transport, server = serve(handler)
    breaker = Breaker()
    assert_trip_ends(lambda: read_stream(transport, breaker), breaker, lambda: server.requests)


@pytest.mark.parametrize("handler", [headers_never_come, body_stops_inside_a_chunk])
def test_so_does_a_request(serve, handler: Handler):
    transport, server = serve(handler)
    breaker = Breaker()
    call = lambda: transport.request(GET, timeout=30.0, breaker=breaker)  # noqa: E731
    assert_trip_ends(call, breaker, lambda: server.requests)


def test_a_call_on_a_kept_connection_can_be_broken_off_too(serve):
    transport, server = serve(kept_connection_then_silence)
    transport.request(GET, timeout=5.0)
    breaker = Breaker()
    assert_trip_ends(lambda: read_stream(transport, breaker), breaker, lambda: len(server.requests) == 2)
    assert server.connection_count == 1


def test_a_handshake_that_stalls_can_be_broken_off(authority: Authority):
    with SocketServer([Peer.wait_until_gone]) as server:
        transport = HttpTransport(ClientConfig(f"https://127.0.0.1:{server.port}", tls=authority.trusting))
        breaker = Breaker()
        assert_trip_ends(lambda: read_stream(transport, breaker), breaker, lambda: server.connection_count)


def test_a_connection_that_is_not_accepted_can_be_broken_off():
    """A SYN into a full backlog is dropped, as a firewall would drop it."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        transport = HttpTransport(ClientConfig(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        breaker = Breaker()
        assert_trip_ends(lambda: read_stream(transport, breaker), breaker, lambda: True, pause=0.3)


def test_a_tripped_breaker_does_not_even_connect(serve):
    transport, server = serve(always({}))
    breaker = Breaker()
    breaker.trip()
    with pytest.raises(Interrupted):
        transport.request(GET, timeout=5.0, breaker=breaker)
    with pytest.raises(Interrupted):
        read_stream(transport, breaker)
    assert server.requests == []


def test_a_tripped_breaker_leaves_other_calls_alone(serve):
    transport, _ = serve(always({}))
    transport.request(GET, timeout=5.0)
    breaker = Breaker()
    breaker.trip()
    with pytest.raises(Interrupted):
        transport.request(GET, timeout=5.0, breaker=breaker)
    assert transport.request(GET, timeout=5.0).status == 200


def test_a_lister_watcher_can_be_interrupted_in_its_watch(serve):
    transport, server = serve(body_is_idle)
    source = ApiClient(transport).resource(PODS).lister_watcher()

    def watch() -> None:
        with source.watch(resource_version="1", timeout_seconds=300) as stream:
            for _ in stream:
                pass

    class Tripping(Breaker):
        def trip(self) -> None:
            source.interrupt()

    assert_trip_ends(watch, Tripping(), lambda: server.requests)


@pytest.mark.parametrize("scheme", ["plain", "tls"])
def test_trips_at_random_instants_all_end_at_once_and_leak_nothing(authority: Authority, scheme: str):
    gc.collect()  # what other tests have left
    before = open_descriptors()
    with SocketServer([body_is_busy], authority.server_context() if scheme == "tls" else None) as server:
        transport = HttpTransport(ClientConfig(server.url, tls=authority.trusting))
        for _ in range(25):
            breaker = Breaker()
            runner = Runner("reader", lambda _, breaker=breaker: suppressed(read_stream, transport, breaker))
            runner.start()
            threading.Event().wait(random.uniform(0.0, 0.008))
            breaker.trip()
            runner.stop(1.0)
        transport.close()
    gc.collect()  # errors hold on to frames, and with them to a socket that is shut down
    assert open_descriptors() <= before


def suppressed(call: Callable[..., None], *arguments: object) -> None:
    with contextlib.suppress(Interrupted):
        call(*arguments)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
