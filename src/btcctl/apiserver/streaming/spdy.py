"""The part of SPDY/3.1 that `kubectl port-forward` speaks, in bytes: no sockets.

Streams, their data, resets and pings. Flow control is not among it: kubectl's library has none either.
The format is that of the SPDY/3.1 draft, section 2.6; the header dictionary that of 2.6.10.1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from btcctl.errors import BtcctlError

_VERSION = 3
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GO_AWAY = 1, 2, 3, 6, 7
_FIN = 0x01
_HEAD_BYTES = 8
_MAX_HEADERS_BYTES = 1 << 20
_MAX_DATA_BYTES = 64 << 10
_CANCEL = 5

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _sized(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


DICTIONARY = b"".join(_sized(each.replace("_", " ").encode()) for each in _WORDS.split()) + _TAIL.encode()


class SpdyError(BtcctlError):
    """The peer does not speak SPDY/3.1."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer has opened a stream; header names are in lower case."""

    stream: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """The peer sends no more on a stream; after a reset, it wants no more either."""

    stream: int
    is_reset: bool = False


@dataclass(frozen=True, slots=True)
class Pinged:
    """The peer asks for this number back."""

    number: int


@dataclass(frozen=True, slots=True)
class GoneAway:
    """The peer opens no more streams."""


Event = Opened | Data | Finished | Pinged | GoneAway


class SpdyServer:
    """Turns bytes into events and answers into bytes. Headers are compressed in one go for the whole connection."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._decompressor = zlib.decompressobj(zdict=DICTIONARY)
        self._compressor = zlib.compressobj(zdict=DICTIONARY)

    def receive(self, data: bytes) -> Iterator[Event]:
        """What has come, complete with these bytes.

        Raises:
            SpdyError: That is no SPDY/3.1.
        """
        self._received += data
        while len(self._received) >= _HEAD_BYTES:
            first, flags_and_length = struct.unpack(">II", self._received[:_HEAD_BYTES])
            end = _HEAD_BYTES + (flags_and_length & 0xFFFFFF)
            if len(self._received) < end:
                return
            payload = bytes(self._received[_HEAD_BYTES:end])
            del self._received[:end]
            yield from self._frame(first, flags_and_length >> 24, payload)

    def reply(self, stream: int) -> bytes:
        """Accept a stream."""
        headers = self._compressor.compress(struct.pack(">I", 0)) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return _control(_SYN_REPLY, struct.pack(">I", stream) + headers)

    def data(self, stream: int, data: bytes) -> bytes:
        pieces = [data[start : start + _MAX_DATA_BYTES] for start in range(0, len(data), _MAX_DATA_BYTES)]
        return b"".join(struct.pack(">II", stream, len(each)) + each for each in pieces)

    def finish(self, stream: int) -> bytes:
        """Send no more on a stream."""
        return struct.pack(">II", stream, _FIN << 24)

    def reset(self, stream: int) -> bytes:
        """Want no more of a stream either."""
        return _control(_RST_STREAM, struct.pack(">II", stream, _CANCEL))

    def pong(self, number: int) -> bytes:
        return _control(_PING, struct.pack(">I", number))

    def _frame(self, first: int, flags: int, payload: bytes) -> Iterator[Event]:
        if not first >> 31:
            if payload:
                yield Data(first, payload)
            if flags & _FIN:
                yield Finished(first)
            return
        version, kind = (first >> 16) & 0x7FFF, first & 0xFFFF
        if version != _VERSION:
            raise SpdyError(f"version {version} of SPDY")
        try:
            yield from self._control_frame(kind, flags, payload)
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"a broken frame of type {kind}: {error}") from error

    def _control_frame(self, kind: int, flags: int, payload: bytes) -> Iterator[Event]:
        if kind == _SYN_STREAM:
            stream = _number(payload)
            yield Opened(stream, self._headers(payload[10:]))
            if flags & _FIN:
                yield Finished(stream)
        elif kind == _RST_STREAM:
            yield Finished(_number(payload), is_reset=True)
        elif kind == _PING:
            yield Pinged(_number(payload))
        elif kind == _GO_AWAY:
            yield GoneAway()

    def _headers(self, compressed: bytes) -> dict[str, str]:
        block = self._decompressor.decompress(compressed, _MAX_HEADERS_BYTES)
        (count,), at = struct.unpack_from(">I", block), 4
        texts: list[str] = []
        for _ in range(2 * count):
            (length,) = struct.unpack_from(">I", block, at)
            texts.append(block[at + 4 : at + 4 + length].decode())
            at += 4 + length
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}


def _number(payload: bytes) -> int:
    (number,) = struct.unpack_from(">I", payload)
    return int(number) & 0x7FFFFFFF


def _control(kind: int, payload: bytes) -> bytes:
    return struct.pack(">II", 0x80000000 | _VERSION << 16 | kind, len(payload)) + payload
