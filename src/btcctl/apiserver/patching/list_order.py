"""In which order the items of a merged list come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def ordered(items: list[Any], wanted: list[Any], before: list[Any], identity: Identity) -> list[Any]:
    """The items that `wanted` names in its order; the rest as before, in front of what they stood in front of."""
    order, places = ([identity(each) for each in those] for those in (wanted, before))
    named = sorted((each for each in items if identity(each) in order), key=lambda each: order.index(identity(each)))
    rest = [each for each in items if identity(each) not in order]
    rest.sort(key=lambda each: places.index(identity(each)) if identity(each) in places else -1)
    merged: list[Any] = []
    for item in named:
        while rest and _is_before(rest[0], item, places, identity):
            merged.append(rest.pop(0))
        merged.append(item)
    return merged + rest


def _is_before(left: Any, right: Any, places: list[Any], identity: Identity) -> bool:
    one, other = identity(left), identity(right)
    return one in places and other in places and places.index(one) < places.index(other)
