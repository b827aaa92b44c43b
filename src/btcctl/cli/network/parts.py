"""A page of several parts on a terminal that may be too small for it: what is left out is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that belong together.

    Attributes:
        what: What a row is, for example `node`; many of them are `nodes`.
        rows: All there are.
        draw: What rich prints of some of them, heading included.
        rank: Where there is no room for all parts, those with low ranks come first.
        keeps_last: Where there is no room for all, the last ones count most.
    """

    what: str
    rows: Sequence[Any]
    draw: Callable[[Sequence[Any]], Iterable[Any]]
    rank: int = 0
    keeps_last: bool = False

    def shown(self, most: int) -> list[Any]:
        """At most so many rows, and a word on the others; nothing without any."""
        more = len(self.rows) - most
        if more <= 0:
            return ["", *self.draw(self.rows)]
        if most <= 0:
            return []
        if self.keeps_last:
            return ["", *self.draw(self.rows[-most:]), f"… {counted(more, f'earlier {self.what}')}"]
        return ["", *self.draw(self.rows[:most]), f"… {counted(more, f'more {self.what}')}"]


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Page:
    """A headline, and parts below it."""

    head: str
    parts: Sequence[Part]

    def whole(self) -> Any:
        """All of it, for rich to print."""
        return self._with([len(part.rows) for part in self.parts])

    def fitted(self, room: int, lines_of: Callable[[Any], int]) -> Any:
        """As much of it as there is room for: at first of all parts alike, then of those that matter most.

        Args:
            room: How many lines there are.
            lines_of: How many of them something takes.
        """
        parts, sizes = self.parts, [len(part.rows) for part in self.parts]
        least = lines_of(self._with([0] * len(parts)))  # what is said of parts that are not there is in it
        room -= lines_of(self.head)

        @cache
        def cost(number: int, most: int) -> int:
            return lines_of(_group(parts[number].shown(most)))

        def level(most: int) -> list[int]:
            return [min(most, size) for size in sizes]

        def left(given: Sequence[int]) -> int:
            return room - sum(cost(number, most) for number, most in enumerate(given))

        if left(sizes) >= 0:
            return self.whole()
        room = max(room + lines_of(self.head) - least, 0)
        given = level(_greatest(room, lambda most: left(level(most)) >= 0))
        for number in sorted(range(len(parts)), key=lambda number: parts[number].rank):
            others = [*given[:number], 0, *given[number + 1 :]]
            given[number] = _greatest(min(sizes[number], room), partial(_fits, partial(cost, number), left(others)))
        return self._with(given)

    def _with(self, given: Sequence[int]) -> Any:
        lines = [line for part, most in zip(self.parts, given, strict=True) for line in part.shown(most)]
        absent = [part for part, most in zip(self.parts, given, strict=True) if part.rows and not most]
        named = ", ".join(counted(len(part.rows), part.what) for part in absent)
        return _group([self.head, *lines, *([f"… {named}"] if named else [])])


def _fits(cost: Callable[[int], int], room: int, most: int) -> bool:
    return cost(most) <= room


def _greatest(limit: int, fits: Callable[[int], bool]) -> int:
    """The greatest number up to a limit that fits; 0 if none does. What fits does so for all below it, too."""
    low, high = 0, max(limit, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _group(lines: Iterable[Any]) -> Any:
    from rich.console import Group  # noqa: PLC0415  late, as in `screen`

    return Group(*lines)
