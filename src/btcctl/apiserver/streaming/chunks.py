"""The chunks that an answer of unknown length is sent in."""

from __future__ import annotations

LAST_CHUNK = b"0\r\n\r\n"


def frame(line: bytes) -> bytes:
    """`line` as one chunk of a chunked HTTP body."""
    return b"%x\r\n%b\r\n" % (len(line), line)
