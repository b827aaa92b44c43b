"""What a patch looks into: objects whose keys a real server shows in order when it refuses one, and long lists.

What a patch has looked into is written again with sorted keys; the rest stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LONG = 4_000  # items; to move fewer than these costs less than to look for the right piece
_PIECE = 1_000


class Opened(dict[str, Any]):
    """An object whose keys are sorted when it is written."""


class Pieces:
    """A long list in pieces: an item is put in, or taken out, without all others being moved.

    Indexes are those of a list, none of them negative.
    """

    __slots__ = ("_pieces", "_size")

    def __init__(self, items: list[Any]) -> None:
        self._pieces = [items[first : first + _PIECE] for first in range(0, len(items), _PIECE)] or [[]]
        self._size = len(items)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        for piece in self._pieces:
            yield from piece

    def __getitem__(self, index: int) -> Any:
        piece, left = self._found(index)
        return self._pieces[piece][left]

    def __setitem__(self, index: int, value: Any) -> None:
        piece, left = self._found(index)
        self._pieces[piece][left] = value

    def __delitem__(self, index: int) -> None:
        piece, left = self._found(index)
        del self._pieces[piece][left]
        if not self._pieces[piece] and len(self._pieces) > 1:
            del self._pieces[piece]
        self._size -= 1

    def insert(self, index: int, value: Any) -> None:
        piece, left = self._found(index)
        here = self._pieces[piece]
        here.insert(left, value)
        if len(here) > 2 * _PIECE:
            self._pieces[piece : piece + 1] = here[:_PIECE], here[_PIECE:]
        self._size += 1

    def append(self, value: Any) -> None:
        self.insert(self._size, value)

    def _found(self, index: int) -> tuple[int, int]:
        """The piece and the place in it; behind the last item for an index that is as long as the list."""
        left = index
        for number, piece in enumerate(self._pieces):
            if left < len(piece):
                return number, left
            left -= len(piece)
        return len(self._pieces) - 1, len(self._pieces[-1]) + left


def copied(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return type(value)((key, copied(each)) for key, each in value.items())
    return [copied(each) for each in value] if isinstance(value, list | Pieces) else value


def written(value: Any) -> Any:
    """The value in plain dicts and lists, each in its order."""
    if isinstance(value, dict):
        keys = sorted(value) if isinstance(value, Opened) else value
        return {key: written(value[key]) for key in keys}
    return [written(each) for each in value] if isinstance(value, list | Pieces) else value
