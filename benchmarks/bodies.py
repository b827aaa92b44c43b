"""Every byte that will be sent, made before the first request and kept in one memory file.

So answering costs the load generator a `sendfile` per piece, which copies nothing on its side.
"""

from __future__ import annotations

import os
import random
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.objects import Kind, encode, metadata_only

MARKER = 10_000_000  # number of the object whose event ends a burst
_FLUSH_BYTES = 8 << 20


@dataclass(frozen=True)
class Load:
    """What is served, and what happens to it."""

    kind: Kind
    objects: int
    burst: int  #: events: 90 % MODIFIED, 5 % ADDED, 5 % DELETED, and a last ADDED that marks the end
    paced: int  #: MODIFIED events, each of another object, to measure latency with; and a marker

    def changes(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """Type and object number of each event of the burst, and of the paced ones. Always the same."""
        chance = random.Random(1)
        alive = list(range(self.objects))
        chance.shuffle(alive)
        burst, at = [], 0
        for n in range(self.burst):
            what = chance.random()
            if what < 0.05:
                burst.append(("ADDED", self.objects + n))
            elif what < 0.10 and len(alive) > self.objects // 2:
                burst.append(("DELETED", alive.pop()))
            else:
                burst.append(("MODIFIED", alive[at % len(alive)]))
                at += 1
        burst.append(("ADDED", MARKER))
        paced = [("MODIFIED", alive[n % len(alive)]) for n in range(self.paced)]
        return burst, [*paced, ("MODIFIED", MARKER)]

    def objects_after_burst(self) -> int:
        burst, _ = self.changes()
        return self.objects + sum({"ADDED": 1, "DELETED": -1}.get(type_, 0) for type_, _ in burst)

    @property
    def last_listed(self) -> int:
        """The resourceVersion of the list."""
        return self.objects

    @property
    def last_of_burst(self) -> int:
        """The resourceVersion of the burst's marker."""
        return self.objects + self.burst + 1

    @property
    def last_paced(self) -> int:
        return self.last_of_burst + self.paced + 1


@dataclass
class Pieces:
    """Where consecutive pieces lie in the file: piece n is ends[n] to ends[n + 1]."""

    ends: array[int] = field(default_factory=lambda: array("q"))

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Offset and size of the pieces `first` to before `last`."""
        return self.ends[first], self.ends[last] - self.ends[first]

    @property
    def all(self) -> tuple[int, int]:
        return self.span(0, len(self.ends) - 1)


@dataclass(frozen=True)
class View:
    """The collection in one shape: whole objects, or their metadata only."""

    items: Pieces  #: each followed by a comma
    initial: Pieces  #: of a watch list: ADDED events and a bookmark, an HTTP chunk each
    burst: Pieces
    paced: Pieces


def chunk(event: bytes) -> bytes:
    """One event as one HTTP chunk: what a server sends unless it is in a hurry."""
    return b"%x\r\n%b\n\r\n" % (len(event) + 1, event)


class Bodies:
    """Makes and holds the bytes."""

    def __init__(self, load: Load, *, with_metadata: bool) -> None:
        self.load = load
        self.file = os.memfd_create("bodies")
        self._size = 0
        self.whole = self._view(lambda obj: obj)
        self.metadata = self._view(metadata_only) if with_metadata else None

    def _view(self, shape: Callable[[dict[str, Any]], dict[str, Any]]) -> View:
        kind, load = self.load.kind, self.load
        burst, paced = load.changes()
        return View(
            items=self._write(encode(shape(kind.item(n, n + 1))) + b"," for n in range(load.objects)),
            initial=self._write(self._initial(shape)),
            burst=self._write(self._events(burst, load.last_listed, shape)),
            paced=self._write(self._events(paced, load.last_of_burst, shape)),
        )

    def _initial(self, shape: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterable[bytes]:
        kind = self.load.kind
        for n in range(self.load.objects):
            yield _event("ADDED", shape(kind.object(n, n + 1)))
        metadata = {"resourceVersion": str(self.load.last_listed), "annotations": {"k8s.io/initial-events-end": "true"}}
        yield _event("BOOKMARK", shape({"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}))

    def _events(
        self, changes: list[tuple[str, int]], version: int, shape: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Iterable[bytes]:
        for at, (type_, number) in enumerate(changes, version + 1):
            yield _event(type_, shape(self.load.kind.object(number, at)))

    def _write(self, pieces: Iterable[bytes]) -> Pieces:
        written, pending = Pieces(array("q", [self._size])), bytearray()
        for piece in pieces:
            pending += piece
            self._size += len(piece)
            written.ends.append(self._size)
            if len(pending) > _FLUSH_BYTES:
                self._flush(pending)
        self._flush(pending)
        return written

    def _flush(self, pending: bytearray) -> None:
        os.write(self.file, pending) if pending else None
        pending.clear()


def _event(type_: str, obj: dict[str, Any]) -> bytes:
    return chunk(b'{"type":"%b","object":%b}' % (type_.encode(), encode(obj)))
