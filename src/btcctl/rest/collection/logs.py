"""A pod's log, line by line as it comes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

from btcctl.rest.collection.caller import Caller
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, StreamResponse

#: A longer line comes in pieces of this length: a pod that writes no line breaks fills no memory of ours.
MAX_LINE_BYTES = 1 << 20
_CHARACTER_BYTES = 4  # at most
_SILENT_SECONDS = 60.0
_FOREVER_SECONDS = 365 * 86400.0


def log_query(
    container: str, follow: bool, previous: bool, since_seconds: int | None, tail_lines: int | None, timestamps: bool
) -> dict[str, str]:
    """The query of a request for a log.

    Raises:
        ValueError: A number is out of the server's range.
    """
    query = {"container": container} if container else {}
    for name, is_wanted in {"follow": follow, "previous": previous, "timestamps": timestamps}.items():
        if is_wanted:
            query[name] = "true"
    for name, value, least in (("sinceSeconds", since_seconds, 1), ("tailLines", tail_lines, 0)):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
        query[name] = str(value)
    return query


class LogLines:
    """Iterates over the lines of a log, without their line breaks. Leave its `with` block.

    Raises (while iterating):
        TransportError: The connection broke, or was silent for longer than allowed.
        DeadlineExceeded: The reconcile that reads it has had its time.
        Interrupted: `interrupt` was called.
    """

    def __init__(self, response: StreamResponse, breaker: Breaker) -> None:
        self._response = response
        self._breaker = breaker
        self._lines = _lines(response.chunks())

    @classmethod
    def open(cls, client: Caller, request: Request, *, follow: bool, idle_seconds: float | None) -> Self:
        """Send the request; returns as soon as the server has accepted it."""
        breaker = Breaker()
        if idle_seconds is None:
            idle_seconds = _FOREVER_SECONDS if follow else _SILENT_SECONDS
        return cls(client.open_stream(request, idle_timeout=idle_seconds, breaker=breaker), breaker)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        return next(self._lines)

    def interrupt(self) -> None:
        """Break the stream off, from any thread."""
        self._breaker.trip()

    def close(self) -> None:
        """Let the connection go. Idempotent; only the reading thread may call it, others `interrupt`."""
        self._lines.close()
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _lines(chunks: Iterator[bytes]) -> Generator[str, None, None]:
    parts: list[bytes] = []  # of a line that has not ended: joined once, however small they come
    size = 0
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield from _pieces(b"".join([*parts, end]).removesuffix(b"\r"))
            parts, size = [], 0
        if rest:
            parts.append(rest)
            size += len(rest)
        if size > MAX_LINE_BYTES:
            *pieces, last = _cut(b"".join(parts))
            yield from map(_text, pieces)
            parts, size = [last], len(last)
    if parts:
        yield from _pieces(b"".join(parts))


def _pieces(line: bytes) -> Iterator[str]:
    return map(_text, _cut(line))


def _cut(line: bytes) -> list[bytes]:
    """In pieces of MAX_LINE_BYTES at most, none of which begins within a character; one at least."""
    pieces = []
    start = 0
    while len(line) - start > MAX_LINE_BYTES:
        end = start + MAX_LINE_BYTES
        within = (each for each in range(end, end - _CHARACTER_BYTES, -1) if line[each] & 0xC0 != 0x80)
        end = next(within, end)  # what is no UTF-8 is cut anywhere
        pieces.append(line[start:end])
        start = end
    return [*pieces, line[start:]]


def _text(piece: bytes) -> str:
    return piece.decode(errors="replace")
