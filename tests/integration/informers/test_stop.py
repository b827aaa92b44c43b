"""A factory stops within a second in every phase of a list and a watch, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import gc
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.sharing.notifications import HandlerFuncs
from btcctl.resources import PODS, SERVICES
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls
from tests.integration.rest.conftest import Authority
from tests.integration.rest.servers import Handler, Peer, SocketServer, event
from tests.integration.support import eventually

STOP_SECONDS = 5.0
EMPTY = {"metadata": {"resourceVersion": "1"}, "items": []}


def listed_then(rest: Callable[[Peer], None]) -> Handler:
    """Answer lists; hand a watch, once its stream has begun, to `rest`."""

    def handle(peer: Peer) -> None:
        while request := peer.read_request():
            if "watch=true" in request.target:
                peer.start_stream()
                rest(peer)
                peer.wait_until_gone()
                return
            peer.respond(EMPTY)

    return handle


def headers_of_the_list_never_come(peer: Peer) -> None:
    peer.read_request()
    peer.wait_until_gone()


def headers_of_the_watch_never_come(peer: Peer) -> None:
    peer.read_request()
    peer.respond(EMPTY)
    peer.read_request()
    peer.wait_until_gone()


def busy(peer: Peer) -> None:
    for version in range(2, 1_000_000):
        peer.send_chunk(event("MODIFIED", "a", str(version)))


PHASES: dict[str, Handler] = {
    "headers of the list": headers_of_the_list_never_come,
    "headers of the watch": headers_of_the_watch_never_come,
    "idle": listed_then(lambda peer: peer.send_chunk(event("ADDED", "a", "2"))),
    "inside a line": listed_then(lambda peer: peer.send_chunk(event("ADDED", "a", "2")[:20])),
    "inside a chunk": listed_then(lambda peer: peer.send(b"ff\r\n{")),
    "inside a chunk's size": listed_then(lambda peer: peer.send(b"4")),
    "busy": listed_then(busy),
    "refused and backing off": Peer.close,
}


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Neither a thread nor a descriptor."""
    gc.collect()  # what other tests have left
    threads, descriptors = threading.active_count(), open_descriptors()
    yield
    gc.collect()  # errors hold on to frames, and with them to a socket that is shut down
    assert threading.active_count() <= threads
    assert open_descriptors() <= descriptors


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def started(url: str, tls: Tls | None = None) -> Iterator[SharedInformerFactory]:
    """Two informers with a handler each; stopping them must take no longer than it may."""
    with contextlib.closing(ApiClient.from_config(ClientConfig(url, tls=tls or Tls()))) as client:
        factory = SharedInformerFactory(client, options=ReflectorOptions().scaled(0.1))
        for type_ in (PODS, SERVICES):
            factory.informer(type_).add_handler(HandlerFuncs())
        factory.start()
        yield factory
        began = SYSTEM_CLOCK.now()
        factory.stop()
        assert SYSTEM_CLOCK.now() - began < STOP_SECONDS


@pytest.mark.parametrize("scheme", ["plain", "tls"])
@pytest.mark.parametrize("phase", PHASES)
def test_it_stops_at_once_in_every_phase_of_an_answer(authority: Authority, phase: str, scheme: str) -> None:
    context = authority.server_context() if scheme == "tls" else None
    with (
        nothing_left_behind(),
        SocketServer([PHASES[phase]], context) as server,
        started(server.url, authority.trusting),
    ):
        eventually(lambda: server.connection_count >= 2)
        threading.Event().wait(0.1)  # into the blocking read that follows


def test_it_stops_at_once_while_a_handshake_stalls(authority: Authority) -> None:
    with (
        nothing_left_behind(),
        SocketServer([Peer.wait_until_gone]) as server,
        started(f"https://127.0.0.1:{server.port}", authority.trusting),
    ):
        eventually(lambda: server.connection_count >= 2)


def test_it_stops_at_once_while_nobody_accepts() -> None:
    """A SYN into a full backlog is dropped, as a firewall would drop it."""
    with nothing_left_behind(), socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        with started(f"http://127.0.0.1:{listener.getsockname()[1]}"):
            threading.Event().wait(0.3)


@pytest.mark.parametrize("scheme", ["plain", "tls"])
def test_it_stops_at_once_at_any_instant(authority: Authority, scheme: str) -> None:
    context = authority.server_context() if scheme == "tls" else None
    with nothing_left_behind(), SocketServer([PHASES["busy"]], context) as server:
        for _ in range(15):
            with started(server.url, authority.trusting):
                threading.Event().wait(random.uniform(0.0, 0.02))
