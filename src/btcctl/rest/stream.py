"""The watch stream: bytes to events without I/O, and the stream that feeds it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import msgspec

from btcctl.errors import ApiError, ObjectDecodeError, WatchDecodeError
from btcctl.objects import BOOKMARK, ERROR, Object, WatchEvent, decode_json
from btcctl.rest.breaker import Breaker
from btcctl.rest.deep import is_too_deep, object_from, split_object
from btcctl.rest.transport import StreamResponse

# etcd takes objects of 1.5 MB; anything near this is no event.
LINE_LIMIT_BYTES = 64 << 20


class _Line(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


class WatchDecoder:
    """Splits a byte stream at newlines; chunks may end anywhere.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
    """

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._partial_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[WatchEvent]:
        """The events completed by `chunk`. All of it must be read before the next chunk is fed.

        The iterator can be read on after an ObjectDecodeError, and after no other error.

        Raises:
            ApiError: The server sent an ERROR event, for example Gone.
            WatchDecodeError: A line is not a JSON watch event.
            ObjectDecodeError: A line is a watch event, but its object has no usable metadata.
        """
        head, newline, rest = chunk.partition(b"\n")
        self._keep(head)
        if not newline:
            return iter(())
        *lines, tail = rest.split(b"\n")
        lines.insert(0, b"".join(self._partial))
        self._partial, self._partial_bytes = [], 0
        self._keep(tail)
        return map(_decode, filter(bytes.strip, lines))  # a generator would end with its first error

    def _keep(self, part: bytes) -> None:
        self._partial.append(part)
        self._partial_bytes += len(part)
        if self._partial_bytes > LINE_LIMIT_BYTES:
            raise WatchDecodeError(f"a line of more than {LINE_LIMIT_BYTES} bytes")


def _decode(line: bytes) -> WatchEvent:
    type_, raw = _split(line)
    if type_ == ERROR:
        raise _error(raw)
    return WatchEvent(type_, Object.from_bookmark(raw) if type_ == BOOKMARK else object_from(raw))


def _split(line: bytes) -> tuple[str, bytes]:
    try:
        frame = decode_json(line, _Line, lambda: "line")
        return frame.type, bytes(frame.object)
    except ObjectDecodeError as error:
        if is_too_deep(error):
            return _split_deep(line)
        raise WatchDecodeError(f"not a watch event: {line[:80]!r}: {error}") from error


def _split_deep(line: bytes) -> tuple[str, bytes]:
    try:
        members = split_object(line)
        return decode_json(members[b'"type"'], str, lambda: "type"), members[b'"object"']
    except (ObjectDecodeError, KeyError) as error:
        raise WatchDecodeError(f"not a watch event: {line[:80]!r}: {error}") from error


def _error(raw: bytes) -> ApiError | WatchDecodeError:
    try:
        return ApiError.from_status(decode_json(raw, dict[str, Any], lambda: "Status"))
    except ObjectDecodeError as error:
        return WatchDecodeError(f"an ERROR event without a Status: {error}")


class WatchStream:
    """Iterates over the events of one watch until the server ends it. Leave its `with` block.

    It can be read on after an ObjectDecodeError, and after no other error.

    Raises (while iterating):
        ApiError: The server sent an ERROR event, for example Gone.
        WatchDecodeError: A line is not a watch event.
        ObjectDecodeError: A line is a watch event, but its object has no usable metadata.
        TransportError: The connection broke, or was silent for longer than allowed.
        Interrupted: Somebody called `interrupt`.
    """

    def __init__(self, response: StreamResponse, breaker: Breaker) -> None:
        self._response = response
        self._breaker = breaker
        self._chunks = response.chunks()
        self._decoder = WatchDecoder()
        self._events: Iterator[WatchEvent] = iter(())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WatchEvent:
        while True:
            for event in self._events:
                return event
            self._events = self._decoder.feed(next(self._chunks))

    def interrupt(self) -> None:
        """Break the stream off, from any thread."""
        self._breaker.trip()

    def close(self) -> None:
        """Let the connection go. Only the reading thread may call it; others `interrupt`."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
