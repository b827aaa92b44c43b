"""The watch stream: bytes to events without I/O, and the stream that feeds it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import msgspec
import structlog

from btcctl.errors import ApiError, ObjectDecodeError, WatchDecodeError
from btcctl.objects import BOOKMARK, ERROR, Object, WatchEvent, decode_json
from btcctl.rest.breaker import Breaker
from btcctl.rest.transport import StreamResponse

logger = structlog.get_logger(__name__)

# etcd takes objects of 1.5 MB (kubernetes-api.md, section 6); anything near this is no event.
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
        """Yield the events completed by `chunk`.

        An object without usable metadata is left out and logged.

        Raises:
            ApiError: The server sent an ERROR event, for example Gone.
            WatchDecodeError: A line is not a JSON watch event.
        """
        head, newline, rest = chunk.partition(b"\n")
        self._keep(head)
        if not newline:
            return
        *lines, tail = rest.split(b"\n")
        lines.insert(0, b"".join(self._partial))
        self._partial, self._partial_bytes = [], 0
        self._keep(tail)
        for line in lines:
            event = _decode(line) if line.strip() else None
            if event is not None:
                yield event

    def _keep(self, part: bytes) -> None:
        self._partial.append(part)
        self._partial_bytes += len(part)
        if self._partial_bytes > LINE_LIMIT_BYTES:
            raise WatchDecodeError(f"a line of more than {LINE_LIMIT_BYTES} bytes")


def _decode(line: bytes) -> WatchEvent | None:
    try:
        frame = decode_json(line, _Line, lambda: "line")
    except ObjectDecodeError as error:
        raise WatchDecodeError(f"not a watch event: {line[:80]!r}: {error}") from error
    raw = bytes(frame.object)
    if frame.type == ERROR:
        raise _error(raw)
    try:
        return WatchEvent(frame.type, Object.from_bookmark(raw) if frame.type == BOOKMARK else Object.from_raw(raw))
    except ObjectDecodeError as error:
        logger.warning("event left out of a watch", type=frame.type, error=str(error))
        return None


def _error(raw: bytes) -> ApiError | WatchDecodeError:
    try:
        return ApiError.from_status(decode_json(raw, dict[str, Any], lambda: "Status"))
    except ObjectDecodeError as error:
        return WatchDecodeError(f"an ERROR event without a Status: {error}")


class WatchStream:
    """Iterates over the events of one watch until the server ends it. Leave its `with` block.

    Raises (while iterating):
        ApiError: The server sent an ERROR event, for example Gone.
        WatchDecodeError: A line is not a watch event.
        TransportError: The connection broke, or was silent for longer than allowed.
        Interrupted: Somebody called `interrupt`.
    """

    def __init__(self, response: StreamResponse, breaker: Breaker) -> None:
        self._response = response
        self._breaker = breaker
        self._events = self._read()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self._events

    def __next__(self) -> WatchEvent:
        return next(self._events)

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

    def _read(self) -> Iterator[WatchEvent]:
        decoder = WatchDecoder()
        for chunk in self._response.chunks():
            yield from decoder.feed(chunk)
