"""The watch stream: bytes to events without I/O, and the stream that feeds it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import repeat
from types import TracebackType
from typing import Any, Self

import msgspec

from btcctl import codecs
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ApiError, ConnectionSilent, ObjectDecodeError, TransportError, WatchDecodeError
from btcctl.metadata import ObjectFrame, TypeMeta
from btcctl.nesting import is_too_deep, split_object
from btcctl.objects import (
    ADDED,
    BOOKMARK,
    DECODE_ERRORS,
    DELETED,
    ERROR,
    MODIFIED,
    Object,
    WatchEvent,
    decode_json,
    object_from,
)
from btcctl.rest.limits import StreamLimits
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import StreamResponse
from btcctl.secret import hiding_frames

# etcd takes objects of 1.5 MB; anything near this is no event.
LINE_LIMIT_BYTES = 64 << 20


class _Line(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


class _Event(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    object: ObjectFrame


_decode_event = codecs.decoder_of(_Event).decode
# Up to and with the object's first bracket, as the API server writes it.
_BEGINNINGS = {type_: b'{"type":"%b","object":{' % type_.encode() for type_ in (ADDED, MODIFIED, DELETED)}


_new_tuple = tuple.__new__  # a NamedTuple's own is a Python function


class WatchDecoder:
    """Splits a byte stream at newlines; chunks may end anywhere.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes

    Args:
        type_meta: What the collection holds: of objects that do not say what they are.
    """

    def __init__(self, type_meta: TypeMeta | None = None) -> None:
        self._type_metas = repeat(type_meta)
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
        lines = BytesIO(chunk).readlines()  # bytes.split looks at each byte by itself
        tail = lines.pop() if lines and not chunk.endswith(b"\n") else b""
        if not lines:
            self._keep(tail)
            return iter(())
        lines[0] = b"".join([*self._partial, lines[0]])
        self._partial, self._partial_bytes = [], 0
        self._keep(tail)
        return map(_decode, filter(bytes.strip, lines), self._type_metas)  # a generator would end with its first error

    def finish(self) -> Iterator[WatchEvent]:
        """The server has ended the stream, as it should: what is left is a line, too. Raises as `feed` does.

        It may be the whole answer of who has not understood that it is to be a watch: a page, or a list.
        """
        line, self._partial, self._partial_bytes = b"".join(self._partial).strip(), [], 0
        return iter([_last(line, next(self._type_metas))] if line else [])

    def _keep(self, part: bytes) -> None:
        self._partial.append(part)
        self._partial_bytes += len(part)
        if self._partial_bytes > LINE_LIMIT_BYTES:
            raise WatchDecodeError(f"a line of more than {LINE_LIMIT_BYTES} bytes")


def _decode(line: bytes, type_meta: TypeMeta | None) -> WatchEvent:
    """Decode what is needed in one pass, if the line is written as the API server does: its object is all the rest."""
    try:
        event = _decode_event(line)
    except DECODE_ERRORS:
        return _decode_in_steps(line, type_meta)
    type_, meta = event.type, event.object.metadata
    beginning = _BEGINNINGS.get(type_)
    if beginning is None or not meta.name or not line.startswith(beginning) or not line.endswith(b"}}\n"):
        return _decode_in_steps(line, type_meta)
    return _new_tuple(WatchEvent, (type_, Object(meta, line[len(beginning) - 1 : -2], type_meta)))


def _last(line: bytes, type_meta: TypeMeta | None) -> WatchEvent:
    try:
        return _decode(line, type_meta)
    except WatchDecodeError as error:
        if line.startswith(b'{"type":'):  # what came before it was fine
            raise TransportError("the watch ended in the middle of an event") from error
        raise


def _decode_in_steps(line: bytes, type_meta: TypeMeta | None) -> WatchEvent:
    type_, raw = _split(line)
    if type_ == ERROR:
        raise _error(raw)
    return WatchEvent(type_, Object.from_nameless(raw) if type_ == BOOKMARK else object_from(raw, type_meta))


def _split(line: bytes) -> tuple[str, bytes]:
    try:
        frame = decode_json(line, _Line, lambda: "line")
        return frame.type, bytes(frame.object)
    except ObjectDecodeError as error:
        if is_too_deep(error):
            return _split_deep(line)
        raise WatchDecodeError(f"not a watch event: {_shown(line)}: {error}") from error


def _shown(line: bytes) -> str:
    """The beginning of what is certainly no part of an object: that may be a Secret."""
    return repr(line[:80]) if line.lstrip().startswith(b"<") else f"a line of {len(line)} bytes"


def _split_deep(line: bytes) -> tuple[str, bytes]:
    try:
        members = split_object(line)
        return decode_json(members[b'"type"'], str, lambda: "type"), members[b'"object"']
    except (ObjectDecodeError, KeyError) as error:
        raise WatchDecodeError(f"not a watch event: {_shown(line)}: {error}") from error


def _error(raw: bytes) -> ApiError | WatchDecodeError:
    try:
        return ApiError.from_status(decode_json(raw, dict[str, Any], lambda: "Status"))
    except ObjectDecodeError as error:
        return WatchDecodeError(f"an ERROR event without a Status: {error}")


class WatchStream:
    """Iterates over the events of one watch until the server ends it. Leave its `with` block.

    It can be read on after an ObjectDecodeError, and after no other error. Deadlines are looked at
    whenever anything comes, so that a server that trickles, or that never ends a stream, is noticed.

    Raises (while iterating):
        ApiError: The server sent an ERROR event, for example Gone.
        WatchDecodeError: A line is not a watch event.
        ObjectDecodeError: A line is a watch event, but its object has no usable metadata.
        ConnectionSilent: No line came to its end for longer than allowed.
        TransportError: The connection broke, or the server did not end the stream in time.
        DeadlineExceeded: The reconcile that reads it has had its time.
        Interrupted: `interrupt` was called.
    """

    def __init__(
        self,
        response: StreamResponse,
        breaker: Breaker,
        limits: StreamLimits,
        *,
        type_meta: TypeMeta | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._response = response
        self._breaker = breaker
        self._limits = limits
        self._clock = clock
        self._opened_at = self._line_at = clock.now()
        self._begins = limits.initial_idle_seconds is not None
        self._idle_seconds = limits.initial_idle_seconds or limits.idle_seconds
        self._chunks = response.chunks()
        self._decoder = WatchDecoder(type_meta)
        self._events: Iterator[WatchEvent] = iter(())  # that have come, and are not decoded yet
        self._taken: Iterator[WatchEvent] = iter(())
        self._failure: ApiError | ObjectDecodeError | WatchDecodeError | None = None

    def __iter__(self) -> Self:
        return self

    @hiding_frames
    def __next__(self) -> WatchEvent:
        for event in self._taken:
            return event
        self._taken = iter(self.take())
        return next(self._taken)

    @hiding_frames
    def take(self) -> list[WatchEvent]:
        """Wait for an event, and return it with all that came along; [] at the end. Raises as iterating does."""
        if events := [*self._taken]:
            return events
        while True:
            if events := self._decode():
                return events
            chunk = next(self._chunks, None)
            if chunk is None:
                self._events = self._decoder.finish()
                return self._decode()
            self._check_time(b"\n" in chunk)
            self._events = self._decoder.feed(chunk)

    def _decode(self) -> list[WatchEvent]:
        """What has come up to the first that cannot be decoded; it is raised when its turn comes."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        events: list[WatchEvent] = []
        try:
            for event in self._events:
                events.append(event)  # noqa: PERF402  those before one that fails are kept
        except (ApiError, ObjectDecodeError, WatchDecodeError) as error:
            if not events:
                raise
            self._failure = error
        if self._begins and any(event.ends_initial_events for event in events):
            self._go_live()
        return events

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

    def _go_live(self) -> None:
        self._begins = False
        self._idle_seconds = self._limits.idle_seconds
        self._response.set_idle_timeout(self._idle_seconds)

    def _check_time(self, a_line_ended: bool) -> None:
        now = self._clock.now()
        lifetime = self._limits.lifetime_seconds
        if lifetime is not None and now - self._opened_at > lifetime:
            raise TransportError(f"the server did not end the watch within {lifetime:g} s")
        if a_line_ended:
            self._line_at = now
        elif now - self._line_at > self._idle_seconds:
            raise ConnectionSilent(f"no event was complete within {self._idle_seconds:g} s")
