"""A YAML document's events made into its value, and what Go's library does not take of one that is well-formed.

A few hundred bytes of aliases of aliases may stand for gigabytes. So what an alias stands for is not copied, and the
values that a reader would visit are counted, those that it would visit for an alias apart. Nothing recurses, and of
the text nothing is kept but the value: nodes, as a composer makes them, would take several times as long.

Source: go.yaml.in/yaml/v2 2.4.3, decode.go; its limits were measured on kube-apiserver 1.36.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from btcctl.apiserver.machinery.gofmt import quoted

MAX_DEPTH = 10_000
_FEW_ALIASED = 100
_FEW_VISITED = 1_000
_GENEROUS_BELOW, _STRICT_FROM = 400_000, 4_000_000  # visited values; between them the share falls evenly
_GENEROUS_SHARE, _STRICT_SHARE = 0.99, 0.10
_MOST_REPEATED = 100  # are told of
_MERGE_TAG = "tag:yaml.org,2002:merge"
_NO_KEY: Any = object()  # of a map: its next value is a key
_MERGED: Any = object()  # the key `<<`
#: A plain text that begins otherwise is a text.
_MAY_MEAN_MORE = frozenset(["", *"yYnNtTfFoO~-+.0123456789"])

_STARTS = frozenset([yaml.SequenceStartEvent, yaml.MappingStartEvent])
_ENDS = frozenset([yaml.SequenceEndEvent, yaml.MappingEndEvent])


class Refused(Exception):
    """The document is not read; says why, in the words of Go's library."""


class Reader:
    """Reads one document.

    Args:
        scalar: What a text means that is plain, or has the tag that is given first.
        key: A key as JSON has it: a text.
    """

    def __init__(self, scalar: Callable[[str | None, str], Any], key: Callable[[Any], str]) -> None:
        self._scalar = scalar
        self._key_of = key
        self._items: Any = []  # the innermost list or map that is open; the outermost is a list of the document
        self._key: Any = _NO_KEY
        self._above: list[tuple[Any, Any, Any, int]] = []  # with the event that began what is in it
        self._anchors: dict[str, tuple[Any, int]] = {}  # the value and how many are visited in it; 0 until it ends
        self.repeated: list[str] = []  #: what a strict reader says of keys that come twice
        self._visited = 1  # the document
        self._aliased = 0

    def read(self, following: Callable[[], Any]) -> Any:
        """The first document's value; None if there is none. What an alias stands for is in it more than once.

        Args:
            following: The next event each time, and None after the last.

        Raises:
            Refused: It is too much.
        """
        for event in iter(following, None):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._put(self._text(event), event)
            elif kind in _STARTS:
                self._begin({} if kind is yaml.MappingStartEvent else [], event)
            elif kind in _ENDS:
                self._put(*self._ended())
            elif kind is yaml.AliasEvent:
                self._put(self._aliased_value(event.anchor), event)
            elif kind is yaml.DocumentEndEvent:
                break
        self._check_share()
        return self._items[0] if self._items else None

    def _text(self, event: Any) -> Any:
        self._visited += 1
        value: Any = event.value
        if event.tag is not None or (event.implicit[0] and value[:1] in _MAY_MEAN_MORE):
            value = self._scalar(event.tag, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, 1
        return value

    def _begin(self, items: Any, event: Any) -> None:
        if len(self._above) >= MAX_DEPTH:
            raise Refused(f"{_place(event)}exceeded max depth of {MAX_DEPTH}")
        self._above.append((self._items, self._key, event, self._visited))
        self._items, self._key = items, _NO_KEY
        self._visited += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = items, 0

    def _ended(self) -> tuple[Any, Any]:
        """The innermost value, and the event that began it."""
        value = self._items
        self._items, self._key, begun, before = self._above.pop()
        if begun.anchor is not None:
            self._anchors[begun.anchor] = value, self._visited - before
        return value, begun

    def _put(self, value: Any, event: yaml.Event) -> None:
        """Put a value into what is open. What is merged replaces what stands before it, as in Go's library."""
        items, key = self._items, self._key
        if type(items) is list:
            items.append(value)
        elif key is _NO_KEY:
            is_merge = value == "<<" and _is_merge(event)
            self._key = _MERGED if is_merge else value if type(value) is str else self._key_of(value)
        else:
            if key is _MERGED:
                self._merge(items, value, event)
            else:
                if key in items:
                    self._note(key, event)
                items[key] = value
            self._key = _NO_KEY

    def _merge(self, items: dict[str, Any], value: Any, event: Any) -> None:
        for each in reversed(value if isinstance(value, list) else [value]):
            if not isinstance(each, dict):
                raise Refused("map merge requires map or sequence of maps as the value")
            for key in items.keys() & each.keys():
                self._note(key, event)
            items.update(each)

    def _note(self, key: str, event: Any) -> None:
        if len(self.repeated) < _MOST_REPEATED:
            line = event.start_mark.line + 1
            self.repeated.append(f"line {line}: key {quoted(key)} already set in map")

    @property
    def has_aliases(self) -> bool:
        """Whether there were some in what has been read."""
        return self._aliased > 0

    def _aliased_value(self, anchor: str) -> Any:
        if anchor not in self._anchors:
            raise Refused(f"unknown anchor '{anchor}' referenced")
        value, visited = self._anchors[anchor]
        if not visited:
            raise Refused(f"anchor '{anchor}' value contains itself")
        self._aliased += visited
        self._visited += 1 + visited
        self._check_share()
        return value

    def _check_share(self) -> None:
        if self._aliased <= _FEW_ALIASED or self._visited <= _FEW_VISITED:
            return
        if self._aliased > self._visited * _allowed_share(self._visited):
            raise Refused("document contains excessive aliasing")


def _is_merge(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and (event.implicit[0] or event.tag == _MERGE_TAG)


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
