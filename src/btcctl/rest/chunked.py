"""The chunked transfer coding (RFC 9112, section 7.1): bytes in, bytes out, no I/O.

urllib3 makes several calls for each chunk. A watch has a chunk per event, and many of them come
at once when there is much to tell.
"""

from __future__ import annotations

from io import BytesIO

SIZE_LINE_BYTES = 1 << 12  # a longer one, extensions included, is none
_END = b"\r\n"


class ChunkedError(ValueError):
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

    def _skip_trailers(self) -> None:
        while not self.is_complete:
            line, end, rest = self._rest.partition(_END)
            if not end:
                return
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
    try:
        fits = [int(size, 16) for size in sizes] == [*map(len, lines)]
    except ValueError:
        return [], data
    if not fits or ends.count(_END) < len(ends):
        return [], data
    return lines, b"".join(pieces[whole:])


def _size(line: bytes) -> int:
    try:
        size = int(line if b";" not in line else line.partition(b";")[0], 16)
    except ValueError:
        size = -1
    if size < 0:
        raise ChunkedError(f"not the size of a chunk: {line[:20]!r}")
    return size
