"""SPDY frames, as kubectl's library sends and reads them."""

from __future__ import annotations

import struct
import zlib

import pytest

from btcctl.apiserver.streaming.spdy import (
    DICTIONARY,
    Data,
    Finished,
    GoneAway,
    Opened,
    Pinged,
    SpdyError,
    SpdyServer,
)


class Peer:
    """Writes what a client writes: one compression for the whole connection."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream: int, *, fin: bool = False, **headers: str) -> bytes:
        block = struct.pack(">I", len(headers))
        for text in (each for pair in headers.items() for each in pair):
            block += struct.pack(">I", len(text)) + text.encode()
        compressed = self._compressor.compress(block) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIH", stream, 0, 0) + compressed, flags=int(fin))


def control(kind: int, payload: bytes, *, flags: int = 0, version: int = 3) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | len(payload)) + payload


def data(stream: int, payload: bytes, *, fin: bool = False) -> bytes:
    return struct.pack(">II", stream, int(fin) << 24 | len(payload)) + payload


def test_the_dictionary_is_the_one_of_the_draft():
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 3821447106


def test_streams_are_opened_with_headers_compressed_in_one_go():
    peer, server = Peer(), SpdyServer()
    first = list(server.receive(peer.open(1, fin=True, StreamType="error", Port="80")))
    second = list(server.receive(peer.open(3, streamtype="data", port="80")))
    assert first == [Opened(1, {"streamtype": "error", "port": "80"}), Finished(1)]
    assert second == [Opened(3, {"streamtype": "data", "port": "80"})]


def test_frames_may_come_in_any_pieces():
    peer, server = Peer(), SpdyServer()
    everything = peer.open(1, port="80") + data(1, b"hello") + data(1, b"", fin=True)
    events = [event for byte in everything for event in server.receive(bytes([byte]))]
    assert events == [Opened(1, {"port": "80"}), Data(1, b"hello"), Finished(1)]


def test_resets_pings_and_goodbyes_are_told():
    frames = control(3, struct.pack(">II", 5, 5)) + control(6, struct.pack(">I", 7)) + control(7, bytes(8))
    assert list(SpdyServer().receive(frames)) == [Finished(5, is_reset=True), Pinged(7), GoneAway()]


def test_frames_that_are_not_needed_are_passed_over():
    assert list(SpdyServer().receive(control(4, bytes(12)) + control(9, bytes(8)))) == []


@pytest.mark.parametrize(
    "frame", [control(1, bytes(10), version=2), control(6, b""), control(1, bytes(10) + b"no zlib"), control(1, b"")]
)
def test_what_is_no_spdy_is_an_error(frame):
    with pytest.raises(SpdyError):
        list(SpdyServer().receive(frame))


def test_what_is_sent_is_framed():
    server = SpdyServer()
    assert server.data(3, b"abc") == data(3, b"abc")
    assert server.finish(3) == data(3, b"", fin=True)
    assert server.pong(9) == control(6, struct.pack(">I", 9))
    assert server.reset(3) == control(3, struct.pack(">II", 3, 5))
    assert len(server.data(3, bytes(100_000))) == 100_000 + 2 * 8


def test_replies_carry_headers_that_a_client_can_read():
    server, decompressor = SpdyServer(), zlib.decompressobj(zdict=DICTIONARY)
    for stream in (1, 3):
        reply = server.reply(stream)
        assert reply[:4] == b"\x80\x03\x00\x02"
        assert struct.unpack(">I", reply[8:12]) == (stream,)
        assert decompressor.decompress(reply[12:]) == bytes(4)
