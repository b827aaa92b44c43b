"""What Go's YAML library does not take of a document that is well-formed: nesting and aliasing without measure.

A few hundred bytes of aliases of aliases may stand for gigabytes. So a document is read as a stream of events first,
which takes no more memory than its text, and the values that a reader would visit are counted, those that it would
visit for an alias apart. The limits are those of sigs.k8s.io/yaml (goyaml.v2 in it), measured on kube-apiserver 1.36.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

MAX_DEPTH = 10_000
_FEW_ALIASED = 100
_FEW_VISITED = 1_000
_GENEROUS_BELOW, _STRICT_FROM = 400_000, 4_000_000  # visited values; between them the share falls evenly
_GENEROUS_SHARE, _STRICT_SHARE = 0.99, 0.10


class Refused(Exception):
    """The document is not read; says why, in the words of Go's library."""


@dataclass(slots=True)
class _Open:
    """A list or a map that has begun: its anchor, and the values visited in it so far."""

    anchor: str | None
    visited: int = 1


class LimitCheck:
    """Sees a document's events in their order.

    Attributes:
        depth: Of lists and maps in each other, the most there were.
    """

    def __init__(self) -> None:
        self.depth = 0
        self._open: list[_Open] = []
        self._sizes: dict[str, int] = {}  # of what has an anchor and has ended: visited values
        self._visited = 1  # the document
        self._aliased = 0

    def see(self, event: yaml.Event) -> None:
        """
        Raises:
            Refused: Here it is too much.
        """
        if isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.ScalarEvent):
            self._visit(1)
            if event.anchor:
                self._sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            self._follow(event.anchor or "")

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise Refused(f"{_place(event)}exceeded max depth of {MAX_DEPTH}")
        self._visit(1)
        if event.anchor:
            self._sizes.pop(event.anchor, None)
        self._open.append(_Open(event.anchor))
        self.depth = max(self.depth, len(self._open))

    def _end(self) -> None:
        ended = self._open.pop()
        if ended.anchor:
            self._sizes[ended.anchor] = ended.visited
        if self._open:
            self._open[-1].visited += ended.visited

    def _follow(self, anchor: str) -> None:
        if any(each.anchor == anchor for each in self._open) and anchor not in self._sizes:
            raise Refused(f"anchor '{anchor}' value contains itself")
        size = self._sizes.get(anchor)
        if size is None:
            raise Refused(f"unknown anchor '{anchor}' referenced")
        self._aliased += size
        self._visit(1 + size)

    def _visit(self, values: int) -> None:
        self._visited += values
        if self._open:
            self._open[-1].visited += values
        if self._aliased <= _FEW_ALIASED or self._visited <= _FEW_VISITED:
            return
        if self._aliased > self._visited * _allowed_share(self._visited):
            raise Refused("document contains excessive aliasing")


def _place(event: yaml.Event) -> str:
    """The line, which nothing is said of if it is the first."""
    line = event.start_mark.line if event.start_mark is not None else 0
    return f"line {line + 1}: " if line else ""


def _allowed_share(visited: int) -> float:
    """How many of the visited values may have been visited for an alias."""
    if visited <= _GENEROUS_BELOW:
        return _GENEROUS_SHARE
    if visited >= _STRICT_FROM:
        return _STRICT_SHARE
    beyond = (visited - _GENEROUS_BELOW) / (_STRICT_FROM - _GENEROUS_BELOW)
    return _GENEROUS_SHARE - (_GENEROUS_SHARE - _STRICT_SHARE) * beyond
