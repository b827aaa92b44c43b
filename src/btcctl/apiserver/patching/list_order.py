"""In which order the items of a merged list come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.gofmt import plain


@dataclass(frozen=True, slots=True)
class Identity:
    """What an item of a list is known by: its `key`, or itself if that is ""."""

    key: str

    def __call__(self, item: Any) -> Any:
        """
        Raises:
            StatusError: It lacks its key.
        """
        if not self.key:
            return item
        if not isinstance(item, Mapping) or self.key not in item:
            raise errors.internal(f"map: {plain(item)} does not contain declared merge key: {self.key}")
        return item[self.key]

    def text(self, item: Any) -> str | bytes:
        """The same as what can be looked up: 1, 1.0 and true are three.

        Raises:
            StatusError: It lacks its key.
        """
        return lookup(self(item))


def lookup(value: Any) -> str | bytes:
    """A JSON value as a key: lists may have thousands of items."""
    return value if isinstance(value, str) else codecs.encode(value)


def ordered(items: list[Any], wanted: list[Any], before: list[Any], identity: Identity) -> list[Any]:
    """The items that `wanted` names in its order; the rest as before, in front of what they stood in front of."""
    order, places = _places(wanted, identity), _places(before, identity)
    known = [(identity.text(each), each) for each in items]
    named = sorted((each for each in known if each[0] in order), key=lambda each: order[each[0]])
    rest = sorted((each for each in known if each[0] not in order), key=lambda each: places.get(each[0], -1))
    merged: list[Any] = []
    done = 0
    for text, item in named:
        place = places.get(text, -1)
        while done < len(rest) and -1 < places.get(rest[done][0], -1) < place:
            merged.append(rest[done][1])
            done += 1
        merged.append(item)
    return merged + [each for _, each in rest[done:]]


def _places(items: list[Any], identity: Identity) -> dict[str | bytes, int]:
    """Where each item is first."""
    found: dict[str | bytes, int] = {}
    for place, each in enumerate(items):
        found.setdefault(identity.text(each), place)
    return found
