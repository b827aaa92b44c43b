"""The chunked transfer coding (RFC 9112, section 7.1): bytes in, bytes out, no I/O.

urllib3 makes several calls for each chunk. A watch has a chunk per event, and many of them come
at once when there is much to tell.
"""

from __future__ import annotations

import re
from io import BytesIO

from btcctl.rest.exchange.failures import CUT_SHORT, ExchangeError

SIZE_LINE_BYTES = 1 << 12  # a longer one, extensions included, is none
TRAILER_BYTES = 1 << 16  # of all lines after the last chunk
_END = b"\r\n"
# int() would take signs, blanks, underscores and "0x", too.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[^\x00-\x08\x0a-\x1f\x7f]*+)?")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\x00-\x08\x0a-\x1f\x7f]*+")


class ChunkedError(ExchangeError):
    """These are not chunks."""


class Dechunker:
    """Takes the framing off; pieces may end anywhere."""

    def __init__(self) -> None:
        self.is_complete = False  #: the last chunk and its trailers have come
        self.is_overfull = False  #: and more than those
        self._rest = b""  # framing that is not all there
        self._left = 0  # bytes of the chunk under way
        self._ends = False  # the line end of the chunk before is still to come
        self._is_last = False  # only trailers are still to come
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """The content of what has come.

        Raises:
            ChunkedError: A chunk has no size, or does not end where it should.
        """
        parts = [data[: self._left]]
        self._left -= len(parts[0])
        data = self._rest + data[len(parts[0]) :]
        if self._ends and not self._left:
            lines, data = _lines(data)
            parts += lines
        at = 0
        while not (self._left or self._is_last):
            begin = at + 2 * self._ends
            line_end = data.find(_END, begin)
            if line_end < 0:
                break
            if self._ends and not data.startswith(_END, at):
                raise ChunkedError("a chunk is longer than it said")
            size = _size(data[begin:line_end])
            at = line_end + 2 + size
            parts.append(data[line_end + 2 : at])
            self._left = max(0, at - len(data))
            self._ends, self._is_last = True, not size
        self._rest = data[at:]
        if self._is_last:
            self._skip_trailers()
        if len(self._rest) > SIZE_LINE_BYTES:
            raise ChunkedError("a chunk without a size")
        return b"".join(parts)

    def end(self) -> None:
        """The connection has ended.

        Raises:
            ExchangeError: Before the last chunk.
        """
        raise ExchangeError(CUT_SHORT)

    def _skip_trailers(self) -> None:
        while not self.is_complete:
            line, end, rest = self._rest.partition(_END)
            if not end:
                return
            self._trailer_bytes += len(line)
            if (line and _TRAILER.fullmatch(line) is None) or self._trailer_bytes > TRAILER_BYTES:
                raise ChunkedError(f"not what may follow the last chunk: {line[:20]!r}")
            self._rest = rest
            self.is_complete = not line
        self.is_overfull = bool(self._rest)
        self._rest = b""


def _lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Chunks at the beginning of `data`, which ends another, that are one line each; and what follows them.

    A watch is nothing but such chunks, and to split at line ends is the cheapest way to find them.
    All of them, or none: what is not quite like that is left to the general way.
    """
    pieces = BytesIO(data).readlines()  # bytes.split looks at each byte by itself
    whole = (len(pieces) - 1) // 3 * 3  # without the last piece: it may not be complete
    ends, sizes, lines = pieces[0:whole:3], pieces[1:whole:3], pieces[2:whole:3]
    if not lines or sizes != [b"%x\r\n" % len(line) for line in lines] or ends.count(_END) < len(ends):
        return [], data
    return lines, b"".join(pieces[whole:])


def _size(line: bytes) -> int:
    match = _SIZE.fullmatch(line)
    if match is None:
        raise ChunkedError(f"not the size of a chunk: {line[:20]!r}")
    return int(match[1], 16)
