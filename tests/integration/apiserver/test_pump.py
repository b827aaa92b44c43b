from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from btcctl.apiserver.network.pump import BOOKMARK_SECONDS, Pump
from btcctl.clock import SYSTEM_CLOCK
from btcctl.testing.clock import FakeClock
from tests.integration.apiserver.support import ChunkReader, ScriptedWatch
from tests.integration.support import eventually


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pump(clock: FakeClock) -> Iterator[Pump]:
    pump = Pump(clock=clock, backlog_bytes=1 << 20)
    pump.start()
    yield pump
    pump.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def adopt(pump: Pump, watch: ScriptedWatch, stack: ExitStack) -> tuple[socket.socket, ChunkReader]:
    ours, theirs = socket.socketpair()
    stack.enter_context(theirs)
    pump.adopt(ours, watch)
    reader = ChunkReader(theirs)
    stack.callback(reader.close)
    return theirs, reader


def read_to_the_end(reader: ChunkReader) -> None:
    while reader.chunk():
        pass


def test_each_event_is_a_chunk_of_its_own_and_in_order(pump: Pump, stack: ExitStack) -> None:
    watch = ScriptedWatch(replay=(b"one\n", b"two\n"))
    _, reader = adopt(pump, watch, stack)
    watch.sink(b"three\n")
    assert [reader.chunk() for _ in range(3)] == [b"one\n", b"two\n", b"three\n"]


def test_the_server_s_end_is_a_clean_end_of_the_body(pump: Pump, stack: ExitStack) -> None:
    watch = ScriptedWatch(replay=(b"one\n",))
    _, reader = adopt(pump, watch, stack)
    watch.on_end()
    watch.sink(b"too late\n")
    assert [reader.chunk(), reader.chunk(), reader.rest()] == [b"one\n", b"", b""]
    eventually(lambda: watch.stopped and len(pump) == 0)


def test_a_watch_ends_cleanly_at_its_deadline(pump: Pump, clock: FakeClock, stack: ExitStack) -> None:
    watch = ScriptedWatch(deadline=3.0)
    _, reader = adopt(pump, watch, stack)
    clock.advance(2.9)
    pump.wake()
    watch.sink(b"still there\n")
    assert reader.chunk() == b"still there\n"
    clock.advance(0.1)
    pump.wake()
    assert reader.chunk() == b""
    assert watch.bookmarks == 0


def test_a_bookmark_is_asked_for_every_minute_and_shortly_before_the_deadline(
    pump: Pump, clock: FakeClock, stack: ExitStack
) -> None:
    watch = ScriptedWatch(deadline=2 * BOOKMARK_SECONDS + 30)
    _, reader = adopt(pump, watch, stack)
    for expected, step in enumerate((60, 60, 28), 1):
        clock.advance(step)
        pump.wake()
        assert reader.chunk() == b'{"type":"BOOKMARK"}\n'
        assert watch.bookmarks == expected
    clock.advance(2)
    pump.wake()
    assert reader.chunk() == b""


def test_a_client_that_leaves_is_noticed_without_an_event(pump: Pump, stack: ExitStack) -> None:
    watch = ScriptedWatch()
    theirs, reader = adopt(pump, watch, stack)
    reader.close()
    theirs.close()
    eventually(lambda: watch.stopped and len(pump) == 0)


def test_a_client_that_talks_is_not_listened_to(pump: Pump, stack: ExitStack) -> None:
    watch = ScriptedWatch()
    theirs, reader = adopt(pump, watch, stack)
    theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")
    watch.sink(b"event\n")
    assert reader.chunk() == b"event\n"


def test_a_slow_watcher_is_evicted_and_holds_up_nobody(pump: Pump, stack: ExitStack) -> None:
    slow, quick = ScriptedWatch(), ScriptedWatch()
    _, slow_reader = adopt(pump, slow, stack)
    _, quick_reader = adopt(pump, quick, stack)
    event = b"x" * 65_535 + b"\n"
    for _ in range(40):
        slow.sink(event)
        quick.sink(event)
        assert quick_reader.chunk() == event
    eventually(lambda: slow.stopped and len(pump) == 1)
    with pytest.raises(EOFError):
        read_to_the_end(slow_reader)


def test_a_large_replay_is_no_reason_for_eviction(pump: Pump, stack: ExitStack) -> None:
    event = b"x" * 65_535 + b"\n"
    watch = ScriptedWatch(replay=(event,) * 64)
    _, reader = adopt(pump, watch, stack)
    watch.sink(b"live\n")
    assert all(reader.chunk() == event for _ in range(64))
    assert reader.chunk() == b"live\n"
    assert not watch.stopped


def test_stop_ends_200_watches_cleanly_and_at_once(stack: ExitStack) -> None:
    pump = Pump()
    pump.start()
    watches = [ScriptedWatch() for _ in range(200)]
    readers = [adopt(pump, watch, stack)[1] for watch in watches]
    began = SYSTEM_CLOCK.now()
    pump.stop()
    assert SYSTEM_CLOCK.now() - began < 8.0
    assert all(watch.stopped for watch in watches)
    assert all(reader.chunk() == b"" for reader in readers)
    pump.stop()


def test_a_stopped_pump_ends_cleanly_what_it_is_given(pump: Pump, stack: ExitStack) -> None:
    pump.stop()
    watch = ScriptedWatch()
    _, reader = adopt(pump, watch, stack)
    assert [reader.chunk(), reader.rest()] == [b"", b""]
    assert watch.stopped


def test_a_pump_that_never_ran_lets_go_of_what_it_was_given(stack: ExitStack) -> None:
    pump = Pump()
    watch = ScriptedWatch()
    adopt(pump, watch, stack)
    pump.stop()
    assert watch.stopped


def test_every_event_reaches_200_watchers(pump: Pump, stack: ExitStack) -> None:
    watches = [ScriptedWatch() for _ in range(200)]
    readers = [adopt(pump, watch, stack)[1] for watch in watches]
    for number in range(50):
        line = b"event %d\n" % number
        for watch in watches:
            watch.sink(line)
    expected = [b"event %d\n" % number for number in range(50)]
    assert all([reader.chunk() for _ in expected] == expected for reader in readers)


def test_watches_over_tls_arrive_whole(
    pump: Pump, stack: ExitStack, tls_server: ssl.SSLContext, tls_client: ssl.SSLContext
) -> None:
    ours, theirs = socket.socketpair()
    secured = tls_server.wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
    watch = ScriptedWatch(replay=(b"y" * 300_000 + b"\n",))
    client = tls_client.wrap_socket(theirs, server_hostname="localhost", do_handshake_on_connect=False)
    stack.enter_context(client)
    shake(secured, client)
    pump.adopt(secured, watch)
    reader = ChunkReader(client)
    stack.callback(reader.close)
    watch.sink(b"live\n")
    assert len(reader.chunk()) == 300_001
    assert reader.chunk() == b"live\n"


def shake(server: ssl.SSLSocket, client: ssl.SSLSocket) -> None:
    """Both sides' handshake in one thread."""
    for side in (server, client):
        side.setblocking(False)
    pending = [client, server]
    while pending:
        side = pending.pop(0)
        try:
            side.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pending.append(side)
    client.setblocking(True)
